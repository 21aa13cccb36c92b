"""How Keras is to train, beside what the experiment says; imports nothing of Keras."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from scratchnet.errors import InputError, MissingExtraError

SCHEDULES = ("constant", "cosine", "exponential", "linear", "warmup")
ON_THE_WAY = ("backup_steps", "tensorboard")
"""Options that leave the weights as they are."""


@dataclass(frozen=True)
class Options:
    """How Keras is to train.

    Attributes
    ----------
    patience : int, optional
        Stop after so many epochs that were no better than the best one, and keep that one.
    schedule : str
        How the learning rate goes down: one of `SCHEDULES`.
    mixed_precision : bool
        Compute in bfloat16, on weights of float32.
    jit : bool
        Compile with XLA, on a CPU too.
    backup_steps : int, optional
        Save after so many steps, so that a killed process goes on from there.
    tensorboard : bool
        Write TensorBoard's logs into the run's folder.

    Raises
    ------
    InputError
        If there is no such schedule, or a number is not positive.
    """

    patience: int | None = None
    schedule: str = "constant"
    mixed_precision: bool = False
    jit: bool = False
    backup_steps: int | None = None
    tensorboard: bool = False

    def __post_init__(self) -> None:
        if self.schedule not in SCHEDULES:
            raise InputError(
                f"--schedule: expected one of {', '.join(SCHEDULES)}, got "
                f"{str(self.schedule)[:40]!r}. Name one of them."
            )
        for name in ("patience", "backup_steps"):
            value = getattr(self, name)
            if value is not None and (type(value) is not int or value < 1):
                raise InputError(
                    f"--{name.replace('_', '-')}: expected a whole number from 1, got "
                    f"{str(value)[:40]}. Name one, or leave it out."
                )
        for name in ("mixed_precision", "jit", "tensorboard"):
            if type(getattr(self, name)) is not bool:
                raise InputError(f"{name}: expected True or False. Pass one of them.")

    def check(self, dtype: str) -> None:
        """Make sure that this can be done, in this dtype and with what is installed.

        Raises
        ------
        InputError
            If mixed precision was asked for beside float64.
        MissingExtraError
            If TensorBoard was, and is not installed.
        """
        if self.mixed_precision and dtype != "float32":
            raise InputError(
                f"--mixed-precision: expected --dtype float32, which the weights keep, got {dtype}."
                " Leave one of them out."
            )
        if self.tensorboard and importlib.util.find_spec("tensorboard") is None:
            raise MissingExtraError(
                'TensorBoard is not installed: pip install "scratchnet[tensorboard]"'
            )

    def check_longer(self, epochs: int) -> None:
        """Make sure that a training planned for so many epochs can be given others.

        Raises
        ------
        InputError
            If its learning rate goes down to an end.
        """
        if self.schedule != "constant":
            raise InputError(
                f"--epochs: expected {epochs}, by which the run's {self.schedule} schedule has "
                "ended, got others. Train a new run."
            )

    def decisive(self) -> dict[str, Any]:
        """Return the options that decide the weights, where they are not the usual ones."""
        usual = asdict(Options())
        return {
            name: value
            for name, value in asdict(self).items()
            if name not in ON_THE_WAY and value != usual[name]
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any], **on_the_way: Any) -> Self:
        """Make them from `decisive`'s answer and the others.

        Raises
        ------
        InputError
            If they are not such options.
        """
        if unknown := config.keys() - (cls.__dataclass_fields__.keys() - set(ON_THE_WAY)):
            raise InputError(f"training: no option is called {sorted(unknown)[0][:40]!r}.")
        return cls(**config, **on_the_way)
