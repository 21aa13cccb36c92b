"""Runs of a Markov chain at the command line: trained, evaluated, writing."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scratchnet.cli.problem import require_keras_installed
from scratchnet.cli.refusal import refuse
from scratchnet.cli.visible import path_shown

if TYPE_CHECKING:
    from rich.console import Console

    from scratchnet.runs import Run


def train_chain(engine: str, out: Path | None, given: dict[str, Any], as_json: bool) -> None:
    """Count a text by either engine and print what was counted."""
    from scratchnet import experiments, runs
    from scratchnet.cli import console
    from scratchnet.text.markov import Counting
    from scratchnet.text.transitions import count

    known = experiments.get("markov").options()
    chosen = {
        key: value for key, value in given.items() if value is not None and value is not False
    }
    for key in chosen.keys() - known.keys():
        refuse(
            f"--{key.replace('_', '-')}",
            "a chain has no such option. Leave it out, or see scratchnet markov --help.",
        )
    counting: Counting = count
    if engine == "keras":
        from scratchnet.cli.quiet import import_tensorflow

        require_keras_installed()
        import_tensorflow()
        from keras_impl import markov

        counting = markov.count
    with runs.recording("markov", out) as folder:
        run = runs.train_chain(folder, engine, chosen, counting)
    if as_json:
        console.print_json({"run": str(folder), "engine": engine, **(run.results or {})})
        return
    screen = console.results()
    show_chain(screen, run.results or {})
    screen.print(f"\nThe run is in {folder}: ", end="", markup=False)
    screen.print(f"scratchnet generate {shlex.quote(path_shown(folder))}", markup=False)


def evaluate_chain(folder: Path, run: Run, as_json: bool) -> None:
    """Print a chain's size and its bits a symbol."""
    from scratchnet import runs
    from scratchnet.cli import console

    runs.check_files(run)
    results = runs.evaluate_chain(run, runs.load_chain(folder))
    if as_json:
        console.print_json({"run": str(folder), "engine": run.engine, **results})
        return
    show_chain(console.results(), results)


def show_chain(screen: Console, results: dict[str, Any]) -> None:
    """Print what was counted, and how well it predicts."""
    from scratchnet.text.markov import UNITS

    unit = UNITS[results["unit"]]
    screen.print(
        f"{results['symbols']:,} {unit}s, {results['vocabulary']:,} different; "
        f"{results['contexts']:,} contexts of order {results['order']}, "
        f"{results['transitions']:,} transitions"
    )
    screen.print(f"{results['bits']:.4f} bits a {unit} on the text that was counted")
    if results["held_out_bits"] is not None:
        screen.print(
            f"{results['held_out_bits']:.4f} bits a {unit} on the last "
            f"{results['held_out_share']:.0%} of it, by a chain of the rest"
        )
