"""The devices that one body of tests runs on, and when what they compute is what the host does."""

from __future__ import annotations

import contextlib
import functools
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from scratchnet import device_of, to_device
from scratchnet.backend import to_host
from scratchnet.device import gpu_module
from scratchnet.errors import DeviceError
from tests.helpers import DEVICE_TOLERANCE, assert_agrees
from tests.strict_array import crossings
from tests.strict_array.memory import DEFAULT


class Place:
    """A GPU.

    Attributes
    ----------
    xp : module
        CuPy.
    stands_in : bool
        Whether there is only `tests.strict_array`.
    """

    stands_in = False

    def __init__(self, xp: Any) -> None:
        self.xp = xp

    def put(self, *values: Any) -> Any:
        """Return arrays, or tuples and lists of them, on the device; None stays."""
        placed = tuple(_put(value) for value in values)
        return placed[0] if len(values) == 1 else placed

    @contextlib.contextmanager
    def no_waiting(self) -> Iterator[None]:
        """Let it be an error that the host waits for the device."""
        import cupyx

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it does not see every waiting, CuPy says
            allowance = cupyx.allow_synchronize(False)
            allowance.__enter__()
        try:
            yield
        finally:
            allowance.__exit__(None, None, None)

    def looking(self) -> contextlib.AbstractContextManager[None]:
        """Let the host wait, as outside a step it may, to check what it is given."""
        return contextlib.nullcontext()

    def used_bytes(self) -> int:
        """Return how much memory living arrays take."""
        return int(self.xp.get_default_memory_pool().used_bytes())


class StandIn(Place):
    """The strict array, installed as CuPy."""

    stands_in = True

    @contextlib.contextmanager
    def no_waiting(self) -> Iterator[None]:
        with crossings() as counter:
            yield
        assert counter.to_host == [], f"the host waited for the device: {counter.to_host}"

    def used_bytes(self) -> int:
        return DEFAULT.used_bytes()


@functools.cache
def why_there_is_no_gpu() -> str | None:
    """Return what is missing, or None."""
    try:
        gpu_module()
    except DeviceError as error:
        return str(error)
    return None


def assert_close(actual: Any, reference: Any, what: str = "array") -> None:
    """Assert that a device's array is the host's, to its type's tolerance; None is None."""
    if reference is None:
        assert actual is None, what
        return
    assert device_of(actual) == "gpu", what
    assert (actual.dtype, actual.shape) == (reference.dtype, reference.shape), what
    if reference.dtype.kind == "f":
        assert_agrees(to_host(actual), reference, DEVICE_TOLERANCE[reference.dtype.name], what)
    else:
        np.testing.assert_array_equal(to_host(actual), reference, strict=True)


def assert_all_close(actual: Any, reference: Any) -> None:
    """Assert that lists, tuples or dictionaries of a device's arrays are the host's."""
    if isinstance(reference, dict):
        assert list(actual) == list(reference)
        for key, array in reference.items():
            assert_close(actual[key], array, str(key))
        return
    assert len(actual) == len(reference)
    for number, (ours, array) in enumerate(zip(actual, reference, strict=True)):
        assert_close(ours, array, f"array {number}")


def _put(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return type(value)(map(_put, value))
    return None if value is None else to_device(value, "gpu")
