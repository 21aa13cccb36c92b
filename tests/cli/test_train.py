"""``scratchnet train``: its folder, whatever it is called and however the training ends."""

import importlib.metadata
import json

import pytest

from scratchnet.experiments import wisconsin
from scratchnet.model import Sequential
from scratchnet.optimizers import SGD


@pytest.fixture
def diverging(monkeypatch):
    monkeypatch.setattr(wisconsin, "RMSprop", lambda rate: SGD(1e300))


@pytest.fixture
def interrupted(monkeypatch):
    """Interrupt the training after so many steps."""
    step = Sequential._train_step

    def after(steps):
        left = [steps]

        def counted(self, *arguments):
            if not left[0]:
                raise KeyboardInterrupt
            left[0] -= 1
            return step(self, *arguments)

        monkeypatch.setattr(Sequential, "_train_step", counted)

    return after


@pytest.mark.parametrize("out", [(), ("--out", "a/b")])
@pytest.mark.usefixtures("diverging")
def test_a_failure_in_the_first_epoch_leaves_nothing(refused, out):
    assert "epoch 1, batch" in refused("train", "wisconsin", "--dtype", "float64", *out)


@pytest.mark.usefixtures("diverging")
def test_a_failure_in_the_first_epoch_leaves_the_users_folder(scratchnet, tmp_path):
    (tmp_path / "here/mine").mkdir()
    result = scratchnet("train", "wisconsin", "--dtype", "float64", "--out", "mine")
    assert result.exit_code == 2
    assert [path.name for path in (tmp_path / "here").rglob("*")] == ["mine"]


def test_an_interruption_in_the_first_epoch_leaves_nothing(scratchnet, tmp_path, interrupted):
    interrupted(after := 5)
    assert after < len(wisconsin.problem().batches(0))
    result = scratchnet("train", "wisconsin")
    assert result.exit_code == 130
    assert list((tmp_path / "here").iterdir()) == []


def test_an_interruption_later_leaves_a_run(scratchnet, tmp_path, interrupted):
    interrupted(len(wisconsin.problem().batches(0)) + 3)
    assert scratchnet("train", "wisconsin", "--out", "run").exit_code == 130
    names = {path.name for path in (tmp_path / "here/run").iterdir()}
    assert names == {"run.json", "model.npz", "history.csv"}
    assert json.loads(scratchnet("evaluate", "run", "--json").stdout)["rows"] == 174


@pytest.mark.parametrize("name", ["run{1}", "a{epoch}", "}{", "[red]x[/red]", "[/]"])
def test_a_folder_may_have_any_name(scratchnet, tmp_path, name):
    result = scratchnet("train", "backprop", "--epochs", 1, "--out", name)
    assert result.exit_code == 0, result.output
    assert f"The run is in {name}: scratchnet predict '{name}' FILE.csv" in result.stdout
    assert (tmp_path / "here" / name / "model.npz").is_file()
    assert scratchnet("evaluate", name).exit_code == 0


def test_markup_in_a_note_is_printed_as_it_stands(scratchnet, tmp_path):
    rows = tmp_path / "[bold]w[green].csv"
    cells = "".join(f"{i % 10 + 1},{i // 10 + 1},1,1,2,1,3,1,1,{i % 2}\n" for i in range(60))
    rows.write_text(cells)
    result = scratchnet("train", "wisconsin", "--train-csv", rows, "--epochs", 1, "--out", "r")
    assert result.exit_code == 0, result.output
    assert "[bold]w[green].csv" in result.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("train", "backprop", "--epochs", 1), "\n1 row, those it learned from, loss"),
        (("train", "perceptron"), "\n4 rows, those it learned from\n"),
        (("train", "wisconsin", "--epochs", 1), "\n174 held-out rows, loss"),
    ],
)
def test_rows_are_called_held_out_where_they_are(scratchnet, words, said):
    assert said in scratchnet(*words, "--out", "r").output


def test_an_unknown_engine_is_answered_with_what_to_do(refused):
    assert refused("train", "wisconsin", "--engine", "torch") == (
        "scratchnet: --engine: expected one of scratch, keras, got 'torch'. Name one of them."
    )


def test_a_run_of_keras_records_its_versions(scratchnet, tmp_path):
    result = scratchnet("train", "backprop", "--engine", "keras", "--epochs", 1, "--out", "k")
    assert result.exit_code == 0, result.output
    versions = json.loads((tmp_path / "here/k/run.json").read_text())["versions"]
    assert versions["keras"] == importlib.metadata.version("keras")
    assert any(package.startswith("tensorflow") for package in versions)


def test_a_run_of_scratch_has_no_version_of_keras(scratchnet, tmp_path):
    scratchnet("train", "backprop", "--epochs", 1, "--out", "s")
    versions = json.loads((tmp_path / "here/s/run.json").read_text())["versions"]
    assert versions.keys() == {"python", "scratchnet", "numpy"}
