"""``scratchnet bench --device gpu``: with a measurement that the tests set."""

import json
import os
import subprocess
from pathlib import Path

import pytest

import scratchnet as package
from keras_impl.bench.device import measure, ways
from keras_impl.bench.device.results import Row, described, read
from keras_impl.bench.device.work import get
from scratchnet.errors import DeviceError

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "gpu_check.sh"


@pytest.fixture
def fake(monkeypatch, strict_cupy):
    """Return what a test may change; measuring takes nothing but its rows."""
    given = {"misses": (), "stopped": False}

    def measured(results, names, xp, *, rounds, progress):
        results.product_rate = results.copy_rate = 1e12
        assert xp is strict_cupy
        for name in names:
            progress(name, 0, len(names))
            rows = [Row(ways.SCRATCH, (3.0,), reason=""), Row(ways.CUDNN, (2.0,), reason="")]
            results.works.append(described(get(name), rows, misses=given["misses"]))
            if given["stopped"]:
                raise KeyboardInterrupt

    monkeypatch.setattr(measure, "measure", measured)
    return given


def test_the_table(scratchnet, fake):
    result = scratchnet("bench", "--device", "gpu", "lstm-large")
    assert result.exit_code == 0, result.output
    (line,) = (
        one for one in result.stdout.splitlines() if "LSTM training step" in one and "1.50" in one
    )
    assert "as required" in line
    assert "3,000" in line
    assert "not measured yet" in result.stdout  # the other ways
    assert "stand-in" in result.stdout


def test_the_files(scratchnet, fake, tmp_path):
    result = scratchnet("bench", "--device", "gpu", "--rounds", "4", "--save", tmp_path / "out")
    assert result.exit_code == 0, result.output
    found = read(tmp_path / "out" / "gpu.json")
    assert [work.name for work in found.works] == [
        *("lstm-small", "gru-small", "lstm-large", "gru-large")
    ]
    assert found.machine["command"] == "scratchnet bench --device gpu --rounds 4"
    text = (tmp_path / "out" / "gpu.md").read_text(encoding="utf-8")
    assert str(tmp_path) not in text
    assert "as required" in text


def test_json_is_for_programs(scratchnet, fake):
    result = scratchnet("bench", "--device", "gpu", "gru-small", "--json")
    (found,) = json.loads(result.stdout)["works"]
    assert (found["ratio"], found["verdict"]) == (1.5, "required")


def test_ways_that_disagree_are_an_error(scratchnet, fake):
    fake["misses"] = ("PyTorch, cuDNN: loss 1e-1 apart",)
    result = scratchnet("bench", "--device", "gpu", "gru-small")
    assert result.exit_code == 1
    assert "gru-small: PyTorch, cuDNN: loss 1e-1 apart" in result.stdout


def test_what_was_found_is_kept_when_it_is_stopped(scratchnet, fake, tmp_path):
    fake["stopped"] = True
    result = scratchnet("bench", "--device", "gpu", "--save", tmp_path / "out")
    assert result.exit_code == 130
    first, *others = read(tmp_path / "out" / "gpu.json").works
    assert first.ratio(ways.SCRATCH) == 1.5
    assert [one.ratio(ways.SCRATCH) for one in others] == [None] * 3


def test_without_a_gpu_it_ends_with_one_line(refused, monkeypatch):
    def nothing(value, device):
        raise DeviceError("gpu: expected a CUDA device, got none. Stay on the CPU.")

    monkeypatch.setattr(package, "to_device", nothing)
    assert "expected a CUDA device, got none" in refused("bench", "--device", "gpu")


def test_a_gpu_that_fails_is_one_line(scratchnet, strict_cupy, monkeypatch):
    def fail(*_, **__):
        raise strict_cupy.cuda.runtime.CUDARuntimeError(719, "cudaErrorLaunchFailure: unspecified")

    monkeypatch.setattr(measure, "measure", fail)
    result = scratchnet("bench", "--device", "gpu", "gru-small")
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert "the GPU failed: cudaErrorLaunchFailure: unspecified. Start again" in line


@pytest.mark.parametrize("more", [(), ("--device", "cpu")])
def test_names_of_a_gpus_benchmark_say_so(refused, more):
    assert refused("bench", "lstm-small", *more) == (
        "scratchnet: lstm-small: is measured on a GPU. Add --device gpu, or name another."
    )


def test_other_words_are_refused(refused):
    assert "Did you mean gpu?" in refused("bench", "--device", "cuda")
    assert "Did you mean gru-small?" in refused("bench", "--device", "gpu", "gru-smal")
    for option in ("--plot", "--curves", "--compare"):
        assert option in refused("bench", "--device", "gpu", option)


def checked(*words, **environment):
    return subprocess.run(
        [SCRIPT, *words],
        env={**os.environ, "PYTHON": "/bin/false", **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_the_scripts_help(option):
    found = checked(option)
    assert (found.returncode, found.stderr) == (0, "")
    assert "benchmarks/gpu_check.sh [PAGE]" in found.stdout
    assert "#" not in found.stdout
    assert "pipefail" not in found.stdout


@pytest.mark.parametrize(
    ("words", "python", "said"),
    [
        (("a.md", "b.md"), "/bin/false", "expected one PAGE at most, got 2 arguments. See --help."),
        (("--fast",), "/bin/false", "expected a PAGE, got the option --fast. See --help."),
        (("{0}",), "/bin/false", "{0}: expected a file to write, got a folder. Name a file in it."),
        (
            *(("{0}/file/new/a.md",), "/bin/false"),
            "{0}/file/new/a.md: expected a folder that can be written into, got {0}/file. "
            "Name another.",
        ),
        (
            *(("{0}/new/a.md",), "{0}/none"),
            "PYTHON: expected an interpreter, got {0}/none, which is not there. Name another.",
        ),
    ],
    ids=["two", "option", "folder", "unwritable", "python"],
)
def test_the_script_says_at_once_what_it_cannot_do(tmp_path, words, python, said):
    (tmp_path / "file").touch()
    found = checked(*(one.format(tmp_path) for one in words), PYTHON=python.format(tmp_path))
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == f"gpu_check: {said.format(tmp_path)}\n"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
