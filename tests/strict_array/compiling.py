"""C++ into a function, by g++: what CUDA's compiler is for a kernel."""

from __future__ import annotations

import ctypes
import functools
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).parent
CACHE = Path(os.environ.get("SCRATCHNET_TEST_KERNELS", HERE.parents[1] / ".pytest_cache/kernels"))
COMPILER = shutil.which("g++")
FLAGS = ("-std=c++20", "-O0", "-w", "-fPIC", "-ffp-contract=off", f"-I{HERE}")

C_TYPES = {
    "bool": "bool",
    "int8": "signed char",
    "int16": "short",
    "int32": "int",
    "int64": "long long",
    "uint8": "unsigned char",
    "uint16": "unsigned short",
    "uint32": "unsigned int",
    "uint64": "unsigned long long",
    "float32": "float",
    "float64": "double",
}
"""CuPy's names in C of the types of arrays."""

needs_compiler = pytest.mark.skipif(COMPILER is None, reason="no g++ to compile kernels with")


class CompileError(Exception):
    """What the compiler said; CuPy's is ``cupy.cuda.compiler.CompileException``."""


def c_type(dtype: np.dtype) -> str:
    """Return the type in C, or raise TypeError for one that CuPy's kernels do not know."""
    try:
        return C_TYPES[dtype.name]
    except KeyError:
        raise TypeError(f"a kernel has no type for {dtype}") from None


@functools.cache
def library(code: str) -> ctypes.CDLL:
    """Compile once for all sessions; the file's name is the hash of all that it is made from."""
    if COMPILER is None:
        pytest.skip("no g++ to compile kernels with")
    headers = "".join(
        path.read_text() for path in sorted(HERE.glob("*.h")) if f'"{path.name}"' in code
    )
    path = CACHE / f"{_hash(headers, code)}.so"
    if not path.exists():
        _compile(path, "-shared", f"-I{_precompiled()}", "-x", "c++", "-", code=code)
    return ctypes.CDLL(str(path))


@functools.cache
def _precompiled() -> Path:
    """Return a folder where g++ finds the header that every kernel begins with, read already."""
    header = HERE / "cuda_like.h"
    folder = CACHE / _hash(header.read_text())
    path = folder / f"{header.name}.gch"
    if not path.exists():
        _compile(path, "-x", "c++-header", str(header))
    return folder


def _compile(path: Path, *options: str, code: str = "") -> None:
    """Compile into a file, which is there as a whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = path.with_name(f"{path.name}.{os.getpid()}")
    command = [str(COMPILER), *options, *FLAGS, "-o", str(made)]
    done = subprocess.run(command, input=code, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CompileError(f"{done.stderr}\n{code}")
    made.replace(path)


def _hash(*texts: str) -> str:
    return hashlib.sha256("\0".join((*FLAGS, *texts)).encode()).hexdigest()[:32]
