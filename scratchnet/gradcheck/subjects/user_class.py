"""Someone's class with ``forward`` and ``backward``, as something to check."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import unwrap
from types import FunctionType
from typing import Any

import numpy as np

from scratchnet.backend import Array
from scratchnet.errors import InputError
from scratchnet.gradcheck.subject import Pulled
from scratchnet.gradcheck.subjects.naming import return_expression, target_of
from scratchnet.gradcheck.subjects.nested import at, copied, put
from scratchnet.gradcheck.subjects.returned import gradient_items
from scratchnet.gradcheck.subjects.roles import NARROW, Roles, is_narrow
from scratchnet.gradcheck.subjects.user_arguments import Call, instance_of
from scratchnet.gradcheck.subjects.user_inputs import FilledObject
from scratchnet.gradcheck.subjects.user_parameters import (
    Parameter,
    discover,
    persistent,
    random_value,
    worth_differentiating,
)


class ClassSubject(FilledObject):
    """An object whose ``forward(x)`` computes and whose ``backward(dy)`` differentiates.

    Parameters
    ----------
    thing : object
        A class that is made without arguments, an instance, or a function of no arguments that
        returns one.
    input_shape : tuple of int
        Of x, as the class takes it.
    ids_below : int, optional
        x is then random whole numbers below this.
    mask : array, optional
        Goes to the forward's argument of that name.
    like : str
        The kind of layer that it is said to be.
    shapes : mapping of str to tuple of int, optional
        Of further arguments of the forward pass, such as states.
    targets_shape : tuple of int, optional
        Of a loss's targets; like x where not given.
    labels_below : int, optional
        A loss's targets are then labels below this, of x's shape without its last axis.
    seed : int

    Raises
    ------
    InputError
        If it cannot be made or called.
    """

    def __init__(
        self,
        thing: Any,
        input_shape: tuple[int, ...],
        *,
        ids_below: int | None = None,
        mask: Array | None = None,
        like: str = "",
        shapes: Mapping[str, tuple[int, ...]] | None = None,
        targets_shape: tuple[int, ...] | None = None,
        labels_below: int | None = None,
        seed: int = 0,
    ) -> None:
        instance = instance_of(thing)
        who = thing.__name__ if isinstance(thing, type) else type(instance).__name__
        super().__init__(name=who, arrays={}, wrt=(), like=like)
        self._rng = np.random.default_rng(seed)
        self._pristine = copied(instance, who)
        kind = type(instance)
        named = callable(getattr(instance, "forward", None))
        self._forward_name = "forward" if named else "__call__"
        code = [getattr(kind, m, None) for m in (self._forward_name, "backward")]
        self.functions = tuple(
            f for f in map(unwrap, filter(None, code)) if isinstance(f, FunctionType)
        )
        forward_code, backward_code = (return_expression(f) if f else None for f in code)
        self._returns = forward_code, backward_code
        forward = getattr(instance, self._forward_name)
        self._call = Call.of(forward, f"{who}.{self._forward_name}", shapes or {})
        if mask is not None and not self._call.mask:
            raise InputError(f"{who}.{self._forward_name} takes no mask: give it that argument")
        self._parameters: list[Parameter] = []
        self._narrow = False
        self._roles = Roles()
        self._first_inputs(input_shape, ids_below, mask)
        self._find_arguments(input_shape, shapes or {}, targets_shape, labels_below)
        self._find_parameters()
        self._find_backward()

    def _find_parameters(self) -> None:
        """Find what the object computes with: what two forward passes leave as it is."""
        instance = self._object(self.arrays)
        self._forward(instance, self._keywords(self.arrays))
        built = copied(instance, self.name)
        other = {**self.arrays, "x": self.arrays["x"][..., ::-1].copy()}
        if self.arrays["x"].dtype.kind == "f":
            other["x"] = 0.5 * other["x"] + 0.1
        self._forward(instance, self._keywords(other))
        candidates = persistent(built, instance)
        self._parameters = discover(instance, candidates)
        self._made = self._pristine
        if not self._has_all(self._made):
            self._pristine = built
        for parameter in self._parameters:
            self.arrays[parameter.name] = parameter.value(self._pristine)

    def _has_all(self, instance: Any) -> bool:
        """Return whether the parameters are there before a forward pass builds them."""
        paths = [path for parameter in self._parameters for path in parameter.paths]
        return all(at(instance, path) is not None for path in paths)

    def _find_backward(self) -> None:
        """Find the form of the upstream gradient, and which candidates are parameters."""
        self._settled()
        instance, result = self._after
        labels = gradient_items(result, set(), self._returns[1])
        returned = {
            target_of(str(label), [p.name for p in self._parameters]) for label, *_ in labels
        }
        self._parameters = [
            p
            for p in self._parameters
            if p.position is not None
            or p.name in returned
            or worth_differentiating(instance, p, self._parameters)
        ]
        if self._has_all(self._made):
            self._pristine = self._made
        inputs = [name for names in self._inputs.values() for name in names]
        self.arrays = {name: self.arrays[name] for name in inputs}
        for p in self._parameters:
            self.arrays[p.name] = random_value(p.name, p.value(self._pristine), self._rng)
        self._parameters = [p for p in self._parameters if self._stays(p)]
        self.arrays = {
            n: a
            for n, a in self.arrays.items()
            if n in inputs or n in {p.name for p in self._parameters}
        }
        self._widen()
        pulled, notes = self._settled()
        self.notes += notes
        if self._narrow or is_narrow(pulled):
            self.dtype = "float32"
            self.notes.append(NARROW)
        self.parameters = tuple(p.name for p in self._parameters)
        skipped = [n for n in self._floats() if n not in (*self.parameters, "x", *pulled.gradients)]
        self.wrt = tuple(name for name in self._floats() if name not in skipped)

    def _settled(self) -> tuple[Pulled, list[str]]:
        def tried() -> tuple[Pulled, list[str]]:
            instance, keywords = self._object(self.arrays), self._keywords(self.arrays)
            outputs, _ = self._forward(instance, keywords)
            return self._roles.settle(
                outputs,
                lambda upstream: self.pull(self.arrays, upstream),
                f"{self.name}.{self._forward_name}",
                f"{self.name}.backward",
            )

        try:
            return tried()
        except InputError as error:
            if self._narrow:
                raise
            self._narrow = True
            try:
                return tried()
            except InputError:
                self._narrow = False
                raise error from error.__cause__

    def _stays(self, parameter: Parameter) -> bool:
        """Return whether a forward pass uses the value that the parameter was given."""
        instance = self._object(self.arrays)
        self._forward(instance, self._keywords(self.arrays))
        stays = bool(np.allclose(parameter.value(instance), self.arrays[parameter.name], rtol=1e-6))
        if not stays and parameter.position is not None:
            self.notes.append(f"forward sets {parameter.name} anew: it is no parameter")
        return stays

    def _widen(self) -> None:
        """Let parameters that are kept in float32 be float64, unless the code cannot take that."""
        narrow = [p for p in self._parameters if p.value(self._pristine).dtype.itemsize < 8]
        before = self._pristine
        self._pristine = copied(before, self.name)
        for p in narrow:
            wide = p.value(self._pristine).astype(np.float64)
            for path in p.paths:
                put(self._pristine, path, wide)
        if self._narrow or (narrow and self._tried() is None):
            self._pristine = before
