"""``--device``: the commands on a device, and where there is none."""

import json
import sys

import numpy as np
import pytest

from scratchnet import Sequential, generation, gpu, runs

TRAIN = ("train", "wisconsin", "--epochs", 2, "--json")


@pytest.fixture
def without_a_gpu(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    monkeypatch.setattr(gpu, "_installed", list)
    monkeypatch.setattr(gpu, "_driver_cuda", lambda: 12)


def ran(result):
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def described(folder):
    return json.loads((folder / "run.json").read_text())


@pytest.mark.usefixtures("strict_cupy")
def test_a_run_on_the_gpu_is_the_one_on_the_cpu(scratchnet, tmp_path):
    answers = {}
    for where in ("cpu", "gpu"):
        answers[where] = ran(scratchnet(*TRAIN, "--out", where, "--device", where))
        assert described(tmp_path / "here" / where)["device"] == where
    for name in ("loss", "test_loss"):
        np.testing.assert_allclose(answers["gpu"][name], answers["cpu"][name], rtol=1e-4)
    assert "cupy" in described(tmp_path / "here/gpu")["versions"]
    for command in (("evaluate", "gpu", "--json"), ("predict", "gpu", "rows.csv", "--json")):
        rows = "\n".join(",".join("5" * 9) for _ in range(3)) + "\n"
        (tmp_path / "here/rows.csv").write_text(rows)
        here, there = (ran(scratchnet(*command, "--device", where)) for where in ("cpu", "gpu"))
        assert str(here)[:40] == str(there)[:40]
    weights = Sequential.load(tmp_path / "here/gpu/model.npz").get_weights()
    assert all(type(array) is np.ndarray for array in weights)


@pytest.mark.usefixtures("strict_cupy")
@pytest.mark.parametrize(("first", "second"), [("gpu", "cpu"), ("cpu", "gpu")])
def test_a_run_goes_on_on_the_other_device(scratchnet, tmp_path, first, second):
    whole = ran(scratchnet("train", "wisconsin", "--epochs", 3, "--json", "--out", "whole"))
    scratchnet(*TRAIN, "--out", "run", "--device", first)
    words = ("train", "wisconsin", "--resume", "--epochs", 3, "--out", "run", "--json")
    result = scratchnet(*words, "--device", second)
    first_line = result.stderr.splitlines()[0]
    said = "run: goes on on the gpu."
    if second == "cpu":
        said = "run: goes on on the cpu, and was on the gpu. To go on there, add --device gpu."
    assert first_line == said
    answer = ran(result)
    assert len(answer["loss"]) == 3
    assert described(tmp_path / "here/run")["device"] == second
    np.testing.assert_allclose(answer["loss"], whole["loss"], rtol=1e-4)
    assert described(tmp_path / "here/run")["device"] == second


@pytest.mark.usefixtures("strict_cupy")
def test_texts_are_learned_and_written(scratchnet, tmp_path):
    (tmp_path / "here/text.txt").write_text("the quick brown fox jumps over the lazy dog. " * 12)
    small = ("--window", 5, "--units", 4, "--batch-size", 64, "--samples", 6, "--epochs", 1)
    small = ("--text", "text.txt", *small, "--out", "run")
    ran(scratchnet("train", "text", *small, "--device", "gpu", "--json"))
    assert "samples.jsonl" in {path.name for path in (tmp_path / "here/run").iterdir()}
    written = [
        ran(scratchnet("generate", "run", "--length", 8, "--json", "--device", where, *more))[
            "text"
        ]
        for more in ((), ("--exact-window",))
        for where in ("cpu", "gpu")
    ]
    assert written[0] == written[1]
    assert written[2] == written[3]


NO_CUPY = (
    'scratchnet: gpu: expected CuPy, got none installed. pip install "scratchnet[gpu]", or stay on '
    "the CPU with --device cpu."
)


@pytest.mark.usefixtures("without_a_gpu")
def test_without_a_gpu_nothing_is_begun(refused):
    assert refused(*TRAIN, "--device", "gpu") == NO_CUPY


@pytest.mark.usefixtures("without_a_gpu")
def test_without_a_gpu_a_run_can_be_used_on_the_cpu(scratchnet):
    ran(scratchnet(*TRAIN, "--out", "run"))
    for words in (("evaluate", "run"), ("predict", "run", "rows.csv")):
        result = scratchnet(*words, "--device", "gpu")
        assert (result.exit_code, result.stdout, result.stderr) == (2, "", NO_CUPY + "\n")
    ran(scratchnet("evaluate", "run", "--json"))


def test_a_device_that_there_is_not(refused):
    line = refused(*TRAIN, "--device", "cuda")
    assert line == (
        "scratchnet: --device: expected device to be cpu or gpu, got 'cuda'. Did you mean gpu?"
    )


def test_a_device_that_is_none_of_ours(refused):
    assert refused(*TRAIN, "--device", "tpu") == (
        "scratchnet: --device: expected device to be cpu or gpu, got 'tpu'. Use one of those."
    )


@pytest.mark.parametrize("where", ["cpu", "gpu"])
def test_keras_finds_its_own_device(refused, where):
    line = refused(*TRAIN, "--engine", "keras", "--device", where)
    assert line.startswith("scratchnet: --device: keras computes where its backend does. ")


def test_a_chain_is_counted_on_the_host(refused):
    line = refused("train", "markov", "--device", "gpu")
    assert line == "scratchnet: --device: a chain has no such option. Leave it out."


def test_a_full_device_is_one_line(scratchnet, strict_cupy, monkeypatch):
    def full(*_, **__):
        raise strict_cupy.cuda.memory.OutOfMemoryError(
            "Out of memory allocating 3,000,000,000 bytes (allocated so far: 9,000 bytes)."
        )

    monkeypatch.setattr(Sequential, "forward_to_logits", full)
    result = scratchnet(*TRAIN, "--out", "run", "--device", "gpu")
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert "gpu: expected room for 3 GB, got 8.59 GB free" in line
    assert line.endswith(
        " Choose a smaller --batch-size or a smaller network, or stay on the CPU with --device "
        "cpu. --debug shows where."
    )


@pytest.mark.usefixtures("strict_cupy")
def test_a_training_that_is_stopped_goes_on_where_it_was(scratchnet, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(runs, "evaluate", stop)
    result = scratchnet(*TRAIN, "--out", "run", "--device", "gpu")
    assert result.exit_code == 130
    command = "scratchnet train wisconsin --resume --out run --device gpu"
    assert f"go on with {command}" in result.stderr


@pytest.fixture
def failing(strict_cupy, monkeypatch):
    """Let a computation of the network fail on the device."""

    def fail(*_, **__):
        raise strict_cupy.cuda.runtime.CUDARuntimeError(
            700, "cudaErrorIllegalAddress: an illegal memory access was encountered"
        )

    return lambda *names: [monkeypatch.setattr(*name, fail) for name in names]


FAILED = (
    "scratchnet: the GPU failed: cudaErrorIllegalAddress: an illegal memory access was "
    "encountered. Start again, or stay on the CPU with --device cpu. --debug shows where."
)


def test_a_gpu_that_fails_in_a_training_is_one_line(scratchnet, failing):
    failing((Sequential, "forward_to_logits"))
    words = (*TRAIN, "--out", "run", "--device", "gpu")
    result = scratchnet(*words)
    assert (result.exit_code, result.stderr.splitlines()) == (2, [FAILED])
    shown = scratchnet("--debug", *words[:-4], "--out", "again", *words[-2:])
    assert shown.exit_code == 2
    assert "Traceback" in shown.stderr
    assert shown.stderr.endswith(FAILED + "\n")


def test_a_gpu_that_fails_when_a_text_is_written_is_one_line(scratchnet, tmp_path, failing):
    (tmp_path / "here/text.txt").write_text("the quick brown fox jumps over the lazy dog. " * 12)
    small = ("--window", 5, "--units", 4, "--batch-size", 64, "--samples", 0, "--epochs", 1)
    ran(scratchnet("train", "text", "--text", "text.txt", *small, "--out", "run", "--json"))
    failing((generation.OneStep, "feed"), (generation.SlidingWindow, "feed"))
    for more in ((), ("--exact-window",)):
        result = scratchnet("generate", "run", "--json", "--device", "gpu", *more)
        assert (result.exit_code, result.stderr.splitlines()) == (2, [FAILED]), result.output
