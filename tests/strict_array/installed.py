"""The strict array where ``import cupy`` finds it: a device for a machine without one."""

from __future__ import annotations

import contextlib
import importlib.machinery
import sys
import types
from collections.abc import Iterator
from typing import Any
from unittest import mock

from scratchnet.kernels.device import products
from tests.strict_array.array import StrictArray
from tests.strict_array.cublas import LIBRARY
from tests.strict_array.namespace import NAMESPACE


@contextlib.contextmanager
def installed() -> Iterator[Any]:
    """Let ``import cupy`` and ``import cupyx`` give the stand-in until the end of the block.

    A StrictArray then says that its type is CuPy's, so `scratchnet.backend.array_module` finds it
    the way it finds CuPy's.
    """
    with contextlib.ExitStack() as stack:
        stack.callback(sys.modules.update, _taken_away())  # and nothing else: what a test imports
        stack.callback(_taken_away)  # stays imported, or its classes would be there twice
        sys.modules.update(_modules())
        stack.enter_context(mock.patch.object(StrictArray, "__module__", "cupy"))
        stack.enter_context(mock.patch.object(NAMESPACE, "standing_in", True))
        for_pickle = mock.patch.object(NAMESPACE, StrictArray.__name__, StrictArray, create=True)
        stack.enter_context(for_pickle)
        stack.enter_context(mock.patch.object(products, "cublas_library", return_value=LIBRARY))
        products._handle.cache_clear()
        stack.callback(products._handle.cache_clear)
        yield NAMESPACE


def _taken_away() -> dict[str, Any]:
    """Take every module of CuPy's out of those that are imported."""
    names = [name for name in sys.modules if name.partition(".")[0] in ("cupy", "cupyx")]
    return {name: sys.modules.pop(name) for name in names}


def _modules() -> dict[str, Any]:
    special = _module("cupyx.scipy.special", erfc=NAMESPACE.erfc)
    scipy = _module("cupyx.scipy", special=special)
    modules = {
        "cupy": NAMESPACE,
        "cupyx": _module("cupyx", scipy=scipy),
        "cupyx.scipy": scipy,
        "cupyx.scipy.special": special,
    }
    for name in ("cuda", "random"):
        modules[f"cupy.{name}"] = getattr(NAMESPACE, name)
    for name in ("runtime", "memory"):
        modules[f"cupy.cuda.{name}"] = getattr(NAMESPACE.cuda, name)
    return modules


def _module(name: str, **members: Any) -> types.ModuleType:
    module = types.ModuleType(name)
    module.__spec__ = importlib.machinery.ModuleSpec(name, None)
    vars(module).update(members)
    return module
