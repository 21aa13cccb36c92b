"""JSON files of one kind: written whole, and read with care."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scratchnet.errors import DataError
from scratchnet.files import write_whole


def write_json(path: str | os.PathLike[str], kind: str, content: Mapping[str, Any]) -> Path:
    """Write ``content`` and the ``kind`` of file it makes, whole or not at all.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    text = json.dumps({"format": kind, **content}, ensure_ascii=False)
    return write_whole(path, f"{text}\n".encode())


def read_json(path: str | os.PathLike[str], kind: str, largest: int) -> dict[str, Any]:
    """Return the content of a file that `write_json` wrote.

    Parameters
    ----------
    path
        The file.
    kind
        What it has to say it is.
    largest
        Bytes that it may have: more are not read.

    Raises
    ------
    DataError
        If it is missing, too large, not JSON or of another kind.
    """
    try:
        with Path(path).open("rb") as file:
            raw = file.read(largest + 1)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file. Check the path.") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}). Check the path.") from error
    if len(raw) > largest:
        raise DataError(f"{path}: expected a {kind} of {largest} bytes at most, got more.")
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError):
        content = None
    if isinstance(content, dict) and content.get("format") == kind:
        return content
    raise DataError(
        f"{path}: expected a {kind} in JSON, got something else. "
        "Give a file that this version of the program saved."
    )
