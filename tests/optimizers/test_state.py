"""What an optimizer remembers, carried into another one."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet import optimizers
from scratchnet.errors import InputError
from scratchnet.schedules import CosineDecay
from tests.optimizers.cases import EXACT, first_weights, make, random_gradients, train

SCHEDULE = CosineDecay(0.02, decay_steps=9, alpha=0.1)


def through_a_file(state):
    """What a checkpoint makes of it."""
    file = io.BytesIO()
    np.savez(file, **state)
    file.seek(0)
    with np.load(file, allow_pickle=False) as archive:
        return dict(archive)


def assert_identical(first, second):
    assert [a.tobytes() for a in first] == [b.tobytes() for b in second]
    assert [a.dtype for a in first] == [b.dtype for b in second]


def scheduled(name):
    options = {**EXACT[name], "learning_rate": SCHEDULE}
    return getattr(optimizers, name.partition("-")[0])(**options)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", EXACT)
def test_going_on_is_bit_identical(name, dtype):
    """In a new optimizer from the config, and in one that has made other steps meanwhile."""
    weights, gradients = first_weights(1, dtype), random_gradients(1, dtype, steps=11)
    expected = train(make(name), weights, gradients)
    first = make(name)
    half_way = train(first, weights, gradients[:6])
    state = through_a_file(first.state())
    new = type(first).from_config(first.get_config())
    used = make(name)
    train(used, first_weights(2, dtype), random_gradients(2, dtype, steps=3))
    for optimizer in (new, used):
        optimizer.set_state(state)
        assert optimizer.iterations == 6
        assert_identical(train(optimizer, half_way, gradients[6:]), expected)


@pytest.mark.parametrize("name", ["SGD-momentum", "Nadam", "RMSprop-both"])
def test_a_schedule_goes_on_from_the_step_count(name):
    weights, gradients = first_weights(1), random_gradients(1, steps=11)
    expected = train(scheduled(name), weights, gradients)
    first = scheduled(name)
    half_way = train(first, weights, gradients[:6])
    new = type(first).from_config(first.get_config())
    new.set_state(through_a_file(first.state()))
    assert "learning_rate" not in first.state()
    assert new.learning_rate == first.learning_rate == SCHEDULE(6)
    assert_identical(train(new, half_way, gradients[6:]), expected)


@given(at=st.integers(0, 5), name=st.sampled_from(sorted(EXACT)))
def test_wherever_it_is_interrupted(at, name):
    weights, gradients = first_weights(1), random_gradients(1, steps=5)
    expected = train(make(name), weights, gradients)
    first, second = make(name), make(name)
    half_way = train(first, weights, gradients[:at])
    second.set_state(first.state())
    assert_identical(train(second, half_way, gradients[at:]), expected)


def test_names_shapes_and_types():
    optimizer = make("RMSprop-both")
    gradients = random_gradients(1, "float32", steps=2, zeros=False)
    train(optimizer, first_weights(1, "float32"), gradients)
    state = optimizer.state()
    slots = [f"{n}_{i}" for i in range(5) for n in ("mean_square", "mean_gradient", "velocity")]
    assert list(state) == ["iterations", "learning_rate", *slots]
    assert state["iterations"] == 2
    assert state["learning_rate"] == 0.01
    for name in slots:
        assert state[name].dtype == "float32"
        assert state[name].shape == first_weights(1)[int(name[-1])].shape
        assert np.abs(state[name]).max() > 0


def test_a_state_is_a_copy():
    optimizer = make("SGD-momentum")
    weights = train(optimizer, first_weights(1), random_gradients(1, steps=2))
    state = optimizer.state()
    kept = {name: array.copy() for name, array in state.items()}
    train(optimizer, weights, random_gradients(2, steps=2))
    assert all((state[name] == kept[name]).all() for name in kept)
    optimizer.set_state(state)
    train(optimizer, weights, random_gradients(2, steps=2))
    assert all((state[name] == kept[name]).all() for name in kept)


def test_a_changed_learning_rate_is_remembered():
    first, second = make("Adam"), make("Adam")
    first.learning_rate = 0.5
    second.set_state(first.state())
    assert second.learning_rate == 0.5
    assert type(second.learning_rate) is float
    assert type(second.iterations) is int


def test_a_fresh_state_starts_over():
    optimizer, weights, gradients = make("Adam"), first_weights(1), random_gradients(1, steps=4)
    fresh = optimizer.state()
    first = train(optimizer, weights, gradients)
    optimizer.set_state(fresh)
    assert_identical(train(optimizer, weights, gradients), first)


@pytest.fixture
def saved():
    optimizer = make("Adam")
    train(optimizer, first_weights(1), random_gradients(1, steps=2))
    return optimizer.state()


@pytest.fixture
def used():
    optimizer = make("Adam")
    train(optimizer, first_weights(2), random_gradients(2, steps=3))
    return optimizer


def assert_refused(optimizer, state, message):
    before = optimizer.state()
    with pytest.raises(InputError, match=message):
        optimizer.set_state(state)
    after = optimizer.state()
    assert before.keys() == after.keys()
    assert all(before[name].tobytes() == after[name].tobytes() for name in before)


@pytest.mark.parametrize("missing", ["iterations", "learning_rate", "mean_square_3"])
def test_a_missing_name(saved, used, missing):
    del saved[missing]
    assert_refused(used, saved, r"Adam: expected a state with iterations, learning_rate and for")


def test_a_name_too_many(saved, used):
    assert_refused(used, {**saved, "velocity_0": np.zeros(2)}, "Adam: expected a state with")
    assert_refused(make("SGD"), {**make("SGD").state(), "x": np.zeros(2)}, "SGD: expected a state")


def test_the_state_of_other_arguments(saved):
    assert_refused(make("Adam-amsgrad"), saved, "made with the arguments of the one that was saved")
    assert_refused(make("SGD"), saved, "SGD: expected a state .* nothing")


def test_another_number_of_arrays(saved, used):
    fewer = {name: array for name, array in saved.items() if not name.endswith("_4")}
    assert_refused(used, fewer, "expected a state for 5 weight arrays, got one for 4")


def test_another_shape_or_type(saved, used):
    saved["mean_square_1"] = np.zeros((1, 7))
    message = r"expected state\['mean_square_1'\] to be float64 of shape \(7,\), got float64"
    assert_refused(used, saved, message)
    saved["mean_square_1"] = np.zeros(7, "float32")
    assert_refused(used, saved, r"got float32 of shape \(7,\)")


@pytest.mark.parametrize("bad", [np.nan, -1, [1, 2], "three"])
def test_scalars_that_are_none(saved, used, bad):
    assert_refused(used, {**saved, "iterations": np.array(bad)}, r"state\['iterations'\]")


def test_before_the_first_step_shapes_are_compared_in_it(saved):
    optimizer = make("Adam")
    saved["mean_square_1"] = np.zeros(8)
    optimizer.set_state(saved)
    weights = first_weights(1)
    with pytest.raises(InputError, match=r"mean_square_1'\] to be float64 of shape \(7,\)"):
        optimizer.apply_gradients(zip(random_gradients(1, steps=1)[0], weights, strict=True))
    assert_identical(weights, first_weights(1))
