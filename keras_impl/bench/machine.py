"""What was measured on: nothing that says whose machine it is, or where its files are."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import scratchnet

PACKAGES = ("numpy", "keras", "tensorflow", "torch", "jax", "jaxlib", "threadpoolctl")


def describe(threads: int, command: str) -> dict[str, Any]:
    """Return machine, versions, threads, date, commit and command, as JSON can hold them."""
    from keras_impl.bench.threads import available

    return {
        "cpu": processor(),
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "cores_available": available(),
        "threads": threads,
        "system": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "versions": {"scratchnet": scratchnet.__version__, **versions(PACKAGES)},
        "blas": _blas(),
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "command": command,
    }


def processor() -> str:
    """Return the processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or platform.machine()


def checkout() -> Path | None:
    """Return the folder of the checkout that this code runs from, or None."""
    folder = Path(__file__).parents[2]
    return folder if (folder / ".git").exists() else None


def commit() -> str | None:
    """Return the checkout's commit, with ``+`` where files differ from it; None without one."""
    folder = checkout()
    if folder is None:
        return None
    try:
        name = _git(folder, "rev-parse", "--short=12", "HEAD")
        changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError):
        return None
    return name + ("+" if changed else "")


def _git(folder: Path, *words: str) -> str:
    found = subprocess.run(
        ["git", *words], cwd=folder, capture_output=True, text=True, check=True, timeout=10
    )
    return found.stdout.strip()


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Return the versions of those packages that are installed."""
    found = {}
    for name in packages:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _blas() -> list[str]:
    """Return name, version and kernels of each BLAS that is loaded, NumPy's for one."""
    from threadpoolctl import threadpool_info

    found = {
        " ".join(
            str(one[key]) for key in ("internal_api", "version", "architecture") if one.get(key)
        )
        for one in threadpool_info()
        if one["user_api"] == "blas"
    }
    return sorted(found)
