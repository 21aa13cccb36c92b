"""A file is written whole or not at all."""

import errno
import os
from pathlib import Path

import pytest

from scratchnet.files import write_whole


def test_writes_and_makes_the_folder(tmp_path):
    path = write_whole(tmp_path / "new/folder/file", b"content")
    assert path.read_bytes() == b"content"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("failure", [OSError(errno.ENOSPC, "No space left"), KeyboardInterrupt()])
def test_failure_leaves_what_was_there(tmp_path, monkeypatch, failure):
    path = tmp_path / "file"
    path.write_bytes(b"before")

    def fail(_):
        raise failure

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(type(failure)) as caught:
        write_whole(path, b"after")
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]
    if isinstance(failure, OSError):
        assert caught.value.filename == str(path)
        assert caught.value.errno == errno.ENOSPC


def test_permissions_are_those_of_any_new_file(tmp_path):
    plain = tmp_path / "plain"
    plain.touch()
    assert write_whole(tmp_path / "file", b"").stat().st_mode == Path(plain).stat().st_mode
