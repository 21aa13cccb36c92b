"""A pair of functions in the form that courses use, as something to check."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from inspect import unwrap
from types import FunctionType
from typing import Any

import numpy as np

from scratchnet.backend import Array
from scratchnet.errors import InputError
from scratchnet.gradcheck.subject import Arrays, Pulled, Subject
from scratchnet.gradcheck.subjects.binding import bind, spread
from scratchnet.gradcheck.subjects.naming import (
    bare,
    looks_like_parameter,
    return_expression,
)
from scratchnet.gradcheck.subjects.nested import Held, Path, at, contents, copied, is_array, walk
from scratchnet.gradcheck.subjects.returned import match_gradients
from scratchnet.gradcheck.subjects.roles import NARROW, Roles, is_narrow
from scratchnet.gradcheck.subjects.user_code import (
    MASKS,
    TARGET,
    Outputs,
    call,
    captured,
    overwritten,
    shape_of,
)


class FunctionSubject(Subject):
    """``forward(*arrays) -> (y, cache)`` and ``backward(dy, cache) -> gradients``.

    Parameters
    ----------
    forward : callable
        Returns one or more outputs and, last, its cache.  An output is an array, a scalar, or
        a list, dict or tuple of arrays.
    backward : callable
        Takes the outputs' gradients and the cache, or the cache alone for a loss; returns the
        gradients as a tuple, a dict, an object or an array.
    arrays : mapping of str to array
        The forward's arguments by name, or in its order.  A dict or tuple of arrays goes to the
        forward as such, and its entries are arrays of their own names here; what is no array goes
        to the forward as it is.
    wrt : sequence of str, optional
        What is differentiated; every float array but masks where not given.

    Raises
    ------
    InputError
        If the functions cannot be called with these arrays, or do not keep to the convention.

    Notes
    -----
    Where the backward pass takes no upstream gradient the output is a loss, and the gradients are
    multiplied by the upstream gradient that `pull` is given.
    """

    def __init__(
        self,
        forward: Callable[..., Any],
        backward: Callable[..., Any],
        arrays: Mapping[str, Any],
        wrt: Sequence[str] | None = None,
    ) -> None:
        self.forward, self.backward = forward, backward
        self._who = tuple(getattr(f, "__name__", "function") for f in (forward, backward))
        self._bound = bind(forward, arrays, self._who[0])
        self._paths = _named_arrays(self._bound)
        named = {name: np.array(at(self._bound, path)) for name, path in self._paths.items()}
        floats = [name for name, array in named.items() if array.dtype.kind == "f"]
        if unknown := [name for name in wrt or () if name not in floats]:
            raise InputError(f"wrt names {unknown[0]!r}; choose among {', '.join(floats)}")
        self._order = [n for n in floats if (n in wrt if wrt else bare(n) not in MASKS)]
        weights = [n for n in self._order if len(self._paths[n]) > 1 or looks_like_parameter(n)]
        code = (unwrap(forward), unwrap(backward))
        super().__init__(
            name=self._who[0],
            arrays=named,
            wrt=(*(n for n in self._order if n not in weights), *weights),
            parameters=tuple(weights),
            functions=tuple(f for f in code if isinstance(f, FunctionType)),
        )
        self._returns = return_expression(forward), return_expression(backward)
        self._narrow = {"forward": False, "backward": False}
        self._roles = Roles.of(backward, self._bound, method=False)
        self._settle()

    def run(self, arrays: Arrays) -> dict[str, Array]:
        outputs, _ = self._forward(self._arguments(arrays, self._narrow["forward"]))
        return self._roles.kept(outputs)

    def pull(self, arrays: Arrays, upstream: Arrays, times: int = 1) -> Pulled:
        arguments = self._arguments(arrays, self._narrow["backward"])
        for _ in range(times):
            pulled = self._pull(arguments, upstream)
        return pulled

    def _arguments(self, arrays: Arrays, narrow: bool) -> dict[str, Any]:
        names = {path: name for name, path in self._paths.items()}

        def filled(value: Any, path: Path) -> Any:
            if path in names:
                array = np.array(arrays[names[path]])
                return array.astype(np.float32) if narrow and array.dtype.kind == "f" else array
            if isinstance(value, Mapping):
                return {key: filled(part, (*path, ("item", key))) for key, part in value.items()}
            if isinstance(value, list | tuple):
                parts = [filled(part, (*path, ("item", i))) for i, part in enumerate(value)]
                return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
            return copied(value, "an argument")

        return dict(filled(self._bound, ()))

    def _called(self, which: int, named: Mapping[str, Any]) -> Any:
        shapes = ", ".join(f"{name} {shape_of(array)}" for name, array in self.arrays.items())
        function = (self.forward, self.backward)[which]
        return call(function, self._who[which], *spread(function, named), shapes)

    def _forward(self, arguments: dict[str, Any]) -> tuple[Outputs, Any]:
        value = self._called(0, arguments)
        return self._roles.split(value, self._returns[0], *self._who)

    def _pull(self, arguments: dict[str, Any], upstream: Arrays) -> Pulled:
        outputs, cache = self._forward(arguments)
        kept = self._roles.kept(outputs)
        keywords = self._roles.plan.arguments(outputs, upstream)
        watched = {name: Held(at(arguments, path)) for name, path in self._paths.items()}
        watched["upstream"] = Held(keywords)
        around = {**captured(self.forward), **captured(self.backward)}
        before = contents(cache)
        keywords |= {name: arguments[name] for name in self._roles.again}
        keywords |= {self._roles.cache: cache} if self._roles.cache is not None else {}
        keywords |= {self._roles.rate: 1.0} if self._roles.rate is not None else {}
        result = self._called(1, keywords)
        changed = [name for name, one in {**watched, **around}.items() if one.written]
        changed += ["cache"] if overwritten(before, cache) else []
        for one in around.values():
            one.restore()
        shapes = {name: self.arrays[name].shape for name in self._order}
        gradients = match_gradients(result, shapes, self._order, self._returns[1], self._who[1])
        gradients = self._roles.scaled(gradients, upstream, kept)
        return Pulled(kept, gradients, tuple(dict.fromkeys(changed)))

    def _settle(self) -> None:
        """Find out in which form the backward pass takes its upstream, and in which precision."""
        try:
            pulled, notes = self._without_targets()
        except InputError as error:
            self._narrow = {"forward": True, "backward": True}
            try:
                pulled, notes = self._tried_out()
            except InputError:
                raise error from error.__cause__
            self._narrow["forward"] = not self._runs_wide()
        self.notes += notes
        if self._narrow["backward"] or is_narrow(pulled):
            self.dtype = "float32"
            self.notes.append(NARROW)

        given = [n for n in self.wrt if n in pulled.gradients or not TARGET.match(bare(n))]
        self.wrt = tuple(given)

    def _without_targets(self) -> tuple[Pulled, list[str]]:
        """Try it with every array's gradient, then without those of a loss's targets."""
        order = self._order
        try:
            return self._tried_out()
        except InputError:
            self._order = [name for name in order if not TARGET.match(bare(name))]
            if self._order == order:
                raise
            try:
                return self._tried_out()
            except InputError:
                self._order = order
                raise

    def _runs_wide(self) -> bool:
        self._narrow["forward"] = False
        try:
            self.run(self.arrays)
        except InputError:
            return False
        return True

    def _tried_out(self) -> tuple[Pulled, list[str]]:
        arguments = self._arguments(self.arrays, self._narrow["forward"])
        watched = {name: Held(at(arguments, path)) for name, path in self._paths.items()}
        outputs, _ = self._forward(arguments)
        pulled, notes = self._roles.settle(
            outputs, lambda upstream: self.pull(self.arrays, upstream), *self._who
        )
        if written := [name for name, held in watched.items() if held.written]:
            notes.append(f"{self._who[0]} writes into {', '.join(written)}")
        return pulled, notes


def _named_arrays(bound: Mapping[str, Any]) -> dict[str, Path]:
    """Return the paths of all arrays within the arguments by short names that are unique."""
    paths = [path for path, value in walk(dict(bound)) if is_array(value)]
    paths.sort(key=len)  # an argument keeps its name, whatever the entries of others are called
    names: dict[str, Path] = {}
    for path in paths:
        keys = [str(key) for _, key in path]
        short = keys[-1] if isinstance(path[-1][1], str) else "".join(keys[-2:])
        names[".".join(keys) if short in names else short] = path
    arguments = list(bound)
    return dict(sorted(names.items(), key=lambda item: arguments.index(item[1][0][1])))
