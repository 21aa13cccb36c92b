"""Training steps on a GPU: what is counted, timed, held against each other, and not measured."""

import dataclasses
import importlib.util
import itertools
import warnings

import numpy as np
import pytest

from keras_impl.bench.device import clock, floors, machine, measure, ways, work
from keras_impl.bench.device.clock import Clock
from keras_impl.bench.device.measure import measure_one
from keras_impl.bench.device.results import DeviceResults
from keras_impl.bench.device.ways import AbsentError, Way
from keras_impl.bench.floor import flops, training_products
from keras_impl.bench.race import Interrupted
from scratchnet import Sequential
from scratchnet.backend import to_host
from scratchnet.errors import InputError

B, T, D, H, V = 6, 5, 7, 3, 4
SMALL = {
    kind: work.DeviceWork(f"{kind.lower()}-small", kind, B, T, D, H, 3.0, V)
    for kind in ("LSTM", "GRU")
}
PARAMETERS = {"LSTM": 4 * H * (D + H + 1), "GRU": 3 * H * (D + H + 2)}


@pytest.fixture(params=SMALL)
def small(request):
    return SMALL[request.param]


@pytest.fixture
def torch():
    framework = pytest.importorskip("torch", reason="PyTorch is not installed (extra `peers`)")
    framework.set_num_threads(1)  # its threads spin, which on a busy machine takes seconds
    return framework


# The floors


@pytest.mark.parametrize(("kind", "gates"), [("LSTM", 4), ("GRU", 3)])
def test_products_are_counted_as_by_hand(kind, gates):
    inputs = 2 * (2 * B * T * D * gates * H)  # forwards, and the kernel's gradient: x has none
    recurrent = 3 * (2 * B * H * gates * H * T)
    found = training_products(SMALL[kind].build_model(), B)
    assert flops(found) == inputs + recurrent + 3 * (2 * B * H * V)


@pytest.mark.parametrize(("kind", "kept"), [("LSTM", 6), ("GRU", 5)])
def test_bytes_are_counted_as_by_hand(kind, kept):
    x = B * T * D
    left_for_the_way_back = B * T * kept * H
    logits = B * V
    weights = PARAMETERS[kind] + H * V + V
    twice = x + left_for_the_way_back + logits
    found = floors.training_bytes(SMALL[kind].build_model(), B)
    assert found == 4 * (2 * twice + 10 * weights)


def test_the_large_shapes_are_bound_by_arithmetic_and_the_counts_are_the_issues():
    large = work.get("lstm-large")
    assert (large.batch, large.steps, large.features, large.units) == (256, 128, 512, 1024)
    products = 2 * 256 * 128 * 4096 * (2 * 512 + 3 * 1024) + 3 * 2 * 256 * 1024 * 57
    assert flops(training_products(large.build_model(), 256)) == products
    small = work.get("gru-small")
    assert (small.batch, small.steps, small.features, small.units) == (128, 40, 57, 128)
    assert (small.required, large.required) == (3.0, 1.5)


class Laps:
    """A clock that says what a test wants it to, and does the work."""

    def __init__(self, *seconds):
        self.seconds, self.calls = itertools.cycle(seconds), []

    def lap(self, run, calls):
        self.calls.append(calls)
        for _ in range(calls):
            run()
        seconds = next(self.seconds)
        return clock.Lap(seconds, seconds / 2)


def test_rates_are_those_of_the_least_disturbed_lap():
    assert floors.product_rate(np, Laps(4.0, 2.0, 3.0), size=8, laps=3) == 2 * 8**3 / 2.0
    assert floors.copy_rate(np, Laps(4.0, 8.0), size=4096, laps=2) == 2 * 4096 / 4.0


def test_rates_are_measured_on_device_arrays(strict_cupy):
    assert floors.product_rate(strict_cupy, Clock(), size=16, laps=1) > 0
    assert floors.copy_rate(strict_cupy, Clock(), size=64, laps=1) > 0


# The clock


def test_nothing_is_read_before_the_device_is_done(monkeypatch):
    log = []

    class Event:
        def record(self):
            log.append("event")

    now = iter([10.0, 16.0])

    def read():
        log.append("clock")
        return next(now)

    monkeypatch.setattr(clock.time, "perf_counter", read)
    found = Clock(lambda: log.append("wait"), Event, lambda begin, end: 4500.0).lap(
        lambda: log.append("step"), 3
    )
    assert log == ["wait", "clock", "event", "step", "step", "step", "event", "wait", "clock"]
    assert found == (6.0 / 3, 4.5 / 3)


def test_the_host_has_no_events():
    assert Clock().lap(lambda: None, 2).device_seconds is None


# The ways


@pytest.mark.parametrize("name", [ways.SCRATCH, ways.EAGER])
def test_scratchnets_way_is_on_the_device_and_computes_the_same(small, strict_cupy, name):
    reference = ways.host_gradients(small.build_model(), *small.batches()[0])
    way = ways.scratch(small, "gpu", name)
    assert measure.disagreements(way, reference) == []
    host = ways.scratch(small, "cpu", ways.HOST)
    losses = [host.train() for _ in range(4)]
    assert measure.unlike_losses(way, [float(way.train()) for _ in range(4)], losses) == []
    assert losses[0] > losses[2]  # the first batch again, and it learned


def test_batches_come_in_turn():
    step = ways.in_turn(lambda x, y: (x, y), [(1, 2), (3, 4)])
    assert [step() for _ in range(3)] == [(1, 2), (3, 4), (1, 2)]


def test_only_the_plain_path_is_asked_for(monkeypatch):
    asked = []
    compile_it = Sequential.compile

    def listening(self, *arguments, **options):
        asked.append(options["run_eagerly"])
        compile_it(self, *arguments, **options)

    monkeypatch.setattr(Sequential, "compile", listening)
    for name in (ways.SCRATCH, ways.EAGER, ways.HOST):
        ways.scratch(SMALL["GRU"], "cpu", name)
    assert asked == [False, True, False]


@pytest.mark.parametrize("name", [ways.CUDNN, ways.UNREAD, ways.TF32])
def test_pytorchs_ways_compute_the_same(torch, small, name):
    reference = ways.host_gradients(small.build_model(), *small.batches()[0])
    way = ways.torch(small, name, "cpu")
    with way.settings():
        assert measure.disagreements(way, reference) == []
        losses = [way.train() for _ in range(5)]
    assert torch.is_tensor(losses[0]) == (name == ways.UNREAD)
    host = ways.scratch(small, "cpu", ways.HOST)
    ours = [host.train() for _ in range(5)]
    assert measure.unlike_losses(way, list(map(float, losses)), ours) == []


def test_tf32_is_off_in_the_way_that_counts_and_left_as_it_was(torch):
    flags = getattr(torch.backends.cudnn, "rnn", None)
    if flags is None:
        pytest.skip("PyTorch before 2.9 has one switch for all of cuDNN")
    before = flags.fp32_precision
    for name, wanted in ((ways.CUDNN, "ieee"), (ways.UNREAD, "ieee"), (ways.TF32, "tf32")):
        way = ways.torch(SMALL["LSTM"], name, "cpu")
        with way.settings():
            assert flags.fp32_precision == wanted
        assert flags.fp32_precision == before
        assert way.tolerance == (2e-2 if name == ways.TF32 else 1e-4)


def test_a_peer_that_is_not_there_says_so(monkeypatch, torch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(AbsentError, match=r"PyTorch .* sees no GPU"):
        ways.torch(SMALL["LSTM"], ways.CUDNN)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(AbsentError, match="PyTorch is not installed"):
        ways.torch(SMALL["LSTM"], ways.CUDNN)
    with pytest.raises(AbsentError, match="Keras is not installed"):
        ways.keras(SMALL["LSTM"])


def test_keras_takes_part_where_its_backend_sees_a_gpu(monkeypatch):
    small = SMALL["GRU"]
    pytest.importorskip("tensorflow")
    from keras_impl.bench.device import keras_way

    monkeypatch.setattr(keras_way, "sees_gpu", lambda backend: False)
    with pytest.raises(AbsentError, match="tensorflow, sees no GPU"):
        ways.keras(small)
    monkeypatch.setattr(keras_way, "sees_gpu", lambda backend: backend == "tensorflow")
    way, host = ways.keras(small), ways.scratch(small, "cpu", ways.HOST)
    ours = [host.train() for _ in range(3)]
    assert measure.unlike_losses(way, [float(way.train()) for _ in range(3)], ours) == []


def test_every_way_has_its_row():
    assert [*ways.makers(SMALL["GRU"]), ways.HOST] == list(ways.ENGINES)


# The measurement


class Fakes:
    """Ways whose times, losses and gradients a test chooses."""

    def __init__(self, small):
        self.work = small
        self.loss, self.gradients = ways.host_gradients(small.build_model(), *small.batches()[0])
        self.seconds = {ways.SCRATCH: 3.0, ways.EAGER: 6.0, ways.CUDNN: 2.0}
        self.losses = {}
        self.wrong = {}
        self.absent = {ways.GRAPH: AbsentError("PyTorch is not installed")}
        self.clocks = {}

    def make(self, name):
        if name in self.absent:
            raise self.absent[name]
        self.clocks[name] = laps = Laps(self.seconds[name])
        gradients = [array * self.wrong.get(name, 1.0) for array in self.gradients]
        train = lambda: self.losses.get(name, 2.5)  # noqa: E731
        return Way(name, laps, train, lambda: (self.loss, gradients))

    def measure(self, results, rounds=3):
        names = [*self.seconds, *self.absent]
        makers = {name: lambda name=name: self.make(name) for name in names}
        measure_one(results, self.work, makers, rounds, 60.0, lambda what, done, total: None)
        (found,) = results.works
        return found


@pytest.fixture
def fakes(small, monkeypatch):
    monkeypatch.setattr(measure, "HOST_SECONDS", 0.0)
    return Fakes(small)


def test_what_agrees_is_raced_in_turns_and_the_rest_says_why_not(fakes):
    found = fakes.measure(DeviceResults(product_rate=1e6, copy_rate=1e12))
    assert found.row(ways.SCRATCH).blocks == (3.0,) * 3
    assert found.row(ways.SCRATCH).device_blocks == (1.5,) * 3
    assert found.ratio(ways.SCRATCH) == 1.5
    assert found.ratio(ways.EAGER) == 3.0
    assert found.row(ways.GRAPH).reason == "not measured: PyTorch is not installed"
    assert found.row(ways.KERAS).reason == "not measured yet"
    assert found.row(ways.HOST).seconds > 0
    assert found.misses == ()
    first, *blocks = fakes.clocks[ways.SCRATCH].calls
    assert blocks == [measure.FEWEST] * 3  # a step takes longer than a block should
    assert first == measure.WARM_UP


def test_a_way_with_other_gradients_is_not_timed_and_the_others_are(fakes):
    fakes.wrong[ways.EAGER] = 1 + 3e-4
    results = DeviceResults()
    found = fakes.measure(results)
    assert found.row(ways.EAGER).blocks == ()
    assert found.row(ways.EAGER).reason == "not timed: see below"
    assert all("gradient" in one and "1e-04 are allowed" in one for one in found.misses)
    assert len(found.misses) == len(fakes.gradients)
    assert found.row(ways.CUDNN).blocks
    assert results.failed


@pytest.mark.parametrize("loss", [2.51, float("nan")])
def test_a_way_whose_updates_lead_elsewhere_is_not_timed(fakes, loss):
    fakes.losses[ways.CUDNN] = loss
    found = fakes.measure(DeviceResults())
    assert found.ratio(ways.SCRATCH) is None
    assert found.verdict == ""
    assert found.misses[0].startswith(f"{ways.CUDNN}: loss of step 1 is {loss:.6g}")
    assert found.row(ways.SCRATCH).blocks


def test_a_way_that_warns_is_timed_and_its_warning_said(fakes, monkeypatch):
    make = fakes.make

    def warns(name):
        way = make(name)
        if name != ways.SCRATCH:
            return way

        def train():
            warnings.warn("no graph", RuntimeWarning, stacklevel=1)
            return 2.5

        return dataclasses.replace(way, train=train)

    monkeypatch.setattr(fakes, "make", warns)
    with pytest.warns(RuntimeWarning, match="no graph"):  # the race's own, which are let through
        found = fakes.measure(DeviceResults())
    assert set(found.misses) == {"scratchnet: no graph"}
    assert found.row(ways.SCRATCH).blocks


def test_gradients_that_are_not_numbers_disagree(fakes):
    fakes.wrong[ways.CUDNN] = float("nan")
    assert fakes.measure(DeviceResults()).misses


def test_a_way_that_breaks_leaves_the_others_their_rows(fakes):
    fakes.absent[ways.SCRATCH] = ZeroDivisionError("a\nbug")
    del fakes.seconds[ways.SCRATCH]
    found = fakes.measure(DeviceResults())
    assert found.row(ways.SCRATCH).blocks == ()
    (miss,) = found.misses
    assert miss.startswith("scratchnet: ZeroDivisionError in test_device_bench.py, line ")
    assert miss.endswith(": a bug")
    assert found.row(ways.CUDNN).blocks


def test_no_way_at_all_is_a_work_not_measured(fakes):
    fakes.seconds = {}
    found = fakes.measure(DeviceResults())
    assert found.ratio(ways.SCRATCH) is None
    assert found.row(ways.HOST).blocks


def test_an_interrupted_race_keeps_its_whole_rounds(fakes, monkeypatch):
    blocks = itertools.count()
    real = measure.block

    def block(way, calls, laps):
        run = real(way, calls, laps)

        def stopped_in_the_third_round():
            if next(blocks) == 7:
                raise KeyboardInterrupt
            return run()

        return stopped_in_the_third_round

    monkeypatch.setattr(measure, "block", block)
    results = DeviceResults()
    with pytest.raises(Interrupted):
        fakes.measure(results, rounds=5)
    (found,) = results.works
    assert not found.complete
    row = found.row(ways.SCRATCH)
    assert (row.blocks, row.device_blocks) == ((3.0, 3.0), (1.5, 1.5))


def test_the_first_steps_of_a_block_do_not_count():
    steps, laps = [], []
    way = Way("any", Laps(3.0), lambda: steps.append(0))
    assert measure.block(way, 7, laps)() == 3.0
    assert len(steps) == measure.WARM_UP + 7
    assert way.clock.calls == [7]
    assert laps == [1.5]


def test_steps_of_a_block_are_bounded():
    for seconds, calls in ((1e-9, measure.MOST), (10.0, measure.FEWEST), (0.02, 10)):
        assert measure.calls_of_a_block(Way("any", Laps(seconds), lambda: 0.0)) == calls


def test_everything_at_once_on_the_stand_in(strict_cupy, monkeypatch):
    """The rates, and every way that this machine has, from the device's arrays to the rows."""
    monkeypatch.setattr(measure, "get", lambda name: SMALL["LSTM"])
    monkeypatch.setattr(floors, "product_rate", lambda xp, clock: 1e9)
    monkeypatch.setattr(floors, "copy_rate", lambda xp, clock: 1e9)
    monkeypatch.setattr(
        measure,
        "makers",
        lambda work: {ways.SCRATCH: lambda: ways.scratch(work, "gpu", ways.SCRATCH)},
    )
    for name, value in (("HOST_SECONDS", 0.0), ("MOST", 5), ("BLOCK_SECONDS", 0.0)):
        monkeypatch.setattr(measure, name, value)
    results = DeviceResults(machine.describe(strict_cupy, "bench"))
    measure.measure(results, ["lstm-small"], strict_cupy, rounds=2)
    (found,) = results.works
    assert found.misses == ()
    assert len(found.row(ways.SCRATCH).blocks) == 2
    assert results.share(found)[1] in ("arithmetic", "bytes")
    assert results.machine["device"] == "stand-in"
    assert results.machine["cuda"] == "13.0"


def test_a_name_that_is_not_there_is_refused_with_the_nearest():
    with pytest.raises(InputError, match=r"Did you mean lstm-small\?"):
        work.get("lstm-smal")


def test_versions_are_written_as_people_write_them():
    assert [machine.dotted(one) for one in (13000, 13010, 12090)] == ["13.0", "13.1", "12.9"]


def test_weights_and_batches_are_the_same_every_time(small):
    one, other = small.build_model().get_weights(), small.build_model().get_weights()
    for first, second in zip(one, other, strict=True):
        np.testing.assert_array_equal(to_host(first), second)
        assert first.std() > 0.1
    (x, y), (x2, _) = small.batches()
    assert x.dtype == "float32"
    assert x.shape == (B, T, D)
    assert y.shape == (B,)
    assert not np.array_equal(x, x2)
