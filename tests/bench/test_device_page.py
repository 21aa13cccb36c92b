"""The page of results of a GPU: figures that were measured, and rows that say they were not."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import gpu_results
from keras_impl.bench.device import NAMES, page, ways, work
from keras_impl.bench.device.parity import Parity, read_junit
from keras_impl.bench.device.results import (
    NOT_MEASURED,
    DeviceResults,
    Row,
    described,
    nothing_yet,
    read,
)
from scratchnet.errors import DataError

ROOT = Path(__file__).parents[2]
COMMITTED = ROOT / "benchmarks" / "results" / "gpu.md"
MACHINE = {
    "device": "A device",
    "memory": 2**37,
    "driver": "580.1",
    "driver_cuda": "13.1",
    "cuda": "13.0",
    "cudnn": "9.10.2",
    "cpu": "A processor",
    "system": "Linux x86_64",
    "python": "CPython 3.12.1",
    "versions": {"scratchnet": "0.1.0", "cupy-cuda13x": "14.2.0", "torch": "2.11.0"},
    "date": "2026-11-22T10:08:06+00:00",
    "commit": "0123456789ab",
    "command": "scratchnet bench --device gpu",
}


def measured(ours=3.0, cudnn=2.0, name="lstm-large", **more):
    """Return results of one work whose floors are 1 s and 0.5 s."""
    rows = []
    if ours:
        rows.append(Row(ways.SCRATCH, (ours / 2, ours, ours + 9), (ours / 2,) * 3, ""))
    if cudnn:
        rows.append(Row(ways.CUDNN, (cudnn,) * 3, (cudnn / 2,) * 3, ""))
    rows.append(Row(ways.KERAS, reason="not measured: Keras is not installed"))
    rows.append(Row(ways.HOST, (80.0,), reason=""))
    found = described(work.get(name), rows, **more)
    return DeviceResults(MACHINE, found.flops / 1.0, found.bytes / 0.5, [found])


def cells(text, title):
    line = next(one for one in text.splitlines() if one.startswith(f"| {title}"))
    return [cell.strip() for cell in line.strip("|").split("|")]


# What follows from the blocks


@pytest.mark.parametrize(
    ("ours", "name", "verdict"),
    [
        (3.0, "lstm-large", "required"),
        (3.01, "lstm-large", "missed"),
        (6.0, "gru-small", "required"),
        (6.01, "gru-small", "missed"),
    ],
)
def test_the_median_over_cudnns_is_held_against_what_is_required(ours, name, verdict):
    (found,) = measured(ours, name=name).works
    assert found.ratio(ways.SCRATCH) == ours / 2.0
    assert found.verdict == verdict


@pytest.mark.parametrize("missing", ["ours", "cudnn"])
def test_half_a_measurement_is_no_verdict(missing):
    results = measured(**{missing: None})
    (found,) = results.works
    assert found.verdict == ""
    line = cells(page.markdown(results), "LSTM training step")
    assert line[5] == NOT_MEASURED
    assert ("3,000" in line[1]) == (missing == "cudnn")


def test_the_share_is_of_the_larger_floor():
    results = measured(ours=4.0)
    (found,) = results.works
    assert results.floors(found) == {"arithmetic": 1.0, "bytes": 0.5}
    assert results.share(found) == (0.25, "arithmetic")
    results.copy_rate = found.bytes / 2.0
    assert results.share(found) == (0.5, "bytes")


def test_a_file_reads_as_it_was_written(tmp_path):
    results = measured(misses=("Keras: loss 1e-2 apart",), complete=False)
    path = tmp_path / "gpu.json"
    path.write_text(results.to_json(), encoding="utf-8")
    assert read(path) == results
    assert json.loads(results.to_json())["works"][0]["floor_share"] == pytest.approx(1 / 3)
    path.write_text(nothing_yet().to_json(), encoding="utf-8")
    assert read(path) == nothing_yet()


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": "another", "version": 1}'])
def test_another_file_is_refused_in_one_line(tmp_path, text):
    path = tmp_path / "gpu.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=r"expected results of scratchnet bench --device gpu"):
        read(path)
    with pytest.raises(DataError, match="no file"):
        read(tmp_path / "nowhere.json")


# The page


def test_what_was_measured_is_on_the_page():
    text = page.markdown(measured(), Parity(12, 1, (), 34.4))
    line = cells(text, "LSTM training step, 256")
    assert line[1:4] == ["3,000", "1,500", "1.50 (1.12–3.75)"]
    assert line[4:] == ["1.5", "as required", "33%, arithmetic"]
    assert cells(text, "&nbsp;&nbsp;PyTorch, cuDNN |")[1:4] == ["2,000", "1,000", ""]
    assert cells(text, "&nbsp;&nbsp;Keras")[1] == "not measured: Keras is not installed"
    assert cells(text, "&nbsp;&nbsp;scratchnet on the CPU")[1:4] == ["80,000", "", "40.0"]
    assert "12 passed, 0 failed, 1 skipped, in 34 s." in text
    assert "A device, 128 GiB, driver 580.1 for CUDA 13.1, CUDA 13.0, cuDNN 9.10.2" in text
    assert "cupy-cuda13x 14.2.0, torch 2.11.0" in text
    assert NOT_MEASURED in cells(text, "&nbsp;&nbsp;scratchnet, run_eagerly")[1]


def test_a_miss_and_a_disagreement_are_said():
    text = page.markdown(measured(ours=3.2, misses=("Keras: loss 1e-02 apart",)))
    assert cells(text, "LSTM training step")[5] == "MISSED"
    assert "lstm-large: Keras: loss 1e-02 apart." in text


def test_a_page_of_nothing_has_no_figure_but_counts():
    lines = page.rows(nothing_yet())
    assert len(lines) == len(NAMES) * len(ways.ENGINES)
    assert {line[1] for line, _, _ in lines} == {NOT_MEASURED}
    assert {line[5] for line, _, main in lines if main} == {NOT_MEASURED}


def test_the_committed_page_is_what_the_code_writes():
    """Word for word if nothing was measured yet; with the same columns where it was."""
    committed = COMMITTED.read_text(encoding="utf-8")
    if page.machine_line(DeviceResults()) in committed and "The tests marked `gpu`" in committed:
        assert committed == page.markdown(nothing_yet())
    assert "| " + " | ".join(page.HEAD) + " |" in committed
    for name in NAMES:
        assert f"| {work.get(name).title}" in committed


# Parity


REPORT = """<?xml version="1.0"?><testsuites><testsuite>
<testcase classname="tests.device" name="one" time="1.5"/>
<testcase classname="tests.device" name="two[`]" time="2"><failure>no</failure></testcase>
<testcase classname="" name="tests.gone" time="0"><error>no</error></testcase>
<testcase classname="tests.device" name="three" time="0"><skipped/></testcase>
</testsuite></testsuites>"""
GOOD = '<testsuites><testcase classname="tests.device" name="one" time="1.5"/></testsuites>'


def written(tmp_path, text):
    path = tmp_path / f"parity-{len(text)}.xml"
    path.write_text(text, encoding="utf-8")
    return path


def test_pytests_report_is_read(tmp_path):
    found = read_junit(written(tmp_path, REPORT), 1)
    assert found == Parity(1, 1, ("tests.device::two[`]", "tests.gone"), 3.5, 1)
    assert not found.ok
    assert found.said()[0] == "1 passed, 2 failed, 1 skipped, in 4 s."
    assert found.said()[1:] == ["FAILED: `tests.device::two[']`", "FAILED: `tests.gone`"]
    assert read_junit(written(tmp_path, GOOD)).ok


def test_tests_that_were_stopped_or_not_run_are_not_parity(tmp_path):
    stopped = read_junit(written(tmp_path, GOOD), 124)
    assert not stopped.ok
    assert "status 124" in stopped.said()[0]
    none = read_junit(written(tmp_path, "<testsuites/>"), 5)
    assert not none.ok
    assert "No parity test was run" in none.said()[0]
    assert not read_junit(written(tmp_path, "<testsuites/>"), 0).ok
    with pytest.raises(DataError, match="pytest's report"):
        read_junit(written(tmp_path, "no report"))


@pytest.mark.parametrize(
    ("report", "pytests", "bench", "status"),
    [(GOOD, 0, True, 0), (REPORT, 1, True, 1), (GOOD, 124, True, 1), (GOOD, 0, False, 1)],
)
def test_one_page_holds_both(tmp_path, report, pytests, bench, status):
    target, figures = tmp_path / "deep" / "gpu.md", tmp_path / "gpu.json"
    target.parent.mkdir()
    if bench:
        figures.write_text(measured().to_json(), encoding="utf-8")
    words = [target, "--parity", written(tmp_path, report), "--parity-status", pytests]
    found = gpu_results.main([*map(str, words), "--bench", str(figures)])
    assert found == status
    text = target.read_text(encoding="utf-8")
    assert "1 passed" in text
    assert ("A device" in text) == bench


def test_a_page_of_nothing_can_be_written(tmp_path):
    assert gpu_results.main([str(tmp_path / "gpu.md")]) == 0
    text = (tmp_path / "gpu.md").read_text(encoding="utf-8")
    assert text == page.markdown(nothing_yet())


# The script, with an interpreter that stands in for pytest and the benchmark

STAND_IN = """#!{python}
import os, shutil, sys
words = sys.argv[1:]
if words == ["-"]:
    sys.exit(int(os.environ["GPU"]))
if words[:2] == ["-m", "pytest"]:
    (report,) = (word.partition("=")[2] for word in words if word.startswith("--junit-xml="))
    shutil.copy(os.environ["REPORT"], report)
    sys.exit(int(os.environ["PYTESTS"]))
if words[:3] == ["-m", "scratchnet", "bench"]:
    shutil.copy(os.environ["FIGURES"], os.path.join(words[words.index("--save") + 1], "gpu.json"))
    sys.exit(0)
os.execv(sys.executable, [sys.executable, *words])
"""


def checked(tmp_path, **environment):
    stand_in = tmp_path / "python"
    stand_in.write_text(STAND_IN.format(python=sys.executable), encoding="utf-8")
    stand_in.chmod(0o755)
    (tmp_path / "gpu.json").write_text(measured().to_json(), encoding="utf-8")
    target = tmp_path / "page.md"
    target.write_text("before", encoding="utf-8")
    variables = {
        **os.environ,
        "PYTHON": str(stand_in),
        "GPU": "0",
        "PYTESTS": "0",
        "FIGURES": str(tmp_path / "gpu.json"),
        "REPORT": str(written(tmp_path, GOOD)),
    }
    found = subprocess.run(
        ["benchmarks/gpu_check.sh", str(target)],
        cwd=ROOT,
        env=variables | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return found, target.read_text(encoding="utf-8")


def test_the_script_writes_one_page_of_both(tmp_path):
    found, text = checked(tmp_path)
    assert found.returncode == 0, found.stderr
    assert "1 passed, 0 failed" in text
    assert "as required" in text
    assert found.stdout.endswith(f"Written: {tmp_path / 'page.md'}\n")


def test_the_script_fails_with_a_parity_test_and_still_writes_the_page(tmp_path):
    found, text = checked(tmp_path, REPORT=str(written(tmp_path, REPORT)), PYTESTS="1")
    assert found.returncode == 1
    assert "FAILED: `tests.gone`" in text


def test_the_script_fails_if_the_tests_were_stopped(tmp_path):
    found, text = checked(tmp_path, PYTESTS="124")
    assert found.returncode == 1
    assert "status 124" in text


def test_without_a_gpu_the_script_says_so_and_leaves_the_page_alone(tmp_path):
    found, text = checked(tmp_path, PYTHON=sys.executable, CUDA_VISIBLE_DEVICES="-1")
    assert found.returncode == 2
    (line,) = found.stderr.splitlines()
    assert line.startswith("gpu_check: ")
    assert text == "before"
