"""The stand-in's ElementwiseKernel means what CuPy's means."""

import numpy as np
import pytest

from tests.strict_array import NAMESPACE, to_strict
from tests.strict_array.compiling import CompileError, needs_compiler

pytestmark = needs_compiler
rng = np.random.default_rng(0)


def kernel(*args, **kwargs):
    return NAMESPACE.ElementwiseKernel(*args, **kwargs)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_broadcasts_and_computes_in_the_arrays_type(dtype):
    x = rng.standard_normal((3, 1, 5)).astype(dtype)
    b = rng.standard_normal((4, 5)).astype(dtype)
    scaled = kernel("T x, T b, float64 k", "T y", "y = tanh(x + b) * (T)k", "scaled")
    y = scaled(to_strict(x), to_strict(b), 0.3)
    assert y.shape == (3, 4, 5)
    assert y.dtype == dtype
    expected = np.tanh(x + b) * np.dtype(dtype).type(0.3)
    np.testing.assert_allclose(y.get(), expected, rtol=2 * np.finfo(dtype).eps)
    if dtype == "float32":  # not computed as double and rounded at the end
        exact = (np.tanh((x + b).astype(float)) * np.float32(0.3)).astype(np.float32)
        assert (y.get() != exact).any()


def test_strided_inputs_and_outputs():
    x = to_strict(rng.standard_normal((6, 4)))
    out = to_strict(np.zeros((4, 9)))
    double = kernel("T x", "T y", "y = 2 * x")
    double(x.T[:, ::2], out[:, 1:8:3])
    expected = np.zeros((4, 9))
    expected[:, 1:8:3] = 2 * x.get().T[:, ::2]
    np.testing.assert_array_equal(out.get(), expected)


def test_raw_arrays_are_indexed_in_c_order_and_need_a_size():
    x = to_strict(rng.standard_normal((4, 3)).T)
    turned = kernel("raw T x, int32 n", "raw T y", "y[i] = x[n - 1 - i] + _ind.size()")
    y = turned(x, 12, size=12)
    np.testing.assert_array_equal(y.get(), x.get().ravel()[::-1] + 12)
    with pytest.raises(ValueError, match="undecided"):
        turned(x, 12)
    with pytest.raises(IndexError, match="outside"):
        turned(x, 13, size=12)
    picked = kernel("raw T x, S k", "T y", "ptrdiff_t at[] = {k, 1}; y = x[at] + x.shape()[0]")
    y = picked(x, to_strict(np.array([2, 0])))
    np.testing.assert_array_equal(y.get(), x.get()[[2, 0], 1] + 3)


def test_several_outputs_nothing_returned_and_scatter():
    both = kernel("T x", "T y, bool low", "y = x * x; low = x < 0")
    x = rng.standard_normal(7)
    y, low = both(to_strict(x))
    np.testing.assert_array_equal(y.get(), x * x)
    np.testing.assert_array_equal(low.get(), x < 0)
    total = NAMESPACE.zeros(3)
    scatter = kernel("T x, int64 k", "raw T total", "atomicAdd(&total[k], x)", no_return=True)
    ids = rng.integers(0, 3, 7)
    assert scatter(to_strict(x), to_strict(ids), total) is None
    np.testing.assert_allclose(total.get(), np.bincount(ids, x, 3))


def test_an_input_is_a_reference_to_what_an_output_overwrites():
    x = to_strict(np.array([3.0, 5.0]))
    twice = kernel("T x", "T y, T z", "y = x + 1; z = x")
    _, z = twice(x, x, NAMESPACE.empty(2))
    np.testing.assert_array_equal(z.get(), [4.0, 6.0])


def test_what_no_thread_wrote_is_nan():
    y = kernel("T x", "T y", "if (x > 0) y = x")(to_strict(np.array([-1.0, 2.0])))
    np.testing.assert_array_equal(y.get(), [np.nan, 2.0])


def test_numbers_and_arrays_of_rank_0_are_parameters():
    add = kernel("T x, T k, bool live, uint64 n", "T y", "y = live ? x + k + n : x")
    x = to_strict(np.float32([1, 2]))
    n = to_strict(np.array(3, np.uint64))
    np.testing.assert_array_equal(add(x, 0.5, True, n).get(), np.float32([4.5, 5.5]))
    np.testing.assert_array_equal(add(x, np.float32(2), False, 3).get(), np.float32([1, 2]))


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ((np.float32([1]), np.float64([1])), TypeError, "is float"),
        ((1.0, 2.0), ValueError, "undecided"),
        ((np.float32([1]), 2.0, np.float64([1])), TypeError, "is float"),
        ((np.float32([1]), 2.0, np.float32([1, 2])), None, ""),
        ((np.float32([1, 2]), 2.0, np.float32([[1]])), ValueError, "not"),
        ((np.float32([1]),), TypeError, "takes 2 arguments or 3"),
    ],
)
def test_what_cupy_refuses(arguments, error, match):
    add = kernel("T a, T b", "T y", "y = a + b")
    strict = [to_strict(a) if isinstance(a, np.ndarray) else a for a in arguments]
    if error is None:
        add(*strict)
        return
    with pytest.raises(error, match=match):
        add(*strict)


def test_host_arrays_overflows_and_fractions_are_refused():
    fill = kernel("int32 k", "raw T y", "y[i] = k")
    y = NAMESPACE.zeros(2)
    for bad in (2**31, 0.5, np.ones(2, np.int32), None):
        with pytest.raises(TypeError):
            fill(bad, y, size=2)
    with pytest.raises(TypeError, match="no array decides"):
        kernel("int32 k", "raw T y", "y[i] = k")(3, size=2)


def test_races_are_refused():
    x = NAMESPACE.zeros(5)
    shift = kernel("T x", "T y", "y = x")
    with pytest.raises(ValueError, match="overlaps"):
        shift(x[:-1], x[1:])
    with pytest.raises(ValueError, match="many times"):
        shift(x[0], NAMESPACE.broadcast_to(x[:1], (5,)))


def test_code_that_does_not_compile_says_so():
    with pytest.raises(CompileError, match="banana"):
        kernel("T x", "T y", "y = banana(x)")(NAMESPACE.zeros(2))
    with pytest.raises(CompileError):
        kernel("raw T x", "T y", "x[0] = y")(NAMESPACE.zeros(2), NAMESPACE.zeros(2))


def test_a_kernel_cannot_have_the_name_of_a_function_of_c():
    with pytest.raises(CompileError, match="tanh"):
        kernel("T x", "T y", "y = x", "tanh")(NAMESPACE.zeros(2))
