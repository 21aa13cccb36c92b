"""What goes wrong on a device, in one line: its memory is used up, or CUDA says that it failed."""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from scratchnet.errors import DeviceError

P = ParamSpec("P")
R = TypeVar("R")

LONGEST = 200
"""Characters of what another program says that are shown."""

FULL = ("cudaErrorMemoryAllocation", "CUDA_ERROR_OUT_OF_MEMORY", "ALLOC_FAILED")

FAILURES = frozenset(
    {"CUDARuntimeError", "CUDADriverError", "CUBLASError", "NVRTCError", "CompileException"}
)
"""CuPy's classes, by name: to import them would load libraries that a failure may be about."""


def clearly(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function so that a device that is full, or fails, is a DeviceError of one line."""

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            if is_out_of_memory(error):
                raise DeviceError(out_of_memory(error)) from error
            if is_failure(error):
                raise DeviceError(
                    f"the GPU failed: {reason(error)}. Start again, or stay on the CPU."
                ) from error
            raise

    return call


def is_failure(error: BaseException) -> bool:
    """Whether an error says that CUDA, its compiler or cuBLAS failed.

    What a recording does not allow is not the device's failure.
    """
    said = str(error)
    if "cudaErrorStreamCapture" in said:
        return False
    if isinstance(error, RuntimeError) and "cuBLAS status" in said:
        return True
    return any(kind.__name__ in FAILURES for kind in type(error).__mro__)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error, CuPy's own or one of CUDA's, says that the device's memory is used up."""
    cupy = sys.modules.get("cupy")
    if cupy is None:
        return False
    if isinstance(error, cupy.cuda.memory.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(word in str(error) for word in FULL)


def out_of_memory(error: BaseException) -> str:
    """Return what was asked for, what is free, and what to do."""
    asked = re.search(r"allocating ([\d,]+) bytes", str(error))
    wanted = _size(int(asked[1].replace(",", ""))) if asked else "more memory"
    try:
        free, total = map(int, sys.modules["cupy"].cuda.runtime.memGetInfo())
        left = f"{_size(free)} free of {_size(total)}"
    except Exception:  # what the device still answers is its own affair
        left = "none"
    return (
        f"gpu: expected room for {wanted}, got {left}. Choose a smaller batch_size or a smaller "
        "network, or stay on the CPU."
    )


def reason(error: BaseException) -> str:
    """Return what an error says on one line, its type where it says nothing.

    That is its first line, or the last that names an error: CuPy frames that one with others.
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip(" =*")]
    original = [line for line in lines if re.match(r"\w*(Error|Exception): ", line)]
    said = (original or lines or [type(error).__name__])[-1 if original else 0].rstrip(". ")
    return said if len(said) <= LONGEST else said[: LONGEST - 1].rstrip(". ") + "…"


def _size(count: int) -> str:
    """Return a number of bytes as people write it."""
    size, unit = float(count), "bytes"
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if size < 1000 or unit == "TB":
            break
        size /= 1000
    return f"{size:.3g} {unit}"
