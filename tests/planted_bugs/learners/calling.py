"""Calls a learner's code as its spec says, and knows where its gradients are."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np

from tests.planted_bugs.learners.learner_code import LearnerCode

Arrays = dict[str, np.ndarray]
GRADIENTS = ("d{}", "d_{}", "grad_{}", "{}_grad")


class Case:
    """A learner's code with random arrays, and a random gradient for every output."""

    def __init__(self, code: LearnerCode, path: Path | None = None, seed: int = 0) -> None:
        self.code, self.thing = code, code.load(path)
        rng = np.random.default_rng(seed)
        self.arrays = {name: rng.normal(0, 0.8, shape) for name, shape in code.shapes.items()}
        self.fixed = {
            name: rng.integers(0, below, shape)
            for name, (shape, below) in code.arguments.get("ids", {}).items()
        }
        if code.masked:
            self.fixed["mask"] = code.mask
        if code.style == "class":
            made = self.parameters(self.thing())
            self.arrays |= {name: rng.normal(0, 0.8, p.shape) for name, p in made.items()}
        self.upstream = [rng.normal(size=np.shape(y)) for y in self.forward(self.arrays)[0]]

    def forward(self, arrays: Arrays) -> tuple[list[Any], Any]:
        """Return the outputs, and what backward needs: the cache or the instance."""
        arrays = copy.deepcopy(arrays)
        inputs = {name: arrays[name] for name in self.code.arrays} | copy.deepcopy(self.fixed)
        if self.code.style != "class":
            *outputs, cache = self.thing[0](**inputs)
            return outputs, cache
        instance = self.thing()
        parameters = self.parameters(instance)
        for name in parameters:
            parameters[name][...] = arrays[name]
        self.inputs = inputs
        return [instance.forward(**inputs)], instance

    def backward(self, state: Any, upstream: list[Any]) -> Arrays:
        """Return the gradients by the arrays' names."""
        if self.code.style != "class":
            given = self.thing[1](*upstream, state)
            if isinstance(given, dict):
                return {name: given.get("d" + name, given.get(name)) for name in self.arrays}
            given = given if isinstance(given, tuple) else (given,)
            return dict(zip(self.arrays, given, strict=True))
        dx = state.backward(*upstream)
        gradients = dict.fromkeys(self.code.arrays, dx)
        for name in self.parameters(state):
            if hasattr(state, "grads"):
                gradients[name] = state.grads[name]
            else:
                gradients[name] = self._attribute(state, name)
        return gradients

    def gradients(self) -> Arrays:
        """Return those of one forward and backward pass, as copies."""
        _, state = self.forward(self.arrays)
        return copy.deepcopy(self.backward(state, copy.deepcopy(self.upstream)))

    def gradients_of_the_second_call(self) -> Arrays:
        """Return those of a second forward and backward pass with the same object."""
        _, state = self.forward(self.arrays)
        self.backward(state, copy.deepcopy(self.upstream))
        if self.code.style == "class":
            parameters = self.parameters(state)
            for name in parameters:
                parameters[name][...] = self.arrays[name]
            state.forward(**self.inputs)
        else:
            _, state = self.forward(self.arrays)
        return copy.deepcopy(self.backward(state, copy.deepcopy(self.upstream)))

    def gradients_of_the_second_backward(self) -> Arrays:
        """Return those of a second backward pass after one forward pass."""
        _, state = self.forward(self.arrays)
        self.backward(state, copy.deepcopy(self.upstream))
        return copy.deepcopy(self.backward(state, copy.deepcopy(self.upstream)))

    def upstream_afterwards(self) -> list[Any]:
        """Return the upstream gradients as the backward pass leaves them."""
        _, state = self.forward(self.arrays)
        upstream = copy.deepcopy(self.upstream)
        self.backward(state, upstream)
        return upstream

    def differences(self, name: str, step: float = 1e-5) -> np.ndarray:
        """Return plain central differences of Σ upstream · output."""
        result = np.zeros_like(self.arrays[name])
        for index in np.ndindex(result.shape):
            loss = []
            for sign in (1, -1):
                moved = copy.deepcopy(self.arrays)
                moved[name][index] += sign * step
                outputs, _ = self.forward(moved)
                pairs = zip(outputs, self.upstream, strict=True)
                loss.append(sum(np.sum(y.astype(np.float64) * dy) for y, dy in pairs))
            result[index] = (loss[0] - loss[1]) / (2 * step)
        return result

    def parameters(self, instance: Any) -> Arrays:
        """Return the parameters that an instance has, by name."""
        if hasattr(instance, "params"):
            return instance.params
        return {
            name: array
            for name, array in vars(instance).items()
            if isinstance(array, np.ndarray)
            and isinstance(vars(self.thing()).get(name), np.ndarray)
            and not name.startswith(("d_", "grad_"))
        }

    @staticmethod
    def _attribute(instance: Any, name: str) -> np.ndarray:
        return next(
            getattr(instance, form.format(name))
            for form in GRADIENTS
            if hasattr(instance, form.format(name))
        )
