"""``keras_impl export``: what it says, what it refuses, and that nothing half-written stays."""

import json
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

keras = pytest.importorskip("keras", reason="needs the extra keras")

from keras_impl.cli import app  # noqa: E402
from keras_impl.export import keras_file, onnx_file  # noqa: E402
from scratchnet import runs  # noqa: E402
from tests.keras_export.cases import problem_of, run_of  # noqa: E402


def export(*words):
    return CliRunner().invoke(app, ["export", *map(str, words)], prog_name="keras_impl")


def refusal(*words):
    result = export(*words)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    return line


@pytest.fixture
def run(tmp_path, monkeypatch):
    run_of(problem_of("wisconsin", tmp_path, monkeypatch), tmp_path / "run")
    return tmp_path / "run"


def names(folder):
    return {path.name for path in folder.iterdir()}


def test_it_says_what_it_wrote_and_how_closely_it_agrees(run, tmp_path):
    result = export(run)
    assert result.exit_code == 0, result.output
    said = f"{run}/exported.keras: loaded again, it agrees with scratchnet on 16 samples; largest"
    assert result.stdout.startswith(said)
    assert keras.saving.load_model(run / "exported.keras").input_shape == (None, 9)
    answer = json.loads(export(run, "--out", tmp_path / "new/model.keras", "--json").stdout)
    assert answer["path"] == str(tmp_path / "new/model.keras")
    assert 0 <= answer["difference"] < 1e-5
    assert names(tmp_path / "new") == {"model.keras"}


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            ["--format", "pickle"],
            "--format: expected one of keras, savedmodel, onnx, got 'pickle'.",
        ),
        (["--out", "x.h5"], "--out: expected a name that ends in .keras, got x.h5. Add it."),
        (
            ["--out", "{run}/model.keras"],
            "--out: expected a new name, got {run}/model.keras, which",
        ),
    ],
)
def test_what_is_refused(run, words, line):
    (run / "model.keras").touch()
    before = names(run)
    words = [word.format(run=run) for word in words]
    assert refusal(run, *words).startswith(f"keras_impl: {line.format(run=run)}")
    assert names(run) == before


def test_no_run(tmp_path):
    assert "no run here (no run.json)" in refusal(tmp_path)


def test_a_run_without_a_model(run):
    (run / runs.MODEL).unlink()
    assert "no model here" in refusal(run)


def test_a_chain(tmp_path):
    (tmp_path / "a.txt").write_text("abcabcab")
    runs.train_chain(tmp_path, "scratch", {"text": [tmp_path / "a.txt"]})
    assert "expected a run of a network, got one of a chain" in refusal(tmp_path)


@pytest.mark.parametrize("difference", [2e-5, np.nan])
def test_what_disagrees_does_not_stay(run, tmp_path, monkeypatch, difference):
    right = keras_file.answers
    monkeypatch.setattr(keras_file, "answers", lambda *given: right(*given) + difference)
    line = refusal(run, "--out", tmp_path / "new/model.keras")
    assert "keras: expected scratchnet's outputs to 1e-05, got a difference of " in line
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("kind", ["keras", "savedmodel"])
def test_a_full_disk_leaves_nothing(run, monkeypatch, kind):
    import keras_impl.export.writing as writing

    write = writing.WRITERS[kind].write

    def fails(path, core, description):
        write(path, core, description)
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(writing.WRITERS[kind], "write", fails)
    before = names(run)
    assert "No space left on device" in refusal(run, "--format", kind)
    assert names(run) == before


def test_onnx_that_is_not_installed(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    assert 'pip install "scratchnet[export]"' in refusal(run, "--format", "onnx")


def test_onnx_says_how_the_rows_are_read(run):
    onnx = pytest.importorskip("onnx", reason="needs the extra export")
    pytest.importorskip("tf2onnx", reason="needs the extra export")
    assert export(run, "--format", "onnx").exit_code == 0
    said = {
        one.key: one.value for one in onnx.load(run / f"exported{onnx_file.SUFFIX}").metadata_props
    }
    assert json.loads(said["features"])[0] == "clump_thickness"
    assert json.loads(said["cut_off"]) == 0.5
    assert json.loads(said["scale"]) == 0.1
