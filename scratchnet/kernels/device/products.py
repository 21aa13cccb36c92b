"""Matrix products on a device: cuBLAS, through CuPy, or straight for steps that are recorded.

CuPy (up to 14.2) refuses to call cuBLAS on a stream that captures, which cuBLAS itself allows where
its workspace was set beforehand.  So a recorded step, and the one before it, call the same library
with a handle of their own: what is recorded has run once.
"""

from __future__ import annotations

import ctypes
import functools
import threading
from typing import Any

from scratchnet.backend import Array, array_module
from scratchnet.device import cublas_library
from scratchnet.queued import rehearsing

WORKSPACE = 2**25
"""Bytes; what cuBLAS takes by itself on the largest devices."""


def product(a: Array, b: Array, out: Array | None = None) -> Array:
    """Return ``a @ b`` (M, N), in ``out``, which is in one piece, if it is given."""
    xp = array_module(a)
    handle = None
    if rehearsing():
        handle = _handle(xp, xp.cuda.runtime.getDevice(), threading.get_ident())
    if handle is None:
        return xp.dot(a, b, out=out)
    if out is None:
        out = xp.empty((a.shape[0], b.shape[1]), dtype=a.dtype)
    if 0 in (*a.shape, *b.shape):
        out.fill(0)
    else:
        handle.multiply(a, b, out)
    return out


class Handle:
    """cuBLAS's own interface, one instance for each device and thread.

    Parameters
    ----------
    library : ctypes.CDLL
    xp : module
        CuPy.
    """

    def __init__(self, library: Any, xp: Any) -> None:
        self._library, self._xp = library, xp
        self._handle = ctypes.c_void_p()
        self._workspace = xp.empty(WORKSPACE, dtype="uint8")
        self._call("cublasCreate_v2", ctypes.byref(self._handle))

    def multiply(self, a: Any, b: Any, out: Any) -> None:
        """Write ``a @ b`` into ``out`` on the current stream.

        cuBLAS counts columns first, so it is told to make :math:`C^T = B^T A^T`.
        """
        (M, K), N, real = a.shape, b.shape[1], out.dtype.itemsize == 8
        scalar = ctypes.c_double if real else ctypes.c_float
        a, a_transposed, a_step = self._laid_out(a)
        b, b_transposed, b_step = self._laid_out(b)
        stream = self._xp.cuda.get_current_stream().ptr
        self._call("cublasSetStream_v2", self._handle, ctypes.c_void_p(stream))
        workspace = ctypes.c_void_p(self._workspace.data.ptr)  # the stream has put it back
        self._call("cublasSetWorkspace_v2", self._handle, workspace, ctypes.c_size_t(WORKSPACE))
        self._call(
            "cublasDgemm_v2" if real else "cublasSgemm_v2",
            self._handle,
            *map(ctypes.c_int, (b_transposed, a_transposed, N, M, K)),
            ctypes.byref(scalar(1)),
            ctypes.c_void_p(b.data.ptr),
            ctypes.c_int(b_step),
            ctypes.c_void_p(a.data.ptr),
            ctypes.c_int(a_step),
            ctypes.byref(scalar(0)),
            ctypes.c_void_p(out.data.ptr),
            ctypes.c_int(N),
        )

    def _laid_out(self, matrix: Any) -> tuple[Any, bool, int]:
        """Return a matrix as cuBLAS can read it, whether transposed, and the step of its lines."""
        size, (rows, columns) = matrix.dtype.itemsize, matrix.shape
        down, across = (step // size for step in matrix.strides)
        if across == 1 and down >= columns:
            return matrix, False, down
        if down == 1 and across >= rows:
            return matrix, True, across
        return self._xp.ascontiguousarray(matrix), False, columns

    def _call(self, name: str, *arguments: Any) -> None:
        status = getattr(self._library, name)(*arguments)
        if status:
            raise RuntimeError(f"{name}: cuBLAS status {status}")


@functools.cache
def _handle(xp: Any, device: int, thread: int) -> Handle | None:
    """Return a thread's handle of a device, None where cuBLAS cannot be called so."""
    try:
        return Handle(cublas_library(), xp)
    except (AttributeError, ImportError, OSError, RuntimeError):
        return None
