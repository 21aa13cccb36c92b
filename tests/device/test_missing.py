"""No GPU to use: one line that says why, and what to install or to leave out."""

import sys
import tomllib
import types
from pathlib import Path

import pytest

from scratchnet import Sequential, device, gpu, to_device
from scratchnet.errors import DeviceError
from scratchnet.layers import Dense

HOST = "or stay on the CPU."
INSTALL = 'pip install "scratchnet[gpu]"'
NO_DRIVER = (
    "gpu: expected a CUDA device, got no driver of NVIDIA's. Install it where there is a GPU, "
    f"{HOST}"
)
OLD_DRIVER = f"gpu: expected a CUDA device, got a driver for CUDA 11. Install a newer one, {HOST}"
ROOT = Path(__file__).parents[2]
MISSING_LIBRARY = """
================================================================
Failed to import CuPy.

If you installed CuPy via wheels, make sure that the package matches with the version of CUDA.

Original error:
  ImportError: libcublas.so.12: cannot open shared object file: No such file or directory
================================================================
"""


@pytest.fixture
def machine(monkeypatch):
    """Say which CuPys are installed, what importing one gives, and which CUDA the driver is for."""

    def say(*installed, cupy=None, driver=0):
        monkeypatch.setattr(gpu, "_installed", lambda: list(installed))
        monkeypatch.setattr(gpu, "_driver_cuda", lambda: driver)
        monkeypatch.setitem(sys.modules, "cupy", cupy)

    return say


def broken_import(monkeypatch, error):
    class Finder:
        def find_spec(self, name, path=None, target=None):
            if name == "cupy":
                raise error

    monkeypatch.delitem(sys.modules, "cupy", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Finder(), *sys.meta_path])


def cupy(count=1, built=12090, ones=None):
    def count_devices():
        if isinstance(count, Exception):
            raise count
        return count

    class OutOfMemoryError(MemoryError):
        pass

    runtime = types.SimpleNamespace(
        getDeviceCount=count_devices,
        runtimeGetVersion=lambda: built,
        memGetInfo=lambda: (10**9, 8 * 10**9),
    )
    memory = types.SimpleNamespace(OutOfMemoryError=OutOfMemoryError)

    def refuse(*_, **__):
        raise ones

    return types.SimpleNamespace(
        cuda=types.SimpleNamespace(runtime=runtime, memory=memory), ones=refuse
    )


def refusal(call=lambda: to_device([1.0], "gpu")):
    with pytest.raises(DeviceError) as e:
        call()
    line = str(e.value)
    assert "\n" not in line
    return line


@pytest.mark.parametrize("driver", [12, 13, 14])
def test_no_cupy(machine, driver):
    machine(driver=driver)
    expected = f"gpu: expected CuPy, got none installed. {INSTALL}, {HOST}"
    assert refusal() == expected
    for one in (Dense(2), Sequential([Dense(2)]), Sequential()):
        assert refusal(lambda one=one: one.to("gpu")) == expected
        assert one.device == "cpu"


@pytest.mark.parametrize("installed", [(), ("cupy-cuda12x",), ("cupy", "cupy-cuda13x")])
@pytest.mark.parametrize(("driver", "expected"), [(0, NO_DRIVER), (11, OLD_DRIVER)])
def test_what_is_missing_first_is_said_first(machine, installed, driver, expected):
    """A CuPy that was installed would be of no use yet."""
    machine(*installed, driver=driver)
    assert refusal() == expected


def test_what_to_install_is_the_extra():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (wanted,) = project["optional-dependencies"]["gpu"]
    assert wanted.startswith(f"cupy-cuda{gpu.OLDEST}x[ctk]>=14")


def test_two_cupys(machine):
    machine("cupy-cuda12x", "cupy-cuda13x", cupy=cupy(), driver=13)
    assert refusal() == (
        "gpu: expected one CuPy, got cupy-cuda12x and cupy-cuda13x, which overwrite each other. "
        'pip uninstall -y cupy-cuda12x cupy-cuda13x && pip install "cupy-cuda13x[ctk]"'
    )


@pytest.mark.parametrize(
    ("installed", "driver", "install"),
    [
        ("cupy-cuda12x", 13, INSTALL),
        ("cupy-cuda11x", 12, INSTALL),
        ("cupy", 14, INSTALL),
        ("cupy-cuda13x", 13, 'pip install "cupy-cuda13x[ctk]"'),
        ("cupy-cuda13x", 12, INSTALL),
    ],
)
def test_a_cupy_whose_libraries_are_missing(machine, monkeypatch, installed, driver, install):
    machine(installed, driver=driver)
    broken_import(monkeypatch, ImportError(MISSING_LIBRARY))
    assert refusal() == (
        "gpu: expected a CuPy that can be imported, got ImportError: "
        "libcublas.so.12: cannot open shared object file: No such file or directory. "
        f"pip uninstall -y {installed} && {install}, {HOST}"
    )


INSUFFICIENT = RuntimeError(
    "cudaErrorInsufficientDriver: CUDA driver version is insufficient for CUDA runtime version"
)


@pytest.mark.parametrize(
    ("driver", "count", "expected"),
    [
        (0, INSUFFICIENT, NO_DRIVER),
        (11, INSUFFICIENT, OLD_DRIVER),
        (
            *(12, INSUFFICIENT),
            "gpu: expected a CUDA device, got a driver for CUDA 12 and a CuPy for CUDA 13 "
            f"({INSUFFICIENT}). pip uninstall -y cupy-cuda13x && {INSTALL}, or install a newer "
            f"driver, {HOST}",
        ),
        (
            *(13, 0),
            "gpu: expected a CUDA device, got none that CUDA can see. Look at nvidia-smi and "
            f"CUDA_VISIBLE_DEVICES, {HOST}",
        ),
    ],
)
def test_no_device(machine, driver, count, expected):
    machine("cupy-cuda13x", cupy=cupy(count, built=13000), driver=driver)
    assert refusal() == expected


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("CuPy failed to load libnvrtc.so.12: OSError: libnvrtc.so.12: cannot open"),
        RuntimeError('Failure finding "libnvrtc.so.13 or libnvrtc.so.12": No such file\n'),
        ImportError("libcublas.so.12: cannot open shared object file"),
    ],
    ids=["softlink", "pathfinder", "cublas"],
)
def test_libraries_that_are_missed_when_something_is_computed(machine, error):
    machine("cupy-cuda13x", cupy=cupy(ones=error), driver=12)
    said = str(error).strip()
    assert refusal() == (
        f"gpu: expected CuPy to compute on the device, got {said}. "
        f"pip uninstall -y cupy-cuda13x && {INSTALL}, {HOST}"
    )


def test_a_device_that_is_full_from_the_start(machine):
    fake = cupy()
    error = fake.cuda.memory.OutOfMemoryError("Out of memory allocating 512 bytes (allocated so …)")
    fake.ones = lambda *_, **__: (_ for _ in ()).throw(error)
    machine("cupy-cuda13x", cupy=fake, driver=13)
    assert refusal().startswith("gpu: expected room for 512 bytes, got 1 GB free of 8 GB. Choose")


class CUBLASError(RuntimeError):
    """CuPy's, whose module cannot be imported without cuBLAS."""


class CompileException(Exception):  # noqa: N818
    """CuPy's, for what NVRTC says in many lines."""


@device.clearly
def compute(error):
    raise error


def test_a_gpu_that_fails_is_one_line(strict_cupy):
    for error, said in (
        (
            strict_cupy.cuda.runtime.CUDARuntimeError(700, "cudaErrorIllegalAddress: an illegal."),
            "cudaErrorIllegalAddress: an illegal",
        ),
        (CUBLASError("CUBLAS_STATUS_EXECUTION_FAILED"), "CUBLAS_STATUS_EXECUTION_FAILED"),
        (RuntimeError("cublasSgemm_v2: cuBLAS status 13"), "cublasSgemm_v2: cuBLAS status 13"),
        (CompileException("\n/tmp/a.cu(3): error: x\n  y\n"), "/tmp/a.cu(3): error: x"),
    ):
        with pytest.raises(DeviceError) as e:
            compute(error)
        assert str(e.value) == f"the GPU failed: {said}. Start again, {HOST}"
        assert e.value.__cause__ is error


def test_the_reason_is_one_line():
    assert device.reason(ValueError(" \n  first. \nsecond")) == "first"
    assert device.reason(RuntimeError()) == "RuntimeError"
    long = device.reason(RuntimeError("x" * 1000 + "\nmore"))
    assert long == "x" * 199 + "…"


def test_other_errors_are_left_as_they_are(strict_cupy):
    error = strict_cupy.cuda.runtime.CUDARuntimeError(900, "cudaErrorStreamCaptureUnsupported: no")
    plain = RuntimeError("of somebody else")
    for one in (error, plain, MemoryError("host"), ValueError("cudaErrorMemoryAllocation")):
        with pytest.raises(type(one)) as e:
            compute(one)
        assert e.value is one
    full = RuntimeError("cudaErrorMemoryAllocation: out of memory")
    assert refusal(lambda: compute(full)).startswith("gpu: expected room for more memory, got 8.59")


def test_the_gpu_is_tried_once(strict_cupy, monkeypatch):
    tried = []
    monkeypatch.setattr(gpu, "_try", tried.append)
    monkeypatch.setattr(gpu, "_tried", None)
    for _ in range(3):
        to_device([1.0], "gpu")
    assert tried == [strict_cupy]


def test_what_is_installed_here():
    assert set(gpu._installed()) <= set(gpu.PACKAGES)
    assert gpu._driver_cuda() in range(30)


def test_the_real_cupy():
    real = pytest.importorskip("cupy", reason="CuPy is not installed here")
    if real.cuda.is_available():
        assert type(to_device([1.0], "gpu")) is real.ndarray
    else:
        assert refusal().startswith("gpu: expected a CUDA device, got ")
