"""What every optimizer promises: in place, read-only gradients, any device, plain errors."""

import json

import numpy as np
import pytest

from scratchnet import optimizers, schedules
from scratchnet.backend import to_host
from scratchnet.errors import InputError
from tests.helpers import assert_agrees
from tests.optimizers.cases import EXACT, RULES, first_weights, make, random_gradients, train
from tests.strict_array import StrictArray, to_strict
from tests.strict_array.compiling import needs_compiler

COMMON = [{}, {"clipnorm": 0.5, "weight_decay": 0.1}, {"clipvalue": 0.2}, {"global_clipnorm": 0.5}]


def one_step(optimizer, weights=None, gradients=None):
    weights = first_weights(1) if weights is None else weights
    gradients = random_gradients(1, steps=1)[0] if gradients is None else gradients
    optimizer.apply_gradients(zip(gradients, weights, strict=True))
    return weights


@needs_compiler
@pytest.mark.parametrize("common", COMMON)
@pytest.mark.parametrize("name", EXACT)
def test_on_a_device(name, common):
    """Arrays that refuse to meet NumPy give the same numbers, and stay where they are.

    But for rounding, since kernels are not NumPy.
    """
    weights, gradients = first_weights(1, "float32"), random_gradients(1, "float32", steps=3)
    options = {**EXACT[name], **common}
    kind = getattr(optimizers, name.partition("-")[0])
    expected = train(kind(**options), weights, gradients)
    optimizer, there = kind(**options), [to_strict(w) for w in weights]
    for step in gradients:
        optimizer.apply_gradients([(to_strict(g), w) for g, w in zip(step, there, strict=True)])
        optimizer.set_state(optimizer.state())
    assert all(type(array) is np.ndarray for array in optimizer.state().values())
    for mine, host in zip(there, expected, strict=True):
        assert isinstance(mine, StrictArray)
        assert_agrees(to_host(mine), host, 1e-4)


@needs_compiler
def test_a_restored_state_moves_to_the_device():
    first = make("Adam")
    half_way = train(first, first_weights(1), random_gradients(1, steps=2))
    second, there = make("Adam"), [to_strict(w) for w in half_way]
    second.set_state(first.state())
    (gradients,) = random_gradients(2, steps=1)
    one_step(second, there, [to_strict(g) for g in gradients])
    one_step(first, half_way, gradients)
    for mine, host in zip(there, half_way, strict=True):
        assert_agrees(to_host(mine), host, 1e-10)


@pytest.mark.parametrize("name", EXACT)
def test_shapes_of_every_rank(name):
    rng = np.random.default_rng(3)
    weights = [rng.standard_normal(n) for n in ((), (1,), (2, 1, 3), (0, 4))]
    optimizer = make(name, clipnorm=0.5)
    for _ in range(3):
        gradients = [rng.standard_normal(w.shape) for w in weights]
        one_step(optimizer, weights, gradients)
    assert [type(w) for w in weights] == [np.ndarray] * 4
    assert optimizer.iterations == 3
    flat = make(name, clipnorm=0.5)
    again = np.random.default_rng(3)
    column = [again.standard_normal(n).reshape(-1) for n in ((), (1,), (2, 1, 3), (0, 4))]
    for _ in range(3):
        one_step(flat, column, [again.standard_normal(w.shape) for w in column])
    for ranked, vector in zip(weights, column, strict=True):
        np.testing.assert_allclose(ranked.reshape(-1), vector, rtol=1e-12)


@pytest.mark.parametrize("name", EXACT)
def test_strided_arrays(name):
    """Views of larger arrays and transposed gradients are updated like any others."""
    rng = np.random.default_rng(3)
    whole = rng.standard_normal((4, 6))
    gradient, start = rng.standard_normal((3, 4)), whole.copy()
    expected = train(make(name), [start[:, ::2]], [[gradient.T]])[0]
    one_step(make(name), [whole[:, ::2]], [gradient.T])
    np.testing.assert_array_equal(whole[:, ::2], expected)
    np.testing.assert_array_equal(whole[:, 1::2], start[:, 1::2])


def test_any_iterable_of_pairs_will_do():
    (gradients,) = random_gradients(1, steps=1)
    results = []
    for pairs in (list, tuple, iter, lambda z: (pair for pair in z)):
        weights = first_weights(1)
        make("Adam").apply_gradients(pairs(zip(gradients, weights, strict=True)))
        results.append(weights)
    weights = first_weights(1)
    make("Adam").apply(gradients, weights)
    for other in results:
        assert [a.tobytes() for a in other] == [a.tobytes() for a in weights]


def test_without_weights_nothing_happens():
    optimizer = make("Nadam")
    optimizer.apply_gradients([])
    optimizer.apply([], [])
    assert optimizer.iterations == 0
    one_step(optimizer)
    assert optimizer.iterations == 1


@pytest.mark.parametrize("name", EXACT)
def test_gradients_of_another_type_are_cast(name):
    gradients = random_gradients(1, "float64", steps=2)
    rounded = [[g.astype("float32") for g in step] for step in gradients]
    weights = first_weights(1, "float32")
    for mixed, same in zip(
        train(make(name), weights, gradients), train(make(name), weights, rounded), strict=True
    ):
        assert mixed.dtype == "float32"
        np.testing.assert_array_equal(mixed, same)


def test_a_gradient_may_be_the_weights_themselves():
    """As for the loss w²/2; what is read must not have been overwritten already."""
    for name in EXACT:
        if make(name).weight_decay is None:
            apart, together = first_weights(1), first_weights(1)
            one_step(make(name), apart, [w.copy() for w in apart])
            one_step(make(name), together, together)
            assert [a.tobytes() for a in apart] == [a.tobytes() for a in together], name


# The learning rate


def test_the_learning_rate_can_be_set():
    optimizer = make("SGD")
    optimizer.learning_rate = 1
    assert optimizer.learning_rate == 1.0
    assert optimizer.get_config()["learning_rate"] == 1.0
    assert one_step(optimizer, [np.array([1.0])], [np.array([0.25])])[0] == 0.75


def test_a_schedule_is_evaluated_before_the_count_grows():
    seen = []

    class Spy(schedules.LearningRateSchedule):
        def __call__(self, step):
            seen.append(step)
            return 0.5

    optimizer = optimizers.SGD(Spy())
    for _ in range(3):
        one_step(optimizer)
    assert seen == [0, 1, 2]
    assert optimizer.learning_rate == 0.5
    assert seen.pop() == 3


def test_a_schedule_s_rate_cannot_be_set():
    optimizer = optimizers.SGD(schedules.CosineDecay(0.1, 10))
    with pytest.raises(InputError, match=r"SGD: expected learning_rate .* CosineDecay decides it"):
        optimizer.learning_rate = 0.2


# Configurations


@pytest.mark.parametrize("name", EXACT)
def test_config_through_json(name):
    optimizer = make(name, clipnorm=0.25)
    config = json.loads(json.dumps(optimizer.get_config()))
    again = type(optimizer).from_config(config)
    assert again.get_config() == optimizer.get_config()
    assert again.get_config().items() >= {**EXACT[name], "clipnorm": 0.25}.items()


def test_config_with_a_schedule():
    optimizer = optimizers.Adam(schedules.ExponentialDecay(0.1, 5, 0.5, staircase=True))
    config = json.loads(json.dumps(optimizer.get_config()))
    assert config["learning_rate"]["class_name"] == "ExponentialDecay"
    again = optimizers.Adam.from_config(config)
    again.iterations = 12
    assert again.learning_rate == 0.025
    assert config["learning_rate"]["class_name"] == "ExponentialDecay"  # was not consumed


def test_numbers_of_numpy_become_plain_ones():
    optimizer = optimizers.SGD(np.float32(0.5), momentum=np.float64(0.25), clipnorm=np.int64(2))
    assert json.loads(json.dumps(optimizer.get_config()))["clipnorm"] == 2.0


@pytest.mark.parametrize("rule", RULES)
def test_get(rule):
    kind = getattr(optimizers, rule)
    for identifier in (rule, rule.lower(), rule.upper(), {"class_name": rule, "config": {}}):
        assert type(optimizers.get(identifier)) is kind
    optimizer = kind(0.25)
    assert optimizers.get(optimizer) is optimizer
    described = {"class_name": rule, "config": optimizer.get_config()}
    assert optimizers.get(described).get_config() == optimizer.get_config()


def test_schedules_are_reachable():
    assert optimizers.schedules is schedules


# Errors


@pytest.mark.parametrize(
    ("identifier", "message"),
    [
        ("rmsprob", "expected one of sgd, rmsprop, .*got 'rmsprob'. Did you mean rmsprop"),
        ("xyzzy", "got 'xyzzy'. Use one of those"),
        (None, "expected a name, an instance or a dict with class_name and config, got None"),
        (0.01, "got 0.01"),
        (optimizers.SGD, "got <class"),
        ({"class_name": "Adam", "config": {"beta": 1}}, "Adam: .* Remove beta"),
        ({"class_name": "Adam", "config": 3}, "got {'class_name'"),
        ({"config": {}}, "got {'config'"),
    ],
)
def test_get_refuses(identifier, message):
    with pytest.raises(InputError, match=message):
        optimizers.get(identifier)


BAD_NUMBERS = [float("nan"), float("inf"), -0.1, "0.1", None, True, [0.1]]


@pytest.mark.parametrize("bad", BAD_NUMBERS)
@pytest.mark.parametrize("rule", RULES)
def test_bad_learning_rate(rule, bad):
    with pytest.raises(InputError, match=rf"{rule}: expected learning_rate to be a number of 0"):
        getattr(optimizers, rule)(bad)
    optimizer = getattr(optimizers, rule)()
    with pytest.raises(InputError, match=rf"{rule}: expected learning_rate"):
        optimizer.learning_rate = bad


@pytest.mark.parametrize(
    ("rule", "argument", "bad"),
    [
        *(("SGD", "momentum", bad) for bad in (-0.1, 1.1, float("nan"), None, "0.9", True)),
        *(("RMSprop", "momentum", bad) for bad in (-0.1, 1.1)),
        *((rule, "rho", bad) for rule in ("RMSprop", "Adadelta") for bad in (-0.1, 1.1, None)),
        *(
            (rule, beta, bad)
            for rule in ("Adam", "AdamW", "Adamax", "Nadam")
            for beta in ("beta_1", "beta_2")
            for bad in (-0.1, 1.0, float("nan"), None)
        ),
        *((rule, "epsilon", bad) for rule in RULES[1:] for bad in (-1e-7, float("inf"), None)),
        ("Adagrad", "initial_accumulator_value", -0.1),
        ("AdamW", "weight_decay", None),
        *((rule, "weight_decay", bad) for rule in RULES for bad in (-0.1, float("nan"))),
        *(
            ("SGD", clip, bad)
            for clip in ("clipnorm", "clipvalue", "global_clipnorm")
            for bad in (0, -1.0, float("nan"), "1")
        ),
    ],
)
def test_bad_hyper_parameter(rule, argument, bad):
    with pytest.raises(InputError, match=rf"{rule}: expected {argument} to be a number"):
        getattr(optimizers, rule)(**{argument: bad})


@pytest.mark.parametrize(
    "two",
    [
        {"clipnorm": 1.0, "clipvalue": 1.0},
        {"clipnorm": 1.0, "global_clipnorm": 1.0},
        {"clipvalue": 1.0, "global_clipnorm": 1.0},
    ],
)
@pytest.mark.parametrize("rule", RULES)
def test_more_than_one_way_of_clipping(rule, two):
    with pytest.raises(InputError, match=rf"{rule}: expected one of clipnorm, clipvalue and"):
        getattr(optimizers, rule)(**two)


@pytest.fixture
def optimizer():
    return make("Adam")


def assert_refused(optimizer, weights, gradients, message):
    """With no weight, no slot and no count changed."""
    before, state = [np.copy(w) for w in weights], optimizer.state()
    with pytest.raises(InputError, match=message):
        optimizer.apply(gradients, weights)
    assert all((np.asarray(a) == b).all() for a, b in zip(weights, before, strict=True))
    assert optimizer.state().keys() == state.keys()
    assert all(optimizer.state()[name].tobytes() == state[name].tobytes() for name in state)


@pytest.mark.parametrize("steps_before", [0, 2])
def test_gradient_of_another_shape(optimizer, steps_before):
    weights, gradients = first_weights(1), list(random_gradients(1, steps=1)[0])
    for _ in range(steps_before):
        one_step(optimizer, weights, gradients)
    gradients[3] = gradients[3].reshape(2, 4, 3)
    message = r"Adam: .* shape \(2, 4, 3\) instead of \(2, 3, 4\) at position 3"
    assert_refused(optimizer, weights, gradients, message)
    gradients[3] = np.float64(1.0)  # would broadcast
    assert_refused(optimizer, weights, gradients, r"shape \(\) instead of \(2, 3, 4\)")


def test_lists_of_different_length(optimizer):
    weights, gradients = first_weights(1), random_gradients(1, steps=1)[0]
    assert_refused(optimizer, weights, gradients[:4], "got 4 instead of 5. Pair them in the order")
    assert_refused(optimizer, weights[:4], gradients, "got 5 instead of 4")
    assert_refused(optimizer, weights, [], "got 0 instead of 5")
    assert_refused(optimizer, [], gradients, "got 5 instead of 0")


@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_other_arrays_than_in_the_first_step(name):
    optimizer = make(name)
    weights, gradients = first_weights(1), random_gradients(1, steps=1)[0]
    one_step(optimizer, weights, gradients)
    message = "expected the weight arrays of the first step, got 4 instead of 5"
    assert_refused(optimizer, weights[:4], gradients[:4], message)
    swapped = [weights[i] for i in (1, 0, 2, 3, 4)]
    message = r"got shape \(7,\) instead of \(3, 5\) at position 0. Make a new optimizer"
    assert_refused(optimizer, swapped, [np.zeros_like(w) for w in swapped], message)


@pytest.mark.parametrize("missing", [None, 0.5, [1.0]])
def test_what_is_no_array(optimizer, missing):
    weights, gradients = first_weights(1), list(random_gradients(1, steps=1)[0])
    gradients[2] = missing
    message = f"expected gradients and weights to be arrays, got {type(missing).__name__}, ndarray"
    assert_refused(optimizer, weights, gradients, message)


def test_weights_that_are_whole_numbers(optimizer):
    weights = [np.array([1.5]), np.array([1, 2])]
    message = "expected weights of floating point, got int64 at position 1"
    assert_refused(optimizer, weights, [np.zeros(1), np.zeros(2)], message)


def test_a_description_with_a_schedule_makes_the_optimizer_again():
    schedule = optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)
    config = optimizers.SGD(schedule, momentum=0.5).get_config()
    again = optimizers.get({"class_name": "SGD", "config": config})
    again.iterations = 20
    assert again.learning_rate == pytest.approx(0.025)
    assert again.get_config() == config
