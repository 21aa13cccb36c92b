"""Functions of the page run with symbols, and the kernels that come of it."""

import functools

import numpy as np
import pytest

from scratchnet.backend import array_module, to_host
from scratchnet.equations import activations
from scratchnet.kernels.device.tracing.expressions import (
    Place,
    UntraceableError,
    expressed,
    operation,
    substituted,
    symbol,
)
from scratchnet.kernels.device.tracing.pointwise import PointwiseKernel, fused
from scratchnet.kernels.device.tracing.source import body
from scratchnet.layers.activation import FORWARD
from tests.strict_array import NAMESPACE, to_strict
from tests.strict_array.compiling import needs_compiler

ROWS = {"softmax", "log_softmax"}
NAMES = sorted(FORWARD.keys() - ROWS)
EXTREMES = [0.0, -0.0, 1e-7, -1e-7, 1.0, -1.0, 0.5, -0.5, 3.0, -3.0, 6.0, 1e4, -1e4, np.inf]
EXTREMES += [-np.inf, np.nan]


def values(dtype):
    rng = np.random.default_rng(5)
    return np.concatenate((EXTREMES, rng.normal(0, 3, 401))).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NAMES)
@needs_compiler
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_every_activation_is_the_page_s(name, dtype):
    function, backward = FORWARD[name], getattr(activations, f"{name}_backward")
    x = values(dtype)
    dy = np.random.default_rng(6).normal(size=x.shape).astype(dtype)
    y = function(x)
    x_, dy_, y_ = symbol("x"), symbol("dy"), symbol("y")
    outputs = {"found": expressed(function(x_)), "slope": expressed(backward(dy_, x_, y_))}
    out = {key: NAMESPACE.zeros(x.shape, dtype=dtype) for key in outputs}
    PointwiseKernel(f"page_{name}", outputs)(
        {"x": to_strict(x), "dy": to_strict(dy), "y": to_strict(y)}, out
    )
    found, slope = (to_host(array) for array in out.values())
    digits = {"rtol": 2e-6, "atol": 2e-6} if dtype == "float32" else {"rtol": 1e-12, "atol": 1e-13}
    np.testing.assert_allclose(found, y, **digits)
    np.testing.assert_allclose(slope, backward(dy, x, y), **digits)
    assert found.dtype == slope.dtype == np.dtype(dtype)


@needs_compiler
def test_settings_are_constants_of_the_kernel():
    x = to_strict(values("float64"))
    for slope in (0.1, 0.7):
        found = fused(functools.partial(activations.leaky_relu, negative_slope=slope), x)
        expected = activations.leaky_relu(values("float64"), slope)
        np.testing.assert_array_equal(to_host(found), expected)


def test_equal_expressions_are_one():
    x = symbol("x")
    assert activations.sigmoid(x) is activations.sigmoid(symbol("x"))
    assert activations.sigmoid(x) is not activations.sigmoid(symbol("y"))
    y = activations.sigmoid(x)
    both = body({"y": y, "dx": activations.sigmoid_backward(symbol("dy"), x, y)})
    assert both.count("exp(") == 1


def test_one_is_not_multiplied_by():
    x = symbol("x")
    assert 1.0 * x is x
    assert x * 1 is x
    assert 2.0 * x is not x


def test_what_is_read_is_read_before_anything_is_written():
    lines = body({"a": symbol("b"), "b": symbol("a")}).splitlines()
    assert [line.split("=")[0].strip() for line in lines[-2:]] == ["a", "b"]
    assert all(line.startswith("const T") for line in lines[:-2])


@needs_compiler
def test_a_place_is_written_in_place():
    def swap_and_add(a, b):
        xp = array_module(a)
        before = a + 0
        a += b
        b[...] = before
        b *= 2
        xp.sqrt(a, out=a)

    a, b = Place(symbol("a")), Place(symbol("b"))
    swap_and_add(a, b)
    kernel = PointwiseKernel("swap_and_add", {"a": a.expression, "b": b.expression})
    assert kernel.inputs == []
    host_a, host_b = np.arange(1.0, 5.0), np.arange(11.0, 15.0)
    strict_a, strict_b = to_strict(host_a), to_strict(host_b)
    kernel({}, {"a": strict_a, "b": strict_b})
    swap_and_add(host_a, host_b)
    np.testing.assert_allclose(to_host(strict_a), host_a, rtol=1e-15)
    np.testing.assert_array_equal(to_host(strict_b), host_b)


@needs_compiler
def test_numbers_are_doubles_until_they_meet_an_array():
    rate = symbol("rate", "float64")
    kernel = PointwiseKernel("scaled", {"y": rate * symbol("x")})
    x, y = to_strict(np.array([3.0], "float32")), to_strict(np.zeros(1, "float32"))
    for value in (0.1, to_strict(np.array(0.1))):
        kernel({"x": x, "rate": value}, {"y": y})
        assert to_host(y)[0] == np.float32(0.1) * np.float32(3)


@needs_compiler
def test_true_counts_as_one():
    x = symbol("x")
    positive = x > 0
    kernel = PointwiseKernel("counts", {"y": positive + (x > 1) * 2 + (positive & ~(x > 1)) * 10})
    y = to_strict(np.zeros(3))
    kernel({"x": to_strict(np.array([-1.0, 0.5, 2.0]))}, {"y": y})
    assert to_host(y).tolist() == [0, 11, 3]


def test_substitution_goes_all_the_way_down():
    x, y = symbol("x"), symbol("y")
    e = activations.mish(x) * y
    assert substituted(e, {id(x): y}) is activations.mish(y) * y
    assert substituted(e, {id(e): x}) is x
    assert substituted(e, {}) is e


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x if x > 0 else -x,
        lambda x: array_module(x).max(x, axis=-1),
        lambda x: np.ones(3) * x,
        lambda x: operation("add", x, "1"),
    ],
    ids=["branch", "reduction", "array", "text"],
)
def test_what_no_kernel_can_do_is_refused(function):
    with pytest.raises(UntraceableError):
        expressed(function(symbol("x")))


def test_a_part_of_a_place_cannot_be_written():
    place = Place(symbol("a"))
    with pytest.raises(UntraceableError):
        place[0] = 1


@needs_compiler
def test_infinity_and_nan_are_numbers_too():
    x = symbol("x")
    kernel = PointwiseKernel(
        "ends", {"y": array_module(x).where(x > 0, float("inf"), float("nan"))}
    )
    y = to_strict(np.zeros(2))
    kernel({"x": to_strict(np.array([1.0, -1.0]))}, {"y": y})
    np.testing.assert_array_equal(to_host(y), [np.inf, np.nan])


@needs_compiler
def test_kernel_takes_views_with_steps():
    x = np.arange(24.0).reshape(4, 6)
    strict, out = to_strict(x), NAMESPACE.zeros((4, 6))
    kernel = PointwiseKernel("copied", {"y": symbol("x") + 1})
    kernel({"x": strict[:, 1:3]}, {"y": out[:, 4:]})
    expected = np.zeros((4, 6))
    expected[:, 4:] = x[:, 1:3] + 1
    np.testing.assert_array_equal(to_host(out), expected)
