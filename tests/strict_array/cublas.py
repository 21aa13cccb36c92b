"""cuBLAS's own interface, as ctypes sees it: products at addresses, on the stream that was set.

CuPy keeps cuBLAS out of captures, so who wants products in a graph calls the library itself.  This
one takes the same arguments, knows which array an address is in, and refuses what lies outside.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.strict_array import cuda
from tests.strict_array.memory import owner_at
from tests.strict_array.performing import launch, refuse_in_capture

SUCCESS, NOT_INITIALIZED, INVALID_VALUE, MAPPING_ERROR = 0, 1, 7, 11
N, T = 0, 1


class Cublas:
    """The library; each handle has a stream and, once it was given one, a workspace."""

    def __init__(self) -> None:
        self._handles: dict[int, dict[str, Any]] = {}
        self._numbers = itertools.count(1)
        self.cublasSgemm_v2 = self._gemm("cublasSgemm", np.dtype("float32"))
        self.cublasDgemm_v2 = self._gemm("cublasDgemm", np.dtype("float64"))

    def cublasCreate_v2(self, handle: Any) -> int:  # noqa: N802
        refuse_in_capture("cublasCreate")
        handle._obj.value = next(self._numbers)
        self._handles[handle._obj.value] = {"stream": 0, "workspace": None}
        return SUCCESS

    def cublasDestroy_v2(self, handle: Any) -> int:  # noqa: N802
        return SUCCESS if self._handles.pop(_number(handle), None) else NOT_INITIALIZED

    def cublasSetStream_v2(self, handle: Any, stream: Any) -> int:  # noqa: N802
        if _number(handle) not in self._handles:
            return NOT_INITIALIZED
        self._handles[_number(handle)].update(stream=_number(stream), workspace=None)
        return SUCCESS

    def cublasSetWorkspace_v2(self, handle: Any, workspace: Any, size: Any) -> int:  # noqa: N802
        if _number(handle) not in self._handles:
            return NOT_INITIALIZED
        owner = owner_at(_number(workspace))
        if owner is None or _number(workspace) + _number(size) > owner.address + owner.nbytes:
            return INVALID_VALUE
        self._handles[_number(handle)]["workspace"] = owner
        return SUCCESS

    def cublasSetMathMode(self, handle: Any, mode: Any) -> int:  # noqa: N802
        return SUCCESS if _number(handle) in self._handles else NOT_INITIALIZED

    def _gemm(self, name: str, dtype: np.dtype) -> Callable[..., int]:
        def gemm(
            handle: Any, op_a: Any, op_b: Any, m: Any, n: Any, k: Any,
            alpha: Any, a: Any, lda: Any, b: Any, ldb: Any, beta: Any, c: Any, ldc: Any,
        ) -> int:  # fmt: skip
            state = self._handles.get(_number(handle))
            if state is None:
                return NOT_INITIALIZED
            stream = cuda.get_current_stream()
            if state["stream"] != stream.ptr:
                raise RuntimeError(f"{name} would go to another stream than the current one")
            if stream.is_capturing() and state["workspace"] is None:
                raise RuntimeError(
                    f"{name} in a capture without a workspace of its own: cuBLAS would allocate "
                    "one in the graph; cublasSetStream takes an earlier one away"
                )
            (rows, columns, inner) = map(_number, (m, n, k))
            shape_a = (rows, inner) if _number(op_a) == N else (inner, rows)
            shape_b = (inner, columns) if _number(op_b) == N else (columns, inner)
            factor, kept = dtype.type(alpha._obj.value), dtype.type(beta._obj.value)
            try:
                A = _matrix(a, shape_a, lda, dtype)
                B = _matrix(b, shape_b, ldb, dtype)
                C = _matrix(c, (rows, columns), ldc, dtype)
            except ValueError:
                return INVALID_VALUE
            left, right = A if _number(op_a) == N else A.T, B if _number(op_b) == N else B.T

            def run() -> None:
                with np.errstate(all="ignore"):
                    product = factor * (left @ right)
                    C[...] = product + kept * C if kept else product

            launch(name, run, [A, B, C] if kept else [A, B], [C])
            return SUCCESS

        return gemm


def _number(value: Any) -> int:
    found = getattr(value, "value", value)
    return 0 if found is None else int(found)


def _matrix(address: Any, shape: tuple[int, int], step: Any, dtype: np.dtype) -> np.ndarray:
    """Return the matrix at an address, columns ``step`` elements apart, or raise ValueError."""
    rows, columns = shape
    if _number(step) < max(1, rows) or min(shape) < 0:
        raise ValueError("leading dimension")
    owner = owner_at(_number(address))
    root = None if owner is None else owner.array()
    if root is None:
        raise RuntimeError("cuBLAS was given an address outside every array")
    if root.dtype != dtype:
        raise RuntimeError(f"cuBLAS takes {root.dtype} for {dtype}: garbage")
    offset = _number(address) - owner.address
    strides = (dtype.itemsize, _number(step) * dtype.itemsize)
    last = offset + (columns - 1) * strides[1] + rows * strides[0]
    if min(shape) > 0 and last > owner.nbytes:
        raise RuntimeError("cuBLAS reaches outside the array: cudaErrorIllegalAddress")
    flat = root if root.flags.c_contiguous else root.T
    return np.ndarray(shape, dtype, buffer=flat, offset=offset, strides=strides)


LIBRARY = Cublas()
