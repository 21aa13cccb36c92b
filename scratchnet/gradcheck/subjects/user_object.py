"""Running someone's object forward and backward, and collecting the gradients it gives."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from scratchnet.backend import Array
from scratchnet.gradcheck.subject import Arrays, Pulled, Subject
from scratchnet.gradcheck.subjects.binding import spread
from scratchnet.gradcheck.subjects.naming import target_of
from scratchnet.gradcheck.subjects.nested import Held, at, contents, copied, same
from scratchnet.gradcheck.subjects.returned import returned_gradients
from scratchnet.gradcheck.subjects.roles import RATES, Roles
from scratchnet.gradcheck.subjects.user_arguments import Call
from scratchnet.gradcheck.subjects.user_code import Outputs, call, overwritten, shape_of
from scratchnet.gradcheck.subjects.user_parameters import Parameter, gradient_of


class ObjectSubject(Subject):
    """An object of someone's class; each run and each pull works on a copy of its own.

    `user_class.ClassSubject` finds out what is kept here: the object, how it is called, and where
    its parameters are.
    """

    _pristine: Any
    _call: Call
    _roles: Roles
    _forward_name: str
    _returns: tuple[ast.expr | None, ast.expr | None]
    _inputs: dict[str, tuple[str, ...]]
    _parameters: list[Parameter]
    _narrow: bool
    _after: tuple[Any, Any]
    """The object after the last backward pass, and what that returned."""

    def run(self, arrays: Arrays) -> dict[str, Array]:
        outputs, _ = self._forward(self._object(arrays), self._keywords(arrays))
        return self._roles.kept(outputs)

    def pull(self, arrays: Arrays, upstream: Arrays, times: int = 1) -> Pulled:
        instance, keywords = self._object(arrays), self._keywords(arrays)
        changed: list[str] = []
        for _ in range(times):
            pulled = self._pull(instance, keywords, upstream)
            changed += pulled.changed
        return Pulled(pulled.outputs, pulled.gradients, tuple(dict.fromkeys(changed)))

    def _object(self, arrays: Arrays) -> Any:
        instance = copied(self._pristine, self.name)
        for parameter in self._parameters:
            parameter.set(instance, arrays[parameter.name])
        return instance

    def _keywords(self, arrays: Arrays) -> dict[str, Any]:
        def one(name: str) -> Array:
            array = np.array(arrays[name])
            narrow = self._narrow and array.dtype.kind == "f"
            return array.astype(np.float32) if narrow else array

        keywords: dict[str, Any] = {
            argument: tuple(map(one, names)) if len(names) > 1 else one(names[0])
            for argument, names in self._inputs.items()
        }
        return keywords | ({self._call.training: True} if self._call.training else {})

    def _called(self, instance: Any, method: str, named: Mapping[str, Any]) -> Any:
        shapes = ", ".join(f"{name} {shape_of(array)}" for name, array in self.arrays.items())
        function = getattr(instance, method)
        return call(function, f"{self.name}.{method}", *spread(function, named), shapes)

    def _forward(self, instance: Any, keywords: Mapping[str, Any]) -> tuple[Outputs, Any]:
        value = self._called(instance, self._forward_name, keywords)
        return self._roles.split(
            value, self._returns[0], f"{self.name}.{self._forward_name}", f"{self.name}.backward"
        )

    def _pull(self, instance: Any, keywords: dict[str, Any], upstream: Arrays) -> Pulled:
        fresh = contents(instance)
        outputs, cache = self._forward(instance, keywords)
        kept = self._roles.kept(outputs)
        given = self._roles.plan.arguments(outputs, upstream)
        watched = {
            name: Held(keywords[argument])
            for argument, names in self._inputs.items()
            for name in names[:1]
        }
        watched["upstream"] = Held(given)
        values = {p.name: p.value(instance) for p in self._parameters}
        paths = {path for p in self._parameters for path in p.paths}
        own = {
            path: (at(instance, path), array)
            for path, array in contents(instance).items()
            if path not in paths and not (path in fresh and same(fresh[path], array))
        }
        returned = contents(cache)
        given |= {name: keywords[name] for name in self._roles.again}
        given |= {self._roles.rate: 1.0} if self._roles.rate is not None else {}
        given |= {self._roles.cache: cache} if self._roles.cache is not None else {}
        result = self._called(instance, "backward", given)
        changed = [name for name, held in watched.items() if held.written]
        changed += [p.name for p in self._parameters if not same(values[p.name], p.value(instance))]
        stayed = {path: array for path, (one, array) in own.items() if at(instance, path) is one}
        if overwritten(stayed, instance) or overwritten(returned, cache):
            changed.append("cache")
        gradients = self._gradients(instance, result, values)
        gradients = self._roles.scaled(gradients, upstream, kept)
        self._after = instance, result
        return Pulled(kept, gradients, tuple(changed))

    def _gradients(
        self, instance: Any, result: Any, values: Mapping[str, Array]
    ) -> dict[str, Array]:
        order = [name for name in self._floats() if name not in values] + list(values)
        shapes = {name: self.arrays[name].shape for name in order}
        found = returned_gradients(result, shapes, order, self._returns[1], f"{self.name}.backward")
        for argument, names in self._inputs.items():
            if len(names) == 1 and names[0] in order and names[0] not in found:
                kept = _attribute(instance, {names[0], argument}, shapes[names[0]])
                found |= {names[0]: kept} if kept is not None else {}
        for parameter in self._parameters:
            if parameter.name not in found:
                before = values[parameter.name]
                gradient = gradient_of(instance, parameter, self._parameters)
                if gradient is None:
                    gradient = self._from_step(instance, before, parameter.value(instance))
                found |= {parameter.name: gradient} if gradient is not None else {}
        return {name: np.array(gradient) for name, gradient in found.items()}

    def _from_step(self, instance: Any, before: Array, after: Array) -> Array | None:
        """Return the gradient that a step inside the backward pass was made with."""
        rates = [getattr(instance, name, None) for name in RATES]
        rate = 1.0 if self._roles.rate else next((r for r in rates if isinstance(r, float)), 0.0)
        return None if rate == 0.0 or same(before, after) else (before - after) / rate

    def _floats(self) -> list[str]:
        inputs = [name for names in self._inputs.values() for name in names]
        skipped = (self._call.mask, self._call.target)
        return [
            name
            for name in (*inputs, *(p.name for p in self._parameters))
            if name not in skipped and self.arrays[name].dtype.kind == "f"
        ]


def _attribute(instance: Any, names: Collection[str], shape: tuple[int, ...]) -> Any:
    """Return the gradient of an input that an object keeps as ``dx`` or the like."""
    for attribute, value in vars(instance).items():
        if target_of(attribute, names, plain=False) and np.shape(value) == shape:
            return value
    return None
