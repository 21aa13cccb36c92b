"""A process that is killed, and the same command again: real processes and a real SIGKILL."""

import csv
import signal
import time

import numpy as np
import pytest

pytest.importorskip("keras")

from keras_impl.training import reached
from scratchnet import Sequential
from tests.forked import Forked
from tests.keras_training.books import SMALL, write_book

pytestmark = pytest.mark.slow

LONGEST = 100
"""Seconds that a process may take."""
SETTINGS = (
    "--epochs", "3", "--patience", "1", "--schedule", "cosine", "--validation", "0.2"
)  # fmt: skip


@pytest.fixture
def start(tmp_path):
    """Start the command in a process of its own; whatever still runs at the end is killed."""
    book, started = write_book(tmp_path), []

    def run(out):
        words = ("train", "text", "--text", str(book), *SMALL, *SETTINGS)
        words = ("keras_impl", *words, "--backup-steps", "2", "--out", out)
        started.append(Forked(words, tmp_path, tmp_path / f"process-{len(started)}"))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.process.join()


def kill_within_epoch(process, folder, epoch):
    """Kill it once it has saved within an epoch; return what it had reached."""
    limit = time.monotonic() + LONGEST
    while time.monotonic() < limit and process.poll() is None:
        progress = reached(folder)
        if progress.epoch == epoch and progress.batch:
            process.kill()
            assert process.communicate(LONGEST)[0] == -signal.SIGKILL
            return reached(folder)
        time.sleep(0.002)
    raise AssertionError(f"it did not reach epoch {epoch}: {process.communicate(LONGEST)[2]}")


def ended(process):
    status, _, said = process.communicate(LONGEST)
    assert status == 0, said
    return said


def history(folder):
    with (folder / "history.csv").open(newline="") as file:
        return [row[:-1] for row in csv.reader(file)]  # but for the seconds


def test_a_killed_training_ends_as_if_it_had_not_been(start, tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    uninterrupted = start(whole)
    progress = kill_within_epoch(start(killed), killed, 1)
    assert progress.epoch == 1
    assert progress.batch % 2 == 0
    said = ended(start(killed))
    assert f"killed: goes on in epoch 2, after {progress.batch} batches." in said
    ended(uninterrupted)
    for name in ("model.npz", "best.npz"):
        ours, theirs = (Sequential.load(folder / name) for folder in (killed, whole))
        for weight, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
            assert weight.dtype == np.float32
            np.testing.assert_array_equal(weight, other)
    assert history(killed) == history(whole)
    assert len(history(whole)) == 4
    assert {path.name for path in killed.iterdir()} == {path.name for path in whole.iterdir()}
