"""``scratchnet train EXPERIMENT``: train one engine and leave a run."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scratchnet.cli import problem as options
from scratchnet.cli.chains import train_chain
from scratchnet.cli.refusal import refuse
from scratchnet.cli.visible import path_shown

if TYPE_CHECKING:
    from scratchnet.experiments.problem import Problem
    from scratchnet.model import Sequential
    from scratchnet.runs import Run

MINUTES = 5.0
SCALARS = ("loss", "perplexity", "bits")
"""Figures that the answer has twice: of each epoch, and of the test rows."""

Samples = Annotated[
    int | None,
    typer.Option(
        min=0,
        help="Characters, or words, written at each temperature after each epoch.",
        show_default=options.OWN,
        rich_help_panel=options.TEXTS,
    ),
]
Order = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="How many symbols decide what follows (markov).",
        show_default=options.OWN,
        rich_help_panel=options.TEXTS,
    ),
]


def train(
    experiment: options.Name,
    engine: Annotated[
        str | None,
        typer.Option(
            metavar="scratch|keras",
            help="Which trains.",
            show_default="scratch; of a run that goes on, its own",
        ),
    ] = None,
    epochs: options.Epochs = None,
    seed: options.Seed = 0,
    dtype: options.Dtype = "float32",
    out: Annotated[
        Path | None,
        typer.Option(metavar="RUN_DIR", help="The run's folder, by default runs/NAME-N."),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Go on with the run in --out, or with the newest one."),
    ] = False,
    minutes: Annotated[
        float, typer.Option(min=0, help="Between two checkpoints within an epoch.")
    ] = MINUTES,
    text: options.Text = None,
    encoding: options.Encoding = None,
    max_lines: options.MaxLines = None,
    keep_case: options.KeepCase = False,
    unit: options.Unit = None,
    window: options.Window = None,
    stride: options.Stride = None,
    cell: options.Cell = None,
    layers: options.Layers = None,
    units: options.Units = None,
    embedding: options.Embedding = None,
    batch_size: options.BatchSize = None,
    validation: options.Validation = None,
    samples: Samples = None,
    order: Order = None,
    masked: options.Masked = False,
    train_csv: options.TrainCsv = None,
    test_csv: options.TestCsv = None,
    published: options.Published = False,
    as_json: options.Json = False,
) -> None:
    """Train an experiment; the run's folder has the model, its history and its description.

    A text's network writes a sample at each temperature after each epoch. Ctrl-C, or a kill, leaves
    the latest checkpoint, and --resume goes on from it.
    """
    from scratchnet import experiments

    given = {
        "train_csv": train_csv, "test_csv": test_csv, "published": published,
        "text": None if not text else tuple(text), "encoding": encoding, "max_lines": max_lines,
        "keep_case": keep_case, "unit": unit, "window": window, "stride": stride, "cell": cell,
        "layers": layers, "units": units, "embedding": embedding, "batch_size": batch_size,
        "validation": validation, "samples": samples, "masked": masked, "order": order,
    }  # fmt: skip
    options.check_engine(engine)
    if experiments.get(experiment).kind == "chain":
        if resume:
            refuse("--resume", "a chain is counted at once. Train it anew.")
        train_chain(
            engine or "scratch", out, {"epochs": epochs, "seed": seed or None, **given}, as_json
        )
        return
    session = _Session(experiment, minutes, as_json)
    if resume:
        _only_resumes(given, seed, dtype)
        session.resume(out, epochs, engine)
    else:
        session.begin(
            out, engine or "scratch", {"epochs": epochs, "seed": seed, "dtype": dtype, **given}
        )
    if as_json:
        from scratchnet.cli import console

        console.print_json(session.answer())
        return
    session.show()


def _only_resumes(given: dict[str, Any], seed: int, dtype: str) -> None:
    """Raise if a run that goes on is told to be another."""
    named = [key for key, value in given.items() if value is not None and value is not False]
    named += ["seed"] * (seed != 0) + ["dtype"] * (dtype != "float32")
    if named:
        option = f"--{named[0].replace('_', '-')}"
        refuse(option, "a run that goes on keeps its settings. Leave it out, or train a new run.")


class _Session:
    """One training from the command line, of whichever engine."""

    problem: Problem
    run: Run
    engine: str
    folder: Path

    def __init__(self, experiment: str, minutes: float, quiet: bool) -> None:
        self.experiment, self.minutes, self.quiet = experiment, minutes, quiet

    def begin(self, out: Path | None, engine: str, given: dict[str, Any]) -> None:
        """Train a new run."""
        from scratchnet import runs

        self.engine = engine
        self._require_engine()
        self.problem = options.make_problem(self.experiment, **given)
        self._import_engine()
        with runs.recording(self.experiment, out) as self.folder:
            self.run = runs.start(self.problem, self.engine, self.folder)
            self._train(resume=False)

    def resume(self, out: Path | None, epochs: int | None, engine: str | None) -> None:
        """Go on with a run."""
        from scratchnet import runs

        self.folder = runs.latest(self.experiment) if out is None else out
        self.run = run = runs.read(self.folder)
        self.engine = engine or run.engine
        if (run.experiment, run.engine) != (self.experiment, self.engine):
            refuse(
                "--resume",
                f"expected a run of {self.experiment} by {self.engine}, got {self.folder} of "
                f"{run.experiment} by {run.engine}. Name its own experiment and engine.",
            )
        runs.remove_drafts(self.folder)
        wanted = runs.resumable(run, self.folder, epochs)
        runs.check_files(run)
        self._require_engine()
        self.problem = options.problem_of(run, wanted)
        runs.check_problem(self.folder, self.problem, run)
        self._import_engine()
        run.epochs, run.results = wanted, None
        self._train(resume=True)

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

        display = self._display()
        # A run that goes on is described anew only once everything has been read.
        describes = LambdaCallback(
            on_epoch_begin=lambda epoch, logs: runs.write(self.run, self.folder)
        )
        if self.engine == "scratch":
            return runs.train(
                self.problem,
                self.folder,
                verbose=False,
                minutes=self.minutes,
                resume=resume,
                shown_by=[describes, display],
                listener=display,
            )
        from keras_impl import generation, training

        if resume:
            runs.require_checkpoint(self.folder, runs.KERAS_MODEL)
            runs.require_epochs_left(training.reached(self.folder), self.problem.epochs)
        done = training.reached(self.folder).epoch if resume else 0
        kept = runs.callbacks(
            self.problem,
            self.folder,
            done,
            None,
            generation.following(),
            display,
        )
        model = training.train(
            self.problem, self.folder, [describes, display, *kept], resume, self.minutes
        )
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
        from scratchnet.cli import console

        folder = shlex.quote(path_shown(self.folder))
        command = f"scratchnet train {self.experiment} --resume --out {folder}"
        if self.engine != "scratch":
            command += f" --engine {self.engine}"
        console.progress().print(f"scratchnet: go on with {command}", markup=False)

    def answer(self) -> dict[str, Any]:
        """Return what ``--json`` prints: a list with an entry an epoch for what was watched."""
        results = dict(self.run.results or {})
        training = results.pop("training")
        tested = {f"test_{key}" if key in SCALARS else key: v for key, v in results.items()}
        return {"run": str(self.folder), "engine": self.engine, **training, **tested}

    def show(self) -> None:
        """Print what came of it."""
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
