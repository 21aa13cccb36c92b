"""``keras_impl train``: which run it takes, and what it refuses."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from keras_impl.options import Options
from scratchnet import Sequential, runs
from scratchnet.cli import app as scratchnet
from scratchnet.errors import InputError


def unfinished(folder):
    """Make a run what it is when its process was killed in its last moment."""
    path = folder / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"results": None}))
    return folder


def one_line(result):
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith(("keras_impl: ", "scratchnet: "))
    return line


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run of two epochs on some of the records, and what was answered."""
    pytest.importorskip("keras")
    from keras_impl.cli import app

    folder = tmp_path_factory.mktemp("trained")
    rows = np.random.default_rng(6).integers(1, 11, (60, 9)).tolist()
    table = [[*row, int(row[0] > 5)] for row in rows]
    for name, part in (("train.csv", table[:45]), ("test.csv", table[45:])):
        text = "".join(",".join(map(str, row)) + "\n" for row in part)
        (folder / name).write_text(text)
    csvs = ["--train-csv", str(folder / "train.csv"), "--test-csv", str(folder / "test.csv")]
    words = ["train", "wisconsin", *csvs, "--epochs", "2", "--out", str(folder / "run"), "--json"]
    answered = CliRunner().invoke(app, words, prog_name="keras_impl")
    assert answered.exit_code == 0, answered.output
    assert answered.stderr == f"{folder / 'run'}: a new run.\n"
    return folder / "run", csvs, json.loads(answered.stdout)


@pytest.fixture
def train(command, trained):
    """Train on the same records."""
    return lambda *words: command("train", "wisconsin", *trained[1], *words)


@pytest.fixture
def run(trained, here):
    """A copy of the run, and what was answered."""
    return Path(shutil.copytree(trained[0], here / "run")), trained[2]


def test_a_finished_run_is_told_and_left_alone(train, run):
    folder, answer = run
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    again = train("--epochs", 2, "--out", "run", "--json")
    assert again.exit_code == 0, again.output
    assert "run: this run has had its 2 epochs. To train anew, name another" in again.stderr
    assert json.loads(again.stdout) == answer | {"run": "run"}
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize(
    ("words", "differs"),
    [
        (("--epochs", 3), "expected epochs 2, got 3."),
        (("--epochs", 2, "--seed", 1), "expected seed 0, got 1."),
        (("--epochs", 2, "--dtype", "float64"), "expected dtype float32, got float64."),
        (("--epochs", 2, "--schedule", "cosine"), "expected schedule left out, got cosine."),
        (("--epochs", 2, "--jit"), "expected jit left out, got True."),
    ],
)
def test_other_settings_are_another_run(train, run, words, differs):
    unfinished(run[0])
    said = one_line(train(*words, "--out", "run"))
    assert "--out: run is another run: " in said
    assert differs in said
    assert said.endswith("Repeat its settings, or name another folder.")


def test_other_records_are_another_run(train, run, trained):
    unfinished(run[0])
    table = Path(trained[1][1])
    before = table.read_text()
    table.write_text(before + before.splitlines(keepends=True)[0])
    try:
        said = one_line(train("--epochs", 2, "--out", "run"))
    finally:
        table.write_text(before)
    assert "expected the data it was started with, got others." in said


def test_without_a_folder_the_newest_unfinished_run_is_taken(train, run, here):
    for number in (1, 2, 3, 4, 12):
        shutil.copytree("run", f"runs/wisconsin-{number}")
    for number in (1, 3, 4):
        unfinished(here / f"runs/wisconsin-{number}")
    (here / "runs/wisconsin-12/run.json").write_text("{")  # a broken one is in nobody's way
    with runs.locked(here / "runs/wisconsin-4"):
        taken = train("--epochs", 2)
    assert taken.exit_code == 0, taken.output
    assert "runs/wisconsin-3: goes on to its evaluation.\n" in taken.stderr
    assert json.loads((here / "runs/wisconsin-3/run.json").read_text())["results"] is not None
    assert "runs/wisconsin-13: a new run.\n" in train("--epochs", 1).stderr
    assert "runs/wisconsin-4: goes on" in train("--epochs", 2).stderr


def test_options_on_the_way_may_differ(train, run):
    unfinished(run[0])
    pytest.importorskip("tensorboard")
    on = train("--epochs", 2, "--out", "run", "--backup-steps", 3, "--tensorboard")
    assert on.exit_code == 0, on.output


def test_two_processes_are_kept_apart(train, run):
    folder = unfinished(run[0])
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with runs.locked(folder):
        mine = one_line(train("--epochs", 2, "--out", "run"))
        resume = ["train", "text", "--resume", "--out", "run"]
        theirs = one_line(CliRunner().invoke(scratchnet, resume, prog_name="scratchnet"))
    for said in (mine, theirs):
        assert "run: expected a run that nobody is training, got one that another process" in said
        assert "Wait for it or stop it, or name another folder with --out." in said
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert train("--epochs", 2, "--out", "run").exit_code == 0


def test_a_history_without_a_model_is_of_one_epoch(train, run):
    """A kill between the two leaves that; a model that was lost later is asked for."""
    folder, _ = run
    (unfinished(folder) / "model.keras").unlink()
    assert "expected model.keras, which" in one_line(train("--epochs", 2, "--out", "run"))
    path = folder / "history.csv"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:2]))
    before = Sequential.load(folder / "model.npz").get_weights()
    on = train("--epochs", 2, "--out", "run")
    assert "run: goes on from the beginning." in on.stderr
    for weight, other in zip(
        Sequential.load(folder / "model.npz").get_weights(), before, strict=True
    ):
        np.testing.assert_array_equal(weight, other)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("perceptron",), "has no gradient, and so no Keras twin"),
        (("wisconsin", "--schedule", "step"), "--schedule: expected one of constant, cosine"),
        (("wisconsin", "--patience", "0"), "--patience"),
        (("wisconsin", "--backup-steps", "0"), "--backup-steps"),
        (("wisconsin", "--workers", "a:1,b:2", "--index", "1", "--wait", "inf"), "--wait"),
        (("wisconsin", "--wait", "9"), "--wait: is for workers"),
        (("wisconsin", "--mixed-precision", "--dtype", "float64"), "expected --dtype float32"),
        (("wisconsin", "--text", "a.txt"), "--text: wisconsin has no such option"),
    ],
)
def test_bad_input_is_one_line(command, here, words, said):
    assert said in one_line(command("train", *words))
    assert list(here.iterdir()) == []


@pytest.mark.parametrize("option", [("--patience", "2"), ("--schedule", "cosine"), ("--jit",)])
def test_the_scratch_engine_refuses_them(here, option):
    words = ["train", "wisconsin", "--epochs", "1", *option]
    said = one_line(CliRunner().invoke(scratchnet, words, prog_name="scratchnet"))
    assert f"{option[0]}: is Keras's, and scratch trains here. Add --engine keras." in said


def test_a_run_that_goes_on_keeps_them(run):
    path = run[0] / "run.json"
    description = json.loads(path.read_text())
    resume = ["train", "wisconsin", "--resume", "--out", "run"]
    for words, training, expected in (
        (["--patience", "3"], {}, "--patience: a run that goes on keeps its settings"),
        (["--epochs", "3"], {"schedule": "cosine"}, "--epochs: expected 2, by which the run's"),
        ([], {"schedule": "step"}, "--schedule: expected one of"),
        ([], {"speed": 3}, "no option is called 'speed'"),
        ([], {"patience": True}, "--patience: expected a whole number"),
        ([], {"jit": 1}, "jit: expected True or False"),
        ([], {"jit": [1]}, "training: expected texts, whole numbers"),
    ):
        path.write_text(json.dumps(description | {"training": training}))
        refused = CliRunner().invoke(scratchnet, [*resume, *words], prog_name="scratchnet")
        assert expected in one_line(refused)


def test_options_are_held_to_what_they_can_be():
    assert Options().decisive() == {}
    options = Options(patience=3, schedule="linear", backup_steps=5, tensorboard=True)
    assert options.decisive() == {"patience": 3, "schedule": "linear"}
    again = Options.from_config(options.decisive(), backup_steps=5, tensorboard=True)
    assert again == options
    with pytest.raises(InputError, match="no option is called 'backup_steps'"):
        Options.from_config({"backup_steps": 3})


def test_help_has_an_example(command):
    said = command("train", "--help").stdout
    for word in ("Example: keras_impl train", "--patience", "--schedule", "--mixed-precision"):
        assert word in said
