"""Schedules beside Keras's, with numbers that a person can follow, and refusing bad arguments."""

import json

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_impl.parity.oracle import keras_floats
from scratchnet import schedules
from scratchnet.errors import InputError
from scratchnet.schedules import (
    CosineDecay,
    ExponentialDecay,
    LearningRateSchedule,
    PiecewiseConstantDecay,
)

STEPS = [*range(26), 99, 1000]

# What float32 holds exactly, since Keras rounds to it all but the first rate.
EXACT = [
    (ExponentialDecay, {"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.75}),
    (
        ExponentialDecay,
        {"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.75, "staircase": True},
    ),
    (ExponentialDecay, {"initial_learning_rate": 0.1, "decay_steps": 20, "decay_rate": 1.25}),
    (CosineDecay, {"initial_learning_rate": 0.1, "decay_steps": 13}),
    (CosineDecay, {"initial_learning_rate": 0.1, "decay_steps": 13, "alpha": 0.3}),
    (
        CosineDecay,
        {
            "initial_learning_rate": 0.1,
            "decay_steps": 13,
            "alpha": 0.3,
            "warmup_target": 0.75,
            "warmup_steps": 5,
        },
    ),
    (  # no target: no warm-up, whatever the steps
        CosineDecay,
        {"initial_learning_rate": 0.1, "decay_steps": 13, "warmup_steps": 5},
    ),
    (  # no steps: at the target at once
        CosineDecay,
        {"initial_learning_rate": 0.1, "decay_steps": 13, "warmup_target": 0.75},
    ),
    (PiecewiseConstantDecay, {"boundaries": [4, 5, 17], "values": [0.1, 0.3, 0.7, 0.2]}),
    (PiecewiseConstantDecay, {"boundaries": [9], "values": [0.1, 0.3]}),
]


def in_float64(arguments):
    """A float64 first rate makes Keras's schedule compute in float64."""
    wide = {k: np.float64(v) for k, v in arguments.items() if k == "initial_learning_rate"}
    if "values" in arguments:
        wide["values"] = [np.float64(v) for v in arguments["values"]]
    return {**arguments, **wide}


@pytest.mark.parametrize(("kind", "arguments"), EXACT)
def test_against_keras(kind, arguments):
    ours = kind(**arguments)
    with keras_floats("float64"):
        theirs = getattr(keras.optimizers.schedules, kind.__name__)(**in_float64(arguments))
        reference = [theirs(step) for step in STEPS]
        assert reference[0].dtype == "float64"
        reference = [float(rate) for rate in reference]
    rates = [ours(step) for step in STEPS]
    assert all(type(rate) is float for rate in rates)
    assert max(reference) > 0.01
    np.testing.assert_allclose(rates, reference, rtol=1e-12, atol=1e-16)


@pytest.mark.parametrize(("kind", "arguments"), EXACT)
def test_a_keras_schedule_of_plain_floats_rounds_to_float32(kind, arguments):
    theirs = getattr(keras.optimizers.schedules, kind.__name__)(**arguments)
    reference = [float(theirs(step)) for step in STEPS]
    rates = [kind(**arguments)(step) for step in STEPS]
    np.testing.assert_allclose(rates, reference, rtol=1e-5, atol=1e-8)


def test_exponential_decay():
    schedule = ExponentialDecay(0.8, decay_steps=2, decay_rate=0.25)
    assert [schedule(t) for t in range(5)] == pytest.approx([0.8, 0.4, 0.2, 0.1, 0.05], rel=1e-15)


def test_stairs():
    schedule = ExponentialDecay(0.8, decay_steps=2, decay_rate=0.25, staircase=True)
    assert [schedule(t) for t in range(5)] == pytest.approx([0.8, 0.8, 0.2, 0.2, 0.05], rel=1e-15)


def test_cosine_decay():
    # half a cosine in four steps: 1, (2 + √2) / 4, 1/2, …, 0; a share of 0.2 stays
    schedule = CosineDecay(1.0, decay_steps=4, alpha=0.2)
    expected = [1.0, 0.2 + 0.8 * (2 + 2**0.5) / 4, 0.6, 0.2 + 0.8 * (2 - 2**0.5) / 4, 0.2, 0.2]
    assert [schedule(t) for t in range(6)] == pytest.approx(expected, rel=1e-15)


def test_warm_up():
    schedule = CosineDecay(0.1, decay_steps=2, warmup_target=0.5, warmup_steps=4)
    expected = [0.1, 0.2, 0.3, 0.4, 0.5, 0.25, 0.0, 0.0]
    assert [schedule(t) for t in range(8)] == pytest.approx(expected, rel=1e-15, abs=1e-16)


def test_a_boundary_belongs_to_the_value_before_it():
    schedule = PiecewiseConstantDecay([2, 3], [0.5, 0.25, 0.125])
    assert [schedule(t) for t in range(6)] == [0.5, 0.5, 0.5, 0.25, 0.125, 0.125]


@given(
    step=st.integers(0, 10**7),
    first=st.floats(0, 10),
    target=st.none() | st.floats(0, 10),
    alpha=st.floats(0, 1),
    steps=st.integers(1, 10**5),
    warm=st.integers(0, 1000),
)
def test_cosine_decay_stays_between_its_ends(step, first, target, alpha, steps, warm):
    rate = CosineDecay(first, steps, alpha, warmup_target=target, warmup_steps=warm)(step)
    top = first if target is None else target
    assert min(first, alpha * top) * (1 - 1e-12) <= rate <= max(first, top) * (1 + 1e-12)


@pytest.mark.parametrize(("kind", "arguments"), EXACT)
def test_config_is_keras_s(kind, arguments):
    ours = kind(**arguments)
    config = json.loads(json.dumps(ours.get_config()))
    theirs = getattr(keras.optimizers.schedules, kind.__name__)(**arguments)
    assert config == theirs.get_config()
    for again in (
        kind.from_config(config),
        schedules.get({"class_name": kind.__name__, "config": config}),
        schedules.get(keras.optimizers.schedules.serialize(theirs)),
    ):
        assert type(again) is kind
        assert [again(step) for step in STEPS] == [ours(step) for step in STEPS]
    assert schedules.get(ours) is ours


BAD = [float("nan"), float("inf"), None, "3", True]


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        *(
            (kind, {"initial_learning_rate": bad}, f"{kind.__name__}: expected initial_learning")
            for kind in (ExponentialDecay, CosineDecay)
            for bad in [*BAD, -0.1]
        ),
        *(
            (kind, {"decay_steps": bad}, f"{kind.__name__}: expected decay_steps .* above 0, got")
            for kind in (ExponentialDecay, CosineDecay)
            for bad in [*BAD, 0, -1]
        ),
        *((ExponentialDecay, {"decay_rate": bad}, "decay_rate") for bad in [*BAD, -0.5]),
        *((CosineDecay, {"alpha": bad}, "alpha") for bad in [*BAD, -0.5]),
        *((CosineDecay, {"warmup_steps": bad}, "warmup_steps") for bad in [*BAD, -1]),
        *((CosineDecay, {"warmup_target": bad}, "warmup_target") for bad in [*BAD[:2], "3", -1]),
    ],
)
def test_bad_number(kind, arguments, message):
    good = {"initial_learning_rate": 0.1, "decay_steps": 5}
    if kind is ExponentialDecay:
        good["decay_rate"] = 0.5
    kind(**good)
    with pytest.raises(InputError, match=message):
        kind(**{**good, **arguments})


@pytest.mark.parametrize(
    ("boundaries", "values", "message"),
    [
        ([1, 2], [0.1, 0.2], "expected one more value than boundaries, got 2 values and 2 bound"),
        ([], [], "got 0 values and 0 boundaries"),
        ([1], [0.1, 0.2, 0.3], "got 3 values and 1 boundaries"),
        ([2, 1], [0.1, 0.2, 0.3], r"expected boundaries that grow, got \[2, 1\]"),
        ([2, 2], [0.1, 0.2, 0.3], r"expected boundaries that grow, got \[2, 2\]"),
        (
            [2, float("nan")],
            [0.1, 0.2, 0.3],
            r"boundaries\[1\] to be a number that is finite, got nan",
        ),
        ([2], [0.1, -0.2], r"values\[1\] to be a number of 0 or more, got -0.2"),
        ([2], ["a", 0.1], r"values\[0\] to be a number"),
        (5, [0.1, 0.2], "expected boundaries and values to be lists, got 5 and"),
    ],
)
def test_bad_pieces(boundaries, values, message):
    with pytest.raises(InputError, match=f"PiecewiseConstantDecay: .*{message}"):
        PiecewiseConstantDecay(boundaries, values)


def test_one_value_for_ever():
    assert PiecewiseConstantDecay([], [0.25])(10) == 0.25


@pytest.mark.parametrize(
    ("identifier", "message"),
    [
        ({"class_name": "CosineDecoy", "config": {}}, "Did you mean CosineDecay"),
        ("CosineDecay", "CosineDecay: .* Add initial_learning_rate, decay_steps"),
        ({"class_name": "CosineDecay", "config": {"steps": 3}}, "Remove steps. Add initial_l"),
        (0.1, "LearningRateSchedule: expected a name, an instance or a dict"),
    ],
)
def test_get_refuses(identifier, message):
    with pytest.raises(InputError, match=message):
        schedules.get(identifier)


def test_the_base_is_a_function_without_a_rule():
    with pytest.raises(NotImplementedError):
        LearningRateSchedule()(0)
