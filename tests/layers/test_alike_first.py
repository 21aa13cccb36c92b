"""Rows with the same first inputs go together until they differ, and that changes no number."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scratchnet import Sequential
from scratchnet.errors import BackwardError
from scratchnet.layers import Bidirectional, Dense, Embedding, OneHot, recurrent_parts
from tests.helpers import assert_agrees, assert_not_negligible
from tests.kernels.dividing import divided
from tests.kernels.kept_sweeps import new_memory_holds_nan
from tests.layers.cases import random_array
from tests.layers.recurrent_cases import every_kernel, recurrent, states_for
from tests.layers.test_padding_first import steps_taken

T, D, H, V = 23, 3, 2, 7
LIVE = (5, 0, 11, 2, 23, 7, 1, 14, 3)
"""How many of a row's last ids are its own; before them stands 0."""


def padded_ids(live=LIVE, steps=T, seed=1):
    """Rows of ids from 1 on, with 0 in front of so many of them."""
    ids = np.random.default_rng(seed).integers(1, V, (len(live), steps))
    ids[np.arange(steps) < steps - np.array(live)[:, None]] = 0
    return ids


def padded_inputs(live=LIVE, steps=T, dtype="float64"):
    """Rows of numbers, the same row of them wherever an id is 0."""
    return random_array(V, D, dtype=dtype)[padded_ids(live, steps)]


def model_of(name, wrapped=False, below=None, page=False, **options):
    layer = recurrent(name, H, V if below else D, page=page, **options)
    layer = Bidirectional(layer, dtype="float64") if wrapped else layer
    below = below or Embedding(V, D, dtype="float64")
    model = Sequential([below, layer, Dense(1, dtype="float64")])
    model.build((None, T))
    rng = np.random.default_rng(3)
    model.set_weights([rng.standard_normal(w.shape) for w in model.get_weights()])
    model.compile("sgd", "mean_squared_error")
    return model


def gradients_of(model, ids):
    loss, gradients = model.gradients(ids, random_array(len(ids), 1, seed=4))
    return [np.array(loss), *(g for layer in gradients for g in layer.values())]


def assert_same(found, references, tolerance=1e-13):
    for array, reference in zip(found, references, strict=True):
        assert_not_negligible(reference)
        assert_agrees(array, reference, tolerance)


@every_kernel
@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("one_hot", [False, True])
def test_a_models_gradients_are_the_pages(name, wrapped, one_hot):
    found = []
    for page in (True, False):
        below = OneHot(V, dtype="float64") if one_hot else None
        found.append(gradients_of(model_of(name, wrapped, below, page), padded_ids()))
    assert_same(found[1], found[0])


@every_kernel
def test_rows_join_when_they_differ(name, monkeypatch):
    forth, back = steps_taken(name, monkeypatch)
    model = model_of(name)
    gradients_of(model, padded_ids())
    differ = T - np.array(sorted(LIVE)[2:])  # the two longest beginnings are one until the end
    own = [1 + (differ < stop).sum() for stop in (2, 4, 6, 9, 11, 13, 16, 18, 20)]
    rows = [min(9, -(-n // 4) * 4) for n in own] + [9]
    lengths = [2, 2, 2, 3, 2, 2, 3, 2, 2, 3]
    assert forth == [n for n, k in zip(rows, lengths, strict=True) for _ in range(k)]
    assert back == forth[::-1]


@every_kernel
@pytest.mark.parametrize("steps", [1, 2, 5])
@pytest.mark.parametrize("rows", [None, 3])
def test_in_chunks_and_parts(name, steps, rows):
    models, ids = [model_of(name, page=page) for page in (True, False)], padded_ids()
    with new_memory_holds_nan(), divided(steps, rows):
        found = [gradients_of(model, ids) for model in models]
    assert_same(found[1], found[0])


@every_kernel
def test_one_batch_after_the_other(name):
    """Memory is kept, and used again by other numbers of rows."""
    fast, page = model_of(name), model_of(name, page=True)
    for seed, live in enumerate([LIVE, (23,) * 9, (1, 2, 3, 4), LIVE[::-1], (0, 0, 23), (0, 0, 0)]):
        ids = padded_ids(live, seed=seed)
        assert_same(gradients_of(fast, ids), gradients_of(page, ids))
        assert_agrees(fast.predict(ids), page.predict(ids), 1e-13)


@every_kernel
def test_a_backward_pass_of_its_own_gives_each_row_its_gradient(name):
    """Nobody said that the sum is enough: the layer goes back row by row, then and from then on."""
    x, dy = padded_inputs((5, 0, 3, 2, 6, 1), 6), random_array(6, H, seed=5)
    layers = [recurrent(name, H, D, page=page) for page in (True, False)]
    for _ in range(2):
        found = []
        for layer in layers:
            y = layer.forward(x, training=True)
            dx = layer.backward(dy)
            found.append([y, dx, *layer.grads.values()])
        assert_same(found[1], found[0])
        assert_same(layers[1].d_initial_state, layers[0].d_initial_state)


@every_kernel
def test_what_the_user_writes_in_between_changes_nothing(name):
    """The pass that is taken again has the inputs and the weights of the first."""
    found = []
    for overwritten in (False, True):
        x, layer = padded_inputs(), recurrent(name, H, D)
        layer.forward(x, training=True)
        if overwritten:
            x[...] = 7
            layer.set_weights([weight + 1 for weight in layer.get_weights()])
        dx = layer.backward(random_array(len(LIVE), H, seed=5))
        found.append([dx, *layer.grads.values()])
    for array, same in zip(*found, strict=True):
        np.testing.assert_array_equal(array, same)


@every_kernel
def test_a_sum_stands_at_one_of_the_rows(name):
    x, dy = padded_inputs(), random_array(len(LIVE), H, seed=5)
    page, fast = recurrent(name, H, D, page=True), recurrent(name, H, D)
    for layer in (page, fast):
        layer.forward(x, training=True)
    whole, summed = page.backward(dy), fast.backward(dy, sum_alike=True)
    assert_agrees(summed.sum(axis=0), whole.sum(axis=0), 1e-13)
    assert not summed[1, :12].any()
    with pytest.raises(BackwardError, match=r"row by row, got one with sum_alike.*backward\(dy\)"):
        _ = fast.d_initial_state


def test_no_backward_pass_has_no_gradient_of_states():
    with pytest.raises(BackwardError, match="got none yet"):
        _ = recurrent("lstm", H, D).d_initial_state


@every_kernel
@pytest.mark.parametrize("case", ["given states", "stateful", "sequences", "masked", "one row"])
def test_only_rows_that_have_the_same_states_are_alike(name, case, monkeypatch):
    x = padded_inputs((0, 3, 2, 1))
    options = {"stateful": {"stateful": True}, "sequences": {"return_sequences": True}}
    layer = recurrent(name, H, D, **options.get(case, {}))
    if case == "stateful":
        layer.forward(random_array(4, T, D, seed=8))
    arguments = {
        "given states": {"initial_state": states_for(layer, 4)},
        "masked": {"mask": np.ones((4, T), dtype=bool)},
    }.get(case, {})
    forth, _ = steps_taken(name, monkeypatch)
    layer.forward(x[:1] if case == "one row" else x, training=True, **arguments)
    assert forth == [1 if case == "one row" else 4] * T


@every_kernel
def test_given_states_are_each_rows_own(name):
    x, found = padded_inputs(), []
    for page in (True, False):
        layer = recurrent(name, H, D, page=page)
        found.append([layer.forward(x, initial_state=states_for(layer, len(LIVE)))])
    assert_same(*found)


@every_kernel
def test_one_feature_is_not_all(name):
    x, found = random_array(9, 6, D), []
    x[:, :2] = x[0, 0]
    x[:, :, 0] = 1
    for page in (True, False):
        layer = recurrent(name, H, D, page=page)
        found.append([layer.forward(x)])
    assert_same(*found)


@every_kernel
def test_what_is_not_a_number_is_like_nothing(name, monkeypatch):
    x = padded_inputs((1, 2, 1, 3))
    x[1, :, 2] = np.nan
    layer, page = recurrent(name, H, D), recurrent(name, H, D, page=True)
    y = layer.forward(x)
    assert np.isnan(y[1]).all()
    np.testing.assert_allclose(np.delete(y, 1, 0), np.delete(page.forward(x), 1, 0), rtol=1e-13)


@settings(max_examples=60, deadline=None)
@given(
    live=st.lists(st.integers(0, 12), min_size=1, max_size=9),
    steps=st.integers(1, 12),
    seed=st.integers(0, 99),
)
def test_any_beginnings(live, steps, seed):
    """Each row is in one part, and in a stage from the first step that is its own."""
    x = padded_inputs([min(n, steps) for n in live], steps)
    divided_up = recurrent_parts.parts(x, None, may_be_alike=True)
    rows = np.concatenate([np.arange(len(x))[part.rows] for part in divided_up])
    assert sorted(rows) == list(range(len(x)))
    for part in divided_up:
        counts = [stage.rows for stage in part.stages]
        own = x[part.rows]
        assert counts == sorted(counts)
        assert counts[-1] == len(own)
        assert [stage.steps.start for stage in part.stages] == [
            0,
            *(stage.steps.stop for stage in part.stages[:-1]),
        ]
        assert part.stages[-1].steps.stop == steps
        for stage in part.stages:
            for row in own[stage.rows :]:
                np.testing.assert_array_equal(row[: stage.steps.stop], own[0, : stage.steps.stop])


@every_kernel
def test_a_gradient_fades_through_stages(name):
    """Over hundreds of steps a float32 gradient is dropped, in whatever stage it is by then."""
    steps, live = 400, (400, 5, 90, 30, 3, 11)
    table = random_array(V, D, dtype="float32")
    found = []
    for page in (True, False):
        layer = recurrent(name, H, D, page=page, dtype="float32")
        layer.set_weights([0.3 * w for w in layer.get_weights()])
        layer.forward(table[padded_ids(live, steps)], training=True)
        dx = layer.backward(random_array(6, H, dtype="float32"), sum_alike=True)
        found.append([dx.sum(axis=0), *layer.grads.values()])
    for array, reference in zip(*found[::-1], strict=True):
        assert_not_negligible(reference)
        assert_agrees(array, reference, 1e-5)
        assert not ((abs(array) > 0) & (abs(array) < np.finfo("float32").tiny)).any()
