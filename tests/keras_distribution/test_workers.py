"""Real processes on the loopback address, against one process on the joined batches."""

import csv
import json
import random

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from keras_impl.training import reached, train
from scratchnet import runs
from scratchnet.callbacks import Callback, History
from scratchnet.experiments import text
from tests.keras_distribution.problems import PROBLEMS
from tests.keras_distribution.processes import free_addresses, run_all, train_all

NOTICED_S = 15.0
"""From a worker's end to the others' own; about 1 s where processors are free."""
DEATH = "worker 1 ({}) is gone. Start all workers again with the same commands: they go on at"


def said(lines, key):
    return [line[key] for line in lines if key in line]


def assert_equal_weights(found, model, tolerance):
    for ours, theirs in zip(found, model.get_weights(), strict=True):
        assert abs(theirs).max() > 1e-4
        assert abs(np.array(ours) - theirs).max() <= tolerance * abs(theirs).max()


def test_a_worker_is_killed_and_all_go_on_when_it_is_back(tmp_path):
    history = History()
    whole = train(PROBLEMS["reviews"](), tmp_path / "whole", [history])
    folder = tmp_path / "run"
    at = 8  # of 12 batches: the second of the second epoch
    chief, dead = train_all(folder, "reviews", books={1: {"at": at, "signal": "SIGKILL"}})
    assert dead[0] == -9
    assert chief[0] == 2, chief
    assert chief[2].count("\n") == 1
    assert chief[2].startswith("worker 1 (127.0.0.1:")
    assert DEATH.partition("{}")[2] in chief[2]
    assert said(chief[1], "ends")[0] - said(dead[1], "signalled")[0] < NOTICED_S
    progress = reached(folder)
    assert (progress.epoch, progress.batch) == divmod(at, 6)  # not one whole step is lost

    again = train_all(folder, "reviews", resume=True)
    for status, lines, err in again:
        assert (status, err) == (0, "")
        assert said(lines, "batch") == [[1, batch] for batch in range(at - 6, 6)]
        assert_equal_weights(said(lines, "weights")[0], whole, 1e-12)
    logs = said(chief[1], "logs") + said(again[0][1], "logs")
    for name, figures in history.history.items():
        assert [one[name] for one in logs] == pytest.approx(figures, rel=1e-12)
    assert "val_loss" not in said(again[1][1], "logs")[0]


def test_the_command(tmp_path):
    """In float32, with a schedule; the run is as that of one process."""
    draw = random.Random(1)
    words = ["the cat ", "sat on ", "a mat ", "and then ", "it slept. "]
    file = tmp_path / "text.txt"
    file.write_text("".join(draw.choices(words, k=300)))
    settings = {"units": 5, "window": 7, "stride": 11, "batch_size": 13, "validation": 0.2}
    workers, out = free_addresses(2), tmp_path / "run"
    command = ["keras_impl", "train", "text", "--text", str(file), "--epochs", "2"]
    for name, value in settings.items():
        command += [f"--{name.replace('_', '-')}", str(value)]
    command += ["--schedule", "cosine", "--workers", ",".join(workers), "--samples", "10"]
    ended = run_all(
        [
            [*command, "--index", "0", "--out", str(out), "--json"],
            [*command, "--index", "1"],
        ],
        tmp_path,
    )
    assert [one[0] for one in ended] == [0, 0], ended
    assert ended[1][2] == "worker 1: done; worker 0 has the run.\n"
    answer = json.loads(ended[0][1])

    from keras_impl.options import Options

    problem = text.problem(text=(str(file),), epochs=2, samples=10, **settings)
    history = History()
    options = Options(schedule="cosine")
    whole = train(problem, tmp_path / "whole", [history], options=options)
    run = runs.read(out)
    assert_equal_weights(runs.load_model(out, run.reader).get_weights(), whole, 1e-6)
    for name in ("loss", "val_loss"):
        assert answer[name] == pytest.approx(history.history[name], rel=1e-6)
    with (out / runs.HISTORY).open() as lines:
        assert [float(row["loss"]) for row in csv.DictReader(lines)] == answer["loss"]


@pytest.mark.slow
def test_three_of_which_one_stops_all(tmp_path):
    """After its fourth batch; none computes another."""
    ended = train_all(tmp_path / "run", "table", 3, books={2: {"at": 4, "signal": "stop"}})
    whole = train(PROBLEMS["table"](), tmp_path / "whole", [_Stop(4)])
    for status, lines, err in ended:
        assert (status, err) == (0, "")
        assert len(said(lines, "batch")) == 4
        assert_equal_weights(said(lines, "weights")[0], whole, 1e-12)


@pytest.mark.slow
def test_a_chief_that_hangs_is_given_up(tmp_path):
    ended = train_all(
        tmp_path / "run", "table", books={0: {"at": 3, "signal": "SIGSTOP"}}, patience_s=2
    )
    status, lines, err = ended[1]
    assert status == 2
    assert err.count("\n") == 1
    assert "worker 0 (127.0.0.1:" in err
    assert "has not been heard for 2 s" in err
    assert said(lines, "ends")[0] - said(ended[0][1], "signalled")[0] < 2 + NOTICED_S


@pytest.mark.slow
def test_workers_started_with_different_settings(tmp_path):
    workers = free_addresses(2)
    ended = run_all(
        [
            ["keras_impl", "train", "wisconsin", "--epochs", "1", "--seed", str(index),
             "--workers", ",".join(workers), "--index", str(index),
             *(["--out", str(tmp_path / "run")] if index == 0 else [])]
            for index in range(2)
        ],
        tmp_path,
    )  # fmt: skip
    for status, _, err in ended:
        assert status == 2
        assert "all workers to have seed 0, got 1 at worker 1" in err.splitlines()[-1]
    assert not (tmp_path / "run").exists()


class _Stop(Callback):
    def __init__(self, at):
        self.at, self.count = at, 0

    def on_train_batch_end(self, batch, logs):
        self.count += 1
        self.model.stop_training = self.count == self.at
