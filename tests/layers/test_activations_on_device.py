"""Activations on a device: one kernel each way, made from the page."""

import functools

import numpy as np
import pytest

from scratchnet.backend import to_host
from scratchnet.equations import activations
from scratchnet.kernels.device.rows.kernel import RowKernel
from scratchnet.kernels.device.tracing.pointwise import PointwiseKernel
from scratchnet.layers import Activation, Dense
from scratchnet.layers.activation import ALONG_ROWS, FORWARD
from tests.helpers import DEVICE_TOLERANCE, assert_agrees
from tests.strict_array import StrictArray, to_strict
from tests.strict_array.compiling import needs_compiler

pytestmark = needs_compiler

WITH_SETTINGS = [
    {"name": "gelu", "approximate": True},
    {"name": "leaky_relu", "negative_slope": 0.3},
    functools.partial(activations.elu, alpha=0.7),
]


@pytest.fixture
def kernels(monkeypatch):
    """Collect the kernels that run."""
    found = []
    for kind in (PointwiseKernel, RowKernel):

        def call(self, *arguments, original=kind.__call__):
            found.append(self)
            return original(self, *arguments)

        monkeypatch.setattr(kind, "__call__", call)
    return found


def name_of(activation):
    """Return a test's name, the same in every process."""
    return str((getattr(activation, "func", None) and activation.func.__name__) or activation)


@pytest.mark.parametrize("activation", [*FORWARD, *WITH_SETTINGS], ids=name_of)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_one_kernel_each_way(activation, dtype, kernels):
    rng = np.random.default_rng(0)
    x, dy = rng.standard_normal((2, 3, 4, 7)).astype(dtype) * 3
    host, device = Activation(activation, dtype=dtype), Activation(activation, dtype=dtype)
    y = device.forward(to_strict(x), training=True)
    dx = device.backward(to_strict(dy))
    assert type(y) is type(dx) is StrictArray
    assert y.dtype == dx.dtype == dtype
    assert_agrees(to_host(y), host.forward(x, training=True), DEVICE_TOLERANCE[dtype])
    assert_agrees(to_host(dx), host.backward(dy), DEVICE_TOLERANCE[dtype])
    assert len(kernels) == (0 if activation == "linear" else 2)
    along_rows = host.activation.forward in ALONG_ROWS
    assert all(isinstance(kernel, RowKernel) == along_rows for kernel in kernels)


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "softmax"])
def test_the_end_of_a_dense_layer(activation, kernels):
    x = np.random.default_rng(0).standard_normal((5, 3))
    layer = Dense(4, activation, dtype="float64")
    expected = layer(x)
    twin = Dense(4, activation, dtype="float64")
    twin(to_strict(x))
    twin.set_weights([to_strict(array) for array in layer.get_weights()])
    kernels.clear()
    assert_agrees(to_host(twin(to_strict(x))), expected, 1e-13)
    assert activation in str([kernel.name for kernel in kernels])


def test_the_host_has_no_kernels(kernels):
    layer = Activation("softmax")
    layer.forward(np.ones((2, 3)), training=True)
    layer.backward(np.ones((2, 3)))
    assert kernels == []
