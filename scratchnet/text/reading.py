"""Text files, read as they are, with errors that say where."""

from __future__ import annotations

import codecs
import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from scratchnet.arguments import positive_integer
from scratchnet.errors import DataError, InputError

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins like UTF-16's: asked for first
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Bytes at the beginning of a file that tell its encoding."""

LARGEST_FILE = 2**30
"""Bytes of a file that are read at most."""


@dataclass(frozen=True)
class Report:
    """What was read from one file."""

    path: str
    encoding: str
    characters: int
    lines: int
    sha256: str
    """Of the whole file's bytes, however many lines of it were taken."""


def read_texts(
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    encoding: str | None = None,
    max_lines: int | None = None,
) -> tuple[str, list[Report]]:
    r"""Return the text of some files, joined by a line end, and what was read from each.

    No character is changed: lines end as they do in the file, with ``\r\n`` as two characters where
    it was written so, and nothing is lower-cased.

    Parameters
    ----------
    paths
        One file, or several.
    encoding
        Of all of them, by Python's name.  None means what a byte order mark says, else UTF-8.  The
        mark is no part of the text.
    max_lines
        Take this many lines of each file at most, from its beginning; a line ends with ``\n``.

    Raises
    ------
    DataError
        If a file is missing, empty (white space is nothing to learn from), binary, too large or
        not in its encoding; the message names it, and the byte where that is known.
    InputError
        If there is no path, no such encoding, or ``max_lines`` is not a positive integer.
    """
    files = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    if not files:
        raise InputError("read_texts: expected at least one file, got none. Name one.")
    most = None if max_lines is None else positive_integer("read_texts", "max_lines", max_lines)
    if encoding is not None:
        _check_encoding(encoding)
    read = [_read(Path(file), encoding, most) for file in files]
    return "\n".join(text for text, _ in read), [report for _, report in read]


def _read(path: Path, encoding: str | None, max_lines: int | None) -> tuple[str, Report]:
    raw = _bytes(path)
    name = _encoding(raw, encoding)
    text = _first_lines(_decoded(path, raw, name), max_lines)
    if not text.strip():
        raise DataError(f"{path}: expected a text, got an empty file. Give one with words in it.")
    lines = text.count("\n") + (not text.endswith("\n"))
    return text, Report(str(path), name, len(text), lines, hashlib.sha256(raw).hexdigest())


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file. Check the path.") from None
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read ({error}). Name a text file.") from error
    if len(raw) > LARGEST_FILE:
        raise DataError(
            f"{path}: expected {LARGEST_FILE} bytes at most, got more. Split the file, or give "
            "its beginning."
        )
    return raw


def _encoding(raw: bytes, declared: str | None) -> str:
    """Return the codec's name: the declared one's, or what the first bytes say."""
    marked = next((name for mark, name in MARKS if raw.startswith(mark)), None)
    if declared is None:
        return marked or "utf-8"
    name = codecs.lookup(declared).name
    return "utf-8-sig" if name == "utf-8" == (marked or "")[:5] else name


def _decoded(path: Path, raw: bytes, encoding: str) -> str:
    zero = raw.find(b"\0")
    if zero >= 0 and b"\0" not in "a".encode(encoding):
        raise DataError(
            f"{path}: expected text in {encoding}, got a binary file: byte {zero} is 0. Give a "
            "text file, or name its encoding if that is UTF-16 or UTF-32."
        )
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        first = error.start + len(raw) - len(error.object)  # a codec may take its mark off first
        raise DataError(
            f"{path}: expected text in {encoding}, got a byte that is none: 0x{raw[first]:02x} at "
            f"offset {first}. Name the encoding it was written in, for instance latin-1."
        ) from error
    except UnicodeError as error:
        raise DataError(
            f"{path}: expected text in {encoding}, got what it cannot read ({error}). Name the "
            "encoding it was written in."
        ) from error


def _first_lines(text: str, count: int | None) -> str:
    end = 0
    for _ in range(count or 0):
        end = text.find("\n", end) + 1
        if end == 0:
            return text
    return text[:end] if count else text


def _check_encoding(encoding: str) -> None:
    try:
        "a".encode(encoding).decode(encoding)
    except (LookupError, ValueError, TypeError) as error:
        raise InputError(
            f"read_texts: expected encoding to be the name of one, got {encoding!r}. "
            "For instance utf-8, latin-1 or utf-16."
        ) from error
