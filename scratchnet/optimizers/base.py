"""What every optimizer shares: checks, clipping, weight decay, slots and the step count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

from scratchnet import schedules
from scratchnet.arguments import NOT_NEGATIVE, POSITIVE, Range, construct, real
from scratchnet.backend import Array
from scratchnet.errors import InputError
from scratchnet.optimizers import clipping
from scratchnet.optimizers.checks import Shapes, expect_first_shapes, expect_floats, paired_shapes
from scratchnet.optimizers.packing import Pack, packs, update_in_chunks
from scratchnet.optimizers.state import Slots, fitted, initial, pack, unpack
from scratchnet.schedules import LearningRateSchedule


class Optimizer:
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

    Raises
    ------
    InputError
        If an argument is NaN or out of range, or more than one way of clipping is asked for.

    Notes
    -----
    A subclass says in `slot_values` which arrays it keeps beside each weight array, and in
    ``update_step(gradient, variable, learning_rate, **slots)`` what happens to one weight array,
    element by element; ``variable`` and the slots are written in place, ``gradient`` is not.
    """

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
    ) -> None:
        self.iterations = 0
        self._learning_rate = self._checked_learning_rate(learning_rate)
        self.weight_decay = self._optional("weight_decay", weight_decay, NOT_NEGATIVE)
        self.clipnorm = self._optional("clipnorm", clipnorm, POSITIVE)
        self.clipvalue = self._optional("clipvalue", clipvalue, POSITIVE)
        self.global_clipnorm = self._optional("global_clipnorm", global_clipnorm, POSITIVE)
        if [clipnorm, clipvalue, global_clipnorm].count(None) < 2:
            raise InputError(
                f"{self._name}: expected one of clipnorm, clipvalue and global_clipnorm, got "
                f"clipnorm={clipnorm}, clipvalue={clipvalue}, global_clipnorm={global_clipnorm}. "
                "Keep one."
            )
        self._shapes: Shapes | None = None  # of the weights, once a step was made
        self._slots: Slots = []
        self._packs: list[Pack] = []
        self._alone: list[int] = []

    # What a rule defines.

    def slot_values(self) -> dict[str, float]:
        """Return the name of each array kept beside a weight array, and what fills it at first."""
        return {}

    def begin_step(self) -> None:
        """Prepare what all arrays of a step share, where a rule has such a thing."""

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

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next step; can be set unless a schedule decides it."""
        if isinstance(self._learning_rate, LearningRateSchedule):
            return self._learning_rate(self.iterations)
        return self._learning_rate

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        if isinstance(self._learning_rate, LearningRateSchedule):
            raise InputError(
                f"{self._name}: expected learning_rate to be left alone, got {value!r}. The "
                f"{type(self._learning_rate).__name__} decides it; give the constructor a float "
                "to be able to set it."
            )
        self._learning_rate = self._checked_learning_rate(value)

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

    def apply(self, gradients: Sequence[Array], variables: Sequence[Array]) -> None:
        """Make one step, like `apply_gradients`, from two lists of the same length."""
        if not variables and not gradients:
            return
        shapes = paired_shapes(self._name, gradients, variables)
        if shapes != self._shapes:
            self._begin(variables, shapes)
        if [g.dtype for g in gradients] != [v.dtype for v in variables]:
            gradients = [g.astype(v.dtype) for g, v in zip(gradients, variables, strict=True)]
        if self.clipnorm is not None:
            gradients = clipping.by_norm(gradients, self.clipnorm)
        if self.clipvalue is not None:
            gradients = clipping.by_value(gradients, self.clipvalue)
        if self.global_clipnorm is not None:
            gradients = clipping.by_global_norm(gradients, self.global_clipnorm)
        learning_rate = self.learning_rate
        self.begin_step()
        rule = self.update_step if self.weight_decay is None else self._decay_and_update
        for group in self._packs:
            group.update(rule, gradients, variables, learning_rate)
        for i in self._alone:
            update_in_chunks(rule, gradients[i], variables[i], learning_rate, self._slots[i])
        self.iterations += 1

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, the learning rate as it is now, ready for JSON."""
        rate: Any = self._learning_rate
        if isinstance(rate, LearningRateSchedule):
            rate = {"class_name": type(rate).__name__, "config": rate.get_config()}
        return {
            "learning_rate": rate,
            "weight_decay": self.weight_decay,
            "clipnorm": self.clipnorm,
            "clipvalue": self.clipvalue,
            "global_clipnorm": self.global_clipnorm,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Return an optimizer, without its state, from what `get_config` gave."""
        rate = config.get("learning_rate")
        if isinstance(rate, Mapping):
            config = {**config, "learning_rate": schedules.get(rate)}
        return construct(cls, config)

    def state(self) -> dict[str, Array]:
        """Return copies of all that changes from step to step, as host arrays by name.

        ``iterations``, ``learning_rate`` (unless a schedule decides it) and for the i-th weight
        array each slot as ``name_i``, for instance ``velocity_0``.
        """
        return pack(self.scalars(), self._slots)

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` gave, to the last bit, before or after the first step.

        Raises
        ------
        InputError
            If names, shapes or types are not this optimizer's; nothing is changed then. Before the
            first step the shapes are not known yet and the first step compares them.
        """
        scalars, slots = unpack(self._name, state, self.scalars(), list(self.slot_values()))
        if self._slots and slots:
            slots = fitted(self._name, slots, [next(iter(kept.values())) for kept in self._slots])
            for group in self._packs:
                group.adopt(slots)
        else:
            self._shapes = None
        self._slots = slots
        for name, value in scalars.items():
            setattr(self, name, type(getattr(self, name))(value))

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the packs, whose views a copy's next step makes of its own arrays."""
        return {**self.__dict__, "_shapes": None, "_packs": [], "_alone": []}

    # What the above is made of.

    @property
    def _name(self) -> str:
        return type(self).__name__

    def _decay_and_update(
        self, gradient: Array, variable: Array, learning_rate: float, **slots: Array
    ) -> None:
        assert self.weight_decay is not None
        variable -= learning_rate * self.weight_decay * variable
        self.update_step(gradient, variable, learning_rate, **slots)

    def _checked_learning_rate(
        self, value: float | LearningRateSchedule
    ) -> float | LearningRateSchedule:
        if isinstance(value, LearningRateSchedule):
            return value
        return real(self._name, "learning_rate", value, NOT_NEGATIVE)

    def _optional(self, name: str, value: float | None, allowed: Range) -> float | None:
        return None if value is None else real(self._name, name, value, allowed)

    def _begin(self, variables: Sequence[Array], shapes: Shapes) -> None:
        """Make the slots, or put restored ones where the weights are."""
        if self._shapes is not None:
            expect_first_shapes(self._name, shapes, self._shapes)
        expect_floats(self._name, variables)
        if self._slots:
            self._slots = fitted(self._name, self._slots, variables)
        else:
            self._slots = initial(variables, self.slot_values())
        self._shapes = shapes
        self._packs, self._alone = packs(variables)
        for group in self._packs:
            group.adopt(self._slots)
