"""Updating small arrays as one, and large ones by chunks, changes nothing but the time it takes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scratchnet import optimizers
from scratchnet.backend import to_host
from scratchnet.optimizers import packing
from tests.helpers import assert_agrees
from tests.strict_array import to_strict
from tests.strict_array.compiling import needs_compiler


def trained(make, rng, dtype, halfway):
    """Weights and state after ten steps, the state taken out and put back on the way."""
    shapes = [(5, 3), (3,), (70, 70), (1,), (), (4, 0)]
    variables = [rng.standard_normal(shape).astype(dtype) for shape in shapes]
    optimizer = make()
    for step in range(10):
        if step == 5 and halfway:
            optimizer.set_state(optimizer.state())
        gradients = [rng.standard_normal(shape).astype(dtype) for shape in shapes]
        optimizer.apply(gradients, variables)
    return variables, optimizer.state()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "name", ["SGD", "RMSprop", "Adagrad", "Adadelta", "Adam", "AdamW", "Adamax", "Nadam"]
)
def test_packed_arrays_get_the_same_bits(monkeypatch, name, dtype):
    extra = {"momentum": 0.9, "nesterov": True} if name == "SGD" else {}

    def make():
        return getattr(optimizers, name)(0.01, weight_decay=0.004, clipnorm=1.5, **extra)

    packed, packed_state = trained(make, np.random.default_rng(1), dtype, halfway=True)
    monkeypatch.setattr(packing, "SMALL", -1)
    alone, alone_state = trained(make, np.random.default_rng(1), dtype, halfway=False)
    for ours, expected in zip(packed, alone, strict=True):
        np.testing.assert_array_equal(ours, expected)
    assert packed_state.keys() == alone_state.keys()
    for key, expected in alone_state.items():
        np.testing.assert_array_equal(packed_state[key], expected)


def test_only_small_arrays_of_one_dtype_are_packed():
    small = [np.ones(3, "float32"), np.ones((70, 70), "float32"), np.ones(2, "float64")]
    packs, alone = packing.packs([*small, np.ones((2, 2), "float32")])
    assert [pack.positions for pack in packs] == [[0, 3]]
    assert alone == [1, 2]


RULES = {
    "SGD": lambda: optimizers.SGD(0.01),
    "SGD with momentum": lambda: optimizers.SGD(0.01, momentum=0.9),
    "SGD with Nesterov's": lambda: optimizers.SGD(0.01, momentum=0.9, nesterov=True),
    "RMSprop": lambda: optimizers.RMSprop(0.01),
    "RMSprop, all slots": lambda: optimizers.RMSprop(0.01, momentum=0.9, centered=True),
    "Adagrad": lambda: optimizers.Adagrad(0.01),
    "Adadelta": lambda: optimizers.Adadelta(0.1),
    "Adam": lambda: optimizers.Adam(0.01, weight_decay=0.02),
    "AMSGrad": lambda: optimizers.Adam(0.01, amsgrad=True, clipnorm=2.0),
    "AdamW": lambda: optimizers.AdamW(0.01),
    "Adamax": lambda: optimizers.Adamax(0.01),
    "Nadam": lambda: optimizers.Nadam(0.01, global_clipnorm=1.5),
}


def stepped(make, chunk, shapes, dtype, order="C", seed=0):
    """Weights and state after three steps with chunks of a size."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packing, "CHUNK", chunk)
        rng = np.random.default_rng(seed)
        variables = [np.array(rng.standard_normal(s), dtype, order=order) for s in shapes]
        optimizer = make()
        for _ in range(3):
            gradients = [np.array(rng.standard_normal(s), dtype, order="C") for s in shapes]
            kept = [g.copy() for g in gradients]
            optimizer.apply(gradients, variables)
            for gradient, before in zip(gradients, kept, strict=True):
                np.testing.assert_array_equal(gradient, before)
    return [*variables, *optimizer.state().values()]


def assert_same_bits(found, expected):
    for array, reference in zip(found, expected, strict=True):
        np.testing.assert_array_equal(array, reference)


@pytest.mark.parametrize("name", RULES)
@given(
    chunk=st.integers(1, 40),
    shapes=st.lists(st.tuples(st.integers(1, 13), st.integers(1, 11)), min_size=1, max_size=3),
    dtype=st.sampled_from(["float32", "float64"]),
)
@settings(max_examples=15, deadline=None)
def test_chunks_get_the_same_bits(name, chunk, shapes, dtype):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packing, "SMALL", -1)  # no array is packed
        found = stepped(RULES[name], chunk, shapes, dtype)
        assert_same_bits(found, stepped(RULES[name], 10**9, shapes, dtype))


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("more", [-1, 0, 1, 4321])
def test_arrays_about_the_size_of_a_chunk(name, more):
    shapes = [(packing.CHUNK + more,)]
    found = stepped(RULES[name], packing.CHUNK, shapes, "float32")
    assert_same_bits(found, stepped(RULES[name], 10**9, shapes, "float32"))


@pytest.mark.parametrize("count", ["1", "2", "5"])
@pytest.mark.parametrize("name", RULES)
def test_threads_get_the_same_bits(monkeypatch, name, count):
    shapes = [(70, 31), (3, 5)]
    expected = stepped(RULES[name], 10**9, shapes, "float32")
    monkeypatch.setattr(packing, "WORTH_THREADS", 3)
    monkeypatch.setenv("SCRATCHNET_THREADS", count)
    assert_same_bits(stepped(RULES[name], 700, shapes, "float32"), expected)


def test_a_rule_sees_one_chunk_after_the_other(monkeypatch):
    monkeypatch.setattr(packing, "CHUNK", 8)
    seen = []
    optimizer = optimizers.RMSprop()
    update_step = optimizer.update_step

    def watched(gradient, variable, learning_rate, **slots):
        seen.append((gradient.shape, variable.shape, slots["mean_square"].shape))
        update_step(gradient, variable, learning_rate, **slots)

    monkeypatch.setattr(optimizer, "update_step", watched)
    optimizer.apply([np.ones((3, 7))], [np.ones((3, 7))])
    assert seen == [((n,),) * 3 for n in (8, 8, 5)]


@pytest.mark.parametrize(
    "layout",
    ["columns first", "every other row", pytest.param("a device's", marks=needs_compiler)],
)
def test_arrays_that_flattening_would_copy_are_updated_whole(layout):
    """As would those of a device, which has no cache to fit."""
    rng = np.random.default_rng(3)
    whole, gradient = rng.standard_normal((6, 5)), rng.standard_normal((3, 5))
    variable = {
        "columns first": np.asfortranarray(whole[:3]),
        "every other row": whole[::2],
        "a device's": to_strict(whole[:3]),
    }[layout]
    start = to_host(variable).copy()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packing, "CHUNK", 4)
        optimizers.Adam(0.01).apply(
            [to_strict(gradient) if layout == "a device's" else gradient], [variable]
        )
    expected = start.copy()
    optimizers.Adam(0.01).apply([gradient], [expected])
    assert (expected != start).all()
    assert_agrees(to_host(variable), expected, 1e-10 if layout == "a device's" else 0)


def test_weights_decay_before_they_are_updated_packed_chunked_or_alone(monkeypatch):
    """Where η λ is 1 nothing is left of them but the step."""
    monkeypatch.setattr(packing, "CHUNK", 8)
    shapes = [(2,), (3,), (70, 70)]
    variables = [np.full(shape, 5.0) for shape in shapes]
    optimizers.SGD(0.5, weight_decay=2.0).apply([np.full(s, 3.0) for s in shapes], variables)
    for variable in variables:
        np.testing.assert_array_equal(variable, -1.5)
