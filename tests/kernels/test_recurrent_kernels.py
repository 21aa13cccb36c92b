"""The kernels against the page, every intermediate of them; and which of the two runs."""

from contextlib import contextmanager

import numpy as np
import pytest

from scratchnet.equations import gru, lstm, simple_rnn
from scratchnet.kernels import threads
from scratchnet.kernels.sweep import Sweep
from scratchnet.layers import Bidirectional, recurrent_parts
from scratchnet.layers.page_sweep import PageSweep
from tests.all_pairs import all_pairs
from tests.helpers import assert_agrees, assert_not_negligible
from tests.kernels.dividing import divided
from tests.kernels.kept_sweeps import new_memory_holds_nan
from tests.layers.cases import every_dtype, random_array, randomised
from tests.layers.recurrent_cases import (
    LAYERS,
    every_kernel,
    label,
    mask_of_every_kind,
    page_and_kernel,
    recurrent,
    states_for,
)

ROUNDING = {"float64": 1e-14, "float32": 5e-6}
"""What a sum in another order may differ by, a few steps on."""
ROUNDING_BACK = {"float64": 2e-14, "float32": 1e-5}

every_shape = pytest.mark.parametrize(
    ("B", "T", "D", "H"),
    [(5, 4, 3, 2), (1, 3, 5, 7), (7, 1, 2, 3), (5, 6, 1, 3), (6, 5, 4, 1), (1, 1, 1, 1)],
)
PARTS = {5: 1, 63: 1, 64: 2, 65: 2, 193: 3}
"""How many parts a batch is divided into."""


def sweeps_of(layer):
    """The passes over time that backward will go through, one for each part of the batch."""
    return [one.sweeps[0] for one in layer._remembered[0][1]]


def page_forward(name, sweep, t):
    """What the page knows of step t, by its own names, (B, H) each."""
    cache = sweep.caches[t]
    if name == "simple_rnn":
        return {"h": cache[5]}
    if name == "lstm":
        return {"c": cache[3], "tanh_c": cache[4], **dict(zip("ifgo", cache[5][4:], strict=True))}
    return dict(zip(("z", "r", "n", "v_n"), cache[3], strict=True))


def kernel_forward(name, sweep, t):
    """The same from the kernel's arrays, before the way back writes over the GRU's."""
    if name == "simple_rnn":
        arrays = {"h": sweep.hs[t + 1]}
    elif name == "lstm":
        gates = zip("ofi", sweep.gates[t], strict=False)
        arrays = {"g": sweep.gates[t, 3], "c": sweep.gates[t + 1, 4], **dict(gates)}
        arrays["tanh_c"] = sweep.tanh_cs[t]
    else:
        arrays = dict(zip(("v_n", "r", "z", "n"), sweep.gates[t], strict=False))
    return {key: array.copy() for key, array in arrays.items()}


def kernel_das(name, sweep, t):
    """The gradients of the pre-activations that step t has just written, in Keras's order."""
    da = sweep.das[t - sweep._first].copy()
    if name == "simple_rnn":
        return [da]
    if name == "lstm":
        _, o, f, i, g = np.split(da, 5, axis=1)
        return [np.concatenate((i, f, g, o), axis=1)]
    _, n, z, r, v_n = np.split(da, 5, axis=1)
    return [np.concatenate((z, r, v_n), axis=1), np.concatenate((z, r, n), axis=1)]


@contextmanager
def recorded_products(monkeypatch):
    """Record what the page's products are told to go back from."""
    das = []
    with monkeypatch.context() as patch:
        for module in (simple_rnn, lstm, gru):
            original = module.gate_product_backward

            def recording(da, x, W, m=None, original=original):
                das.append(da.copy())
                return original(da, x, W, m)

            patch.setattr(module, "gate_product_backward", recording)
        yield das


def record(name, sweep, das):
    """Return a list that step_backward will fill: (das, dstates before the step), last step first.

    ``das`` is what `recorded_products` writes to.
    """
    steps, step_backward = [], sweep.step_backward

    def recording(t, dstates):
        del das[:]
        step_backward(t, dstates)
        if isinstance(sweep, PageSweep):
            # the first is for h, the second for x; they are the same array but in a GRU
            own = das[: 2 if name == "gru" else 1]
        else:
            own = kernel_das(name, sweep, t)
        steps.append((own, [d.copy() for d in dstates]))

    sweep.step_backward = recording
    return steps


def backward_steps(name, layer, dy, d_state, monkeypatch):
    """Run backward; return (das, dstates before the step) for each step, last step first."""
    with recorded_products(monkeypatch) as das:
        parts = [record(name, sweep, das) for sweep in sweeps_of(layer)]
        layer.backward(dy, d_state)
    by_step = zip(*parts, strict=True)
    return [[joined(arrays) for arrays in zip(*step, strict=True)] for step in by_step]


def joined(parts, axis=0):
    """Return lists of arrays, one list for each part of the batch, as one list for all of it."""
    return [np.concatenate(arrays, axis=axis) for arrays in zip(*parts, strict=True)]


def assert_every_intermediate(name, shape, dtype, masked, monkeypatch, parts=1):
    B, T, D, H = shape
    monkeypatch.setattr(recurrent_parts, "WORTH", 0)  # every row takes every step
    x, dy = (random_array(B, T, n, dtype=dtype, seed=n) for n in (D, H))
    mask = mask_of_every_kind(B, T) if masked else None
    taken = range(T)
    forwards, backwards, stacks = [], [], []
    for page in (True, False):
        layer = recurrent(name, H, D, page=page, dtype=dtype, return_sequences=True)
        layer.forward(x, training=True, mask=mask, initial_state=states_for(layer, B))
        sweeps = sweeps_of(layer)
        assert len(sweeps) == (1 if page else parts)
        assert all(isinstance(sweep, PageSweep if page else Sweep) for sweep in sweeps)
        known = page_forward if page else kernel_forward
        steps = [[known(name, sweep, t) for sweep in sweeps] for t in taken]
        forwards.append(
            [{key: np.concatenate([p[key] for p in step]) for key in step[0]} for step in steps]
        )
        stacks.append(joined([sweep.states for sweep in sweeps], axis=1))
        backwards.append(
            backward_steps(name, layer, dy, states_for(layer, B, seed=80), monkeypatch)
        )
    for reference, stack in zip(*stacks, strict=True):
        assert stack.dtype == dtype
        assert_agrees(stack, reference, ROUNDING[dtype], "states")
    for t, page, kernel in zip(taken, *forwards, strict=True):
        assert sorted(kernel) == sorted(page)
        for key, reference in page.items():
            stepped = np.ones(B, dtype=bool)
            if key in ("h", "c") and mask is not None:
                stepped = mask[:, t]  # elsewhere the kernel's array holds the state kept
            if stepped.any():
                assert_not_negligible(reference[stepped])
                assert_agrees(
                    kernel[key][stepped], reference[stepped], ROUNDING[dtype], f"{key} at {t}"
                )
    for t, (page_das, page_dstates), (das, dstates) in zip(
        reversed(taken), *backwards, strict=True
    ):
        if mask is None or mask[:, t].any():
            assert_not_negligible(page_das[0])
        for da, reference in zip(das, page_das, strict=True):
            assert_agrees(da, reference, ROUNDING_BACK[dtype], f"da at {t}")
        for d, reference in zip(dstates, page_dstates, strict=True):
            assert_agrees(d, reference, ROUNDING_BACK[dtype], f"dstates at {t}")


@every_kernel
@every_shape
@every_dtype
@pytest.mark.parametrize("masked", [False, True])
def test_every_intermediate(name, B, T, D, H, dtype, masked, monkeypatch):
    assert_every_intermediate(name, (B, T, D, H), dtype, masked, monkeypatch)


@every_kernel
@every_dtype
@pytest.mark.parametrize("steps", [1, 2, 3, 6])
@pytest.mark.parametrize("masked", [False, True])
def test_every_intermediate_in_chunks(name, dtype, steps, masked, monkeypatch):
    with divided(steps):
        assert_every_intermediate(name, (5, 7, 3, 2), dtype, masked, monkeypatch)


@every_kernel
@every_dtype
@pytest.mark.parametrize("B", [64, 65, 193])
@pytest.mark.parametrize("steps", [None, 2])
@pytest.mark.parametrize("masked", [False, True])
def test_every_intermediate_in_parts(name, dtype, B, steps, masked, monkeypatch):
    with divided(steps):
        shape, parts = (B, 5, 3, 2), PARTS[B]
        assert_every_intermediate(name, shape, dtype, masked, monkeypatch, parts)


def test_how_many_parts():
    assert {rows: len(threads.parts(rows)) for rows in PARTS} == PARTS


@every_kernel
@every_shape
@every_dtype
@pytest.mark.parametrize("use_bias", [True, False])
def test_results(name, B, T, D, H, dtype, use_bias):
    x = random_array(B, T, D, dtype=dtype)
    results = []
    for page in (True, False):
        layer = recurrent(
            name, H, D, page=page, dtype=dtype, use_bias=use_bias, return_state=True,
            go_backwards=True,
        )  # fmt: skip
        state = states_for(layer, B)
        outputs = layer.forward(x, training=True, initial_state=state)
        dx = layer.backward(random_array(B, H, seed=3), states_for(layer, B, seed=80))
        assert list(layer.grads) == list(layer.params)
        results.append((outputs, [dx, *layer.d_initial_state, *layer.grads.values()]))
        inference = layer.forward(x, initial_state=state)
        for y, same in zip(outputs, inference, strict=True):
            np.testing.assert_array_equal(y, same)
    for kind, tolerance in enumerate((ROUNDING[dtype], ROUNDING_BACK[dtype])):
        for reference, actual in zip(results[0][kind], results[1][kind], strict=True):
            assert actual.dtype == dtype
            assert_not_negligible(reference)
            assert_agrees(actual, reference, tolerance)


def everything(layer, x, mask, state):
    """All that a training forward and its way back give, forward first."""
    outputs = layer.forward(x, training=True, mask=mask, initial_state=state)
    upstream = [random_array(*array.shape, seed=i) for i, array in enumerate(outputs, 30)]
    dx = layer.backward(upstream[0], tuple(upstream[1:]))
    return outputs, [dx, *layer.d_initial_state, *layer.grads.values()]


def assert_layers_agree(page, kernel, rows, masked):
    """Compare two batches, one after the other: a stateful layer goes on in the second."""
    dtype = kernel.dtype
    for seed in (0, 1):
        x = random_array(rows, 7, 3, dtype=dtype, seed=seed)
        mask = np.roll(mask_of_every_kind(rows, 7), seed, axis=0) if masked else None
        state = states_for_each(kernel, rows) if seed == 0 else None
        found = [everything(layer, x, mask, state) for layer in (page, kernel)]
        for kind, tolerance in enumerate((ROUNDING[dtype], ROUNDING_BACK[dtype])):
            for reference, actual in zip(found[0][kind], found[1][kind], strict=True):
                assert actual.dtype == dtype
                assert_not_negligible(reference)
                assert_agrees(actual, reference, 2 * tolerance)


def states_for_each(layer, rows):
    """Initial states for a layer, or for both directions."""
    if not isinstance(layer, Bidirectional):
        return states_for(layer, rows)
    inner = (layer.forward_layer, layer.backward_layer)
    return tuple(s for i, one in enumerate(inner) for s in states_for(one, rows, seed=50 + 9 * i))


DIVISIONS = all_pairs(
    {
        "rows": tuple(PARTS),
        "steps": (None, 1, 2, 3),
        "masked": (True, False),
        "stateful": (True, False),
        "go_backwards": (True, False),
        "return_sequences": (True, False),
        "zero_output_for_mask": (True, False),
        "use_bias": (True, False),
        "dropout": (0.0, 0.3),
        "dtype": ("float64", "float32"),
    }
)


@every_kernel
@pytest.mark.parametrize("options", DIVISIONS, ids=label)
def test_results_in_chunks_and_parts(name, options):
    options = dict(options)
    rows, steps, masked = (options.pop(key) for key in ("rows", "steps", "masked"))
    page, kernel = (
        recurrent(name, 2, 3, page=page, return_state=True, seed=6, **options)
        for page in (True, False)
    )
    with divided(steps):
        assert_layers_agree(page, kernel, rows, masked)


@every_kernel
@pytest.mark.parametrize("rows", [5, 65, 193])
@pytest.mark.parametrize("return_sequences", [True, False])
@pytest.mark.parametrize("masked", [True, False])
def test_both_directions_in_chunks_and_parts(name, rows, return_sequences, masked):
    def both(page):
        inner = LAYERS[name](
            2, page=page, return_state=True, return_sequences=return_sequences, stateful=True
        )
        return randomised(Bidirectional(inner, "concat", dtype="float64"), (None, None, 3))

    with divided(3):
        assert_layers_agree(both(True), both(False), rows, masked)


@every_kernel
@pytest.mark.parametrize("padding", [(1, 4), (4, 0), (7, 2), (7, 7), (0, 6)], ids=str)
@pytest.mark.parametrize("return_sequences", [True, False])
def test_steps_that_are_padding_for_a_whole_part(name, padding, return_sequences):
    """Two parts of 33 and 34 rows, each with some steps in front that no row of it counts."""
    before = np.repeat(padding, (33, 34))[:, None]
    mask = np.arange(7) >= before
    mask[::3, -2] = False
    x = random_array(67, 7, 3)
    page, kernel = (
        recurrent(name, 2, 3, page=page, return_state=True, return_sequences=return_sequences)
        for page in (True, False)
    )
    with divided(2), new_memory_holds_nan():
        found = [everything(layer, x, mask, states_for(layer, 67)) for layer in (page, kernel)]
    for kind, tolerance in enumerate((ROUNDING["float64"], ROUNDING_BACK["float64"])):
        for reference, actual in zip(found[0][kind], found[1][kind], strict=True):
            assert_agrees(actual, reference, tolerance)
    y, dx = found[1][0][0], found[1][1][0]
    assert not dx[~mask].any()
    if return_sequences:
        assert not y[np.arange(7) < before].any()
    if min(padding) < 7:
        assert_not_negligible(dx)


@every_kernel
@page_and_kernel
@every_dtype
@pytest.mark.parametrize("pre_activation", [50, -50, 1e4, -1e4])
def test_saturated_gates(name, page, dtype, pre_activation):
    """Finite, without a warning, and the two arrangements the same.

    A closed gate is 2e-22 on the page and 0 here, where the sigmoid is 1/2 + tanh/2: beside the
    states, which are of the order of 1, that is rounding, and it is compared with them.
    """
    x = random_array(3, 5, 4, dtype=dtype)
    layer = recurrent(name, 2, 4, page=page, dtype=dtype)
    layer.params["bias"][...] = pre_activation
    y = layer.forward(x, training=True)
    dx = layer.backward(random_array(3, 2))
    for array in (y, dx, *layer.grads.values(), *layer.d_initial_state):
        assert np.isfinite(array).all()
    twin = recurrent(name, 2, 4, page=not page, dtype=dtype)
    twin.params["bias"][...] = pre_activation
    assert np.abs(y - twin.forward(x, training=True)).max() <= ROUNDING[dtype]


@every_kernel
@every_dtype
@pytest.mark.parametrize("magnitude", [1e4, 1e-7, 0])
def test_inputs_of_any_magnitude(name, dtype, magnitude):
    x = random_array(3, 5, 4, dtype=dtype) * np.asarray(magnitude, dtype)
    outputs = []
    for page in (True, False):
        layer = recurrent(name, 2, 4, page=page, dtype=dtype)
        y = layer.forward(x, training=True)
        dx = layer.backward(random_array(3, 2))
        for array in (y, dx, *layer.grads.values()):
            assert np.isfinite(array).all()
        outputs.append(y)
    assert_agrees(outputs[1], outputs[0], ROUNDING[dtype] * 10)


@every_kernel
def test_two_hundred_steps(name):
    """Rounding does not grow: weights small enough for the gradient to reach the first step."""
    x = random_array(2, 200, 3)
    results = []
    for page in (True, False):
        layer = recurrent(name, 4, 3, page=page, return_sequences=True)
        layer.set_weights([w / 2 for w in layer.get_weights()])
        y = layer.forward(x, training=True)
        results.append([y, layer.backward(random_array(2, 200, 4)), *layer.grads.values()])
    for reference, actual in zip(*results, strict=True):
        assert_agrees(actual, reference, 1e-12)


class TestWhichRuns:
    """Page or kernel: a layer's switch, and a variable for all layers that leave it open."""

    @pytest.fixture
    def ran(self, monkeypatch):
        """The arrangements that were made, in order."""
        made = []
        for kind, title in ((PageSweep, "page"), (Sweep, "kernel")):
            original = kind.__init__

            def spying(self, *args, original=original, title=title):
                made.append(title)
                original(self, *args)

            monkeypatch.setattr(kind, "__init__", spying)
        return made

    @every_kernel
    @pytest.mark.parametrize(
        ("variable", "page", "expected"),
        [
            (None, None, "kernel"),
            (None, True, "page"),
            (None, False, "kernel"),
            ("1", None, "page"),
            ("yes", None, "page"),
            ("0", None, "kernel"),
            ("", None, "kernel"),
            ("1", False, "kernel"),
            ("0", True, "page"),
        ],
    )
    def test_switches(self, name, variable, page, expected, ran, monkeypatch):
        monkeypatch.delenv("SCRATCHNET_PAGE", raising=False)
        if variable is not None:
            monkeypatch.setenv("SCRATCHNET_PAGE", variable)
        layer = recurrent(name, 3, 2, page=page)
        x, dy = random_array(4, 5, 2), random_array(4, 3)
        y = layer.forward(x, training=True)
        dx = layer.backward(dy)
        layer(x)
        assert ran == [expected] * 2
        other = recurrent(name, 3, 2, page=expected != "page")
        assert_agrees(y, other.forward(x, training=True), ROUNDING["float64"])
        assert_agrees(dx, other.backward(dy), ROUNDING_BACK["float64"])
        assert ran[2] != expected

    @pytest.mark.parametrize(
        ("name", "settings"),
        [
            ("simple_rnn", {"activation": "relu"}),
            ("lstm", {"activation": "softsign"}),
            ("lstm", {"recurrent_activation": "hard_sigmoid"}),
            ("gru", {"activation": "relu"}),
            ("gru", {"recurrent_activation": "tanh"}),
            ("gru_reset_before", {}),
        ],
    )
    def test_what_no_kernel_is_for(self, name, settings, ran):
        layer = recurrent(name, 3, 2, page=False, **settings)
        layer(random_array(4, 5, 2))
        assert ran == ["page"]

    @every_kernel
    def test_recurrent_dropout_in_training_alone(self, name, ran):
        layer = recurrent(name, 3, 2, recurrent_dropout=0.3, seed=20)
        layer.forward(random_array(4, 5, 2), training=True)
        layer(random_array(4, 5, 2))
        assert ran == ["page", "kernel"]

    @every_kernel
    def test_plain_dropout_keeps_the_kernel(self, name, ran):
        layer = recurrent(name, 3, 2, dropout=0.3, seed=20)
        layer.forward(random_array(4, 5, 2), training=True)
        assert ran == ["kernel"]
