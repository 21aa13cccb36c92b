"""The 50,000 film reviews as they are kept: Keras's archive, or the same in flat arrays.

Both hold, review by review, the rank of each word among all words (1 the most frequent), in the
order in which the data set was made: the good ones first.  `scratchnet.experiments.imdb_data`
numbers and orders them as Keras does.
"""

from __future__ import annotations

import contextlib
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np

from scratchnet import datasets
from scratchnet.backend import Array
from scratchnet.errors import DataError
from scratchnet.experiments.imdb_pickles import read_lists
from scratchnet.files import write_whole

PARTS = ("train", "test")
CONVERTED = "imdb_converted.npz"
"""Name in the cache of what was made of Keras's archive."""
MEMBER_LIMIT = 2**25
"""Bytes of the largest array that is read; the reviews' own are 24 million."""
HEADER_LIMIT = 1000
RANK_LIMIT = 10**6
"""No word has a higher rank; the reviews' own run to 88,584."""


@dataclass(frozen=True)
class Ragged:
    """Reviews of any length, one behind the other."""

    tokens: Array
    """``(sum of lengths,)`` int32: a number for each word."""
    offsets: Array
    """``(N + 1,)``: review n is ``tokens[offsets[n] : offsets[n + 1]]``."""
    labels: Array
    """``(N,)`` int8: 1 for a good film, 0 for a bad one."""

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, n: int) -> Array:
        """Return review n, a view."""
        return self.tokens[self.offsets[n] : self.offsets[n + 1]]

    @property
    def lengths(self) -> Array:
        """Words in each review, ``(N,)``."""
        return np.diff(self.offsets)

    def ordered(self, order: Array) -> Ragged:
        """Return these reviews in another order."""
        offsets = np.concatenate([[0], np.cumsum(self.lengths[order])])
        return Ragged(np.concatenate([self[n] for n in order]), offsets, self.labels[order])


def read_reviews() -> tuple[Ragged, Ragged]:
    """Return the reviews to learn from and those to test on, as they are kept.

    The flat file is taken where there is one; else Keras's archive, downloaded where need be, its
    SHA-256 verified before it is opened, and converted once.

    Raises
    ------
    DataError
        There is neither and nothing can be downloaded, or a file is not what it should be.
    """
    if datasets.find("imdb") is not None:
        return read_flat(datasets.path("imdb"))
    converted = datasets.cache_folder() / CONVERTED
    if converted.is_file():
        with contextlib.suppress(DataError):  # damaged: it is made anew
            return read_flat(converted)
    reviews = read_archive(datasets.path("imdb-keras"))
    with contextlib.suppress(OSError):  # a cache that cannot be written costs seconds, not the data
        write_flat(converted, reviews)
    return reviews


def read_flat(path: str | Path) -> tuple[Ragged, Ragged]:
    """Read ``train_tokens train_offsets train_labels`` and ``test_…`` from an ``.npz``.

    Raises
    ------
    DataError
        The file is missing, damaged, or its arrays do not fit together.
    """
    names = [f"{part}_{array}.npy" for part in PARTS for array in ("tokens", "offsets", "labels")]
    arrays = [_plain(path, name, content) for name, content in _members(path, names)]
    train, test = Ragged(*arrays[:3]), Ragged(*arrays[3:])
    return _checked(path, "train", train), _checked(path, "test", test)


def write_flat(path: str | Path, reviews: tuple[Ragged, Ragged]) -> None:
    """Write what `read_flat` reads."""
    arrays = {}
    for part, one in zip(PARTS, reviews, strict=True):
        arrays[f"{part}_tokens"] = one.tokens
        arrays[f"{part}_offsets"] = one.offsets
        arrays[f"{part}_labels"] = one.labels
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **arrays)
    write_whole(path, content.getvalue())


def read_archive(path: str | Path) -> tuple[Ragged, Ragged]:
    """Read an archive of Keras's form: ``x_train y_train x_test y_test``, the x pickled lists.

    Nothing that the file holds is run: see `scratchnet.experiments.imdb_pickles`.

    Raises
    ------
    DataError
        The file is missing, damaged, too large, or holds anything but lists of whole numbers.
    """
    names = [f"{array}_{part}.npy" for part in PARTS for array in ("x", "y")]
    contents = dict(_members(path, names))
    found = []
    for part in PARTS:
        x, y = f"x_{part}.npy", f"y_{part}.npy"
        lists = _lists(path, x, contents[x])
        lengths = np.array([len(one) for one in lists])
        try:
            tokens = np.array([rank for one in lists for rank in one], dtype="int32")
        except OverflowError:
            _refuse(path, f"{x} with the ranks of words", "numbers beyond 32 bits")
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        labels = _plain(path, y, contents[y])
        found.append(_checked(path, part, Ragged(tokens, offsets, labels)))
    return found[0], found[1]


def _members(path: str | Path, names: list[str]) -> list[tuple[str, bytes]]:
    """Return the content of the named members, sizes checked before anything is expanded."""
    if not Path(path).is_file():
        _refuse(path, "a file of film reviews", "none")
    try:
        with zipfile.ZipFile(path) as archive:
            infos = {info.filename: info for info in archive.infolist()}
            if missing := [name for name in names if name not in infos]:
                _refuse(path, f"{', '.join(names)} in it", f"no {', '.join(missing)}")
            if large := [name for name in names if infos[name].file_size > MEMBER_LIMIT]:
                size = infos[large[0]].file_size
                _refuse(path, f"arrays of at most {MEMBER_LIMIT:,} bytes", f"{size:,}")
            return [(name, archive.read(infos[name])) for name in names]
    except DataError:
        raise
    except Exception as error:  # zipfile answers damage with whatever it runs into
        _refuse(path, "a whole archive", " ".join(repr(error).split())[:100])


def _header(path: str | Path, name: str, content: bytes) -> tuple[tuple[int, ...], np.dtype, int]:
    """Return an array's shape and dtype, and where its elements begin."""
    stream = io.BytesIO(content)
    try:
        if np.lib.format.read_magic(stream) != (1, 0):
            raise ValueError("another version of NumPy's format")
        shape, _, dtype = np.lib.format.read_array_header_1_0(stream, max_header_size=HEADER_LIMIT)
    except Exception as error:  # NumPy answers damage with whatever it runs into
        _refuse(path, f"{name} in NumPy's format", " ".join(repr(error).split())[:100])
    if len(shape) != 1:
        _refuse(path, f"{name} with one axis", f"shape {shape}")
    return shape, dtype, stream.tell()


def _plain(path: str | Path, name: str, content: bytes) -> Array:
    """Return an array of whole numbers; it is a view of what was read."""
    (count,), dtype, start = _header(path, name, content)
    if dtype.kind not in "iu":
        _refuse(path, f"{name} of whole numbers", f"dtype {dtype}")
    if count * dtype.itemsize != len(content) - start:
        _refuse(path, f"{name} of {count:,} elements", f"{len(content) - start:,} bytes")
    return np.frombuffer(content, dtype, count, start)


def _lists(path: str | Path, name: str, content: bytes) -> list[list[int]]:
    (count,), dtype, start = _header(path, name, content)
    if dtype.kind != "O":
        _refuse(path, f"{name} of lists", f"dtype {dtype}")
    try:
        return read_lists(content[start:], count)
    except DataError as error:
        raise DataError(f"{path}: {name}: {error}") from None


def _checked(path: str | Path, part: str, reviews: Ragged) -> Ragged:
    """Return the reviews in int32, int64 and int8 once their arrays are known to fit together."""
    tokens, offsets, labels = reviews.tokens, reviews.offsets, reviews.labels
    if not len(labels) or len(offsets) != len(labels) + 1:
        _refuse(
            path,
            f"{part} reviews with a label each",
            f"{len(offsets) - 1} and {len(labels)} labels",
        )
    if offsets[0] != 0 or offsets[-1] != len(tokens) or (offsets[1:] <= offsets[:-1]).any():
        _refuse(path, f"{part} offsets that rise from 0 to {len(tokens):,}", "others")
    if tokens.min() < 1 or tokens.max() > RANK_LIMIT:
        _refuse(
            path,
            f"{part} words ranked from 1 to at most {RANK_LIMIT:,}",
            f"{tokens.min()} to {tokens.max()}",
        )
    if not np.isin(labels, (0, 1)).all():
        _refuse(path, f"{part} labels of 0 and 1", f"{labels.min()} to {labels.max()}")
    return Ragged(tokens.astype("int32"), offsets.astype("int64"), labels.astype("int8"))


def _refuse(path: str | Path, expected: str, got: str) -> NoReturn:
    raise DataError(f"{path}: expected {expected}, got {got}. Remove it, or use another copy.")
