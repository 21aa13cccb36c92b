"""Small archives of film reviews, as Keras publishes its own, and flat."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

COUNTS = {"train": 41, "test": 23}


def small_reviews(seed: int = 0, words: int = 60) -> dict[str, list[list[int]]]:
    """Lists of words' ranks of different lengths, and a label each."""
    rng = np.random.default_rng(seed)
    return {
        part: [rng.integers(1, words + 1, size=rng.integers(1, 30)).tolist() for _ in range(count)]
        for part, count in COUNTS.items()
    }


def small_labels() -> dict[str, np.ndarray]:
    return {part: (np.arange(count) < count // 2).astype("int64") for part, count in COUNTS.items()}


def array_of_lists(lists: list[Any]) -> np.ndarray:
    array = np.empty(len(lists), dtype=object)
    for n, one in enumerate(lists):
        array[n] = one
    return array


def write_archive(path: Path, **changed: Any) -> Path:
    """Write an archive of Keras's form; arrays of another name or content may be given."""
    arrays: dict[str, Any] = {}
    for part, lists in small_reviews().items():
        arrays[f"x_{part}"] = array_of_lists(lists)
        arrays[f"y_{part}"] = small_labels()[part]
    np.savez(path, allow_pickle=True, **{**arrays, **changed})
    return path


def replace_member(path: Path, name: str, content: bytes) -> Path:
    """Write the archive again with other bytes in one member."""
    with zipfile.ZipFile(path) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    members[name] = content
    with zipfile.ZipFile(path, "w") as archive:
        for member, kept in members.items():
            archive.writestr(member, kept)
    return path


def npy_of_pickle(pickle: bytes, count: int = COUNTS["train"]) -> bytes:
    """A member that claims an array of ``count`` lists, with these bytes for its pickle."""
    content = io.BytesIO()
    header = {"descr": "|O", "fortran_order": False, "shape": (count,)}
    np.lib.format.write_array_header_1_0(content, header)
    return content.getvalue() + pickle
