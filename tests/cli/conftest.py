"""What the tests of commands share: a command run in an empty folder of its own."""

import sys
from collections.abc import Callable

import pytest
from typer.testing import CliRunner, Result

from scratchnet.cli import app


@pytest.fixture
def scratchnet(tmp_path, monkeypatch) -> Callable[..., Result]:
    """Run a command in this process, in the empty folder ``tmp_path / "here"``."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)

    def run(*words: object) -> Result:
        return CliRunner().invoke(app, [str(word) for word in words], prog_name="scratchnet")

    return run


@pytest.fixture
def refused(scratchnet, tmp_path) -> Callable[..., str]:
    """Run a command that has to fail: one line on stderr, status 2, nothing written."""

    def run(*words: object) -> str:
        result = scratchnet(*words)
        assert result.exit_code == 2, result.output
        assert result.stdout == ""
        assert result.stderr.endswith("\n")
        (line,) = result.stderr.splitlines()
        assert list((tmp_path / "here").iterdir()) == []
        return line

    return run


@pytest.fixture
def without_matplotlib(monkeypatch) -> None:
    """Make matplotlib as good as not installed."""
    loaded = [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]
    for name in {"matplotlib", *loaded}:
        monkeypatch.setitem(sys.modules, name, None)
