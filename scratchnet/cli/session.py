"""One training from the command line, of whichever engine: a new run, or one that goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scratchnet.cli import keras_options
from scratchnet.cli import problem as options
from scratchnet.cli.fitting import Fitting
from scratchnet.cli.refusal import refuse
from scratchnet.errors import DataError


class Session(Fitting):
    """One training, from the options that it was given to what it prints."""

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
            before, self.device = run.device, options.checked_device(self.device, self.engine)
            run.device = self.device
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
            self._say_where(before)
            self._train(resume=True)

    def _say_where(self, before: str | None) -> None:
        """Say where a run goes on that is, or was, on a GPU."""
        if self.device == "gpu":
            self._say(f"{self.folder}: goes on on the gpu.")
        elif before == "gpu":
            self._say(
                f"{self.folder}: goes on on the cpu, and was on the gpu. To go on there, add "
                "--device gpu."
            )

    def _plan(self, engine: str, given: dict[str, Any]) -> None:
        """Make the problem."""
        keras_options.require_none(engine, self.given)
        self.engine = engine
        self.device = options.checked_device(self.device, engine)
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
            self.run = runs.start(self.problem, self.engine, self.folder, decisive, self.device)
            self._train(resume=False)

    def _goes_on(self, folder: Path, named: bool) -> bool:
        """Go on with a run that the same command has begun, if it is one; return whether it is."""
        from scratchnet import runs

        assert self.how is not None
        same = (self.problem, self.engine, self.how.decisive())
        try:
            with runs.locked(folder):
                try:
                    self.folder, self.run = folder, runs.read(folder)
                except DataError:  # whatever is wrong with it, it is not what is to be begun
                    if named:
                        raise
                    return False
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

    def end(self, as_json: bool) -> None:
        """Print what came of it."""
        from scratchnet.cli import console, trained

        if as_json:
            console.print_json(trained.answer(self.run, self.folder))
        else:
            trained.show(self.run, self.folder, self.problem)
