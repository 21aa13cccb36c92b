"""What TensorFlow logs while it loads is set aside, and shown only where it explains a failure."""

import importlib
import os

import pytest

from scratchnet.cli.quiet import import_tensorflow


@pytest.fixture
def loading(monkeypatch):
    """Make loading Keras write to file descriptor 2, then end as told."""

    def ends_with(error):
        def load(name):
            os.write(2, b"a page of remarks\n")
            if error is not None:
                raise error

        monkeypatch.setattr(importlib, "import_module", load)

    return ends_with


def test_a_failure_shows_what_was_logged(loading, capfd):
    loading(ImportError("no such symbol"))
    with pytest.raises(ImportError):
        import_tensorflow()
    assert capfd.readouterr().err == "a page of remarks\n"


def test_success_shows_nothing(loading, capfd):
    loading(None)
    import_tensorflow()
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"


def test_an_interruption_shows_nothing(loading, capfd):
    loading(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        import_tensorflow()
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"
