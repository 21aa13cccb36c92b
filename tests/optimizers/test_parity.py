"""120 steps of every optimizer with every option, beside Keras from the same start."""

import inspect

import keras
import numpy as np
import pytest

from keras_impl.parity.oracle import keras_floats
from scratchnet import optimizers, schedules
from tests.helpers import assert_agrees
from tests.optimizers.cases import (
    EXACT,
    RULES,
    RoundedNadam,
    first_weights,
    make,
    random_gradients,
    rule_of,
    train,
    train_keras,
)

WEIGHTS_TOLERANCE = {"float64": 1e-12, "float32": 1e-3}
ROUNDED_CONSTANTS_TOLERANCE = 1e-5
ROUNDED_NADAM_TOLERANCE = 1e-7

AS_KERAS_ROUNDS = {"Nadam": RoundedNadam}

COMMON = {
    "weight_decay": {"weight_decay": 0.0625},
    "clipnorm": {"clipnorm": 0.5, "weight_decay": 0.0625},
    "clipvalue": {"clipvalue": 0.25},
    "global_clipnorm": {"global_clipnorm": 0.5, "weight_decay": 0.0625},
}
EPSILONS = [
    (name, epsilon)
    for name in (*RULES, "RMSprop-centered", "Adam-amsgrad")
    for epsilon in (0.0, 0.1)
    if name != "SGD" and (name, epsilon) != ("Adadelta", 0.0)  # that one never moves
]


def agree(name, options, dtype, tolerance, size=0.01, kinds=AS_KERAS_ROUNDS, **of_gradients):
    weights = first_weights(3, dtype, size)
    gradients = random_gradients(3, dtype, **of_gradients)
    kind = kinds.get(rule_of(name), getattr(optimizers, rule_of(name)))
    ours = train(kind(**options), weights, gradients)
    reference = train_keras(rule_of(name), options, weights, gradients)
    for i, (start, mine, theirs) in enumerate(zip(weights, ours, reference, strict=True)):
        what = f"{name} {options}: weight array {i}"
        assert mine.dtype == dtype
        assert np.abs(theirs - start).max() > 0.05 * np.abs(theirs).max(), f"{what} hardly moved"
        assert_agrees(mine, theirs, tolerance, what)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", EXACT)
def test_rule(name, dtype):
    agree(name, EXACT[name], dtype, WEIGHTS_TOLERANCE[dtype])


@pytest.mark.slow
@pytest.mark.parametrize("common", COMMON)
@pytest.mark.parametrize("rule", RULES)
def test_clipping_and_weight_decay(rule, common):
    options = {**EXACT[rule], **COMMON[common]}
    largest = 1.0 if common == "global_clipnorm" else 1e4  # else little would be left of the others
    agree(rule, options, "float64", WEIGHTS_TOLERANCE["float64"], largest=largest)


@pytest.mark.parametrize("common", COMMON)
def test_clipping_and_weight_decay_in_float32(common):
    options = {**EXACT["Adam"], **COMMON[common]}
    largest = 1.0 if common == "global_clipnorm" else 1e4
    agree("Adam", options, "float32", WEIGHTS_TOLERANCE["float32"], largest=largest)


@pytest.mark.parametrize("rule", RULES)
def test_defaults(rule):
    """All but the learning rate, with most of which little would move."""
    options = {"learning_rate": 30.0 if rule == "Adadelta" else 0.05}
    agree(rule, options, "float64", ROUNDED_CONSTANTS_TOLERANCE, size=1.0)


@pytest.mark.parametrize(
    ("rule", "options"),
    [
        ("SGD", {"momentum": 0.9}),
        ("SGD", {"momentum": 0.9, "nesterov": True}),
        ("RMSprop", {"momentum": 0.9, "centered": True}),
        ("Adam", {"amsgrad": True}),
    ],
)
def test_usual_values(rule, options):
    options = {"learning_rate": 0.05, **options}
    agree(rule, options, "float64", ROUNDED_CONSTANTS_TOLERANCE, size=1.0)


def test_nadam_whose_0_96_keras_rounds_to_float32():
    """Everywhere else in this file ours is rounded likewise, and agrees to 1e-12."""
    agree("Nadam", EXACT["Nadam"], "float64", ROUNDED_NADAM_TOLERANCE, size=1.0, kinds={})


@pytest.mark.slow
@pytest.mark.parametrize(("name", "epsilon"), EPSILONS)
def test_visible_epsilon(name, epsilon):
    """Away from its default, epsilon's place in the equation shows; 0 is not its default."""
    options = {**EXACT[name], "epsilon": epsilon}
    agree(name, options, "float64", WEIGHTS_TOLERANCE["float64"], zeros=False)


SCHEDULES = {
    "exponential": ("ExponentialDecay", {"decay_steps": 16, "decay_rate": 0.75}),
    "stairs": ("ExponentialDecay", {"decay_steps": 16, "decay_rate": 0.5, "staircase": True}),
    "cosine": (
        "CosineDecay",
        {"decay_steps": 64, "alpha": 0.125, "warmup_target": 0.0625, "warmup_steps": 16},
    ),
}


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("rule", ["SGD", "RMSprop", "AdamW"])
def test_schedule(rule, schedule):
    """A float64 first rate makes Keras's schedules compute in float64."""
    kind, arguments = SCHEDULES[schedule]
    first = {"initial_learning_rate": np.float64(0.01)}
    weights, gradients = first_weights(7), random_gradients(7)
    options = {k: v for k, v in EXACT[rule].items() if k != "learning_rate"}
    options["weight_decay"] = 0.0625
    ours = train(
        getattr(optimizers, rule)(getattr(schedules, kind)(**first, **arguments), **options),
        weights,
        gradients,
    )
    with keras_floats("float64"):
        theirs = getattr(keras.optimizers.schedules, kind)(**first, **arguments)
        assert theirs(3).dtype == "float64"
    reference = train_keras(rule, {**options, "learning_rate": theirs}, weights, gradients)
    for mine, other in zip(ours, reference, strict=True):
        assert_agrees(mine, other, WEIGHTS_TOLERANCE["float64"])


@pytest.mark.parametrize("rule", RULES)
def test_argument_names_and_defaults_are_keras_s(rule):
    ours = inspect.signature(getattr(optimizers, rule)).parameters
    theirs = inspect.signature(getattr(keras.optimizers, rule)).parameters
    assert {k: p.default for k, p in ours.items()} == {k: theirs[k].default for k in ours}
    assert [k for k in theirs if k in ours] == list(ours)


@pytest.mark.parametrize("name", EXACT)
def test_keras_takes_the_config(name):
    config = make(name, clipvalue=0.5).get_config()
    theirs = getattr(keras.optimizers, rule_of(name))(**config).get_config()
    assert config.pop("learning_rate") == pytest.approx(theirs["learning_rate"], rel=1e-7)
    assert config == {key: theirs[key] for key in config}
