"""The kernels against the page, every intermediate of them; and which of the two runs."""

from contextlib import contextmanager

import numpy as np
import pytest

from scratchnet.equations import gru, lstm, simple_rnn
from scratchnet.kernels.sweep import Sweep
from scratchnet.layers.page_sweep import PageSweep
from tests.helpers import assert_agrees, assert_not_negligible
from tests.layers.cases import every_dtype, random_array
from tests.layers.recurrent_cases import (
    every_kernel,
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


def sweep_of(layer):
    """The pass over time that backward will go through."""
    return layer._remembered[0][0]


def page_forward(name, sweep, t):
    """What the page knows of step t, by its own names, (B, H) each."""
    cache = sweep.caches[t]
    if name == "simple_rnn":
        return {"h": cache[5]}
    if name == "lstm":
        return {"tanh_c": cache[4], **dict(zip("ifgo", cache[5][4:], strict=True))}
    return dict(zip(("z", "r", "n", "v_n"), cache[3], strict=True))


def kernel_forward(name, sweep, t):
    """The same from the kernel's arrays, (H, B) each."""
    if name == "simple_rnn":
        return {"h": sweep.hx[t + 1, : sweep.H]}
    if name == "lstm":
        gates = zip("ifog", np.split(sweep.gates[t], 4), strict=True)
        return {"tanh_c": sweep.tanh_cs[t], **dict(gates)}
    z, r = np.split(sweep.zr[t], 2)
    return {"z": z, "r": r, "n": sweep.n[t], "v_n": sweep.v[t, : sweep.H]}


def kernel_das(name, sweep, t):
    """The gradients of the pre-activations that step t has just written, in Keras's order."""
    if name == "simple_rnn":
        return [sweep.a.copy()]
    if name == "lstm":
        i, f, o, g = np.split(sweep.da.copy(), 4)
        return [np.concatenate((i, f, g, o))]
    dv_n, da_z, da_r, da_n = np.split(sweep.da[t].copy(), 4)
    return [np.concatenate((da_z, da_r, dv_n)), np.concatenate((da_z, da_r, da_n))]


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


def backward_steps(name, layer, dy, d_state, monkeypatch):
    """Run backward; return (das, dstates before the step) for each step, first step last."""
    sweep, steps = sweep_of(layer), []
    step_backward = sweep.step_backward
    with recorded_products(monkeypatch) as das:

        def recording(t, dstates):
            del das[:]
            answer = step_backward(t, dstates)
            if isinstance(sweep, PageSweep):
                # the first is for h, the second for x; they are the same array but in a GRU
                steps.append((das[: 2 if name == "gru" else 1], [d.copy() for d in answer]))
            else:
                own = [da.T for da in kernel_das(name, sweep, t)]
                steps.append((own, [d.T.copy() for d in answer]))
            return answer

        sweep.step_backward = recording
        layer.backward(dy, d_state)
    return steps


@every_kernel
@every_shape
@every_dtype
@pytest.mark.parametrize("masked", [False, True])
def test_every_intermediate(name, B, T, D, H, dtype, masked, monkeypatch):
    x, dy = (random_array(B, T, n, dtype=dtype, seed=n) for n in (D, H))
    mask = mask_of_every_kind(B, T) if masked else None
    sweeps, backwards = [], []
    for page in (True, False):
        layer = recurrent(name, H, D, page=page, dtype=dtype, return_sequences=True)
        state = states_for(layer, B)
        layer.forward(x, training=True, mask=mask, initial_state=state)
        sweeps.append(sweep_of(layer))
        backwards.append(
            backward_steps(name, layer, dy, states_for(layer, B, seed=80), monkeypatch)
        )
    page, kernel = sweeps
    assert isinstance(page, PageSweep)
    assert isinstance(kernel, Sweep)
    for reference, stack in zip(page.states, kernel.states, strict=True):
        assert stack.dtype == dtype
        assert_agrees(stack.swapaxes(1, 2), reference, ROUNDING[dtype], "states")
    for t in range(T):
        actual = kernel_forward(name, kernel, t)
        for key, reference in page_forward(name, page, t).items():
            stepped = np.ones(B, dtype=bool)
            if key == "h" and mask is not None:
                stepped = mask[:, t]  # elsewhere the kernel's array holds the state kept
            if stepped.any():
                assert_not_negligible(reference[stepped])
                assert_agrees(
                    actual[key].T[stepped], reference[stepped], ROUNDING[dtype], f"{key} at {t}"
                )
    assert len(backwards[0]) == T
    for i, ((page_das, page_dstates), (das, dstates)) in enumerate(zip(*backwards, strict=True)):
        t = T - 1 - i
        if mask is None or mask[:, t].any():
            assert_not_negligible(page_das[0])
        for da, reference in zip(das, page_das, strict=True):
            assert_agrees(da, reference, ROUNDING_BACK[dtype], f"da at {t}")
        for d, reference in zip(dstates, page_dstates, strict=True):
            assert_agrees(d, reference, ROUNDING_BACK[dtype], f"dstates at {t}")


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
        for kind, label in ((PageSweep, "page"), (Sweep, "kernel")):
            original = kind.__init__

            def spying(self, *args, original=original, label=label):
                made.append(label)
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
        recurrent(name, 3, 2, dropout=0.3).forward(random_array(4, 5, 2), training=True)
        assert ran == ["kernel"]
