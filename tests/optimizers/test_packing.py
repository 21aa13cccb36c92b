"""Updating small arrays as one changes nothing but the time it takes."""

import numpy as np
import pytest

from scratchnet.optimizers import packing


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
    from scratchnet import optimizers

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
