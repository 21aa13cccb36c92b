"""Peak memory: of a process of its own, of which the imports' share is known."""

import subprocess
import sys

import numpy as np
import pytest

from keras_impl.bench.processes import fresh, fresh_data, memory, process_memory
from keras_impl.bench.processes.fresh import Report
from scratchnet import datasets
from scratchnet.errors import InputError

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")


@pytest.fixture(scope="module")
def report():
    return fresh.train("wisconsin", "scratchnet", steps=3, threads=1)


def test_a_training_reports_its_times_in_order(report):
    assert report.steps == 3
    assert 0 < report.imported < report.ready < report.first_step < report.finished < 60


def test_a_training_reports_its_memory(report):
    assert 10 < report.memory_imported < report.memory_training <= report.memory_peak < 4000


@pytest.mark.slow
def test_keras_trains_as_shipped_and_takes_as_many_steps():
    report = fresh.train("nietzsche-gru", "Keras", steps=2, threads=1)
    assert report.steps == 2
    assert 0 < report.imported < report.ready < report.first_step < report.finished < 120
    assert report.memory_training > report.memory_imported > 100


def test_the_whole_epoch_is_trained_unless_steps_are_given():
    batches = fresh_data.maker("wisconsin")().batches(0)
    assert fresh.train("wisconsin", "scratchnet", threads=1).steps == len(batches)


def test_memory_is_the_peak_and_what_training_adds_to_the_imports(monkeypatch):
    asked = []

    def train(*arguments):
        asked.append(arguments)
        return Report(0.2, 0.4, 0.5, 0.9, 20, 37.0, 96.0, 75.0)

    monkeypatch.setattr(fresh, "train", train)
    assert memory.measure("nietzsche", "Keras", 20, 2) == (96.0, 38.0)
    assert memory.peak("imdb", "scratchnet") == 96.0
    assert asked == [("nietzsche", "Keras", 20, 2), ("imdb", "scratchnet", 20, None)]


def test_memory_is_none_where_the_system_does_not_tell(monkeypatch):
    unknown = Report(0.2, 0.4, 0.5, 0.9, 20, None, None, None)
    monkeypatch.setattr(fresh, "train", lambda *_: unknown)
    assert memory.measure("nietzsche", "Keras") == (None, None)


@pytest.mark.parametrize(("name", "engine"), [("wisconson", "Keras"), ("wisconsin", "keras")])
def test_an_unknown_training_or_engine_is_refused(name, engine):
    with pytest.raises(InputError, match=r"expected (name|engine) to be one of"):
        fresh.train(name, engine)


def test_a_process_that_fails_says_why(monkeypatch):
    monkeypatch.setenv("SCRATCHNET_DATA", "/nowhere at all")
    with pytest.raises(RuntimeError, match=r"wisconsin with scratchnet.*SCRATCHNET_DATA"):
        fresh.train("wisconsin", "scratchnet", 1)


def test_the_threads_reach_the_process(monkeypatch):
    seen = {}

    def run(*arguments, env, **options):
        seen.update(env)
        return subprocess.CompletedProcess(arguments, 0, "[0, 0, 0, 0, 1, 0, 0, 0]", "")

    monkeypatch.setattr(subprocess, "run", run)
    fresh.train("wisconsin", "Keras", threads=3)
    assert {seen["OPENBLAS_NUM_THREADS"], seen["TF_NUM_INTRAOP_THREADS"]} == {"3"}


@LINUX
def test_the_peak_is_seen_after_it_has_passed_and_can_be_forgotten():
    start = process_memory.resident()
    block = np.ones(2**23)  # 64 MiB
    del block
    assert process_memory.highest() >= start + 60
    assert process_memory.forget_peak() >= start + 60
    assert process_memory.highest() < start + 60


def test_mac_counts_in_bytes(monkeypatch):
    resource = pytest.importorskip("resource", reason="Windows has no resource")
    kibibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    monkeypatch.setattr(process_memory, "_status", lambda key: None)
    monkeypatch.setattr(sys, "platform", "darwin")
    assert process_memory.highest() == pytest.approx(kibibytes / 2**20, rel=0.2)
    monkeypatch.setattr(sys, "platform", "linux")
    assert process_memory.resident() == pytest.approx(kibibytes / 2**10, rel=0.2)


@pytest.mark.parametrize(
    ("name", "window", "vocabulary"),
    [("nietzsche-gru", 40, 57), ("shakespeare", 50, 11_636), ("imdb", 500, 5_000)],
)
def test_random_data_have_the_shape_of_the_real_ones(monkeypatch, name, window, vocabulary):
    monkeypatch.setattr(datasets, "find", lambda name: None)
    problem = fresh_data.maker(name)()
    assert problem.x_train.shape[1] == window
    assert problem.architecture["vocabulary"] == vocabulary
    assert 0.9 * vocabulary < problem.x_train.max() < vocabulary
    x, y = problem.x_train[:2], problem.y_train[:2]
    assert np.isfinite(problem.build_model().evaluate(x, y, return_dict=True)["loss"])
