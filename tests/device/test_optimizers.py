"""Every rule with its options: 100 steps on a device are 100 steps on the host.

On the stand-in, `tests.optimizers.test_on_device` takes so many; here a few do.
"""

import numpy as np
import pytest

from scratchnet import optimizers, schedules
from scratchnet.backend import to_host
from tests.all_pairs import all_pairs
from tests.device.places import assert_all_close
from tests.helpers import DEVICE_TOLERANCE, assert_agrees
from tests.optimizers.cases import EXACT, first_weights, random_gradients, rule_of

SCHEDULES = {
    "ExponentialDecay": lambda rate: schedules.ExponentialDecay(rate, 30, 0.5, staircase=True),
    "CosineDecay": lambda rate: schedules.CosineDecay(rate, 80),
    "PiecewiseConstantDecay": lambda rate: schedules.PiecewiseConstantDecay([40], [rate, rate / 9]),
}
ROWS = all_pairs(
    {
        "name": list(EXACT),
        "clipping": [None, "clipnorm", "clipvalue", "global_clipnorm"],
        "schedule": [None, *SCHEDULES],
        "weight_decay": [None, 0.125],
        "dtype": ["float64", "float32"],
    }
)


def test_there_is_a_case_for_every_rule_and_schedule():
    rules = {rule_of(name) for name in EXACT}
    assert rules == set(optimizers.__all__) - {"Optimizer", "get", "schedules"}
    assert set(SCHEDULES) == set(schedules.__all__) - {"LearningRateSchedule", "get"}


def made(name, clipping, schedule, weight_decay, dtype):
    options = dict(EXACT[name])
    if schedule is not None:
        options["learning_rate"] = SCHEDULES[schedule](options["learning_rate"])
    if clipping is not None:
        options[clipping] = 0.5
    if weight_decay is not None:
        options["weight_decay"] = weight_decay
    return getattr(optimizers, rule_of(name))(**options)


@pytest.mark.parametrize("number", range(len(ROWS)))
def test_a_hundred_steps(number, place):
    row, count = ROWS[number], 8 if place.stands_in else 100
    host, device = made(**row), made(**row)
    weights = first_weights(1, row["dtype"])
    there, steps = place.put(*weights), random_gradients(1, row["dtype"], count)
    for gradients in steps:
        host.apply_gradients(zip(gradients, weights, strict=True))
        on_device = place.put(*gradients)
        with place.no_waiting():
            device.apply_gradients(zip(on_device, there, strict=True))
    assert_all_close(there, weights)
    state, expected = device.state(), host.state()
    assert list(state) == list(expected)
    for key, array in expected.items():
        assert_agrees(state[key], array, DEVICE_TOLERANCE[row["dtype"]], key)


@pytest.mark.parametrize("name", EXACT)
def test_a_step_can_be_withheld(name, place):
    optimizer, there = made(name, None, None, 0.125, "float64"), place.put(*first_weights(2))
    for number, gradients in enumerate(random_gradients(2, steps=4)):
        before = [to_host(array) for array in there]
        memory = optimizer.state()
        live = place.put(np.array(number % 2 == 0))
        spoilt = [g if number % 2 == 0 else g * np.nan for g in gradients]
        on_device = place.put(*spoilt)
        with place.no_waiting():
            optimizer.apply(on_device, there, live)
        same = [
            np.array_equal(to_host(array), old) for array, old in zip(there, before, strict=True)
        ]
        assert all(same) if number % 2 else not any(same)
        if number % 2:
            state = optimizer.state()
            for key in memory.keys() - optimizer.scalars().keys():
                np.testing.assert_array_equal(state[key], memory[key])
