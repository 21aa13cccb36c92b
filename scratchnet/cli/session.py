"""One training from the command line, of whichever engine: a new run, or one that goes on."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scratchnet.cli import keras_options
from scratchnet.cli import problem as options
from scratchnet.cli.refusal import refuse
from scratchnet.cli.visible import path_shown

if TYPE_CHECKING:
    from keras_impl.options import Options
    from scratchnet.callbacks import Callback
    from scratchnet.experiments.problem import Problem
    from scratchnet.model import Sequential
    from scratchnet.runs import Run

SCALARS = ("loss", "perplexity", "bits")
"""Figures that the answer has twice: of each epoch, and of the test rows."""


class Session:
    """One training.

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
    ) -> None:
        self.experiment, self.minutes, self.quiet = experiment, minutes, quiet
        self.given, self.fit = given, fit

    def begin(self, out: Path | None, engine: str, given: dict[str, Any]) -> None:
        """Train a new run."""
        self._plan(engine, given)
        self._import_engine()
        self._record(out)

    def begin_or_go_on(self, out: Path | None, given: dict[str, Any]) -> None:
        """Train with Keras; go on with what the same command has begun.

        Without a folder that is the newest run that has not ended, has the same settings and is not
        being trained by somebody else.
        """
        from scratchnet import runs

        self._plan("keras", given)
        self.command = "the same command"
        for folder in runs.newest_first(self.experiment) if out is None else [out]:
            if runs.is_run(folder) and self._goes_on(folder, named=out is not None):
                return
        self._import_engine()
        self._record(out)

    def resume(self, out: Path | None, epochs: int | None, engine: str | None) -> None:
        """Go on with a run, for longer if more epochs are named."""
        from scratchnet import runs

        self.folder = runs.latest(self.experiment) if out is None else out
        runs.read(self.folder)  # or there is nothing to lock
        with runs.locked(self.folder):
            self.run = run = runs.read(self.folder)
            self.engine = engine or run.engine
            if (run.experiment, run.engine) != (self.experiment, self.engine):
                refuse(
                    "--resume",
                    f"expected a run of {self.experiment} by {self.engine}, got {self.folder} of "
                    f"{run.experiment} by {run.engine}. Name its own experiment and engine.",
                )
            keras_options.require_none(self.engine, self.given)
            self.how = keras_options.of_run(run, self.given)
            runs.remove_drafts(self.folder)
            wanted = runs.resumable(run, self.folder, epochs)
            if wanted != run.epochs and self.how is not None:
                self.how.check_longer(run.epochs)
            runs.check_files(run)
            self._require_engine()
            self.problem = options.problem_of(run, wanted)
            runs.check_problem(self.folder, self.problem, run)
            self._import_engine()
            run.epochs, run.results = wanted, None
            self._train(resume=True)

    def _plan(self, engine: str, given: dict[str, Any]) -> None:
        """Make the problem."""
        keras_options.require_none(engine, self.given)
        self.engine = engine
        self._require_engine()
        if engine == "keras":
            self.how = keras_options.made(self.given, given["dtype"])
        self.problem = options.make_problem(self.experiment, **given)

    def _record(self, out: Path | None) -> None:
        from scratchnet import runs

        with runs.recording(self.experiment, out) as self.folder:
            if self.command is not None:
                self._say(f"{self.folder}: a new run.")
            decisive = self.how.decisive() if self.how is not None else {}
            self.run = runs.start(self.problem, self.engine, self.folder, decisive)
            self._train(resume=False)

    def _goes_on(self, folder: Path, named: bool) -> bool:
        """Go on with a run that the same command has begun, if it is one; return whether it is."""
        from scratchnet import runs

        assert self.how is not None
        same = (self.problem, self.engine, self.how.decisive())
        try:
            with runs.locked(folder):
                self.folder, self.run = folder, runs.read(folder)
                if named:
                    runs.require_same(folder, self.run, *same)
                elif self.run.results is not None or runs.difference(self.run, *same) is not None:
                    return False
                if self.run.results is not None:
                    self._say(
                        f"{folder}: this run has had its {self.run.epochs} epochs. To train anew, "
                        "name another folder with --out, or remove this one."
                    )
                    return True
                runs.remove_drafts(folder)
                self._import_engine()
                self._train(resume=True)
                return True
        except runs.RunInUseError:
            if named:
                raise
        return False

    def _require_engine(self) -> None:
        if self.engine == "keras":
            options.require_keras(self.experiment)

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
                begun = progress != Progress()
                self._say(f"{self.folder}: goes on {at if begun else 'from the beginning'}.")
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
        self._say(f"scratchnet: go on with {command}")

    def _say(self, sentence: str) -> None:
        from scratchnet.cli import console

        console.progress().print(sentence, markup=False, soft_wrap=True)

    def end(self, as_json: bool) -> None:
        """Print what came of it."""
        from scratchnet.cli import console

        if as_json:
            console.print_json(self._answer())
        else:
            self._show()

    def _answer(self) -> dict[str, Any]:
        """Return what ``--json`` prints: a list with an entry an epoch for what was watched."""
        results = dict(self.run.results or {})
        training = results.pop("training")
        tested = {f"test_{key}" if key in SCALARS else key: v for key, v in results.items()}
        return {"run": str(self.folder), "engine": self.engine, **training, **tested}

    def _show(self) -> None:
        from rich.markup import escape

        from scratchnet.cli import console
        from scratchnet.cli.results import show_evaluation
        from scratchnet.experiments.readers import Columns

        screen = console.results()
        if isinstance(self.problem.reader, Columns):
            for note in self.problem.notes:
                screen.print(f"[dim]{escape(note)}[/]")
        show_evaluation(screen, self.run.results or {}, self.problem.reader)
        folder = shlex.quote(path_shown(self.folder))
        commands = {"Columns": f"predict {folder} FILE.csv", "Language": f"generate {folder}"}
        command = commands.get(
            type(self.problem.reader).__name__, f'predict {folder} --text "a review in words"'
        )
        screen.print(f"\nThe run is in [bold]{escape(str(self.folder))}[/]: ", end="")
        screen.print(f"scratchnet {command}", markup=False)
