"""How much memory this process has, and had at most; None where the system does not tell."""

from __future__ import annotations

import sys
from pathlib import Path


def resident() -> float | None:
    """Return what this process has in memory now, MiB; on macOS the most it ever had."""
    return _status("VmRSS") or _most_ever()


def highest() -> float | None:
    """Return the most that this process had in memory since `forget_peak`, or ever, MiB."""
    return _status("VmHWM") or _most_ever()


def forget_peak() -> float | None:
    """Let `highest` begin anew, where the system can; return the highest so far."""
    before = highest()
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:  # not Linux, or not allowed
        return before
    return before


def _status(key: str) -> float | None:
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    kibibytes = (int(line.split()[1]) for line in lines if line.startswith(f"{key}:"))
    return next((size / 1024 for size in kibibytes), None)


def _most_ever() -> float | None:
    try:
        import resource
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20
