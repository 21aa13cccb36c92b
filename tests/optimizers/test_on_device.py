"""A step on a device: one kernel an array, nothing looked at, the host's numbers."""

from __future__ import annotations

import copy
import itertools
import math

import numpy as np
import pytest

from scratchnet import optimizers
from scratchnet.backend import array_module, to_host
from scratchnet.errors import InputError
from scratchnet.kernels.device.tracing.expressions import UntraceableError
from scratchnet.optimizers.on_device import MOST, settings
from scratchnet.queued import Queue, queued
from scratchnet.schedules import ExponentialDecay
from tests.helpers import assert_agrees, assert_not_negligible
from tests.optimizers.cases import EXACT, first_weights, make, random_gradients, rule_of, train
from tests.strict_array import NAMESPACE, crossings, to_strict
from tests.strict_array.compiling import needs_compiler

pytestmark = needs_compiler

TOLERANCE = {"float64": 1e-10, "float32": 1e-4}
SCHEDULE = ExponentialDecay(0.02, decay_steps=30, decay_rate=0.5)
COMMON = {
    "plain": {},
    "decay-clipnorm": {"weight_decay": 0.125, "clipnorm": 0.5},
    "schedule-global_clipnorm": {"learning_rate": SCHEDULE, "global_clipnorm": 0.5},
    "schedule-decay-clipvalue": {
        "learning_rate": SCHEDULE, "weight_decay": 0.125, "clipvalue": 0.2,
    },
}  # fmt: skip


def made(name, **options):
    return getattr(optimizers, rule_of(name))(**{**EXACT[name], **options})


def there(arrays):
    return [to_strict(array) for array in arrays]


def assert_alike(on_device, host, dtype):
    for ours, expected in zip(on_device, host, strict=True):
        assert ours.dtype == expected.dtype == dtype
        assert_not_negligible(expected, 1e-9)
        assert_agrees(to_host(ours), expected, TOLERANCE[dtype])


def assert_same_memory(optimizer, host, dtype):
    """The states agree, slot by slot."""
    state, expected = optimizer.state(), host.state()
    assert state.keys() == expected.keys()
    for name, array in expected.items():
        assert state[name].dtype == array.dtype
        assert_agrees(state[name], array, TOLERANCE[dtype], name)


CASES = [
    *((name, common, "float64") for name in EXACT for common in COMMON),
    *((name, common, "float32") for name, common in zip(EXACT, itertools.cycle(COMMON))),
]


@pytest.mark.parametrize(("name", "common", "dtype"), CASES)
def test_a_hundred_steps_on_both(name, common, dtype):
    """Of which, in float64, every seventh is withheld."""
    weights, gradients = first_weights(1, dtype), random_gradients(1, dtype, steps=100)
    host, optimizer = made(name, **COMMON[common]), made(name, **COMMON[common])
    expected, variables = [w.copy() for w in weights], there(weights)
    with queued(Queue(NAMESPACE)):
        for number, step in enumerate(gradients):
            taken = dtype == "float32" or number % 7 != 3
            live = to_strict(np.array(taken)) if dtype == "float64" else None
            moved = there(step)
            with crossings() as crossed:
                optimizer.apply(moved, variables, live)
            assert not crossed.to_host
            if taken:
                host.apply(step, expected)
            else:
                optimizer.uncount_step()
    assert optimizer._device_rule.kernel is not None
    assert_alike(variables, expected, dtype)
    assert_same_memory(optimizer, host, dtype)


@pytest.mark.parametrize("name", EXACT)
def test_a_withheld_step_changes_nothing(name):
    """Whatever is in the gradients; and the next one goes on from there."""
    gradients = random_gradients(1, steps=4, zeros=False)
    optimizer, variables = made(name, weight_decay=0.125), there(first_weights(1))
    for step in gradients[:2]:
        optimizer.apply(there(step), variables, to_strict(np.array(True)))
    weights, state = [to_host(v).copy() for v in variables], optimizer.state()
    for bad in (np.nan, np.inf, 1.0):
        spoilt = [to_strict(bad * g) for g in gradients[2]]
        optimizer.apply(spoilt, variables, to_strict(np.array(False)))
        optimizer.uncount_step()
        assert [to_host(v).tobytes() for v in variables] == [w.tobytes() for w in weights]
        now = optimizer.state()
        assert {key: a.tobytes() for key, a in now.items()} == {
            key: a.tobytes() for key, a in state.items()
        }
    optimizer.apply(there(gradients[3]), variables, to_strict(np.array(True)))
    taken = [*gradients[:2], gradients[3]]
    expected = train(made(name, weight_decay=0.125), first_weights(1), taken)
    assert_alike(variables, expected, "float64")


@pytest.mark.parametrize("live", [True, False])
def test_on_the_host_a_step_can_be_withheld_too(live):
    (gradients,) = random_gradients(1, steps=1, zeros=False)
    weights = first_weights(1)
    optimizer = make("Adam")
    optimizer.apply(gradients, weights, np.array(live))
    expected = train(make("Adam"), first_weights(1), [gradients] if live else [])
    assert [w.tobytes() for w in weights] == [e.tobytes() for e in expected]


class Recording(Queue):
    """What a step does on the device goes into a graph; what the host does, into a list."""

    recording = True

    def __init__(self, xp):
        super().__init__(xp)
        self.doings = []
        self.stream, self.pool = xp.cuda.Stream(non_blocking=True), xp.cuda.MemoryPool()
        with self.stream:
            self.places = iter([xp.zeros((), dtype="float64") for _ in range(8)])

    def number(self, read):
        place = next(self.places)
        self.doings.append(lambda: place.set(np.array(read())))
        return place

    def action(self, act):
        self.doings.append(act)

    def record(self, step):
        with queued(self), self.xp.cuda.using_allocator(self.pool.malloc), self.stream:
            self.stream.begin_capture()
            try:
                step()
            finally:
                self.graph = self.stream.end_capture()

    def replay(self):
        for do in self.doings:
            do()
        self.graph.launch()


@pytest.mark.parametrize("common", ["decay-clipnorm", "schedule-global_clipnorm"])
@pytest.mark.parametrize(
    "name", ["SGD-nesterov", "RMSprop-both", "Adadelta", "AdamW-amsgrad", "Adamax", "Nadam"]
)
def test_a_recorded_step_is_what_plain_ones_are(name, common):
    gradients = random_gradients(1, steps=20, zeros=False)
    optimizer, recording = made(name, **COMMON[common]), Recording(NAMESPACE)
    with recording.stream:
        variables, inputs = there(first_weights(1)), there(gradients[0])
        live = to_strict(np.array(True))
        with queued(Queue(NAMESPACE, rehearses=True)):
            optimizer.apply(inputs, variables, live)
        recording.record(lambda: optimizer.apply(inputs, variables, live))
        assert optimizer.iterations == 1  # a recording is no step
        for number, step in enumerate(gradients[1:]):
            for array, gradient in zip(inputs, step, strict=True):
                array.set(gradient)
            recording.replay()
            if number == 9:  # what is restored goes where the recording looks for it
                halfway = optimizer.state()
                optimizer.set_state(train_further(halfway, name, common))
                optimizer.set_state(halfway)
        recording.stream.synchronize()
    slots = [array for kept in optimizer.slots for array in kept.values()]
    known = [*variables, *slots, *inputs, live]
    assert not recording.graph.outside_writes(known)
    host = made(name, **COMMON[common])
    expected = train(host, first_weights(1), gradients)
    assert_alike(variables, expected, "float64")
    assert_same_memory(optimizer, host, "float64")


def train_further(state, name, common):
    """Return the state after more steps of another optimizer."""
    other = made(name, **COMMON[common])
    other.set_state(state)
    train(other, first_weights(3), random_gradients(3, steps=2))
    return other.state()


class Growing(optimizers.SGD):
    """A rule whose numbers are its own, which no kernel may keep as they are."""

    def update_step(self, gradient, variable, learning_rate, velocity=None):
        variable -= learning_rate * math.sqrt(self.iterations + 1) * gradient


class Parity(optimizers.SGD):
    """A rule that looks at a number of its own step."""

    def step_numbers(self, learning_rate):
        return {"odd": float(self.iterations % 2)}

    def update_step(self, gradient, variable, learning_rate, velocity=None):
        variable -= (2.0 if self.odd else 1.0) * learning_rate * gradient


class Normalised(optimizers.SGD):
    """A rule that looks at the array as a whole."""

    def update_step(self, gradient, variable, learning_rate, velocity):
        xp = array_module(variable)
        velocity += gradient / xp.sqrt(xp.sum(gradient * gradient))
        variable -= learning_rate * velocity


@pytest.mark.parametrize("kind", [Growing, Parity, Normalised])
def test_a_rule_that_is_no_kernel_runs_as_it_is(kind):
    gradients = [step[:1] for step in random_gradients(1, steps=5)]
    options = {"momentum": 0.5, "weight_decay": 0.125}
    host, optimizer = kind(0.05, **options), kind(0.05, **options)
    expected, variables = first_weights(1)[:1], there(first_weights(1)[:1])
    with queued(Queue(NAMESPACE)):
        for number, step in enumerate(gradients):
            optimizer.apply(there(step), variables, to_strict(np.array(number != 2)))
            if number == 2:
                optimizer.uncount_step()
            else:
                host.apply(step, expected)
    assert optimizer._device_rule.kernel is None
    assert_alike(variables, expected, "float64")
    moved = there(step)
    with pytest.raises(UntraceableError, match=f"the rule of {kind.__name__} is no kernel"):
        Recording(NAMESPACE).record(lambda: optimizer.apply(moved, variables))
    assert optimizer.iterations == 4


class Own(optimizers.Optimizer):
    """A rule with names that are words of C, and a setting that no config knows."""

    factor = 1.0

    def slot_values(self):
        return {"double": 0.5, "new": 0.25}

    def step_numbers(self, learning_rate):
        return {"long": learning_rate * math.log(self.iterations + 2)}

    def update_step(self, gradient, variable, learning_rate, double, new):
        double *= self.factor
        variable -= self.long * gradient * double


def test_a_rule_of_one_s_own_becomes_a_kernel():
    gradients = random_gradients(1, steps=6, zeros=False)
    results = []
    for move in (list, there):
        optimizer, variables = Own(0.05), move(first_weights(1))
        for number, step in enumerate(gradients):
            if number == 3:
                optimizer.factor = 0.5  # was a constant of the kernel, and is a number now
            if number == 4:
                optimizer.learning_rate = 0.5
            optimizer.apply(move(step), variables)
        results.append(variables)
    assert optimizer._device_rule.kernel is not None
    host, variables = results
    assert_alike(variables, host, "float64")
    np.testing.assert_array_equal(optimizer.state()["new_0"], np.full((3, 5), 0.25))


def both_ways(make, steps, between=lambda optimizer, number: None, dtype="float64"):
    """Return the optimizer and the weights of the host, and those of the device."""
    results = []
    for move in (list, there):
        optimizer, variables = make(), move(first_weights(1, dtype))
        for number, step in enumerate(random_gradients(1, dtype, steps=steps, zeros=False)):
            optimizer.apply(move(step), variables)
            between(optimizer, number)
        results += [optimizer, variables]
    return results


@pytest.fixture
def compiled(monkeypatch):
    """The code of each kernel that was made."""
    made, make = [], NAMESPACE.ElementwiseKernel

    def kernel(inputs, outputs, body, name, *rest, **options):
        made.append(body)
        return make(inputs, outputs, body, name, *rest, **options)

    monkeypatch.setattr(NAMESPACE, "ElementwiseKernel", kernel)
    return made


class Warming(optimizers.Optimizer):
    """Adam's first half, with numbers that it keeps to itself."""

    def __init__(self):
        super().__init__(0.05, weight_decay=0.25)
        self.beta, self.warm = 0.9, False

    def slot_values(self):
        return {"mean": 0.0}

    def begin_step(self):
        self.alpha = self.learning_rate / (1 - self.beta ** (self.iterations + 1))

    def update_step(self, gradient, variable, learning_rate, mean):
        mean += (1 - self.beta) * (gradient - mean)
        variable -= (self.alpha + 2.0**-self.iterations) * mean


def change_everything(optimizer, number):
    optimizer.beta, optimizer.weight_decay = 0.9 - number / 100, 0.25 / (number + 1)
    optimizer.learning_rate = 0.05 + number / 100


def test_floats_may_change_at_every_step_without_another_kernel(compiled):
    host, expected, optimizer, variables = both_ways(Warming, 12, change_everything)
    assert_alike(variables, expected, "float64")
    assert_same_memory(optimizer, host, "float64")
    assert len(compiled) == 1


SCHEDULED = {
    "SGD-nesterov": "momentum", "RMSprop-both": "momentum", "Adadelta": "rho", "Adagrad": "epsilon",
    "AdamW-amsgrad": "beta_2", "Adamax": "beta_1", "Nadam": "epsilon",
}  # fmt: skip


@pytest.mark.parametrize(("name", "setting"), SCHEDULED.items())
def test_hyperparameters_are_numbers_of_the_step(name, setting, compiled):
    def change(optimizer, number):
        setattr(optimizer, setting, getattr(optimizer, setting) * 0.97)
        keys.add(settings(optimizer))

    keys = set()
    *_, expected, _, variables = both_ways(lambda: made(name), 10, change)
    assert_alike(variables, expected, "float64")
    assert len(compiled) == 1
    assert len(keys) <= 2  # before there is a step on a device there is no kernel, and then one


def test_a_recorded_step_is_told_hyperparameters_anew():
    gradients = random_gradients(1, steps=8, zeros=False)
    host, optimizer = made("SGD-nesterov"), made("SGD-nesterov")
    recording, weights = Recording(NAMESPACE), first_weights(1)
    with recording.stream:
        variables, inputs = there(weights), there(gradients[0])
        with queued(Queue(NAMESPACE, rehearses=True)):
            optimizer.apply(inputs, variables)
        recording.record(lambda: optimizer.apply(inputs, variables))
        host.apply(gradients[0], weights)
        for step in gradients[1:]:
            optimizer.momentum = host.momentum = host.momentum * 0.9
            for array, gradient in zip(inputs, step, strict=True):
                array.set(gradient)
            recording.replay()
            host.apply(step, weights)
        recording.stream.synchronize()
    assert_alike(variables, weights, "float64")


@pytest.mark.parametrize("name", ["clipnorm", "clipvalue", "global_clipnorm"])
def test_a_recording_knows_how_gradients_were_clipped(name):
    optimizer = make("Adam", **{name: 0.5})
    before = settings(optimizer)
    setattr(optimizer, name, 0.25)
    assert settings(optimizer) != before


class Choosing(optimizers.SGD):
    """A rule with a float that it looks at, which is a part of its kernel, and one beside it."""

    def __init__(self):
        super().__init__(0.05)
        self.threshold, self.factor = 0.5, 1.0

    def update_step(self, gradient, variable, learning_rate, velocity=None):
        sign = 1.0 if self.threshold > 0.25 else -0.5
        variable -= sign * self.factor * learning_rate * gradient


def test_a_float_that_is_looked_at_is_a_constant(compiled):
    def change(optimizer, number):
        optimizer.factor *= 0.9
        if number == 3:
            optimizer.threshold = 0.125

    before = settings(Choosing())
    *_, expected, optimizer, variables = both_ways(Choosing, 8, change)
    assert_alike(variables, expected, "float64")
    assert optimizer._device_rule.constants == {"threshold"}
    assert len(compiled) == 2
    assert settings(optimizer) != before


class Counting(optimizers.SGD):
    """A rule with a whole number that changes, which no kernel is told."""

    def __init__(self):
        super().__init__(0.05)
        self.calls = 0

    def begin_step(self):
        self.calls += 1

    def update_step(self, gradient, variable, learning_rate, velocity=None):
        variable -= learning_rate / self.calls * gradient


def test_kernels_do_not_pile_up(compiled):
    *_, expected, optimizer, variables = both_ways(Counting, 12)
    assert_alike(variables, expected, "float64")
    assert optimizer._device_rule.kernel is None
    assert len(compiled) == MOST


class Tiny(optimizers.SGD):
    """A rule whose numbers vanish in float32, unless they have met as doubles."""

    tiny = 0.0

    def update_step(self, gradient, variable, learning_rate, velocity=None):
        variable *= (self.tiny + 1.0 - learning_rate) * 2**30
        variable += (1.0 - self.tiny > 1.0 - 2.0**-40) + gradient


def test_numbers_meet_as_doubles():
    """What is made of numbers alone is cast once, as Python and NumPy do."""
    results = []
    for move in (list, there):
        optimizer, variables = Tiny(1.0), move(first_weights(1, "float32"))
        optimizer.tiny = 3 * 2.0**-31
        (gradients,) = random_gradients(1, "float32", steps=1)
        optimizer.apply(move(gradients), variables)
        results.append([to_host(v).tobytes() for v in variables])
    assert results[0] == results[1]
    assert optimizer._device_rule.kernel is not None


@pytest.mark.parametrize("changed", [{"rho": 0.5}, {"epsilon": 0.1}, {"weight_decay": 0.5}])
def test_settings_may_be_changed_between_steps(changed):
    gradients = random_gradients(1, steps=4, zeros=False)
    results = []
    for move in (list, there):
        optimizer, variables = made("RMSprop"), move(first_weights(1))
        for step in gradients:
            optimizer.apply(move(step), variables)
            vars(optimizer).update(changed)
        results.append(variables)
    assert_alike(results[1], results[0], "float64")


def test_one_kernel_serves_all_steps():
    optimizer, variables = make("Nadam"), there(first_weights(1))
    rules = set()
    for step in random_gradients(1, steps=4):
        optimizer.apply(there(step), variables)
        optimizer.learning_rate /= 2
        rules.add(id(optimizer._device_rule))
    assert len(rules) == 1


@pytest.mark.parametrize("name", ["RMSprop-both", "Nadam"])
def test_back_and_forth(strict_cupy, name):
    """The memory goes along, with its optimizer or after its weights."""
    gradients = random_gradients(1, steps=12)
    optimizer = make(name)
    weights = [w.copy() for w in first_weights(1)]
    for number, step in enumerate(gradients):
        if number % 3 == 0:
            on_gpu = number % 2 == 1
            if number != 6:  # then it finds out by itself
                optimizer.to("gpu" if on_gpu else "cpu")
            weights = there(weights) if on_gpu else [to_host(w) for w in weights]
        moved = there(step) if on_gpu else step
        optimizer.apply(moved, weights)
        kinds = {type(a) for kept in optimizer.slots for a in kept.values()}
        assert kinds == {type(weights[0])}
        optimizer.set_state(optimizer.state())
    host = make(name)
    expected = train(host, first_weights(1), gradients)
    assert_alike([to_host(w) for w in weights], expected, "float64")
    assert_same_memory(optimizer, host, "float64")


def test_a_copy_goes_its_own_way():
    gradients = random_gradients(1, steps=4, zeros=False)
    first, variables = make("Adam"), there(first_weights(1))
    for step in gradients[:2]:
        first.apply(there(step), variables)
    second, others = copy.deepcopy(first), [v.copy() for v in variables]
    for step in gradients[2:]:
        second.apply(there(step), others)
    assert first.iterations == 2
    state = first.state()
    assert any((array != state[name]).any() for name, array in second.state().items())
    expected = train(make("Adam"), first_weights(1), gradients)
    assert_alike(others, expected, "float64")


def test_weights_of_both_kinds_are_refused(strict_cupy):
    weights = first_weights(1)
    mixed = [*there(weights[:2]), *weights[2:]]
    message = r"Adam: expected weights\[2\] on the gpu, where weights\[0\] is, got one on the cpu"
    with pytest.raises(InputError, match=message):
        make("Adam").apply(mixed, mixed)


def test_shapes_of_every_rank():
    rng = np.random.default_rng(3)
    weights = [rng.standard_normal(shape) for shape in ((), (1,), (2, 1, 3), (0, 4))]
    gradients = [rng.standard_normal(w.shape) for w in weights]
    variables = there(weights)
    optimizer = make("Adam-amsgrad", clipnorm=0.5)
    optimizer.apply(there(gradients), variables, to_strict(np.array(True)))
    expected = train(make("Adam-amsgrad", clipnorm=0.5), weights, [gradients])
    for ours, host in zip(variables, expected, strict=True):
        assert_agrees(to_host(ours), host, 1e-10)
