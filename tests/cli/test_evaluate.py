"""``scratchnet evaluate`` and ``predict``: on a run that is no longer what the training left."""

import hashlib
import json

import pytest

ROWS = "".join(f"{i % 10 + 1},{i // 10 + 1},{i % 7 + 1},1,2,1,3,1,1,{i % 2}\n" for i in range(60))


@pytest.fixture
def run(scratchnet, tmp_path):
    """Train on two files of one's own; return the runner."""
    for name in ("train.csv", "test.csv"):
        (tmp_path / name).write_text(ROWS if name == "train.csv" else ROWS[: ROWS.index("\n") + 1])
    files = ("--train-csv", tmp_path / "train.csv", "--test-csv", tmp_path / "test.csv")
    result = scratchnet("train", "wisconsin", *files, "--epochs", 1, "--out", "run")
    assert result.exit_code == 0, result.output
    assert "\n1 held-out row," in result.output
    return scratchnet


@pytest.fixture
def edit(tmp_path):
    """Change the run's description."""

    def change(**fields):
        path = tmp_path / "here/run/run.json"
        content = json.loads(path.read_text())
        reader = content["reader"] | fields.pop("reader", {})
        path.write_text(json.dumps(content | {"reader": reader} | fields))

    return change


def refusal(result):
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    return line


def test_the_files_trained_on_are_recorded(run, tmp_path):
    files = json.loads((tmp_path / "here/run/run.json").read_text())["files"]
    assert files == {
        str(tmp_path / name): hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
        for name in ("train.csv", "test.csv")
    }
    assert run("evaluate", "run").exit_code == 0


@pytest.mark.parametrize("name", ["train.csv", "test.csv"])
def test_a_file_that_changed_is_refused_by_name(run, tmp_path, name):
    with (tmp_path / name).open("a") as file:
        file.write("5,1,1,1,2,1,3,1,1,0\n")
    assert refusal(run("evaluate", "run")) == (
        f"scratchnet: {tmp_path / name}: expected the file that the run was trained on, got "
        "another. Restore it, or train again."
    )


@pytest.mark.parametrize("name", ["train.csv", "test.csv"])
def test_a_file_that_is_gone_is_refused_by_name(run, tmp_path, name):
    (tmp_path / name).unlink()
    assert refusal(run("evaluate", "run")) == (
        f"scratchnet: {tmp_path / name}: expected the file that the run was trained on, got "
        "none. Restore it, or train again."
    )


def test_a_file_that_was_not_recorded_is_refused(run, edit):
    edit(files={})
    assert "expected the file that the run was trained on" in refusal(run("evaluate", "run"))


@pytest.mark.parametrize("command", [("evaluate", "run"), ("predict", "run", "../train.csv")])
class TestBoth:
    def test_without_a_model(self, run, tmp_path, command):
        (tmp_path / "here/run/model.npz").unlink()
        assert refusal(run(*command)) == (
            "scratchnet: run: no model here (no model.npz): the training ended before its first "
            "epoch did. Train again, or go on with --resume."
        )

    @pytest.mark.parametrize(
        "columns", [{"outputs": ["a", "b"]}, {"features": ["a", "b"], "fill": {}}]
    )
    def test_columns_that_are_not_the_models(self, run, edit, command, columns):
        edit(reader=columns)
        line = refusal(run(*command))
        assert line.startswith("scratchnet: run/run.json: not a description of a run (reader: ")
        assert line.endswith("). Train again, or restore the file.")

    def test_a_model_that_is_not_built(self, run, tmp_path, command):
        from scratchnet.model import Sequential

        Sequential([]).save(tmp_path / "here/run/model.npz")
        assert "not a description of a run" in refusal(run(*command))

    def test_a_description_of_another_experiment(self, run, edit, command):
        edit(experiment="backprop")
        assert "not a description of a run (settings/" in refusal(run(*command))

    def test_weights_that_are_not_finite(self, run, tmp_path, command):
        from scratchnet.model import Sequential

        path = tmp_path / "here/run/model.npz"
        model = Sequential.load(path)
        model.set_weights([w * float("nan") for w in model.get_weights()])
        model.save(path)
        assert "expected finite numbers of the model" in refusal(run(*command))


def test_columns_that_are_not_the_experiments(run, edit):
    edit(reader={"outputs": ["[red]other"]})
    assert "reader: expected that of wisconsin" in refusal(run("evaluate", "run"))
    assert "[red]other" in run("predict", "run", "../train.csv").stdout


def test_predict_says_that_the_class_is_optional(run, tmp_path):
    (tmp_path / "rows.csv").write_text("1,2,3\n")
    line = refusal(run("predict", "run", tmp_path / "rows.csv"))
    assert "row 1: expected 9 columns, or 10 with the class (clump_thickness," in line
