"""Runs of a Markov chain, which is counted and not trained step by step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scratchnet.experiments import markov
from scratchnet.experiments.readers import Chain
from scratchnet.runs.description import Run, files_of, versions, write
from scratchnet.text.markov import Counting, MarkovChain
from scratchnet.text.transitions import count


def train_chain(
    folder: Path, engine: str, options: dict[str, Any], counting: Counting = count
) -> Run:
    """Count a text into a folder; options are those of `scratchnet.experiments.markov.fit`."""
    settings = {
        key: value for key, value in options.items() if value is not None and value is not False
    }
    if "text" in settings:
        settings["text"] = [str(Path(path).absolute()) for path in settings["text"]]
    results = markov.train(folder, counting=counting, **settings)
    run = Run(
        experiment="markov",
        engine=engine,
        seed=0,
        dtype="float64",
        epochs=1,
        settings=settings,
        files=files_of(settings.get("text", [])),
        reader=Chain(lower_case=not settings.get("keep_case", False)),
        versions=versions(engine),
        notes=[],
        results=results,
    )
    write(run, folder)
    return run


def load_chain(folder: Path) -> MarkovChain:
    """Read the chain of a run.

    Raises
    ------
    DataError
        If it is missing or not one that a training wrote.
    """
    return MarkovChain.load(folder / markov.CHAIN)


def evaluate_chain(run: Run, chain: MarkovChain) -> dict[str, Any]:
    """Return the chain's size and its bits a symbol on the text that it was counted in."""
    reading = {key: run.settings[key] for key in run.settings.keys() - {"order", "unit"}}
    text, _ = markov.read(**reading)
    return markov.measure(chain, text)
