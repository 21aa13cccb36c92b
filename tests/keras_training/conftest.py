"""The command ``keras_impl``, run in this process."""

import pytest
from typer.testing import CliRunner


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Make an empty folder the current one."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def command(here):
    """Run a command of keras_impl."""
    pytest.importorskip("keras")
    from keras_impl.cli import app

    def run(*words):
        return CliRunner().invoke(app, [str(word) for word in words], prog_name="keras_impl")

    return run
