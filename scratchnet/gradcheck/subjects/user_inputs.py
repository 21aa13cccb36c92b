"""Finding what someone's forward pass takes besides x: states, targets, and of which shapes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from scratchnet.backend import Array
from scratchnet.errors import InputError
from scratchnet.gradcheck.subjects.roles import Roles
from scratchnet.gradcheck.subjects.user_arguments import reduced_shapes, state_shapes, targets
from scratchnet.gradcheck.subjects.user_code import Outputs
from scratchnet.gradcheck.subjects.user_object import ObjectSubject


class FilledObject(ObjectSubject):
    """An object with an array for every argument of its forward pass."""

    _rng: np.random.Generator

    def _first_inputs(
        self, shape: tuple[int, ...], ids_below: int | None, mask: Array | None
    ) -> None:
        if ids_below is not None:
            self.arrays["x"] = self._rng.integers(0, ids_below, shape)
        else:
            self.arrays["x"] = self._rng.standard_normal(shape)
        self._inputs = {self._call.x: ("x",)}
        if mask is not None:
            self.arrays[self._call.mask] = np.array(mask)
            self._inputs[self._call.mask] = (self._call.mask,)

    def _tried(self) -> Outputs | None:
        try:
            return self._forward(self._object(self.arrays), self._keywords(self.arrays))[0]
        except InputError:
            return None

    def _offer(
        self, argument: str, options: list[list[tuple[str, Array]]], before: Outputs
    ) -> None:
        """Take the first arrays for an argument with which the forward pass works."""
        for option in options:
            self.arrays.update(option)
            self._inputs[argument] = tuple(name for name, _ in option)
            outputs = self._tried()
            if outputs is not None and outputs.shapes == before.shapes:
                return
            for name, _ in option:
                del self.arrays[name]
            del self._inputs[argument]

    def _find_arguments(
        self,
        input_shape: tuple[int, ...],
        shapes: Mapping[str, tuple[int, ...]],
        targets_shape: tuple[int, ...] | None,
        labels_below: int | None,
    ) -> None:
        """Fill the forward pass's further arguments: states, and a loss's targets."""
        draw = self._rng.standard_normal
        self._roles = Roles.of(self._pristine.backward, self._all_arguments(), method=True)
        if self._call.target:
            self._find_targets(input_shape, targets_shape, labels_below)
        if self._call.states:
            self._find_states(input_shape, shapes)
        outputs = self._outputs()
        first = next(iter(outputs.arrays().values()), np.zeros(()))
        for argument in self._call.optional_states:
            sizes = [shapes[argument]] if argument in shapes else reduced_shapes(first.shape)
            single = [[(argument, draw(shape) * 0.5)] for shape in sizes]
            pairs = [[("h0", draw(s) * 0.5), ("c0", draw(s) * 0.5)] for s in sizes]
            self._offer(argument, single + (pairs if "state" in argument else []), outputs)

    def _outputs(self) -> Outputs:
        """Run forward, in float32 where the code takes nothing else."""
        try:
            return self._forward(self._object(self.arrays), self._keywords(self.arrays))[0]
        except InputError as error:
            self._narrow = True
            if (outputs := self._tried()) is not None:
                return outputs
            self._narrow = False
            raise error from error.__cause__

    def _find_states(
        self, input_shape: tuple[int, ...], shapes: Mapping[str, tuple[int, ...]]
    ) -> None:
        """Fill the states that the forward pass requires: the first shapes that it takes."""
        names = self._call.states
        options = [input_shape, *state_shapes(input_shape, self._pristine)]
        for option in options:
            for name in names:
                shape = shapes.get(name, option)
                self.arrays[name] = self._rng.standard_normal(shape) * 0.5
                self._inputs[name] = (name,)
            if self._tried() is not None:
                return
        if unknown := [name for name in names if name not in shapes]:
            raise InputError(
                f"{self.name}.{self._forward_name} needs {unknown[0]!r}, whose shape cannot be "
                f"told: state it (--shape {unknown[0]}=3,5)"
            )

    def _all_arguments(self) -> dict[str, Any]:
        c = self._call
        names = [c.x, c.mask, c.target, *c.states, *c.optional_states]
        return dict.fromkeys(filter(None, names))

    def _find_targets(
        self, shape: tuple[int, ...], targets_shape: tuple[int, ...] | None, below: int | None
    ) -> None:
        name = self._call.target
        self._inputs[name] = (name,)
        integers = shape[:-1] if len(shape) > 1 else shape
        if targets_shape is not None or below is not None:
            size = targets_shape if targets_shape is not None else integers
            self.arrays[name] = targets(size, below, self._rng)
        else:
            ids = targets(integers, shape[-1], self._rng)
            floats = targets(shape, None, self._rng)
            likely = "label" in name or name in ("ids", "classes")
            for self.arrays[name] in (ids, floats) if likely else (floats, ids):
                if self._tried() is not None:
                    break
        if (out := self._tried()) and not all(np.isfinite(a).all() for a in out.arrays().values()):
            self.arrays["x"] = targets(shape, None, self._rng)
            self.notes.append("x is drawn between 0 and 1, for which the loss is finite")
