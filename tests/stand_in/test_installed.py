"""``import cupy`` finds the stand-in inside the fixture, and only there."""

import sys

import numpy as np

from scratchnet.backend import array_module, erfc, to_host, to_like
from tests.strict_array import NAMESPACE, StrictArray, to_strict


def test_import_cupy_gives_the_stand_in(strict_cupy):
    import cupy
    import cupy.cuda
    from cupy.cuda.memory import OutOfMemoryError

    assert cupy is strict_cupy is NAMESPACE
    assert issubclass(OutOfMemoryError, MemoryError)
    assert cupy.cuda.runtime.getDeviceCount() == 1
    assert isinstance(cupy.asarray(np.zeros(3)), cupy.ndarray)


def test_the_backend_takes_cupys_own_way(strict_cupy):
    x = to_like(np.array([0.1, 2.0]), strict_cupy.zeros(1))
    assert type(x).__module__ == "cupy"
    assert array_module(x) is strict_cupy
    assert not hasattr(strict_cupy, "special")
    np.testing.assert_array_equal(to_host(erfc(x)), erfc(np.array([0.1, 2.0])))


def test_nothing_is_left_behind():
    assert sys.modules.get("cupy") is not NAMESPACE
    assert StrictArray.__module__ != "cupy"
    assert array_module(to_strict(np.ones(2))) is NAMESPACE
