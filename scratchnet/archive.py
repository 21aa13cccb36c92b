"""Arrays with a description in one file, read back as data and nothing else.

The file is an uncompressed ``.npz`` (`numpy.load` reads its arrays) with one more member,
``config.json``.  No pickle: a file holds numbers and JSON, whoever made it.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from scratchnet.backend import Array, to_host
from scratchnet.errors import CheckpointError, InputError
from scratchnet.files import write_whole

FORMAT = "scratchnet"
VERSION = 1
CONFIG = "config.json"
CONFIG_LIMIT = 2**18
HEADER_LIMIT = 1000
"""Characters of an array's header: NumPy parses it as a literal, which is slow for long ones."""


def write_archive(path: str | Path, config: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
    """Write a description and named arrays: the old file or the new one, never half of either.

    Raises
    ------
    InputError
        If JSON cannot hold the description, or it is longer than `read_archive` accepts.
    OSError
        If the disk is full or the folder cannot be written; what was at ``path`` is still there.
    """
    try:
        text = json.dumps(
            {"format": FORMAT, "version": VERSION, **config}, allow_nan=False, default=_plain
        )
    except (TypeError, ValueError) as error:
        raise InputError(
            f"save: expected settings of numbers, text, lists and dicts, got others ({error}). "
            "Give the model such settings."
        ) from None
    if len(text) > CONFIG_LIMIT:
        raise InputError(
            f"save: expected a description of at most {CONFIG_LIMIT} characters, got {len(text)}. "
            "Make a smaller model."
        )
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        # A ZipInfo of its own carries no date, so that equal models give equal files.
        archive.writestr(zipfile.ZipInfo(CONFIG), text)
        for name, array in arrays.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, to_host(array), allow_pickle=False)
    write_whole(path, content.getvalue())


def read_archive(path: str | Path) -> tuple[dict[str, Any], dict[str, Array]]:
    """Read what `write_archive` wrote.

    Members are stored uncompressed and are no larger together than the file, and an array is no
    larger than its member; both are checked before anything is read, so a file cannot make the
    reader take more memory than a few times its size.

    Raises
    ------
    CheckpointError
        If the file is truncated, damaged, foreign, or made to harm.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(
            f"{path}: expected a checkpoint, got {'a folder' if path.is_dir() else 'no file'}. "
            "Name a file that was saved."
        )
    try:
        with zipfile.ZipFile(path) as archive:
            members = _checked_members(archive, path.stat().st_size)
            config = _config(archive.read(members.pop(CONFIG)))
            arrays = {
                name.removesuffix(".npy"): _array(name, archive.read(member))
                for name, member in members.items()
            }
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {one_line(str(error))}.") from None
    except Exception as error:  # zipfile and NumPy answer damage with whatever they run into
        raise CheckpointError(
            f"{path}: expected a whole checkpoint, got one that is damaged or of another program "
            f"({one_line(repr(error))}). Use another copy."
        ) from error
    return config, arrays


def _checked_members(archive: zipfile.ZipFile, size: int) -> dict[str, zipfile.ZipInfo]:
    members = {info.filename: info for info in archive.infolist()}
    if CONFIG not in members or members[CONFIG].file_size > CONFIG_LIMIT:
        _refuse(f"a {CONFIG} of at most {CONFIG_LIMIT} bytes", "none")
    if len(members) != len(archive.infolist()):
        _refuse("members with different names", "two with the same")
    for info in members.values():
        if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
            _refuse("plain members", f"{info.filename!r} compressed or encrypted")
        if info.filename != CONFIG and not info.filename.endswith(".npy"):
            _refuse("arrays", repr(info.filename))
    claimed = sum(max(info.file_size, info.compress_size) for info in members.values())
    if claimed > size:
        _refuse(f"at most its {size} bytes in members", f"{claimed}")
    return members


def _config(text: bytes) -> dict[str, Any]:
    config = json.loads(text, parse_constant=_no_constant)
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        _refuse(f"a {CONFIG} of the format {FORMAT}", "another")
    if config.get("version") != VERSION:
        raise CheckpointError(
            f"expected version {VERSION} of the format, got {config.get('version')!r}. "
            "Install the scratchnet that wrote it."
        )
    return config


def _array(name: str, content: bytes) -> Array:
    stream = io.BytesIO(content)
    if np.lib.format.read_magic(stream) != (1, 0):
        _refuse(f"{name} in version 1.0 of NumPy's format", "another")
    shape, _, dtype = np.lib.format.read_array_header_1_0(stream, max_header_size=HEADER_LIMIT)
    if dtype.kind not in "fiub":
        _refuse(f"{name} of numbers", f"dtype {dtype}")
    held = len(content) - stream.tell()
    if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != held:
        _refuse(f"{name} with the elements of its shape {shape}", f"{held} bytes")
    stream.seek(0)
    return np.lib.format.read_array(stream, allow_pickle=False, max_header_size=HEADER_LIMIT)


def _refuse(expected: str, got: str) -> NoReturn:
    raise CheckpointError(f"expected {expected}, got {got}. Use a file that scratchnet saved.")


def _no_constant(constant: str) -> NoReturn:
    _refuse(f"finite numbers in {CONFIG}", constant)


def _plain(value: Any) -> Any:
    """Return what JSON has for a NumPy number."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} {value!r}")


def one_line(text: str) -> str:
    """Return a reason as an error message quotes it, whatever a file put into it."""
    return " ".join(text.split())[:500].rstrip(".")
