"""What a training looks like: a bar, a line an epoch, and what the network writes."""

from __future__ import annotations

import math
import time
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from scratchnet.callbacks import Callback
from scratchnet.callbacks.base import Logs
from scratchnet.cli.visible import visible

REFRESH = 0.1
"""Seconds between two looks at the bar: it must not slow what it watches."""


class TrainingDisplay(Callback):
    """Shows a training while it runs.

    Parameters
    ----------
    bar : Console
        Where the progress bar is; it is shown on a terminal alone.
    lines : Console or None
        Where a line an epoch and the samples go; None for nowhere.
    unit : str
        What bits are counted by, ``character`` or ``word``; empty where they say nothing.
    """

    def __init__(self, bar: Console, lines: Console | None, unit: str) -> None:
        self._bar_console, self._lines, self._unit = bar, lines, unit
        self._progress: Progress | None = None

    def on_train_begin(self, logs: Logs) -> None:
        """Start from where the training does."""
        steps = self.params["steps"]
        self._done = self.params["initial_epoch"] * steps + self.params["initial_batch"]
        self._shown = 0.0

    def on_epoch_begin(self, epoch: int, logs: Logs) -> None:
        """Show the bar."""
        self._begun = time.perf_counter()
        self._progress = Progress(
            TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}"),
            BarColumn(),
            TextColumn("loss {task.fields[loss]}  {task.fields[speed]:,.1f} steps/s"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self._bar_console,
            transient=True,
            disable=not self._bar_console.is_terminal,
        )
        epochs, steps = self.params["epochs"], self.params["steps"]
        fields: dict[str, Any] = {"epoch": epoch + 1, "epochs": epochs, "loss": "–"}
        self._task = self._progress.add_task(
            "", total=epochs * steps, completed=self._done, speed=0.0, **fields
        )
        self._progress.start()

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        """Advance."""
        self._done += 1
        now = time.perf_counter()
        if self._progress is not None and now - self._shown > REFRESH:
            self._shown = now
            speed = self._progress.tasks[0].speed or 0.0
            self._progress.update(
                self._task, completed=self._done, loss=f"{logs['loss']:.4f}", speed=speed
            )

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Put the bar away and print the epoch's line."""
        self._stop()
        if self._lines is None:
            return
        seconds = time.perf_counter() - self._begun
        figures = "  ".join(f"{name} {value:.4f}" for name, value in logs.items())
        bits = "val_loss" if "val_loss" in logs else "loss"
        by_unit = f"  ({logs[bits] / math.log(2):.3f} bits a {self._unit})" if self._unit else ""
        self._lines.print(
            f"[bold]epoch {epoch + 1}/{self.params['epochs']}[/]  {figures}{by_unit}  "
            f"{seconds:.1f} s"
        )

    def on_train_end(self, logs: Logs) -> None:
        """Leave the terminal as it was."""
        self._stop()

    def sample_begins(self, epoch: int, temperature: float, prompt: str) -> None:
        """Print the temperature and the prompt."""
        if self._lines is not None:
            before = f"[dim]temperature {temperature:g}:[/]"
            shown = escape(visible(prompt))
            self._lines.print(f"{before} [bold]{shown}[/]", end="", soft_wrap=True)

    def sample_goes_on(self, text: str) -> None:
        """Print what was written, at once."""
        if self._lines is not None:
            self._lines.out(visible(text), end="", highlight=False)

    def sample_ends(self) -> None:
        """End the line."""
        if self._lines is not None:
            self._lines.print("\n")

    def _stop(self) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = None
