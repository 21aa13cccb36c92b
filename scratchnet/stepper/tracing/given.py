"""What a recorded function was given: its arguments, and the arrays and numbers in them."""

from __future__ import annotations

import copy
import functools
import inspect
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from scratchnet.backend import Array
from scratchnet.errors import InputError
from scratchnet.layers.parameters import Parameters
from scratchnet.stepper.tracing.values import CONTAINER_SIZE, is_array, is_number

DEPTH = 6
"""How deep arrays are looked for in objects: ``model.layers[0].params['kernel']``."""

_WHOLE = (str, bytes, type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType)


@dataclass(frozen=True)
class Leaf:
    """One array or number among the arguments."""

    path: str
    """As in ``layer.params['kernel']``."""
    value: Any
    replace: Callable[[Any], None] | None
    """Puts another in its place; None where its holder cannot be written into."""

    @property
    def name(self) -> str:
        """The last part of the path: ``kernel``."""
        last = self.path.replace("['", ".").replace("']", "").rpartition(".")[2]
        return last.lstrip("_")


class Given:
    """A function with its arguments and the variables it takes from around it.

    Parameters
    ----------
    function, arguments, keywords
        As `step` gets them.
    """

    def __init__(
        self, function: Any, arguments: tuple[Any, ...], keywords: Mapping[str, Any]
    ) -> None:
        self.function = function
        self.arguments = list(arguments)
        self.keywords = dict(keywords)
        self.around = _around(function)
        self.problem: str | None = None

    @property
    def name(self) -> str:
        """The function's name."""
        function = self.function
        while isinstance(function, functools.partial):
            function = function.func
        name = getattr(function, "__qualname__", type(function).__name__)
        return str(name).rpartition("<locals>.")[2].strip("<>")

    def arrays(self) -> dict[str, Array]:
        """Return the arrays by path."""
        return {leaf.path: leaf.value for leaf in self.leaves() if not is_number(leaf.value)}

    def leaves(self) -> Iterator[Leaf]:
        """Yield the arrays and numbers of the arguments, then of the variables around."""
        seen: set[int] = set()
        owner = getattr(self.function, "__self__", None)
        if owner is not None and not isinstance(owner, types.ModuleType):
            yield from _leaves("self", owner, None, seen, DEPTH)
        names, missing = _parameters(self.function, self.arguments, self.keywords)
        for k, value in enumerate(list(self.arguments)):
            put = functools.partial(self.arguments.__setitem__, k)
            yield from _leaves(names[k], value, put, seen, DEPTH)
        for name, value in {**missing, **self.keywords}.items():
            put = functools.partial(self.keywords.__setitem__, name)
            yield from _leaves(name, value, put, seen, DEPTH)
        for name, value in list(self.around.items()):
            put = functools.partial(self.around.__setitem__, name)
            yield from _leaves(name, value, put, seen, DEPTH)

    def copied(self) -> Given:
        """Return a copy that shares nothing with this one, or that says why there is none."""
        held = (self.function, self.arguments, self.keywords, self.around)
        try:
            function, arguments, keywords, around = copy.deepcopy(held)
        except Exception as error:
            answer = Given(self.function, (), {})
            answer.problem = f"{type(error).__name__}: {error}"
            return answer
        answer = Given(function, tuple(arguments), keywords)
        answer.around = around
        return answer

    def callable(self) -> Callable[..., Any]:
        """Return the function with `around` in place of the variables that it took from around."""
        return _rebuilt(self.function, self.around)

    def expect_copy(self) -> None:
        """Raise an error where the arguments could not be copied before the run."""
        if self.problem is not None:
            raise InputError(
                "replay: expected arguments that can be copied before the run, got one that "
                f"cannot ({self.problem}). Give step a function of arrays, layers and numbers."
            )


def _around(function: Any) -> dict[str, Any]:
    """Return the arrays, numbers and objects with arrays that a function reads from outside."""
    plain = _plain(function)
    if plain is None:
        return {}
    variables = inspect.getclosurevars(plain)
    around = {**variables.globals, **variables.nonlocals}
    return {name: value for name, value in around.items() if _holds_numbers(value)}


def _plain(function: Any) -> types.FunctionType | None:
    while isinstance(function, functools.partial):
        function = function.func
    function = getattr(function, "__func__", function)
    return function if isinstance(function, types.FunctionType) else None


def _holds_numbers(value: Any) -> bool:
    return next(_leaves("", value, None, set(), DEPTH), None) is not None


def _parameters(
    function: Any, arguments: list[Any], keywords: dict[str, Any]
) -> tuple[list[str], dict[str, Any]]:
    """Return the names of the positional arguments, and the defaults of those not given."""
    names = [f"argument {k + 1}" for k in range(len(arguments))]
    try:
        signature = inspect.signature(function)
        bound = signature.bind(*arguments, **keywords)
    except (TypeError, ValueError):  # the call itself will say what is wrong
        return names, {}
    positional = [
        p.name
        for p in signature.parameters.values()
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    names[: len(positional)] = positional[: len(arguments)]
    given = set(bound.arguments)
    missing = {
        p.name: p.default
        for p in signature.parameters.values()
        if p.name not in given and p.default is not p.empty and p.kind is not p.POSITIONAL_ONLY
    }
    return names, missing


def _leaves(
    path: str, value: Any, put: Callable[[Any], None] | None, seen: set[int], depth: int
) -> Iterator[Leaf]:
    if is_number(value):
        yield Leaf(path, value, put)
        return
    if isinstance(value, _WHOLE) or depth == 0 or id(value) in seen:
        return
    if is_array(value):
        seen.add(id(value))
        yield Leaf(path, value, put)
        return
    seen.add(id(value))
    for part, entry, setter in _entries(value):
        yield from _leaves(path + part, entry, setter, seen, depth - 1)


def _entries(value: Any) -> Iterator[tuple[str, Any, Callable[[Any], None] | None]]:
    if isinstance(value, list | tuple | dict) and len(value) > CONTAINER_SIZE:
        return
    if isinstance(value, dict):
        for key, entry in value.items():
            yield f"[{key!r}]", entry, functools.partial(value.__setitem__, key)
    elif isinstance(value, list):
        for k, entry in enumerate(value):
            yield f"[{k}]", entry, functools.partial(value.__setitem__, k)
    elif isinstance(value, tuple):
        for k, entry in enumerate(value):
            yield f"[{k}]", entry, None
    elif isinstance(value, types.MethodType):
        yield "", value.__self__, None
    elif isinstance(value, Parameters):
        for key, array in value.params.items():
            yield f".params[{key!r}]", array, None  # written into, so that its shape stays
    else:
        for name, entry in list(getattr(value, "__dict__", {}).items()):
            if not name.startswith("_") or name == "_learning_rate":
                yield f".{name}", entry, functools.partial(setattr, value, name)


def _rebuilt(function: Any, around: dict[str, Any]) -> Any:
    if not around:
        return function
    if isinstance(function, functools.partial):
        inner = _rebuilt(function.func, around)
        return functools.partial(inner, *function.args, **function.keywords)
    if isinstance(function, types.MethodType):
        return types.MethodType(_rebuilt(function.__func__, around), function.__self__)
    if not isinstance(function, types.FunctionType):
        return function
    free = function.__code__.co_freevars
    cells = tuple(
        types.CellType(around[name]) if name in around else cell
        for name, cell in zip(free, function.__closure__ or (), strict=True)
    )
    outside = {name: value for name, value in around.items() if name not in free}
    answer = types.FunctionType(
        function.__code__,
        {**function.__globals__, **outside},
        function.__name__,
        function.__defaults__,
        cells or None,
    )
    answer.__kwdefaults__ = function.__kwdefaults__
    answer.__module__ = function.__module__
    return answer
