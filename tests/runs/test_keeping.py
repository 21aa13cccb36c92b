"""What a training keeps on the way, and in which order."""

import dataclasses
import time

import numpy as np
import pytest

from scratchnet import Sequential, runs
from scratchnet.callbacks import LambdaCallback
from scratchnet.errors import DataError, InputError
from scratchnet.experiments import language, wisconsin
from scratchnet.experiments.language import Settings
from scratchnet.generation import OneStep
from scratchnet.runs import keeping
from scratchnet.runs.folder import BEST, HISTORY, MODEL, SAMPLES
from scratchnet.runs.history import read_history
from scratchnet.runs.keeping import BestKeeper
from scratchnet.runs.writing import pieces, read_samples
from scratchnet.text import Sampler

TEXT = "it was the best of times, it was the worst of times, it was the age of wisdom " * 4


def text_problem(epochs=3, **settings):
    small = {"window": 6, "units": 5, "batch_size": 16, "samples": 15, "validation": 0.2}
    return language.problem("text", TEXT, Settings(**{**small, **settings}), 1, "float32", epochs)


class Book:
    """Stands for a model: remembers when it was saved."""

    def __init__(self):
        self.saved = []

    def save(self, path):
        self.saved.append(path.name)


@pytest.mark.parametrize(
    ("name", "values", "kept"),
    [
        ("val_accuracy", [0.5, 0.7, 0.6, 0.7, 0.8], [0, 1, 4]),
        ("val_loss", [3.0, 2.0, 2.5, 2.0, 1.0], [0, 1, 4]),
    ],
)
@pytest.mark.parametrize("done", [0, 2, 3])
def test_the_best_epoch_is_kept_also_over_a_stop(tmp_path, name, values, kept, done):
    rows = [{"epoch": epoch, name: value} for epoch, value in enumerate(values[:done])]
    keeper, found = BestKeeper(tmp_path / BEST, name, rows), []
    keeper.model = Book()
    for epoch, value in list(enumerate(values))[done:]:
        before = len(keeper.model.saved)
        keeper.on_epoch_end(epoch, {name: value})
        found += [epoch] * (len(keeper.model.saved) - before)
    assert found == [epoch for epoch in kept if epoch >= done]


def test_the_best_model_is_the_one_that_is_used(tmp_path):
    problem = dataclasses.replace(wisconsin.problem(epochs=4), choose_by="val_loss")
    model = runs.train(problem, tmp_path, verbose=False)
    rows = read_history(tmp_path / HISTORY, 4)
    best = int(np.argmin([row["val_loss"] for row in rows]))
    short = dataclasses.replace(problem, epochs=best + 1, choose_by=None)
    (tmp_path / "short").mkdir()
    expected = runs.train(short, tmp_path / "short", verbose=False).get_weights()
    loaded = runs.load_model(tmp_path, problem.reader).get_weights()
    for a, b, c in zip(model.get_weights(), loaded, expected, strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a, c)
    Sequential.load(tmp_path / MODEL).save(tmp_path / BEST)
    last = runs.load_model(tmp_path, problem.reader).get_weights()
    for a, b in zip(last, Sequential.load(tmp_path / MODEL).get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("file", [HISTORY, BEST, SAMPLES, MODEL])
def test_a_kill_between_any_two_files_changes_nothing(tmp_path, file, monkeypatch):
    """The second epoch's end is broken off right after a file was written."""
    problem = dataclasses.replace(text_problem(), choose_by="val_loss")
    (whole := tmp_path / "whole").mkdir()
    (killed := tmp_path / "killed").mkdir()
    runs.train(problem, whole, verbose=False)

    class Killed(BaseException):
        pass

    written = []
    for module in ("scratchnet.archive", "scratchnet.runs.history", "scratchnet.runs.writing"):
        write = __import__(module, fromlist=["write_whole"]).write_whole

        def kills(path, content, write=write):
            answer = write(path, content)
            written.append(path.name)
            if path.parent == killed and written.count(file) == (3 if file == MODEL else 2):
                raise Killed
            return answer

        monkeypatch.setattr(f"{module}.write_whole", kills)
    with pytest.raises(Killed):
        runs.train(problem, killed, verbose=False)
    monkeypatch.undo()
    runs.train(problem, killed, verbose=False, resume=True)
    for name in (MODEL, BEST):
        pairs = zip(
            Sequential.load(whole / name).get_weights(),
            Sequential.load(killed / name).get_weights(),
            strict=True,
        )
        for a, b in pairs:
            np.testing.assert_array_equal(a, b)
    assert read_samples(whole / SAMPLES, 3) == read_samples(killed / SAMPLES, 3)
    losses = [
        [(row["epoch"], row["loss"], row["val_loss"]) for row in read_history(f / HISTORY, 3)]
        for f in (whole, killed)
    ]
    assert losses[0] == losses[1]


def test_checkpoints_within_an_epoch_come_by_the_clock(tmp_path, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(keeping.time, "monotonic", lambda: clock[0])
    problem = text_problem(epochs=1, samples=0, stride=1)
    reached = []

    def tick(batch, logs):
        clock[0] += 20.0
        model = Sequential.load(tmp_path / MODEL) if (tmp_path / MODEL).exists() else None
        reached.append(None if model is None else model.progress.batch)

    shown = [LambdaCallback(on_train_batch_end=tick)]
    runs.train(problem, tmp_path, verbose=False, minutes=1.0, shown_by=shown)
    saved = sorted({batch for batch in reached if batch is not None})
    assert saved[:2] == [4, 8]  # more than 60 seconds after the last one
    assert time.monotonic() == clock[0]


def test_samples_depend_on_seed_epoch_and_temperature(tmp_path):
    problem = text_problem(epochs=2, temperatures=(1.0, 1.0))
    runs.train(problem, tmp_path, verbose=False)
    samples = read_samples(tmp_path / SAMPLES, 2)
    assert len({sample["text"] for sample in samples}) == 4
    prompts = problem.reader.prompts
    assert [sample["prompt"] for sample in samples] == [prompts[0]] * 2 + [prompts[1]] * 2
    assert read_samples(tmp_path / SAMPLES, 1) == samples[:2]
    assert read_history(tmp_path / HISTORY, 1)[0]["epoch"] == 0
    with pytest.raises(DataError, match="history of a run"):
        read_history(tmp_path / HISTORY, 3)


def test_nothing_follows_nothing():
    problem = text_problem(unit="word", window=3)
    writer = OneStep(problem.build_model())
    for prompt in ("", "...", " "):
        with pytest.raises(InputError, match="expected one or more ids, got none"):
            list(pieces(writer, problem.reader, prompt, Sampler(), 3))


def test_what_stands_for_unknown_words_is_never_written():
    problem = text_problem(unit="word", window=3, samples=0)
    model = problem.build_model()
    *_, bias = weights = model.get_weights()
    bias[0] = 100.0
    model.set_weights(weights)
    written = list(pieces(OneStep(model), problem.reader, "it was", Sampler(1.0), 30))
    assert len(written) == 30
    assert not any(language.UNKNOWN in piece for piece in written)


def test_runs_are_numbered_behind_the_newest(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for number in (1, 3, 12):
        (tmp_path / f"runs/text-{number}").mkdir(parents=True)
    (tmp_path / "runs/text-mine").mkdir()
    assert str(runs.latest("text")) == "runs/text-12"
    assert str(runs.new_folder("text")) == "runs/text-13"
    with pytest.raises(DataError, match="no run of json here"):
        runs.latest("json")
