"""Errors at the command line: one helpful line, a status that says so, no traceback."""

import errno

import pytest
import typer
from typer.testing import CliRunner

from scratchnet.cli.errors import Commands
from scratchnet.errors import DataError


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            ["lst"],
            "scratchnet: No such command 'lst'. Did you mean 'list'? See scratchnet --help.",
        ),
        (
            ["list", "--jsn"],
            "scratchnet: No such option: --jsn (Possible options: --json). "
            "See scratchnet list --help.",
        ),
        (
            ["--jsn", "list"],
            "scratchnet: No such option: --jsn. See scratchnet --help.",
        ),
        (
            ["list", "more"],
            "scratchnet: Got unexpected extra argument(s) (more). See scratchnet list --help.",
        ),
        (["plot"], "scratchnet: Missing argument 'name'. See scratchnet plot --help."),
        (
            ["plot", "activations", "--out"],
            "scratchnet: Option '--out' requires an argument.",
        ),
    ],
)
def test_typing_errors(refused, words, line):
    assert refused(*words) == line


@pytest.mark.parametrize("words", [[], ["--debug"], ["--help"], ["-h"]])
def test_help(scratchnet, words):
    result = scratchnet(*words)
    assert result.exit_code == 0
    assert result.stderr == ""
    assert "Usage: scratchnet" in result.stdout
    assert "Example: scratchnet compare wisconsin" in result.stdout


def run(command, *words):
    """Run an app whose only job is this function."""
    app = typer.Typer(name="scratchnet", cls=Commands)
    app.command("work")(command)
    app.callback()(lambda: None)
    return CliRunner().invoke(app, list(words), prog_name="scratchnet")


def raising(error):
    def command() -> None:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (DataError("rows.csv: empty.\nGive it rows."), "rows.csv: empty. Give it rows."),
        (
            FileNotFoundError(errno.ENOENT, "No such file", "a/b"),
            "a/b: No such file. Check the path.",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", "a/b"),
            "a/b: Permission denied. Change its permissions, or name another.",
        ),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            "No space left on device. Make room, or write elsewhere.",
        ),
        (IsADirectoryError(errno.EISDIR, "Is a directory", "b"), "b: Is a directory. Name a file."),
        (
            NotADirectoryError(errno.ENOTDIR, "Not a directory", "w.csv/x"),
            "w.csv/x: Not a directory. Name a path through folders alone.",
        ),
        (
            FileExistsError(errno.EEXIST, "File exists", "b"),
            "b: File exists. Name another, or remove it.",
        ),
        (OSError(errno.EIO, "Input/output error", "b"), "b: Input/output error"),
        (OSError("cannot read"), "cannot read"),
    ],
)
def test_errors_raised_on_purpose_and_the_systems(error, line):
    result = run(raising(error), "work")
    assert result.exit_code == 2
    assert result.stderr == f"scratchnet: {line}\n"
    assert result.stdout == ""


@pytest.mark.parametrize("words", [["--debug", "work"], ["work", "--debug"]])
def test_debug_shows_the_traceback_wherever_it_stands(words):
    result = run(raising(DataError("rows.csv: empty.")), *words)
    assert result.exit_code == 2
    assert result.stderr.startswith("Traceback (most recent call last):")
    assert result.stderr.endswith("scratchnet: rows.csv: empty.\n")


def test_interruption():
    result = run(raising(KeyboardInterrupt()), "work")
    assert result.exit_code == 130
    assert result.stderr == "scratchnet: interrupted.\n"


def test_a_bug_keeps_its_traceback():
    result = run(raising(ZeroDivisionError("a bug")), "work")
    assert isinstance(result.exception, ZeroDivisionError)


@pytest.mark.parametrize("status", [0, 1, 3])
def test_status_of_a_command(status):
    result = run(raising(typer.Exit(status)), "work")
    assert result.exit_code == status
    assert result.output == ""
