"""Where a test of this folder runs: on the stand-in for a device, and on a GPU if there is one."""

from collections.abc import Iterator

import pytest

from scratchnet.device import gpu_module
from tests.device.places import Place, StandIn, why_there_is_no_gpu
from tests.strict_array.compiling import COMPILER


@pytest.fixture(params=["stand-in", pytest.param("gpu", marks=pytest.mark.gpu)])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """A device, as `scratchnet` finds it."""
    if request.param == "gpu":
        if reason := why_there_is_no_gpu():
            pytest.skip(reason)
        import cupy

        yield Place(cupy)
        return
    if COMPILER is None:
        pytest.skip("no g++ to compile kernels with")
    stand_in = StandIn(request.getfixturevalue("strict_cupy"))
    gpu_module()  # which tries it, and looks at what comes out
    yield stand_in
