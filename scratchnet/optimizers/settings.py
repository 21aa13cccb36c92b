"""What every optimizer is told when it is made: the learning rate, weight decay and clipping."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from scratchnet import schedules
from scratchnet.arguments import NOT_NEGATIVE, POSITIVE, Range, construct, real
from scratchnet.errors import InputError
from scratchnet.schedules import LearningRateSchedule


class Settings:
    """The arguments that all optimizers have; `Optimizer` says what they mean."""

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule,
        weight_decay: float | None,
        clipnorm: float | None,
        clipvalue: float | None,
        global_clipnorm: float | None,
    ) -> None:
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
        self.iterations = 0

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

    @property
    def _name(self) -> str:
        return type(self).__name__

    def _checked_learning_rate(
        self, value: float | LearningRateSchedule
    ) -> float | LearningRateSchedule:
        if isinstance(value, LearningRateSchedule):
            return value
        return real(self._name, "learning_rate", value, NOT_NEGATIVE)

    def _optional(self, name: str, value: float | None, allowed: Range) -> float | None:
        return None if value is None else real(self._name, name, value, allowed)
