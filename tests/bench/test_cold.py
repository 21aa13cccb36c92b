"""From a cold start: which rows there are, and of which processes."""

import pytest

from keras_impl.bench.processes import cold, fresh
from keras_impl.bench.processes.fresh import Report
from keras_impl.bench.race import Stopped


@pytest.fixture
def processes(monkeypatch):
    """Replace the processes; return what was asked of them."""
    asked = []

    def train(name, engine, steps, threads):
        asked.append((name, engine, steps, threads))
        slow = len(asked) * (10.0 if engine == "Keras" else 1.0)
        return Report(1 * slow, 2 * slow, 5 * slow, 9 * slow, steps or 49, None, None, None)

    monkeypatch.setattr(fresh, "train", train)
    return asked


def test_engines_take_turns(processes):
    cold.measure(2, repetitions=2)
    one_turn = [
        ("wisconsin", "scratchnet", None, 2),
        ("wisconsin", "Keras", None, 2),
        ("nietzsche", "scratchnet", 100, 2),
        ("nietzsche", "Keras", 100, 2),
    ]
    assert processes == one_turn * 2


def test_rows_are_of_the_least_disturbed_process(processes):
    rows = cold.measure(repetitions=2, trainings={"wisconsin": None})
    assert [(row["what"], row["engine"], row["seconds"], row["median"]) for row in rows] == [
        ("import scratchnet", "scratchnet", 1.0, 2.0),
        ("import keras (TensorFlow)", "Keras", 20.0, 30.0),
        ("wisconsin: until the first training step", "scratchnet", 5.0, 10.0),
        ("wisconsin: until the first training step", "Keras", 100.0, 150.0),
        ("wisconsin: of it, that step, compilation included", "scratchnet", 3.0, 6.0),
        ("wisconsin: of it, that step, compilation included", "Keras", 60.0, 90.0),
        ("wisconsin: until the first epoch, 49 steps, is done", "scratchnet", 9.0, 18.0),
        ("wisconsin: until the first epoch, 49 steps, is done", "Keras", 180.0, 270.0),
    ]
    assert rows[0]["times"] == [1.0, 3.0]


def test_steps_that_are_no_epoch_are_counted(processes):
    rows = cold.measure(repetitions=1, trainings={"nietzsche": 100})
    assert rows[-1]["what"] == "nietzsche: until the 100th step is done"


def test_progress_names_what_is_started(processes):
    told = []
    cold.measure(1, lambda *said: told.append(said), repetitions=1)
    assert told[0] == ("from a cold start: wisconsin, scratchnet", 0, 4)
    assert told[-1] == ("from a cold start: nietzsche, Keras", 3, 4)


@pytest.mark.parametrize(("ended", "rows"), [(1, 0), (3, 8), (4, 14)])
def test_what_has_ended_is_kept_when_the_user_stops_it(processes, monkeypatch, ended, rows):
    train = fresh.train

    def stopped(*asked):
        if len(processes) == ended:
            raise KeyboardInterrupt
        return train(*asked)

    monkeypatch.setattr(fresh, "train", stopped)
    with pytest.raises(Stopped) as caught:
        cold.measure(2)
    assert len(caught.value.found) == rows


@pytest.mark.slow
def test_both_engines_start():
    rows = cold.measure(1, repetitions=1, trainings={"wisconsin": 2})
    assert all(0 < row["seconds"] < 120 for row in rows)
    assert {row["engine"] for row in rows} == {"scratchnet", "Keras"}
