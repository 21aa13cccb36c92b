"""The training itself, of whichever engine, once it is clear what and where it is."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scratchnet.cli.visible import path_shown

if TYPE_CHECKING:
    from keras_impl.options import Options
    from scratchnet.callbacks import Callback
    from scratchnet.experiments.problem import Problem
    from scratchnet.model import Sequential
    from scratchnet.runs import Run


class Fitting:
    """Trains the problem into the folder.

    Parameters
    ----------
    experiment : str
        Its name.
    minutes : float
        Between two checkpoints within an epoch.
    quiet : bool
        Show nothing but a bar.
    given : dict
        What was given of Keras's options, by name.
    device : str, optional
        Where the scratch engine is to compute, if that was said.
    fit : function, optional
        Trains in place of `keras_impl.training.train`, and takes the same arguments.
    """

    problem: Problem
    run: Run
    engine: str
    folder: Path
    how: Options | None = None
    command: str | None = None

    def __init__(
        self,
        experiment: str,
        minutes: float,
        quiet: bool,
        given: dict[str, Any],
        fit: Callable[..., Sequential] | None = None,
        device: str | None = None,
    ) -> None:
        self.experiment, self.minutes, self.quiet = experiment, minutes, quiet
        self.given, self.fit, self.device = given, fit, device

    def _import_engine(self) -> None:
        if self.engine == "keras":
            from scratchnet.cli.quiet import import_tensorflow

            import_tensorflow()

    def _train(self, resume: bool) -> None:
        from scratchnet import runs

        try:
            model = self._fit(resume)
            self.run.results = runs.evaluate(model, self.problem)
        except KeyboardInterrupt:
            if runs.has_model(self.folder):
                self._say_how_to_go_on()
            raise
        self.run.results["training"] = runs.figures(self.problem, self.folder)
        runs.write(self.run, self.folder)

    def _fit(self, resume: bool) -> Sequential:
        from scratchnet import runs
        from scratchnet.callbacks import LambdaCallback

        # A run that goes on is described anew only once everything has been read.
        describes = LambdaCallback(
            on_epoch_begin=lambda epoch, logs: runs.write(self.run, self.folder)
        )
        if self.how is not None:
            return self._fit_keras(self.how, describes, resume)
        display = self._display()
        return runs.train(
            self.problem,
            self.folder,
            verbose=False,
            minutes=self.minutes,
            resume=resume,
            shown_by=[describes, display],
            listener=display,
            device=self.device or "cpu",
        )

    def _fit_keras(self, how: Options, describes: Callback, resume: bool) -> Sequential:
        from dataclasses import replace

        from keras_impl import generation, training
        from scratchnet import runs
        from scratchnet.progress import Progress

        done = 0
        if resume:
            runs.require_checkpoint(self.folder, runs.KERAS_MODEL)
            progress = training.reached(self.folder)
            runs.require_epochs_left(progress, self.problem.epochs)
            done = progress.epoch
            if self.command is not None:
                at = f"in epoch {done + 1}, after {progress.batch} batches"
                if done >= self.problem.epochs:
                    at = "to its evaluation"
                elif progress == Progress():
                    at = "from the beginning"
                self._say(f"{self.folder}: goes on {at}.")
        display = self._display()
        chooses = replace(self.problem, choose_by=training.watched(self.problem, how))
        kept = runs.callbacks(chooses, self.folder, done, None, generation.following(), display)
        fit = self.fit or training.train
        told = [describes, display, *kept]
        model = fit(self.problem, self.folder, told, resume, self.minutes, how)
        return runs.chosen(model, self.folder)

    def _display(self) -> Any:
        from scratchnet.cli import console
        from scratchnet.cli.display import TrainingDisplay
        from scratchnet.experiments.readers import Columns, Language

        reader = self.problem.reader
        quiet = self.quiet or isinstance(reader, Columns)
        unit = reader.vocabulary.unit_name if isinstance(reader, Language) else ""
        screen = console.results()
        if not quiet:
            for note in self.problem.notes:
                screen.print(note, style="dim", markup=False)
        return TrainingDisplay(console.progress(), None if quiet else screen, unit)

    def _say_how_to_go_on(self) -> None:
        if self.command is not None:
            self._say(f"keras_impl: go on with {self.command}.")
            return
        folder = shlex.quote(path_shown(self.folder))
        command = f"scratchnet train {self.experiment} --resume --out {folder}"
        if self.engine != "scratch":
            command += f" --engine {self.engine}"
        if self.device == "gpu":
            command += " --device gpu"
        self._say(f"scratchnet: go on with {command}")

    def _say(self, sentence: str) -> None:
        from scratchnet.cli import console

        console.progress().print(sentence, markup=False, soft_wrap=True)
