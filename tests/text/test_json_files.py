"""JSON files that were written by somebody else, cut short, or made to be a burden."""

import pytest

from scratchnet.errors import DataError
from scratchnet.text.json_files import read_json, write_json

KIND = "test file 1"


def test_what_is_written_is_read(tmp_path):
    content = {"a": [1, 2.5, None], "b": "é\n"}
    path = write_json(tmp_path / "file.json", KIND, content)
    assert read_json(path, KIND, 1000) == {"format": KIND, **content}
    assert "é" in path.read_text(encoding="utf-8")
    size = len(path.read_bytes())
    assert read_json(path, KIND, size)
    with pytest.raises(DataError, match=f"of {size - 1} bytes at most"):
        read_json(path, KIND, size - 1)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"format": "test file 1"',
        b"[" * 100_000,
        b"\xff\xfe\x00",
        b"[]",
        b"1" * 10_000,
        b'{"format": "test file 2"}',
        b"null",
        b"\x80\x04K\x01.",
    ],
)
def test_what_is_not_such_a_file(tmp_path, content):
    path = tmp_path / "file.json"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"file\.json: expected a test file 1 in JSON"):
        read_json(path, KIND, 10**6)


def test_no_file(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        read_json(tmp_path / "none.json", KIND, 10)
    with pytest.raises(DataError, match="cannot be read"):
        read_json(tmp_path, KIND, 10)
