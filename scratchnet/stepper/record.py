"""`step`: run a function once and keep every line that it executed, with the values after it."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from types import CodeType
from typing import Any

from scratchnet.errors import InputError
from scratchnet.layers.recurrent_ways import PAGE_VARIABLE
from scratchnet.stepper.recording import Recording
from scratchnet.stepper.tracing.given import Given
from scratchnet.stepper.tracing.tracer import Tracer

MODULES = ("scratchnet.equations", "scratchnet.layers")
"""Whose functions are recorded, beside those of the recorded function's own module."""

HOUSEKEEPING = {
    "scratchnet.layers.base",
    "scratchnet.layers.parameters",
    "scratchnet.layers.recurrent_options",
    "scratchnet.layers.masks",
}
"""Checks and bookkeeping of the layers; recorded only where they are asked for by name."""

HOUSEKEEPING_FUNCTIONS = {
    "_build",
    "_has_kernel",
    "_setting",
    "_sweep",
    "config",
    "get_activation",
    "pair",
}
"""The same, function by function, of the layers; their ``get_config`` and ``__init__`` too."""

MAX_FRAMES = 20_000
MAX_BYTES = 16 * 2**20


def step(
    function: Callable[..., Any],
    *arguments: Any,
    modules: Sequence[str] | None = None,
    max_frames: int = MAX_FRAMES,
    max_bytes: int = MAX_BYTES,
    title: str | None = None,
    **keywords: Any,
) -> Recording:
    """Run ``function(*arguments, **keywords)`` once and record what it does.

    Recurrent layers run the page, `scratchnet.equations`, not the kernels.  Only this thread is
    looked at.  Afterwards everything is as it was: a debugger's trace function is in its place
    again, and the function runs as fast as ever.

    Parameters
    ----------
    function
        A function, a method, or any callable; what it calls is recorded too, as ``modules`` says.
    arguments, keywords
        Its arguments.
    modules
        Names of the modules to record, submodules included.  Unless given: `MODULES` without the
        layers' `HOUSEKEEPING`, and the module that ``function`` is from.
    max_frames, max_bytes
        When to stop recording: lines, and bytes of copied values.  The function still runs to its
        end; ``recording.truncated`` says where the recording stopped.
    title
        The page's; the function's name unless given.

    Returns
    -------
    Recording
        ``recording.frames`` are the lines; ``recording.save("lstm.html")`` is the page.

    Raises
    ------
    InputError
        If ``function`` cannot be called, or a limit is not positive.
    Exception
        Whatever the function raises, with what was recorded as its attribute ``recording``.

    Examples
    --------
    >>> import numpy as np
    >>> from scratchnet import step
    >>> from scratchnet.equations.dense import dense
    >>> recording = step(dense, np.ones((1, 2)), np.ones((2, 1)), np.zeros(1))
    >>> [recording.text(frame) for frame in recording.at(event="line")]
    ['a = x @ W  # (1)  (B, H)', 'if b is not None:', 'a += b  # (2)']
    """
    if not callable(function):
        raise InputError(
            f"step: expected a function, got {type(function).__name__}. Pass the function itself "
            "and its arguments: step(layer.forward, x), not step(layer.forward(x))."
        )
    for name, limit in (("max_frames", max_frames), ("max_bytes", max_bytes)):
        if limit < 1:
            raise InputError(f"step: expected {name} of at least 1, got {limit}")
    given = Given(function, arguments, keywords)
    before = given.copied()  # as the arguments are now: the function may write into them
    own = module_of(function)
    tracer = Tracer(_chosen(modules, own), max_frames, max_bytes, given.arrays())
    options = {"modules": modules, "max_frames": max_frames, "max_bytes": max_bytes}
    made = functools.partial(
        Recording, title=title or given.name, tracer=tracer, given=before, options=options
    )
    try:
        with _page(), _tracing(tracer):
            result = function(*arguments, **keywords)
    except BaseException as error:
        recording = made(result=None)
        said = f"{type(error).__name__}: {error}".removesuffix(": ")
        recording.truncated = recording.truncated or f"The run ended with {said}"
        with contextlib.suppress(AttributeError):
            error.recording = recording  # type: ignore[attr-defined]
        raise
    return made(result=result)


def module_of(function: Any) -> str:
    """Return the name of the module that a callable's code is in."""
    while isinstance(function, functools.partial):
        function = function.func
    function = getattr(function, "__func__", function)
    if not hasattr(function, "__code__"):  # a class, or an instance that can be called
        made = function if isinstance(function, type) else type(function)
        return str(made.__module__)
    return str(function.__globals__.get("__name__", ""))


def _chosen(modules: Sequence[str] | None, own: str) -> Callable[[CodeType, dict[str, Any]], bool]:
    wanted = MODULES if modules is None else tuple(modules)

    def traced(code: CodeType, scope: dict[str, Any]) -> bool:
        module = str(scope.get("__name__", ""))
        if modules is not None:
            return _within(module, wanted)
        if module == own:
            return True
        if not _within(module, wanted) or module in HOUSEKEEPING:
            return False
        if not module.startswith("scratchnet.layers"):
            return True
        name = code.co_name
        constructs = name == "__init__" and not module.endswith("page_sweep")
        return not constructs and name not in HOUSEKEEPING_FUNCTIONS and "config" not in name

    return traced


def _within(module: str, names: Sequence[str]) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in names)


@contextlib.contextmanager
def _page() -> Iterator[None]:
    """Let recurrent layers run the page."""
    before = os.environ.get(PAGE_VARIABLE)
    os.environ[PAGE_VARIABLE] = "1"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(PAGE_VARIABLE, None)
        else:
            os.environ[PAGE_VARIABLE] = before


@contextlib.contextmanager
def _tracing(tracer: Tracer) -> Iterator[None]:
    """Let the tracer look; then put whoever looked before back into place."""
    before = sys.gettrace()
    sys.settrace(tracer.trace)
    try:
        yield
    finally:
        sys.settrace(before)
        tracer.stop()
