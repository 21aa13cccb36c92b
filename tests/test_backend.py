"""Whatever holds the input holds the result; nothing crosses to or from a device unasked."""

import inspect
import math
import sys
import types

import numpy as np
import pytest

from scratchnet import backend
from scratchnet.backend import array_module, erfc, random_generator, to_host, to_like
from scratchnet.equations import activations
from scratchnet.equations.dense import dense, dense_backward
from scratchnet.equations.perceptron import perceptron, perceptron_update
from tests.strict_array import NAMESPACE, StrictArray, to_strict

ACTIVATIONS = {
    name: function
    for name, function in inspect.getmembers(activations, inspect.isfunction)
    if hasattr(activations, f"{name}_backward")
}
SETTINGS = {"gelu": [{}, {"approximate": True}]}


def random_array(*shape: int, dtype: str = "float64") -> np.ndarray:
    return (3 * np.random.default_rng(1958).standard_normal(shape)).astype(dtype)


def assert_same(actual, reference: np.ndarray):
    """A StrictArray with the reference's numbers, to the last bit, and its dtype and shape."""
    assert type(actual) is StrictArray
    assert actual.dtype == reference.dtype
    np.testing.assert_array_equal(to_host(actual), reference, strict=True)


class TestStrictArray:
    @pytest.mark.parametrize(
        "mix",
        [
            lambda s, h: s + h,
            lambda s, h: h + s,
            lambda s, h: h @ s,
            lambda s, h: s >= h,
            lambda s, h: h == s,
            lambda s, h: s * np.float32(2),
            lambda s, h: np.float64(2) * s,
            lambda s, h: s.__iadd__(h),
            lambda s, h: h.__iadd__(s),
            lambda s, h: s.__setitem__(0, h[0]),
            lambda s, h: h.__setitem__(0, s[0]),
            lambda s, h: s[np.array([0, 1])],
            lambda s, h: NAMESPACE.where(s > 0, h, 0),
            lambda s, h: NAMESPACE.exp(s, out=h),
            lambda s, h: NAMESPACE.concatenate([s, h]),
            lambda s, h: np.exp(s),
            lambda s, h: np.exp(h, out=s),
            lambda s, h: np.sum(s),
            lambda s, h: np.where(h > 0, s, 0),
            lambda s, h: np.concatenate([s, s]),
            lambda s, h: np.asarray(s),
            lambda s, h: np.array([s, s]),
            lambda s, h: np.array(s, dtype=np.float32),
            lambda s, h: float(s),
            lambda s, h: bool(s),
        ],
    )
    def test_refuses_to_mix_with_numpy(self, mix):
        host = random_array(2, 2)
        with pytest.raises((TypeError, ValueError)):
            mix(to_strict(host), host.copy())

    @pytest.mark.parametrize("mix", [lambda s, h: s + h, lambda s, h: h + s, lambda s, h: h < s])
    def test_says_what_to_do(self, mix):
        with pytest.raises(TypeError, match=r"a StrictArray met ndarray .* use to_like"):
            mix(to_strict(np.ones(2)), np.ones(2))

    @pytest.mark.parametrize("name", ["tolist", "tobytes", "ctypes", "__array_interface__"])
    def test_has_no_back_doors(self, name):
        with pytest.raises(AttributeError):
            getattr(to_strict(random_array(2)), name)

    @pytest.mark.parametrize("name", ["errstate", "vectorize", "no_such_function"])
    def test_namespace_lacks_what_a_device_lacks(self, name):
        with pytest.raises(AttributeError):
            getattr(NAMESPACE, name)

    def test_computes_what_numpy_computes(self):
        a, b = random_array(3, 2), random_array(2, 3)
        s, t = to_strict(a), to_strict(b)
        assert_same(s @ t - 2 * s[0, 0], a @ b - 2 * a[0, 0])
        assert_same(-(abs(s) ** 2) / 3, -(abs(a) ** 2) / 3)
        assert_same((s > 0) & ~(s > 1), (a > 0) & ~(a > 1))
        assert_same(1 - s.T, 1 - a.T)
        assert_same(s.sum(axis=0).astype("float32"), a.sum(axis=0).astype("float32"))
        assert_same(NAMESPACE.stack([s, s + 1]), np.stack([a, a + 1]))
        assert_same(NAMESPACE.linalg.norm(s), np.asarray(np.linalg.norm(a)))
        assert float(s[1, 1]) == a[1, 1]
        assert len(s) == 3
        assert [row.shape for row in s] == [(2,)] * 3

    def test_writes_in_place_and_only_to_itself(self):
        host = random_array(3, 2)
        strict = to_strict(host)
        same, kept = strict, host.copy()
        strict += 1
        strict[0] = to_strict(np.zeros(2))
        NAMESPACE.add.at(strict, to_strict(np.array([1, 1])), 2.0)
        assert strict is same
        np.testing.assert_array_equal(host, kept)
        np.testing.assert_array_equal(
            to_host(strict), np.stack([np.zeros(2), host[1] + 1 + 4, host[2] + 1])
        )

    def test_get_is_a_copy(self):
        strict = to_strict(random_array(2))
        strict.get()[:] = 0
        assert_same(strict, random_array(2))


class TestArrayModule:
    @pytest.mark.parametrize("array", [np.zeros(2), np.float32(1), [1.0], (1, 2), 1.0, 3, None])
    def test_numpy_for_host_values(self, array):
        assert array_module(array) is np

    def test_namespace_of_the_array(self):
        assert array_module(to_strict(np.zeros(2))) is NAMESPACE

    def test_cupy_for_its_arrays(self, monkeypatch):
        cupy = types.ModuleType("cupy")
        monkeypatch.setitem(sys.modules, "cupy", cupy)
        array = type("ndarray", (), {"__module__": "cupy"})()
        assert array_module(array) is cupy


class TestMoving:
    def test_to_host_copies_from_the_device(self):
        host = to_host(to_strict(random_array(3)))
        assert type(host) is np.ndarray
        np.testing.assert_array_equal(host, random_array(3))

    def test_to_host_leaves_a_host_array(self):
        array = random_array(3)
        assert to_host(array) is array

    def test_to_like(self):
        array = random_array(3)
        assert to_like(array, np.zeros(1)) is array
        assert_same(to_like(array, to_strict(np.zeros(1))), array)

    def test_random_generator_is_seeded_and_lives_where_asked(self):
        reference = np.random.default_rng(7)
        here, there = random_generator(7), random_generator(7, to_strict(np.zeros(1)))
        for name in ("random", "standard_normal"):
            drawn = getattr(reference, name)((2, 3))
            np.testing.assert_array_equal(getattr(here, name)((2, 3)), drawn)
            assert_same(getattr(there, name)((2, 3)), drawn)


class TestErfc:
    points = np.array([-1e4, -6, -1.5, -1e-7, -0.0, 0.0, 1e-7, 0.3, 1, 5, 26, 1e4])

    @pytest.mark.parametrize("dtype", ["float64", "float32"])
    def test_is_the_c_librarys(self, dtype):
        x = self.points.astype(dtype)
        y = erfc(x)
        assert y.dtype == dtype
        np.testing.assert_array_equal(y, np.array([math.erfc(v) for v in x]).astype(dtype))

    @pytest.mark.parametrize("shape", [(), (0,), (2, 0), (2, 3, 1)])
    def test_keeps_the_shape(self, shape):
        assert erfc(np.ones(shape, "float32")).shape == shape
        assert erfc(np.ones(shape, "float32")).dtype == "float32"

    def test_on_a_device(self):
        assert_same(erfc(to_strict(self.points)), erfc(self.points))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_stay_on_their_device(name, dtype):
    x, dy = random_array(5, 7, dtype=dtype), random_array(7, 5, dtype=dtype).T
    forward, backward = ACTIVATIONS[name], getattr(activations, f"{name}_backward")
    for settings in SETTINGS.get(name, [{}]):
        y = forward(x, **settings)
        strict_y = forward(to_strict(x), **settings)
        assert_same(strict_y, y)
        strict_dx = backward(to_strict(dy), to_strict(x), strict_y, **settings)
        assert_same(strict_dx, backward(dy, x, y, **settings))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_dense_stays_on_its_device(dtype):
    x, W, b = (random_array(*shape, dtype=dtype) for shape in [(5, 3), (3, 2), (2,)])
    da = random_array(5, 2, dtype=dtype)
    for bias in (b, None):
        strict_bias = None if bias is None else to_strict(bias)
        assert_same(dense(to_strict(x), to_strict(W), strict_bias), dense(x, W, bias))
    found = dense_backward(to_strict(da), to_strict(x), to_strict(W))
    for actual, reference in zip(found, dense_backward(da, x, W), strict=True):
        assert_same(actual, reference)


def test_perceptron_stays_on_its_device():
    x, w, b = random_array(3), random_array(4)[1:], random_array(5)[4:]
    y_pred = perceptron(x, w, b)
    assert_same(perceptron(to_strict(x), to_strict(w), to_strict(b)), y_pred)
    found = perceptron_update(
        to_strict(x), 1, to_strict(y_pred), to_strict(w), to_strict(b), learning_rate=0.5
    )
    for actual, reference in zip(found, perceptron_update(x, 1, y_pred, w, b, 0.5), strict=True):
        assert_same(actual, reference)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(3, 5), (1,), (0, 4), (70, 33, 2)], ids=str)
def test_aligned_arrays_begin_with_a_line_of_the_cache(shape, dtype):
    arrays = [backend.empty_aligned(np, shape, dtype) for _ in range(5)]
    for n, array in enumerate(arrays):
        assert (array.shape, array.dtype) == (shape, dtype)
        assert array.ctypes.data % 64 == 0 or not array.size
        assert array.flags.c_contiguous
        assert array.flags.writeable
        array[...] = n
    assert all((array == n).all() for n, array in enumerate(arrays))
