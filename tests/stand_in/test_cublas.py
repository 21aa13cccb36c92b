"""The stand-in's cuBLAS: what ctypes hands over is what the library would compute with."""

import ctypes

import numpy as np
import pytest

from tests.strict_array import NAMESPACE, to_strict
from tests.strict_array.cublas import INVALID_VALUE, LIBRARY, NOT_INITIALIZED, SUCCESS

cuda = NAMESPACE.cuda
rng = np.random.default_rng(3)


@pytest.fixture
def handle():
    made = ctypes.c_void_p()
    assert LIBRARY.cublasCreate_v2(ctypes.byref(made)) == SUCCESS
    yield made
    assert LIBRARY.cublasDestroy_v2(made) == SUCCESS


def gemm(handle, ops, sizes, factors, places, steps, function="cublasDgemm_v2"):
    number = ctypes.c_double if function == "cublasDgemm_v2" else ctypes.c_float
    alpha, beta = map(number, factors)
    a, b, c = (ctypes.c_void_p(place) for place in places)
    lda, ldb, ldc = steps
    return getattr(LIBRARY, function)(
        handle, *ops, *sizes, ctypes.byref(alpha), a, lda, b, ldb, ctypes.byref(beta), c, ldc
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("op_b", [0, 1])
@pytest.mark.parametrize("op_a", [0, 1])
def test_columns_first(handle, op_a, op_b, dtype):
    a, b, c = (rng.standard_normal(shape).astype(dtype) for shape in ((7, 9), (8, 9), (5, 9)))
    A, B, C = map(to_strict, (a, b, c))  # row r of each is a column of what cuBLAS sees
    m, n, k = 3, 5, 4
    places = (A[1, 2:].data.ptr, B[2].data.ptr, C.data.ptr)
    function = "cublasDgemm_v2" if dtype == "float64" else "cublasSgemm_v2"
    sizes, factors = (m, n, k), (0.5, 2.0)
    assert gemm(handle, (op_a, op_b), sizes, factors, places, (9, 9, 9), function) == SUCCESS
    left = a[1:5, 2:5].T if op_a == 0 else a[1:4, 2:6]
    right = b[2:7, :4].T if op_b == 0 else b[2:6, :5]
    expected = c.copy()
    expected[:, :3] = (0.5 * (left @ right) + 2 * c[:, :3].T).T
    np.testing.assert_allclose(C.get(), expected, rtol=1e-5 if dtype == "float32" else 1e-13)
    assert np.abs(expected - c).max() > 0.1


def test_with_beta_zero_what_was_there_is_not_read(handle):
    a, c = to_strict(np.eye(2)), NAMESPACE.empty((2, 2))
    places = (a.data.ptr, a.data.ptr, c.data.ptr)
    assert gemm(handle, (0, 0), (2, 2, 2), (1, 0), places, (2, 2, 2)) == SUCCESS
    np.testing.assert_array_equal(c.get(), np.eye(2))


def test_what_cublas_refuses_and_what_it_would_do_in_silence(handle):
    a, c = to_strict(np.eye(3)), NAMESPACE.zeros((3, 3))
    places = (a.data.ptr, a.data.ptr, c.data.ptr)
    assert gemm(handle, (0, 0), (3, 3, 3), (1, 0), places, (2, 3, 3)) == INVALID_VALUE
    stranger = ctypes.c_void_p(10**6)
    assert gemm(stranger, (0, 0), (3, 3, 3), (1, 0), places, (3, 3, 3)) == NOT_INITIALIZED
    with pytest.raises(RuntimeError, match="reaches outside"):
        gemm(handle, (0, 0), (3, 3, 3), (1, 0), places, (3, 4, 3))
    with pytest.raises(RuntimeError, match="outside every array"):
        gemm(handle, (0, 0), (3, 3, 3), (1, 0), (0, *places[1:]), (3, 3, 3))
    with pytest.raises(RuntimeError, match="takes float64 for float32"):
        gemm(handle, (0, 0), (3, 3, 3), (1, 0), places, (3, 3, 3), "cublasSgemm_v2")
    with (
        cuda.Stream(non_blocking=True),
        pytest.raises(RuntimeError, match="would go to another stream"),
    ):
        gemm(handle, (0, 0), (3, 3, 3), (1, 0), places, (3, 3, 3))


def test_a_capture_needs_the_workspace_that_setting_the_stream_takes_away(handle):
    a, c, room = to_strict(2 * np.eye(2)), NAMESPACE.zeros((2, 2)), NAMESPACE.empty(64)
    places = (a.data.ptr, a.data.ptr, c.data.ptr)
    stream = cuda.Stream(non_blocking=True)
    cuda.Device().synchronize()
    work = (handle, (0, 0), (2, 2, 2), (1, 0), places, (2, 2, 2))
    assert LIBRARY.cublasSetWorkspace_v2(handle, room.data.ptr, 10**9) == INVALID_VALUE
    with stream:
        stream.begin_capture()
        LIBRARY.cublasSetWorkspace_v2(handle, room.data.ptr, 512)
        LIBRARY.cublasSetStream_v2(handle, stream.ptr)
        with pytest.raises(RuntimeError, match="workspace"):
            gemm(*work)
        LIBRARY.cublasSetWorkspace_v2(handle, room.data.ptr, 512)
        assert gemm(*work) == SUCCESS
        graph = stream.end_capture()
        graph.launch()
    stream.synchronize()
    np.testing.assert_array_equal(c.get(), 4 * np.eye(2))
    assert graph.steps == ["cublasDgemm"]
    assert graph.outside_reads([a]) == []
