"""Numeric derivatives: as close as they say they are, and not relied on where they cannot be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from scratchnet.gradcheck import numeric
from tests.helpers import assert_agrees

pytestmark = pytest.mark.slow

UNARY = {
    "tanh": (np.tanh, lambda v: 1 / np.cosh(v) ** 2),
    "exp": (lambda v: np.exp(np.clip(v, -50, 50)), lambda v: np.exp(v) * (abs(v) < 50)),
    "sin": (np.sin, np.cos),
    "polynomial": (lambda v: v**3 - 2 * v + 1, lambda v: 3 * v**2 - 2),
    "sigmoid": (lambda v: 1 / (1 + np.exp(-v)), lambda v: np.exp(-v) / (1 + np.exp(-v)) ** 2),
    "rational": (lambda v: 1 / (2 + v * v), lambda v: -2 * v / (2 + v * v) ** 2),
    "relu": (lambda v: np.maximum(v, 0), lambda v: (v > 0).astype(v.dtype)),
    "root": (lambda v: np.sqrt(1 + v * v), lambda v: v / np.sqrt(1 + v * v)),
}


class Counted:
    """A function of ``x`` that counts its calls."""

    def __init__(self, function: Any) -> None:
        self.function, self.calls = function, 0

    def __call__(self, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        self.calls += 1
        return {"y": self.function(arrays["x"])}


def first_column(function: Any, x: Any, precision: str = "float64") -> numeric.Columns:
    return numeric.columns(Counted(function), {"x": np.array(x, float)}, [("x", (0,))], precision)


def composed(rng: np.random.Generator, dtype: Any, scales: float) -> Any:
    """Return a function y = o·f(B·g(A·x + b)), a point, and its Jacobian in extended precision."""
    outer, inner = (UNARY[name] for name in rng.choice(list(UNARY), 2))
    of_x, of_y = 10.0 ** rng.uniform(-scales, scales, 2)
    x = (rng.standard_normal(3) * of_x).astype(dtype)
    A = (rng.standard_normal((4, 3)) / of_x).astype(dtype)
    b, B = rng.standard_normal(4).astype(dtype), rng.standard_normal((2, 4)).astype(dtype)

    def function(v: np.ndarray) -> np.ndarray:
        return dtype(of_y) * outer[0](B @ inner[0](A @ v.astype(dtype) + b)).astype(dtype)

    xl, Al, bl, Bl = (array.astype(np.longdouble) for array in (x, A, b, B))
    a = Al @ xl + bl
    rows = np.longdouble(dtype(of_y)) * outer[1](Bl @ inner[0](a))
    jacobian = (rows[:, None] * Bl) @ (inner[1](a)[:, None] * Al)
    return function, x, jacobian.astype(float)


@pytest.mark.parametrize(("precision", "usual"), [("float64", 1e-10), ("float32", 1e-4)])
@pytest.mark.parametrize("scales", [0.0, 6.0])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_errors_are_estimated_honestly(precision, usual, scales):
    rng = np.random.default_rng(3)
    dishonest = total = 0
    relative = []
    for _ in range(350):
        function, x, jacobian = composed(rng, np.dtype(precision).type, scales)
        coordinates = [("x", (i,)) for i in range(3)]
        found = numeric.columns(Counted(function), {"x": x}, coordinates, precision)
        off = abs(found.values - jacobian)
        dishonest += int(np.sum(off > 10 * found.errors + 1e-40))
        total += off.size
        scale = abs(jacobian).max(axis=1, keepdims=True) + 1e-300
        relative += [*(off / scale)[found.judged]]
    assert total == 2100
    assert dishonest <= 0.001 * total
    assert len(relative) > 0.9 * total
    assert np.median(relative) < usual / 10
    assert np.quantile(relative, 0.9) < usual * 10


def test_a_smooth_function_takes_eight_calls_a_coordinate():
    rng = np.random.default_rng(0)
    x, A = rng.standard_normal((3, 4)), rng.standard_normal((4, 2))
    run = Counted(lambda v: np.tanh(v @ A))
    coordinates, complete = numeric.choose({"x": x}, ["x"], 100, rng)
    found = numeric.columns(run, {"x": x}, coordinates)
    assert complete
    assert len(coordinates) == 12
    assert run.calls <= 8 * 12 + 22
    expected = np.zeros((3, 2, 3, 4))
    for row in range(3):
        expected[row, :, row] = (A * (1 - np.tanh(x @ A)[row] ** 2)).T
    assert found.judged.all()
    assert found.reasons == [""] * 12
    assert_agrees(found.values, expected.reshape(6, 12), 1e-11)


def relu(v: np.ndarray) -> np.ndarray:
    return np.maximum(v, 0)


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (relu, "kink"),
        (abs, "kink"),
        (lambda v: v + 0.1 * relu(v), "kink"),
        (lambda v: np.heaviside(v, 1.0), "step"),
        (lambda v: np.sign(v), "step"),
        (np.sqrt, "not finite"),
        (np.log, "not finite"),
    ],
)
@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_where_there_is_no_derivative_none_is_judged(function, reason, precision):
    found = first_column(function, [0.0], precision)
    assert not found.judged.any()
    assert found.reasons == [reason]


@pytest.mark.parametrize("distance", [1e-2, 1e-4, -1e-4, 1e-6, -1e-6])
def test_a_kink_that_only_large_steps_cross_spoils_nothing(distance):
    found = first_column(lambda v: relu(v[:1]), [distance, 1.0, -2.0])
    assert found.judged.all()
    assert found.values.item() == pytest.approx(float(distance > 0), abs=1e-7)


def test_a_function_that_stays_the_same_has_no_derivative_to_speak_of():
    found = first_column(lambda v: np.heaviside(v, 1.0), [0.3])
    assert (found.values, found.judged.all()) == (0.0, True)
    saturated = first_column(lambda v: 1 / (1 + np.exp(-v)), [40.0])
    assert (saturated.values, saturated.judged.all()) == (0.0, True)
    assert 4.3e-18 <= saturated.errors.item() < 1e-15


def test_a_derivative_of_zero_is_judged():
    found = first_column(np.cos, [0.0])
    assert found.judged.all()
    assert abs(found.values.item()) < 1e-12


def test_cancellation_shows_in_the_error():
    found = first_column(lambda v: 1e10 + v, [1.0])
    assert found.errors.item() > 1e-11
    hidden = first_column(lambda v: 1e10 + 1e-5 * np.sin(v), [0.7])
    assert not hidden.judged.any()
    assert hidden.reasons == ["cancellation"]


def test_rounding_inside_the_function_shows_in_the_error():
    rng = np.random.default_rng(5)
    for x in rng.standard_normal(50):
        found = first_column(lambda v: (np.sin(v) + 1e6) - 1e6, [x])
        assert abs(found.values.item() - np.cos(x)) <= 10 * found.errors.item()


def test_large_arrays_of_small_numbers_and_small_of_large():
    for scale in (1e-6, 1e6):
        x = scale * np.array([0.7, -1.1])
        found = first_column(lambda v, s=scale: np.tanh(v / s + 0.2), x)
        assert_agrees(found.values[0] * scale, [1 - np.tanh(0.9) ** 2], 1e-10)


def test_the_callers_arrays_are_left_alone():
    def greedy(arrays):
        arrays["x"] *= 2
        return {"y": arrays["x"].copy()}

    x = np.array([1.0, 2.0])
    x.flags.writeable = False
    found = numeric.columns(greedy, {"x": x}, [("x", (1,))])
    assert x.tolist() == [1.0, 2.0]
    assert_agrees(found.values[:, 0], [0.0, 2.0], 1e-12)


def test_directional_is_the_jacobian_times_the_direction():
    rng = np.random.default_rng(1)
    arrays = {"x": rng.standard_normal((3, 4)), "W": 1e-3 * rng.standard_normal((4, 2))}
    direction = {name: rng.standard_normal(array.shape) for name, array in arrays.items()}

    def run(given):
        return {"y": np.sin(given["x"] @ given["W"]), "s": given["x"].sum()}

    coordinates, _ = numeric.choose(arrays, ["x", "W"], 100, rng)
    full = numeric.columns(run, arrays, coordinates)
    along = numeric.directional(run, arrays, [direction])
    assert along.coordinates == [("direction", (0,))]
    assert along.judged.all()
    assert_agrees(along.values[:, 0], full.values @ numeric.flatten(direction), 1e-9)


@pytest.mark.parametrize("shape", [(30, 20), (7, 5, 9), (500,), (1, 200)])
def test_a_sample_covers_every_array_and_axis(shape):
    rng = np.random.default_rng(2)
    arrays = {"big": np.zeros(shape), "b": np.zeros(3), "one": np.zeros(())}
    coordinates, complete = numeric.choose(arrays, list(arrays), 100, rng)
    assert not complete
    assert len(set(coordinates)) == len(coordinates)
    assert [index for name, index in coordinates if name == "b"] == [(0,), (1,), (2,)]
    assert ("one", ()) in coordinates
    chosen = [index for name, index in coordinates if name == "big"]
    assert 24 <= len(chosen) <= 110
    assert {tuple(0 for _ in shape), tuple(n - 1 for n in shape)} <= set(chosen)
    for axis, n in enumerate(shape):
        assert len({index[axis] for index in chosen}) >= min(n, 0.7 * len(chosen))


def test_taylor_slopes():
    rng = np.random.default_rng(4)
    arrays = {"x": rng.standard_normal((3, 2)), "w": rng.standard_normal(2)}

    def loss(given):
        return float(np.sum(np.tanh(given["x"] @ given["w"]) ** 2))

    a = np.tanh(arrays["x"] @ arrays["w"])
    da = 2 * a * (1 - a**2)
    right = {"x": np.outer(da, arrays["w"]), "w": arrays["x"].T @ da}
    wrong = {**right, "w": 1.001 * right["w"]}
    for seed in range(20):
        rng = np.random.default_rng(seed)
        assert numeric.taylor_slope(loss, right, arrays, rng) == pytest.approx(2, abs=0.3)
        assert numeric.taylor_slope(loss, wrong, arrays, rng) == pytest.approx(1, abs=0.3)
    assert numeric.taylor_slope(
        lambda given: float(given["w"].sum()), {"w": np.ones(2)}, arrays, rng
    ) is None  # fmt: skip
    assert numeric.taylor_slope(
        lambda given: float(given["w"].sum()), {"w": np.array([1, 1.5])}, arrays, rng
    ) == pytest.approx(1, abs=0.1)  # fmt: skip


def test_the_complex_step_is_exact():
    rng = np.random.default_rng(6)
    arrays = {"x": rng.standard_normal(5)}
    coordinates = [("x", (i,)) for i in range(5)]

    def run(given):
        return {"y": np.exp(np.sin(given["x"]))}

    differences = numeric.columns(run, arrays, coordinates)
    exact = numeric.complex_columns(run, arrays, coordinates, differences)
    assert exact is not None
    x = arrays["x"]
    assert_agrees(exact, np.diag(np.exp(np.sin(x)) * np.cos(x)), 1e-15)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.tanh(x.astype(float)),
        lambda x: np.tanh(x.real),
        lambda x: np.tanh(np.abs(x)) * (1 + 0j),
        lambda x: np.array([float(v) for v in x]),
        lambda x: np.tanh(x) + 0.5 * np.conj(x),
    ],
)
def test_the_complex_step_knows_where_it_fails(function):
    arrays = {"x": np.array([0.3, -0.7])}
    coordinates = [("x", (0,)), ("x", (1,))]

    def run(given):
        return {"y": function(given["x"])}

    differences = numeric.columns(run, arrays, coordinates)
    assert numeric.complex_columns(run, arrays, coordinates, differences) is None
