"""The command as a process of its own: how quick it is, what it imports, pipes and colours."""

import contextlib
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
BUFFERED = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
HEAVY = {"keras", "matplotlib", "pandas", "pooch", "requests", "tensorflow"}


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "scratchnet", *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("words", [["--help"], ["data", "--help"], ["list"]])
def test_imports_nothing_heavy(words):
    code = (
        "import sys; from scratchnet.cli import app\n"
        f"try: app({words!r})\n"
        f"finally: print(*sorted({HEAVY!r} & sys.modules.keys()), file=sys.stderr)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert result.stderr.split() == []


def test_help_answers_well_under_a_second():
    """In seconds of processor time, which other work on the machine disturbs least."""

    def seconds() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert run("--help").returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(seconds() for _ in range(3)) < 0.8


def test_error_is_one_line_and_status_2(tmp_path):
    result = run("data", "wisconsin", "--csv", str(tmp_path / "no.csv"))
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr == f"scratchnet: {tmp_path / 'no.csv'}: no such file. Check the path.\n"


def test_nothing_is_cut_off_in_a_pipe():
    result = run("data", COLUMNS="40")
    assert result.returncode == 0
    assert "…" not in result.stdout
    assert "Wisconsin breast cancer data, 699 records of nine features and a class" in result.stdout


def test_no_colour_in_a_pipe_or_with_no_color():
    assert "\x1b" not in run("list").stdout
    assert "\x1b[1m" in run("list", FORCE_COLOR="1").stdout
    coloured = run("data", FORCE_COLOR="1", SCRATCHNET_DATA="").stdout
    assert "\x1b[33m" in coloured
    assert "\x1b[33m" not in run("data", FORCE_COLOR="1", SCRATCHNET_DATA="", NO_COLOR="1").stdout


def test_a_terminal_without_unicode():
    result = run("plot", "σ", PYTHONIOENCODING="ascii")
    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("words", [["data", "--json"], ["data", "wisconsin", "--json"], ["list"]])
def test_a_reader_that_stops_early(words):
    with subprocess.Popen(
        [sys.executable, "-m", "scratchnet", *words],
        cwd=ROOT,
        env=BUFFERED,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        process.stdout.close()
        errors = process.stderr.read()
    assert errors == b""
    assert process.returncode == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize("words", [["data", "--json"], ["list"], ["data"]])
def test_a_full_disk_behind_stdout(words):
    with open("/dev/full", "w") as full:  # noqa: PTH123
        result = subprocess.run(
            [sys.executable, "-m", "scratchnet", *words],
            cwd=ROOT,
            env=BUFFERED,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert result.stderr == (
        "scratchnet: No space left on device. Make room, or write elsewhere.\n"
    )
    assert result.returncode == 2


@pytest.mark.parametrize(
    ("words", "status"), [("list", 0), ("data wisconsin --json", 0), ("lst", 2)]
)
@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_streams_that_the_caller_closed(words, status, closed):
    result = subprocess.run(
        ["sh", "-c", f'"$0" -m scratchnet {words} {closed}', sys.executable],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert result.returncode == status
    assert "Traceback" not in result.stderr
    assert (result.stdout == "") == (closed != "2>&-" or status == 2)
    assert len(result.stderr.splitlines()) == (status == 2 and closed == ">&-")


def test_ctrl_c(tmp_path):
    rows = tmp_path / "rows.csv"
    os.mkfifo(rows)
    with subprocess.Popen(
        [sys.executable, "-m", "scratchnet", "data", "wisconsin", "--csv", str(rows)],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        writer = None
        while writer is None and process.poll() is None:
            with contextlib.suppress(OSError):  # until the command waits for rows
                writer = os.open(rows, os.O_WRONLY | os.O_NONBLOCK)
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        errors = process.stderr.read()
    if writer is not None:
        os.close(writer)
    assert errors == "scratchnet: interrupted.\n"
    assert process.returncode == 130
