"""The GPU: CuPy where it can compute on one, or what is missing and what to do about it.

The only module that imports CuPy to make arrays on a device.
"""

from __future__ import annotations

import ctypes
import sys
from typing import Any, NoReturn

from scratchnet.device_errors import is_out_of_memory, out_of_memory, reason
from scratchnet.errors import DeviceError

PACKAGES = ("cupy", "cupy-cuda11x", "cupy-cuda12x", "cupy-cuda13x")
"""Names under which CuPy is installed: of these there may be one."""

OLDEST = 12
"""The CUDA version, without what is behind the point, that a driver has to be for."""

_tried: Any = None


def gpu_module() -> Any:
    """Return CuPy once it has computed something on the device: its libraries load when needed.

    Raises
    ------
    DeviceError
        If it is not installed, or twice, or for another CUDA, or there is no device.
    """
    global _tried
    if _tried is not None and sys.modules.get("cupy") is _tried:
        return _tried
    _expect_one_package()
    try:
        import cupy
    except ImportError as error:
        _refuse_import(error)
    if cupy is not _tried:
        _expect_device(cupy)
        _try(cupy)
        _tried = cupy
    return cupy


def gpu_version() -> dict[str, str]:
    """Return the version of what computes on the GPU, by its name."""
    return {"cupy": gpu_module().__version__}


def cublas_library() -> Any:
    """Return the cuBLAS that CuPy itself is linked to, for ctypes.

    The extension module brings its library with it, and symbols are looked for there too.
    """
    from cupy_backends.cuda.libs import cublas

    return ctypes.CDLL(cublas.__file__)


def _expect_one_package() -> None:
    names = _installed()
    if len(names) > 1:
        _expect_driver()
        raise DeviceError(
            f"gpu: expected one CuPy, got {' and '.join(names)}, which overwrite each other. "
            f"{_pip(*names)}"
        )


def _refuse_import(error: ImportError) -> NoReturn:
    _expect_driver()  # or CuPy, once there, would be of no use
    names = _installed()
    if not names:
        raise DeviceError(
            f"gpu: expected CuPy, got none installed. {_pip()}, or stay on the CPU."
        ) from None
    raise DeviceError(
        f"gpu: expected a CuPy that can be imported, got {reason(error)}. {_pip(*names)}, or stay "
        "on the CPU."
    ) from error


def _expect_device(cupy: Any) -> None:
    try:
        count, problem = cupy.cuda.runtime.getDeviceCount(), "none that CUDA can see"
    except RuntimeError as error:  # CuPy's CUDARuntimeError is one
        count, problem = 0, reason(error)
    if count:
        return
    _expect_driver()
    built, driver = cupy.cuda.runtime.runtimeGetVersion() // 1000, _driver_cuda()
    remedy = "Look at nvidia-smi and CUDA_VISIBLE_DEVICES"
    if driver < built:
        problem = f"a driver for CUDA {driver} and a CuPy for CUDA {built} ({problem})"
        remedy = f"{_pip(*_installed())}, or install a newer driver"
    raise DeviceError(f"gpu: expected a CUDA device, got {problem}. {remedy}, or stay on the CPU.")


def _expect_driver() -> None:
    cuda = _driver_cuda()
    if cuda < OLDEST:
        found = f"a driver for CUDA {cuda}" if cuda else "no driver of NVIDIA's"
        remedy = "a newer one" if cuda else "it where there is a GPU"
        raise DeviceError(
            f"gpu: expected a CUDA device, got {found}. Install {remedy}, or stay on the CPU."
        ) from None


def _try(cupy: Any) -> None:
    """Run a kernel, which is compiled for it, and a product."""
    try:
        ones = cupy.ones((2, 2), dtype="float32")
        if float((ones @ (ones + 1)).sum()) != 16:
            raise RuntimeError("wrong sums")
    except Exception as error:  # whatever it is, this much any device can do
        if is_out_of_memory(error):
            raise DeviceError(out_of_memory(error)) from error
        raise DeviceError(
            f"gpu: expected CuPy to compute on the device, got {reason(error)}. "
            f"{_pip(*_installed())}, or stay on the CPU."
        ) from error


def _installed() -> list[str]:
    """Return the names under which a CuPy is installed."""
    from importlib import metadata  # takes a while, and is not asked on the CPU

    found = []
    for name in PACKAGES:
        try:
            metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        found.append(name)
    return found


def _pip(*instead_of: str) -> str:
    """Return the commands that install a CuPy in place of others, its libraries included.

    The one for CUDA 12 runs on newer drivers too; who has chosen another that does keeps it.
    """
    keeps = "cupy-cuda13x" in instead_of and _driver_cuda() not in range(1, 13)
    wanted = "cupy-cuda13x[ctk]" if keeps else "scratchnet[gpu]"
    install = f'pip install "{wanted}"'
    return f"pip uninstall -y {' '.join(instead_of)} && {install}" if instead_of else install


def _driver_cuda() -> int:
    """Return the CUDA version that the driver is for, without what is behind the point, or 0."""
    version = ctypes.c_int(0)
    try:
        library = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
        library.cuDriverGetVersion(ctypes.byref(version))
    except (OSError, AttributeError):
        return 0
    return version.value // 1000
