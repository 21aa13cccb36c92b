"""Whose memory an array's is: its views', and the pool's it came from."""

from __future__ import annotations

import contextlib
import itertools
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np


class OutOfMemoryError(MemoryError):
    """What CuPy raises where the device has no more memory."""


class Owner:
    """What all StrictArrays that share one piece of memory hold together."""

    def __init__(self, root: np.ndarray, pool: MemoryPool | None) -> None:
        self.address, self.nbytes = root.ctypes.data, root.nbytes
        self.pool = DEFAULT_POOL if pool is None else weakref.ref(pool)
        self.array = weakref.ref(root)
        self.written: tuple[Any, int] | None = None
        self.read: dict[Any, int] = {}


_owners: weakref.WeakValueDictionary[int, Owner] = weakref.WeakValueDictionary()


def root_of(array: np.ndarray) -> np.ndarray:
    """Return the array whose memory this one is a view of."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def owner_of(array: np.ndarray) -> Owner | None:
    """Return whose memory it is, if any StrictArray still holds it."""
    found = _owners.get(id(root_of(array)))
    return found if found is not None and found.array() is root_of(array) else None


def take_in(array: np.ndarray) -> Owner:
    """Return whose memory it is, having asked the present pool for it if it is new."""
    owner = owner_of(array)
    if owner is None:
        root = root_of(array)
        if _pools and _pools[-1].sealed:
            raise RuntimeError(
                "memory from the pool of a captured graph: the graph's own temporary arrays may "
                "lie there. Use another pool."
            )
        owner = Owner(root, _pools[-1] if _pools else None)
        _owners[id(root)] = owner
        _check_room()
    return owner


def owner_at(address: int) -> Owner | None:
    """Return whose memory an address is in."""
    for owner in list(_owners.values()):
        lies_in = owner.address <= address < owner.address + max(owner.nbytes, 1)
        if lies_in and owner.array() is not None:  # another's may have been there before
            return owner
    return None


def garbage(array: np.ndarray) -> None:
    """Fill with what memory may hold: NaN where the type has one."""
    array.fill(np.nan if array.dtype.kind == "f" else 0)


def arrays_in(value: Any) -> list[np.ndarray]:
    """Return every array in nested lists, tuples and dictionaries."""
    if isinstance(value, np.ndarray):
        return [value]
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list | tuple):
        return []
    return list(itertools.chain.from_iterable(map(arrays_in, value)))


class MemoryPool:
    """Memory for those who ask inside ``using_allocator(pool.malloc)``."""

    def __init__(self, allocator: Any = None) -> None:
        self.sealed = False
        self._limit = 0

    def malloc(self, size: int) -> Any:
        raise NotImplementedError("the stand-in's pools are for using_allocator alone")

    def used_bytes(self) -> int:
        return sum(owner.nbytes for owner in list(_owners.values()) if owner.pool() is self)

    def total_bytes(self) -> int:
        return self.used_bytes()

    def free_bytes(self) -> int:
        return 0

    def n_free_blocks(self) -> int:
        return 0

    def free_all_blocks(self, stream: Any = None) -> None:
        return None

    def set_limit(self, size: int | None = None, fraction: float | None = None) -> None:
        self._limit = size or 0

    def get_limit(self) -> int:
        return self._limit


DEFAULT = MemoryPool()
DEFAULT_POOL = weakref.ref(DEFAULT)
_pools: list[MemoryPool] = []


def present_pool() -> MemoryPool:
    return _pools[-1] if _pools else DEFAULT


def _check_room() -> None:
    pool = present_pool()
    if pool.get_limit() and pool.used_bytes() > pool.get_limit():
        raise OutOfMemoryError(
            f"Out of memory allocating (allocated so far: {pool.used_bytes():,} bytes, "
            f"limit set to: {pool.get_limit():,} bytes)."
        )


@contextlib.contextmanager
def using_allocator(allocator: Callable[[int], Any] | None = None) -> Iterator[None]:
    """Let new arrays come from ``pool.malloc``'s pool."""
    pool = DEFAULT if allocator is None else getattr(allocator, "__self__", None)
    if not isinstance(pool, MemoryPool):
        raise TypeError("the stand-in knows pool.malloc alone")
    before = _pools[:]
    _pools[:] = [] if pool is DEFAULT else [*_pools, pool]
    try:
        yield
    finally:
        _pools[:] = before
