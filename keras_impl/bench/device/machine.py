"""Which GPU it was measured on: nothing that says whose machine it is, or where its files are."""

from __future__ import annotations

import datetime
import platform
import shutil
import subprocess
from typing import Any

import scratchnet
from keras_impl.bench.machine import commit, processor, versions

PACKAGES = (
    *("cupy", "cupy-cuda11x", "cupy-cuda12x", "cupy-cuda13x"),
    *("numpy", "torch", "keras", "tensorflow", "jax"),
)


def describe(xp: Any, command: str) -> dict[str, Any]:
    """Return device, driver, versions, date, commit and command, as JSON can hold them.

    Parameters
    ----------
    xp : module
        CuPy, with its current device.
    """
    runtime = xp.cuda.runtime
    name = runtime.getDeviceProperties(runtime.getDevice())["name"]
    return {
        "device": name.decode() if isinstance(name, bytes) else str(name),
        "memory": int(runtime.memGetInfo()[1]),
        "driver": driver(),
        "driver_cuda": dotted(runtime.driverGetVersion()),
        "cuda": dotted(runtime.runtimeGetVersion()),
        "cudnn": cudnn(),
        "cpu": processor(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "versions": {"scratchnet": scratchnet.__version__, **versions(PACKAGES)},
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "command": command,
    }


def dotted(version: int) -> str:
    """Return CUDA's number of a version, 13010, as people write it, 13.1."""
    return f"{version // 1000}.{version % 1000 // 10}"


def driver() -> str | None:
    """Return the driver's own version, of which CUDA tells only what it can run."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return None
    question = [program, "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        found = subprocess.run(question, capture_output=True, text=True, check=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.partition("\n")[0].strip() or None


def cudnn() -> str | None:
    """Return the version of the cuDNN that PyTorch brings."""
    try:
        import torch

        number = torch.backends.cudnn.version()
    except (ImportError, RuntimeError, AttributeError):
        return None
    return None if number is None else f"{number // 10000}.{number // 100 % 100}.{number % 100}"
