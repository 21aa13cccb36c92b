"""``scratchnet train`` on texts: what it leaves, and that a stop changes nothing."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from scratchnet import Sequential
from scratchnet.text import Vocabulary
from scratchnet.training import Trainer

LINES = [
    "How much wood would a woodchuck chuck, if a woodchuck could chuck wood?",
    "He would chuck, he would, as much as he could, and chuck as much wood",
    "as a woodchuck would if a woodchuck could chuck wood. Peter Piper picked",
    "a peck of pickled peppers; a peck of pickled peppers Peter Piper picked.",
]
ROOT = Path(__file__).parents[2]
SMALL = ("--units", 6, "--window", 8, "--batch-size", 20, "--samples", 12)


@pytest.fixture
def book(tmp_path):
    path = tmp_path / "book.txt"
    path.write_text("\n".join(LINES * 3) + "\n")
    return path


@pytest.fixture
def train(scratchnet, book):
    def run(*words):
        result = scratchnet("train", "text", "--text", book, *SMALL, *words)
        assert result.exit_code == 0, result.output
        return result

    return run


def weights(folder):
    return Sequential.load(folder / "model.npz").get_weights()


def losses(folder):
    with (folder / "history.csv").open() as file:
        return [row["loss"] for row in csv.DictReader(file)]


def assert_same(a, b):
    for one, other in zip(weights(a), weights(b), strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_a_run_holds(train, tmp_path, book):
    answer = json.loads(train("--epochs", 3, "--seed", 4, "--json", "--out", "run").stdout)
    run = tmp_path / "here/run"
    names = {"run.json", "model.npz", "history.csv", "vocabulary.json", "samples.jsonl"}
    assert {path.name for path in run.iterdir()} == names
    with (run / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    for name in ("loss", "val_loss", "seconds"):
        assert answer[name] == [float(row[name]) for row in rows]
    assert len(answer["loss"]) == 3
    assert answer["loss"][-1] < answer["loss"][0]
    np.testing.assert_allclose(answer["bits"], np.log2(np.e) * np.array(answer["loss"]))
    np.testing.assert_allclose(answer["val_perplexity"], np.exp(answer["val_loss"]))
    assert answer["test_loss"] == pytest.approx(answer["val_loss"][-1], rel=1e-5)
    assert answer["held_out"] is True
    assert answer["peak_memory_mib"] > 10
    vocabulary = Vocabulary.load(run / "vocabulary.json")
    assert set(vocabulary.symbols) == set(book.read_text().lower())
    samples = [json.loads(line) for line in (run / "samples.jsonl").read_text().splitlines()]
    assert [(s["epoch"], s["temperature"]) for s in samples] == [
        (epoch, temperature) for epoch in range(3) for temperature in (0.2, 0.5, 1.0, 1.2)
    ]
    assert all(len(s["text"]) == 12 and len(s["prompt"]) == 8 for s in samples)
    assert len({s["text"] for s in samples}) > 1


def test_what_is_said(train, book):
    said = train("--epochs", 1, "--keep-case").stdout
    assert f"{book}: 864 characters in 12 lines, utf-8." in said
    different = len(set(book.read_text()))
    read = f"864 characters, {different} different; 271 windows of 8, 12 of its end held out."
    assert read in said
    assert "epoch 1/1" in said
    assert "bits a character" in said
    assert all(f"temperature {one}:" in said for one in ("0.2", "0.5", "1", "1.2"))
    assert "scratchnet generate runs/text-1" in said


@pytest.mark.parametrize(
    "options",
    [
        ("--cell", "gru", "--layers", 2),
        ("--cell", "rnn", "--embedding", 3),
        ("--unit", "word", "--stride", 1, "--validation", 0.2),
        ("--max-lines", 3, "--validation", 0, "--samples", 0),
        ("--dtype", "float64", "--encoding", "latin-1"),
    ],
)
def test_every_kind_trains_evaluates_and_writes(train, scratchnet, options):
    train("--epochs", 1, *options, "--out", "run")
    evaluated = scratchnet("evaluate", "run", "--json")
    assert evaluated.exit_code == 0, evaluated.output
    assert json.loads(evaluated.stdout)["loss"] > 0
    written = scratchnet("generate", "run", "--length", 9, "--json")
    assert written.exit_code == 0, written.output
    assert json.loads(written.stdout)["text"]


def test_several_files_are_joined(train, tmp_path):
    (tmp_path / "b.txt").write_bytes("grün\r\n".encode())
    said = train("--epochs", 1, "--text", tmp_path / "b.txt", "--out", "run").stdout
    assert f"{tmp_path / 'b.txt'}: 6 characters in 1 line, utf-8." in said
    assert "871 characters" in said


@pytest.fixture
def ctrl_c():
    """Let SIGINT mean what it means in a shell, whatever started the tests."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize("steps", [1, 13, 14, 20, 27])
def test_ctrl_c_and_resume_end_with_the_same_bits(train, scratchnet, tmp_path, steps):
    """14 steps an epoch: in the first, at the end of one, in the middle."""
    here = tmp_path / "here"
    train("--epochs", 3, "--out", "whole")
    with pytest.MonkeyPatch.context() as patch:
        step, left = Trainer._train_step, [steps]

        def counted(self, *arguments):
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGINT)
            return step(self, *arguments)

        patch.setattr(Trainer, "_train_step", counted)
        words = ("--epochs", 3, "--out", "stopped")
        book = tmp_path / "book.txt"
        stopped = scratchnet("train", "text", "--text", book, *SMALL, *words)
    assert stopped.exit_code == 130
    go_on = "go on with scratchnet train text --resume --out stopped"
    assert go_on in stopped.stderr
    progress = Sequential.load(here / "stopped/model.npz").progress
    assert progress.epoch * 14 + progress.batch == steps
    resumed = scratchnet("train", "text", "--resume", "--out", "stopped")
    assert resumed.exit_code == 0, resumed.output
    assert_same(here / "whole", here / "stopped")
    assert (here / "whole/samples.jsonl").read_text() == (
        here / "stopped/samples.jsonl"
    ).read_text()
    assert losses(here / "whole") == losses(here / "stopped")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_more_epochs_than_planned(train, scratchnet, tmp_path):
    train("--epochs", 3, "--out", "whole")
    train("--epochs", 1, "--out", "short")
    refused = scratchnet("train", "text", "--resume", "--out", "short")
    assert refused.exit_code == 2
    assert "has had its 1 epoch." in refused.stderr
    resumed = scratchnet("train", "text", "--resume", "--out", "short", "--epochs", 3)
    assert resumed.exit_code == 0, resumed.output
    assert_same(tmp_path / "here/whole", tmp_path / "here/short")


@pytest.mark.slow
def test_kill_9_and_resume_end_with_the_same_bits(train, scratchnet, tmp_path, book):
    """A process of its own, killed in its second epoch, with a checkpoint every 6 ms."""
    epochs = 12
    train("--epochs", epochs, "--out", "whole", "--samples", 0)
    run = "from scratchnet.cli import main; main()"
    command = [sys.executable, "-c", run, "train", "text", "--text", book, *SMALL]
    command += ["--epochs", epochs, "--out", "killed", "--minutes", "0.0001", "--samples", 0]
    here = tmp_path / "here"
    process = subprocess.Popen(
        [str(word) for word in command],
        cwd=here,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    history = here / "killed/history.csv"
    while not history.exists() or len(history.read_text().splitlines()) < 3:
        assert process.poll() is None
        time.sleep(0.002)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    resumed = scratchnet("train", "text", "--resume", "--out", "killed")
    assert resumed.exit_code == 0, resumed.output
    assert_same(here / "whole", here / "killed")


def test_resume_takes_the_newest_run(train, scratchnet, tmp_path):
    train("--epochs", 1)
    train("--epochs", 1, "--seed", 2)
    resumed = scratchnet("train", "text", "--resume", "--epochs", 2, "--json")
    assert json.loads(resumed.stdout)["run"] == "runs/text-2"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--resume",), "runs: no run of text here"),
        (("--resume", "--out", "none"), "none: no run here"),
        (("--text", "none.txt"), "none.txt: "),
        (("--text", "empty.txt"), "empty.txt: "),
        (("--text", "binary.txt"), "binary.txt: "),
        (("--text", "latin.txt"), "latin.txt: "),
        (("--text", "short.txt"), "expected a text to be longer than the window, 40 characters"),
        (("--text", "one.txt"), "expected two or more different characters, got 1"),
        ((), "--text: expected one or more files, got none"),
        (("--text", "good.txt", "--cell", "lstn"), "--cell: expected one of lstm, gru, rnn"),
        (("--text", "good.txt", "--unit", "line"), "--unit: expected one of char, word"),
        (("--text", "good.txt", "--masked"), "--masked: text has no such option"),
        (("--text", "good.txt", "--order", "2"), "--order: text has no such option"),
        (("--text", "good.txt", "--encoding", "utf-99"), "utf-99"),
        (("--text", "good.txt", "--engine", "torch"), "--engine: expected one of scratch, keras"),
    ],
)
def test_what_cannot_be_trained_is_one_line(scratchnet, tmp_path, monkeypatch, words, said):
    files = tmp_path / "files"
    files.mkdir()
    (files / "empty.txt").write_text("")
    (files / "binary.txt").write_bytes(bytes(range(256)) * 20)
    (files / "latin.txt").write_bytes(b"sch\xf6n " * 30)
    (files / "short.txt").write_text("ab" * 20)
    (files / "one.txt").write_text("a" * 200)
    (files / "good.txt").write_text("abc" * 200)
    monkeypatch.chdir(files)
    before = set(files.iterdir())
    more = () if "--validation" in words or "--resume" in words else ("--validation", "0")
    result = scratchnet("train", "text", *words, *more)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert said in line
    assert set(files.iterdir()) == before


def test_a_run_goes_on_as_it_began(train, scratchnet):
    train("--epochs", 1, "--out", "run")
    for words, said in (
        (("--units", 7), "--units: a run that goes on keeps its settings"),
        (("--seed", 7), "--seed: a run that goes on keeps its settings"),
        (("--engine", "keras"), "expected a run of text by keras, got run of text by scratch"),
        (("--engine", "torch"), "--engine: expected one of scratch, keras"),
    ):
        refused = scratchnet("train", "text", "--resume", "--out", "run", "--epochs", 2, *words)
        assert refused.exit_code == 2
        assert said in refused.stderr
    refused = scratchnet("train", "json", "--resume", "--out", "run")
    assert "expected a run of json by scratch, got run of text" in refused.stderr


def test_a_text_that_changed_is_refused(train, scratchnet, book):
    train("--epochs", 1, "--out", "run")
    book.write_text(book.read_text() + "more\n")
    refused = scratchnet("train", "text", "--resume", "--out", "run", "--epochs", 2)
    assert refused.exit_code == 2
    assert f"{book}: expected the file that the run was trained on, got another" in refused.stderr


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("vocabulary.json", "{}", "vocabulary.json"),
        ("run.json", '{"format": 2}', "format: expected 1, which this scratchnet reads, not 2"),
        ("model.npz", "broken", "model.npz: expected a whole checkpoint"),
        ("history.csv", "epoch,loss\n7,1\n", "history.csv: expected the history of a run"),
        ("samples.jsonl", "[]\n", "samples.jsonl: expected samples of a run"),
    ],
)
def test_a_damaged_run_is_one_line(train, scratchnet, tmp_path, name, content, said):
    train("--epochs", 1, "--out", "run")
    (tmp_path / "here/run" / name).write_text(content)
    refused = scratchnet("train", "text", "--resume", "--out", "run", "--epochs", 2)
    assert refused.exit_code == 2, refused.output
    assert said in refused.stderr.splitlines()[-1]


def test_a_full_disk_leaves_the_last_checkpoint(train, scratchnet, tmp_path, monkeypatch):
    from scratchnet import files

    train("--epochs", 1, "--out", "run")
    run, whole = tmp_path / "here/run", files.os.fsync

    def full(number):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    before = (run / "model.npz").read_bytes()
    refused = scratchnet("train", "text", "--resume", "--out", "run", "--epochs", 2)
    assert refused.exit_code == 2
    assert refused.stderr.splitlines()[-1].endswith(
        "No space left on device. Make room, or write elsewhere."
    )
    assert (run / "model.npz").read_bytes() == before
    monkeypatch.setattr(files.os, "fsync", whole)
    resumed = scratchnet("train", "text", "--resume", "--out", "run", "--epochs", 2)
    assert resumed.exit_code == 0, resumed.output


@pytest.mark.slow
def test_keras_leaves_the_same_kind_of_run_and_goes_on(train, scratchnet, tmp_path):
    pytest.importorskip("keras")
    here = tmp_path / "here"
    answers = {
        engine: json.loads(
            train("--epochs", 2, "--engine", engine, "--out", engine, "--json").stdout
        )
        for engine in ("scratch", "keras")
    }
    np.testing.assert_allclose(
        answers["keras"]["loss"], answers["scratch"]["loss"], rtol=1e-5, atol=0
    )
    np.testing.assert_allclose(
        answers["keras"]["val_loss"], answers["scratch"]["val_loss"], rtol=1e-5, atol=0
    )
    samples = [(here / engine / "samples.jsonl").read_text() for engine in answers]
    assert samples[0] == samples[1]
    resumed = scratchnet("train", "text", "--resume", "--out", "keras", "--epochs", 3)
    assert resumed.exit_code == 0, resumed.output
    on = scratchnet("train", "text", "--resume", "--out", "scratch", "--epochs", 3)
    assert on.exit_code == 0, on.output
    for one, other in zip(weights(here / "scratch"), weights(here / "keras"), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-5)


def test_what_a_terminal_would_obey_is_shown(scratchnet, tmp_path):
    text = "one \x1b[31mred\x1b[0m two\u2028three\u0085four " * 30
    (tmp_path / "escapes.txt").write_text(text)
    words = ("train", "text", "--text", tmp_path / "escapes.txt", *SMALL, "--samples", 200)
    trained = scratchnet(*words, "--epochs", 1, "--out", "run")
    assert trained.exit_code == 0, trained.output
    written = scratchnet("generate", "run", "--prompt", "one \x1b[31", "--length", 200)
    assert written.exit_code == 0, written.output
    counted = scratchnet("markov", "--text", tmp_path / "escapes.txt", "--length", 200)
    for said in (trained.stdout, written.stdout, counted.stdout):
        assert "\x1b" not in said
        assert "\\x1b" in said
    resumed = scratchnet("train", "text", "--resume", "--out", "run", "--epochs", 2)
    assert resumed.exit_code == 0, resumed.output


def test_a_failed_resume_leaves_the_description(train, scratchnet, tmp_path):
    train("--epochs", 1, "--out", "run")
    run = tmp_path / "here/run"
    before = (run / "run.json").read_bytes()
    (run / "samples.jsonl").write_text("[]\n")
    assert scratchnet("train", "text", "--resume", "--out", "run", "--epochs", 2).exit_code == 2
    assert (run / "run.json").read_bytes() == before


def test_a_lost_checkpoint_is_not_trained_anew(train, scratchnet, tmp_path):
    train("--epochs", 1, "--out", "run")
    (tmp_path / "here/run/model.npz").unlink()
    refused = scratchnet("train", "text", "--resume", "--out", "run", "--epochs", 2)
    assert refused.exit_code == 2
    assert "expected model.npz" in refused.stderr


def test_fewer_epochs_than_done_are_refused(train, scratchnet, tmp_path):
    train("--epochs", 3, "--out", "run")
    run = tmp_path / "here/run/run.json"
    description = json.loads(run.read_text())
    run.write_text(json.dumps(description | {"results": None}))
    refused = scratchnet("train", "text", "--resume", "--out", "run", "--epochs", 2)
    assert refused.exit_code == 2
    assert "--epochs: expected at least 3" in refused.stderr


def test_a_description_of_another_network_is_refused(train, scratchnet, tmp_path):
    train("--epochs", 1, "--out", "run")
    run = tmp_path / "here/run/run.json"
    description = json.loads(run.read_text())
    for change in ({"settings": description["settings"] | {"units": 7}}, {"dtype": "float64"}):
        run.write_text(json.dumps(description | change))
        refused = scratchnet("train", "text", "--resume", "--out", "run", "--epochs", 2)
        assert refused.exit_code == 2
        assert "expected the network of model.npz" in refused.stderr


def test_another_vocabulary_of_the_same_size_is_refused(train, scratchnet, tmp_path):
    train("--epochs", 1, "--out", "run")
    path = tmp_path / "here/run/vocabulary.json"
    vocabulary = Vocabulary.load(path)
    Vocabulary(vocabulary.symbols[::-1]).save(path)
    refused = scratchnet("generate", "run")
    assert refused.exit_code == 2
    assert "expected the vocabulary that the run was trained with" in refused.stderr


def test_a_full_disk_is_found_before_the_first_epoch(scratchnet, book, tmp_path, monkeypatch):
    from scratchnet import files

    whole, steps = files.write_whole, []

    def full(path, content):
        if path.name == "model.npz":
            raise OSError(28, "No space left on device", str(path))
        return whole(path, content)

    monkeypatch.setattr("scratchnet.archive.write_whole", full)
    monkeypatch.setattr(Trainer, "_train_step", lambda self, batch: steps.append(batch))
    refused = scratchnet("train", "text", "--text", book, *SMALL)
    assert refused.exit_code == 2
    assert "model.npz: No space left on device. Make room" in refused.stderr
    assert not steps
    assert list((tmp_path / "here").iterdir()) == []


def test_drafts_of_a_killed_process_are_removed(train, scratchnet, tmp_path):
    train("--epochs", 1, "--out", "run")
    run = tmp_path / "here/run"
    (run / ".model.npz.12345").write_bytes(b"half")
    (run / "mine.txt").write_text("kept")
    resumed = scratchnet("train", "text", "--resume", "--out", "run", "--epochs", 2)
    assert resumed.exit_code == 0, resumed.output
    assert not (run / ".model.npz.12345").exists()
    assert (run / "mine.txt").exists()


def test_a_folder_that_looks_like_an_option(train):
    said = train("--epochs", 1, "--out=-run").stdout
    assert "scratchnet generate ./-run" in said


@pytest.mark.slow
@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_in_the_first_epoch_of_keras_leaves_a_run(train, scratchnet, tmp_path, book):
    pytest.importorskip("keras")
    from scratchnet.cli.display import TrainingDisplay

    here, whole = tmp_path / "here", TrainingDisplay.on_train_batch_end

    def interrupts(self, batch, logs):
        whole(self, batch, logs)
        if batch == 4:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TrainingDisplay, "on_train_batch_end", interrupts)
        words = ("train", "text", "--text", book, *SMALL, "--epochs", 1, "--engine", "keras")
        stopped = scratchnet(*words, "--out", "run")
    assert stopped.exit_code == 130
    assert "go on with scratchnet train text --resume --out run --engine keras" in stopped.stderr
    assert (here / "run/run.json").exists()
    resumed = scratchnet("train", "text", "--resume", "--out", "run")
    assert resumed.exit_code == 0, resumed.output
    train("--epochs", 1, "--out", "scratch")
    for one, other in zip(weights(here / "scratch"), weights(here / "run"), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-5)
