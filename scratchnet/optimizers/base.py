"""What every optimizer shares: checks, clipping, weight decay, slots and the step count."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Self

from scratchnet.backend import Array
from scratchnet.device import device_of, moved
from scratchnet.optimizers import clipping
from scratchnet.optimizers.checks import (
    Shapes,
    expect_beside_weights,
    expect_first_shapes,
    expect_floats,
    expect_together,
    paired_shapes,
)
from scratchnet.optimizers.on_device import DeviceRule, step_on_device
from scratchnet.optimizers.packing import Pack, packs, update_in_chunks
from scratchnet.optimizers.settings import Settings
from scratchnet.optimizers.state import Slots, copied_into, fitted, initial, pack, unpack
from scratchnet.schedules import LearningRateSchedule


class Optimizer(Settings):
    r"""Base of the optimizers: one call of `apply_gradients` is one step of training.

    In this order, as in Keras: the gradients are clipped, the weights decay,
    :math:`w \leftarrow w - \eta \lambda w`, and each weight array is updated by the rule of the
    subclass. A schedule is evaluated at the step count before it grows, so first at 0.

    Parameters
    ----------
    learning_rate : float or LearningRateSchedule
        :math:`\eta`.
    weight_decay : float, optional
        :math:`\lambda`, decoupled from the gradient (Loshchilov & Hutter 2019).
    clipnorm : float, optional
        Largest Euclidean norm of each gradient array.
    clipvalue : float, optional
        Largest magnitude of each gradient element.
    global_clipnorm : float, optional
        Largest Euclidean norm of all gradient arrays together.

    Attributes
    ----------
    iterations : int
        How many steps were made.
    slots : list of dict of str to array
        What is kept beside each weight array; the same arrays until `to` takes them elsewhere.

    Raises
    ------
    InputError
        If an argument is NaN or out of range, or more than one way of clipping is asked for.

    Notes
    -----
    A subclass says in `slot_values` which arrays it keeps beside each weight array, and in
    ``update_step(gradient, variable, learning_rate, **slots)`` what happens to one weight array,
    element by element; ``variable`` and the slots are written in place, ``gradient`` is not. It may
    read attributes besides; those of `step_numbers` are set anew before each step.

    On a device, `update_step` is run once, with symbols in the place of arrays, and becomes a
    kernel. It must not look at values of arrays there (``if``, ``float``, a sum over the array), or
    it runs as it is, array by array, and no step is recorded. Attributes of the instance that are
    floats, and what `scalars` counts, are symbols too, and may change from step to step. It is run
    with symbols again where another attribute of the instance is another int, bool, str, None or
    another object (or a float that the rule looks at), up to four times in all, then as it is.
    What is changed later inside such an object, or is an attribute of the class, a global or a
    closure, is not seen, nor is what `update_step` itself writes into attributes.
    """

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
    ) -> None:
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm)
        self._scalars_before: dict[str, float] = {}
        self._shapes: Shapes | None = None  # of the weights, once a step was made
        self._kind: type | None = None  # of the weights, which tells where they are
        self._on_host = True
        self.slots: Slots = []
        self._packs: list[Pack] = []
        self._alone: list[int] = []
        self._device_rule: DeviceRule | None = None

    # What a rule defines.

    def slot_values(self) -> dict[str, float]:
        """Return the name of each array kept beside a weight array, and what fills it at first."""
        return {}

    def begin_step(self) -> None:
        """Bring on what `scalars` counts, where a rule adds to that."""

    def step_numbers(self, learning_rate: float) -> dict[str, float]:
        """Return the numbers of this step that `update_step` reads, by attribute name."""
        return {}

    def update_step(
        self, gradient: Array, variable: Array, learning_rate: float, *args: Any, **slots: Any
    ) -> None:
        """Update one weight array and its slots in place."""
        raise NotImplementedError

    def scalars(self) -> dict[str, float]:
        """Return the numbers that change from step to step, by attribute name."""
        if isinstance(self._learning_rate, LearningRateSchedule):
            return {"iterations": self.iterations}
        return {"iterations": self.iterations, "learning_rate": self._learning_rate}

    # What a user calls.

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Array, Array]]) -> None:
        """Make one step from pairs of a gradient and the weight array it belongs to.

        The arrays are known by their position: later calls must bring the same shapes in the same
        order. Without any pair, nothing happens.

        Raises
        ------
        InputError
            If a gradient has not its weights' shape, or the arrays are not the first call's.
            Nothing is updated then.
        """
        pairs = list(grads_and_vars)
        self.apply([gradient for gradient, _ in pairs], [variable for _, variable in pairs])

    def apply(
        self,
        gradients: Sequence[Array],
        variables: Sequence[Array],
        live: Array | None = None,
    ) -> None:
        """Make one step, like `apply_gradients`, from two lists of the same length.

        Where ``live``, an array of one truth value beside the weights, is false, weights and slots
        stay as they are, without anybody's looking at it; `uncount_step` is for whoever then does.
        """
        if not variables and not gradients:
            return
        shapes = paired_shapes(self._name, gradients, variables)
        if shapes != self._shapes or not type(variables[0]) is self._kind is type(gradients[0]):
            self._begin(gradients, variables, shapes)
        on_host = self._on_host
        if not on_host:
            expect_beside_weights(self._name, gradients, variables)
        if [g.dtype for g in gradients] != [v.dtype for v in variables]:
            gradients = [g.astype(v.dtype) for g, v in zip(gradients, variables, strict=True)]
        if self.clipnorm is not None:
            gradients = clipping.by_norm(gradients, self.clipnorm)
        if self.clipvalue is not None:
            gradients = clipping.by_value(gradients, self.clipvalue)
        if self.global_clipnorm is not None:
            gradients = clipping.by_global_norm(gradients, self.global_clipnorm)
        if live is not None or not on_host:
            step_on_device(self, gradients, variables, live)
            return
        learning_rate, rule = self._begin_step(), self.rule
        for group in self._packs:
            group.update(rule, gradients, variables, learning_rate)
        for i in self._alone:
            update_in_chunks(rule, gradients[i], variables[i], learning_rate, self.slots[i])
        self.iterations += 1

    def uncount_step(self) -> None:
        """Count the latest step as not made, which on a device is known only afterwards."""
        for name, value in self._scalars_before.items():
            setattr(self, name, value)

    def state(self) -> dict[str, Array]:
        """Return copies of all that changes from step to step, as host arrays by name.

        ``iterations``, ``learning_rate`` (unless a schedule decides it) and for the i-th weight
        array each slot as ``name_i``, for instance ``velocity_0``.
        """
        return pack(self.scalars(), self.slots)

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` gave, to the last bit, before or after the first step.

        Raises
        ------
        InputError
            If names, shapes or types are not this optimizer's; nothing is changed then. Before the
            first step the shapes are not known yet and the first step compares them.
        """
        scalars, slots = unpack(self._name, state, self.scalars(), list(self.slot_values()))
        if self.slots and slots:
            slots = fitted(self._name, slots, [next(iter(kept.values())) for kept in self.slots])
            copied_into(self.slots, slots)
        else:
            self._shapes, self.slots = None, slots
        for name, value in scalars.items():
            setattr(self, name, type(getattr(self, name))(value))

    def to(self, device: str) -> Self:
        """Take the slots to ``"cpu"`` or ``"gpu"``; return the optimizer."""
        self.slots = moved(self.slots, device)
        self._shapes, self._packs, self._alone, self._device_rule = None, [], [], None
        return self

    def __getstate__(self) -> dict[str, Any]:
        """Leave out packs, whose views a copy's next step makes of its own arrays, and kernels."""
        nothing = dict.fromkeys(("_shapes", "_kind", "_device_rule"))
        return {**self.__dict__, **nothing, "_packs": [], "_alone": []}

    # What the above is made of.

    @property
    def rule(self) -> Callable[..., None]:
        """What happens to one weight array: `update_step`, after weight decay if there is any."""
        return self.update_step if self.weight_decay is None else self._decay_and_update

    def _begin_step(self) -> float:
        """Bring the step's numbers up to date; return the learning rate."""
        learning_rate = self.learning_rate
        self.begin_step()
        if numbers := self.step_numbers(learning_rate):
            for name, value in numbers.items():
                setattr(self, name, value)  # vars(self) would make attributes slower to read
        return learning_rate

    def _decay_and_update(
        self, gradient: Array, variable: Array, learning_rate: float, **slots: Array
    ) -> None:
        assert self.weight_decay is not None
        variable -= learning_rate * self.weight_decay * variable
        self.update_step(gradient, variable, learning_rate, **slots)

    def _begin(
        self, gradients: Sequence[Array], variables: Sequence[Array], shapes: Shapes
    ) -> None:
        """Make the slots, or put restored ones where the weights are."""
        if self._shapes is not None:
            expect_first_shapes(self._name, shapes, self._shapes)
        expect_floats(self._name, variables)
        expect_together(self._name, variables)
        expect_beside_weights(self._name, gradients, variables)
        if self.slots:
            self.slots = fitted(self._name, self.slots, variables)
        else:
            self.slots = initial(variables, self.slot_values())
        self._shapes, self._kind = shapes, type(variables[0])
        self._on_host = device_of(variables[0]) == "cpu"
        self._packs, self._alone = packs(variables) if self._on_host else ([], [])
        for group in self._packs:
            group.adopt(self.slots)
