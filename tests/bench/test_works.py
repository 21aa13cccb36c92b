"""Tiny versions of the works: every way runs, and a wrong number is found before the clock."""

import dataclasses
import functools

import numpy as np
import pytest

from keras_impl import bench
from keras_impl.bench import measure, race
from keras_impl.bench.processes.memory import Memory
from keras_impl.bench.report.results import Results
from keras_impl.bench.works import engines, predicting, works, writing
from keras_impl.bench.works.work import DTYPE, REAL, Training
from keras_impl.models import TWINS
from keras_impl.parity.oracle import keras_floats
from scratchnet import datasets
from scratchnet.errors import InputError
from scratchnet.experiments import language

V, T, B = 7, 5, 4
SIZES = {"vocabulary": V, "window": T, "units": 6, "learning_rate": 0.01}


def tiny(**changed):
    rng = np.random.default_rng(3)
    batches = [
        (rng.integers(0, V, (B, T)).astype("int32"), rng.integers(0, V, B).astype("int32"))
        for _ in range(12)
    ]
    build = functools.partial(language.build_model, **SIZES, seed=5)
    twin = functools.partial(TWINS["nietzsche"], **SIZES)
    return Training(**{"build_model": build, "build_twin": twin, "batches": batches, **changed})


@pytest.fixture(scope="module")
def work():
    return works.training_work("tiny", "tiny step", works.Data(tiny(), REAL), 0.5, 0.2, short=True)


@pytest.fixture(scope="module")
def few_steps():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(works, "MOST_UNITS", 4)
        yield


def test_there_is_a_work_for_every_name():
    for name in bench.NAMES:
        assert works.get(name).name == name
    with pytest.raises(InputError, match=r"expected one of wisconsin, nietzsche.*mean imdb"):
        works.get("imbd")


@pytest.mark.parametrize(
    ("name", "x", "y", "kinds"),
    [
        ("nietzsche", (128, 40), (128,), "ii"),
        ("nietzsche-gru", (128, 40), (128,), "ii"),
        ("shakespeare", (128, 50), (128,), "ii"),
        ("imdb", (64, 500), (64, 1), "if"),
    ],
)
def test_without_the_data_there_are_random_ids_and_the_work_says_so(monkeypatch, name, x, y, kinds):
    monkeypatch.setattr(datasets, "find", lambda name: None)
    made = works.get(name)
    assert made.data == works.RANDOM
    batches = made.training.batches
    assert len(batches) == race.WARM_UP + race.FEWEST_UNITS
    assert {(a.shape, b.shape, a.dtype.kind + b.dtype.kind) for a, b in batches} == {(x, y, kinds)}
    made.training.build_model().forward(batches[0][0][:2])  # every id is in the vocabulary
    assert len({a.tobytes() for a, _ in batches}) == len(batches)


def test_wisconsin_has_its_own_data_in_batches_of_one_size():
    made = works.get("wisconsin")
    assert made.data == REAL
    assert len(made.training.batches) == 49
    assert {(x.shape, y.shape, x.dtype.name) for x, y in made.training.batches} == {
        ((10, 9), (10, 1), "float32")
    }


def test_engines_that_compute_the_same_agree(work):
    found = work.agreement(1, False)
    names = [one.name for one in found]
    assert "loss" in names
    assert "lstm/recurrent_kernel" in names
    assert names[-2:] == ["scratchnet, loss of the first step", "scratchnet, losses of 10 steps"]
    assert all(one.ok for one in found)
    assert max(one.difference for one in found) > 0  # they are not one and the same


def perturbed(kernel):
    """Return a training whose Keras twin gets a wrong number among its weights."""

    def build_twin(**run):
        twin = tiny().build_twin(**run)
        set_weights = twin.set_weights

        def wrongly(weights):
            weights = [array.copy() for array in weights]
            weights[kernel].flat[1] += 1e-2
            set_weights(weights)

        twin.set_weights = wrongly
        return twin

    return tiny(build_twin=build_twin)


@pytest.mark.parametrize("kernel", [0, 1, 3])
def test_a_wrong_weight_is_found(kernel):
    wrong = works.training_work("tiny", "tiny step", works.Data(perturbed(kernel), REAL))
    misses = [one.name for one in wrong.agreement(1, False) if not one.ok]
    assert "outputs" in misses


def test_another_learning_rate_is_found_in_the_later_losses():
    twin = functools.partial(TWINS["nietzsche"], **{**SIZES, "learning_rate": 0.02})
    wrong = works.training_work("t", "t", works.Data(tiny(build_twin=twin), REAL))
    misses = [one.name for one in wrong.agreement(1, False) if not one.ok]
    assert misses == ["scratchnet, losses of 10 steps"]


def test_losses_of_keras_are_each_steps_own():
    with keras_floats(DTYPE):
        twin = tiny().build_twin()
        twin.set_weights(tiny().build_model().get_weights())
        theirs = works.losses(engines.KerasSteps(twin), tiny().batches)
    ours = works.losses(engines.ScratchSteps(tiny().build_model()), tiny().batches)
    np.testing.assert_allclose(ours, theirs, rtol=1e-4)
    assert len(set(theirs)) == works.LOSSES


@pytest.mark.slow
def test_every_way_runs(work, few_steps):
    candidates = work.candidates(1, False)
    assert [one.name for one in candidates] == [
        "Keras, compiled step",
        "scratchnet",
        "Keras, compiled step, tf.data",
        "Keras, compiled step, XLA",
        "Keras, steps_per_execution=12",
        "Keras, 12 steps in one XLA graph",
    ]
    timings = race.race(candidates, work.baseline, rounds=1)
    assert all(0 < one.seconds < 10 for one in timings)
    assert {one.engine for one in timings} == {"scratchnet", "Keras"}


def trained(engine, count):
    for x, y in tiny().batches[:count]:
        engine.step(*engine.prepare(x, y))


def test_a_block_really_trains():
    model = tiny().build_model()
    before = model.get_weights()
    engines.candidate(engines.ScratchSteps(model), "scratchnet", tiny().batches, 2).block()
    other = tiny().build_model()
    trained(engines.ScratchSteps(other), race.WARM_UP + 2)
    assert any((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))
    for ours, theirs in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.slow
def test_steps_in_one_graph_are_steps():
    with keras_floats(DTYPE):
        made = []
        start = tiny().build_model().get_weights()

        def build_twin(**run):
            twin = tiny().build_twin(**run)
            twin.set_weights(start)
            made.append(twin)
            return twin

        engines.one_graph(build_twin, tiny().batches, 3).block()
        stepwise = engines.KerasSteps(build_twin())
    for x, y in tiny().batches[:3] * 2:  # one call warms up, one counts
        stepwise.step(*stepwise.prepare(x, y))
    graph, steps = (twin.get_weights() for twin in made)
    for a, b in zip(graph, steps, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-6)


@pytest.fixture
def small_uses(monkeypatch):
    for name, value in {"VOCABULARY": V, "UNITS": 3, "WINDOW": T}.items():
        monkeypatch.setattr(writing, name, value)
    monkeypatch.setattr(predicting, "ROWS", 40)
    ways = {
        name: (make, 2) for name, (make, _) in {**writing.CARRIED, **writing.SHOWN_AFRESH}.items()
    }
    monkeypatch.setattr(writing, "CARRIED", ways)


@pytest.mark.slow
def test_every_way_of_writing_agrees_and_runs(small_uses):
    made = writing.generate()
    found = made.agreement(1, False)
    assert len(found) == 5
    assert all(one.ok for one in found)
    timings = race.race(made.candidates(1, False), made.baseline, rounds=1)
    assert len(timings) == 5


@pytest.mark.slow
def test_every_way_of_predicting_agrees_and_runs(small_uses):
    made = predicting.predict()
    assert made.unit == "40 rows"
    found = made.agreement(1, False)
    assert len(found) == 6
    assert all(one.ok for one in found)


def test_a_way_of_writing_that_says_something_else_is_found(small_uses, monkeypatch):
    class Wrong(writing.OneStep):
        def feed(self, ids):
            logits = super().feed(ids).copy()
            logits[2] += 1e-3
            return logits

    monkeypatch.setattr(writing, "CARRIED", {"scratchnet": (Wrong, 2)})
    (one,) = writing.generate().agreement(1, False)
    assert not one.ok


def results():
    return Results({"threads": 1})


@pytest.fixture
def only_tiny(monkeypatch, work):
    """Let there be one work, whose candidates do nothing and take different times."""
    candidates = [
        race.Candidate("Keras, compiled step", "Keras", lambda: 0.5),
        race.Candidate("scratchnet", "scratchnet", lambda: 0.2),
    ]
    made = dataclasses.replace(work, candidates=lambda threads, peers: candidates)
    monkeypatch.setattr(works, "get", lambda name: made)
    monkeypatch.setattr(measure.floor, "peak", lambda threads: 1e9)


def test_a_measurement_has_timings_agreement_floor_and_memory(only_tiny):
    found = results()
    needed = {"scratchnet": Memory(30.0, 3.0), "Keras": Memory(90.0, 10.0)}
    measure.measure(
        found, ["tiny"], rounds=1, peers=False, memory=lambda name, engine: needed[engine]
    )
    (one,) = found.works
    assert one.complete
    assert one.ours.ratio == 0.4
    assert 0 < one.agreement < 1
    assert (one.ours.memory, one.ours.growth) == (30.0, 3.0)
    assert (one.reference.memory, one.reference.growth) == (90.0, 10.0)
    assert one.flops > one.flops_without_one_hot > 0
    assert found.peak == 1e9
    assert not found.failures


def test_engines_that_disagree_are_not_timed(only_tiny, monkeypatch):
    wrong = works.training_work("wrong", "wrong step", works.Data(perturbed(0), REAL))
    monkeypatch.setattr(works, "get", lambda name: wrong)
    found = results()
    measure.measure(found, ["wrong"], rounds=1, peers=False)
    assert not found.works
    assert found.failures[0].name == "wrong"
    assert any("loss: " in miss and "are allowed" in miss for miss in found.failures[0].misses)


def test_what_was_measured_before_an_interruption_is_kept(only_tiny, monkeypatch):
    def interrupted(candidates, baseline, *arguments):
        raise race.Interrupted(race.race(candidates, baseline, rounds=1))

    monkeypatch.setattr(measure, "race", interrupted)
    found = results()
    with pytest.raises(KeyboardInterrupt):
        measure.measure(found, ["tiny", "tiny"], peers=False)
    (one,) = found.works
    assert not one.complete
    assert one.ours.seconds == 0.2
