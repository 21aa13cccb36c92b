"""Write benchmarks/results/text.md: what the language systems give, from the runs that gave it.

``python benchmarks/text_results.py RUN…`` takes the folders of finished trainings; every other
figure is computed anew.  The data sets have to be there (SCRATCHNET_DATA).
"""

from __future__ import annotations

import os
import platform
import shlex
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import imdb_losses
import numpy as np

from scratchnet import datasets, experiments, runs
from scratchnet.experiments import markov, nietzsche, shakespeare
from scratchnet.experiments.readers import Language
from scratchnet.generation import OneStep, Writer, continuation
from scratchnet.runs import Run
from scratchnet.runs.writing import read_samples
from scratchnet.text import MarkovChain, Sampler, Vocabulary, read_texts, windows

RESULTS = Path(__file__).parent / "results" / "text.md"
ORDERS = range(1, 7)
CHARACTERS = 2000
ROUNDS = 5

Row = Sequence[object]


def table(head: Row, rows: Iterable[Row]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def machine() -> str:
    """Return what the figures were measured on."""
    import keras
    import tensorflow as tf

    versions = (
        f"Python {platform.python_version()}, NumPy {np.__version__}, Keras {keras.__version__}, "
        f"TensorFlow {tf.__version__}"
    )
    return f"{os.cpu_count()} cores of {processor()}; {versions}."


def processor() -> str:
    """Return the processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next(line.split(": ")[1] for line in lines if line.startswith("model name"))


def counts() -> str:
    """Return the published counts beside ours."""
    path = datasets.path("nietzsche")
    text, latin = (read_texts(path, encoding)[0].lower() for encoding in (None, "latin-1"))
    chain = MarkovChain(1).fit(text)
    ids, latin_ids = (Vocabulary.of(one).encode(one) for one in (text, latin))
    play = Vocabulary.of(read_texts(datasets.path("shakespeare"))[0], "word")
    words = play.encode(read_texts(datasets.path("shakespeare"))[0])
    rows = [
        ("Nietzsche: characters", "600,893", f"{len(text):,}", "scratchnet train nietzsche"),
        ("different, lower-cased", "57", len(set(text)), "scratchnet train nietzsche"),
        ("windows of 40", "200,285", f"{len(windows(ids, 40, 3)[0]):,}", "the same"),
        ("different, read as latin-1", "59", len(set(latin)), "… --encoding latin-1"),
        (
            "windows of 60, read as latin-1",
            "200,281",
            f"{len(windows(latin_ids, 60, 3)[0]):,}",
            "… --encoding latin-1 --window 60",
        ),
        (
            "a → b",
            "813",
            chain.counts.loc["a", "b"],
            "scratchnet markov --followers a",
        ),
        (
            "P(n\\|a)",
            "0.2322806826829003",
            repr(float(chain.probabilities.loc["a", "n"])),
            "scratchnet markov --followers a --json",
        ),
        ("followers of a", "39", len(chain.followers("a")), "the same"),
        ("Shakespeare: words", "207,859", f"{len(words):,}", "scratchnet train shakespeare"),
        ("windows of 50", "207,808", f"{len(windows(words, 50)[0]):,}", "the same"),
    ]
    return table(("", "published", "here", "command"), rows)


def chains() -> str:
    """Return the bits a character of chains on Nietzsche's text."""
    text, _ = markov.read()
    rows = []
    for order in ORDERS:
        chain = MarkovChain(order).fit(text)
        found = markov.measure(chain, text)
        rows.append(
            (
                order,
                f"{found['contexts']:,}",
                f"{found['transitions']:,}",
                f"{found['bits']:.3f}",
                f"{found['held_out_bits']:.3f}",
            )
        )
    head = ("order", "contexts", "transitions", "bits, its own text", "bits, last tenth held out")
    return table(head, rows)


def command(run: Run) -> str:
    """Return the command that makes a run again."""
    module = experiments.get(run.experiment).module()
    usual = vars(module.PUBLISHED) if hasattr(module, "PUBLISHED") else {}
    words = ["scratchnet", "train", run.experiment, "--epochs", str(run.epochs)]
    words += ["--engine", run.engine, "--seed", str(run.seed)]
    if run.settings.get("masked"):
        words.append("--masked")
    for name, value in run.settings.items():
        if name in usual and not isinstance(value, list) and value != usual[name]:
            words += [f"--{name.replace('_', '-')}", str(value)]
    return shlex.join(words)


def of(found: dict[Path, Run], experiment: str) -> Iterator[tuple[Path, Run, dict[str, Any]]]:
    """Yield the finished runs of an experiment, each with its results."""
    for path, run in found.items():
        if run.experiment == experiment and run.results is not None:
            yield path, run, run.results


def bits(trained: dict[str, Any]) -> float:
    """Return the bits a symbol of the best epoch, held out where anything was."""
    return min(trained.get("val_bits", trained["bits"]))


def losses(found: dict[Path, Run], experiment: str) -> str:
    """Return the losses and the seconds of each epoch, run by run."""
    rows = []
    for _, run, results in of(found, experiment):
        trained = results["training"]
        rows.append(
            (
                run.engine,
                " ".join(f"{loss:.4f}" for loss in trained["loss"]),
                " ".join(f"{loss:.4f}" for loss in trained.get("val_loss", [])) or "none",
                f"{bits(trained):.3f}",
                f"{min(trained['seconds']):.0f}",
                trained["peak_memory_mib"],
                f"`{command(run)}`",
            )
        )
    head = (
        *("engine", "loss, epoch by epoch", "held-out loss", "bits a symbol, best epoch"),
        *("seconds, fastest epoch", "peak MiB", "command"),
    )
    return table(head, rows)


def reviews(found: dict[Path, Run]) -> str:
    """Return losses and accuracies of the reviews, run by run."""
    rows = []
    for _, run, results in of(found, "imdb"):
        trained, scores = results["training"], results["scores"]["positive"]
        rows.append(
            (
                "masked" if run.settings["masked"] else "as published",
                run.engine,
                run.seed,
                " ".join(f"{loss:.4f}" for loss in trained["loss"]),
                " ".join(f"{one:.2%}" for one in trained.get("val_accuracy", [])) or "none",
                f"{scores['accuracy']:.2%}",
                f"{min(trained['seconds']):.0f}",
                f"`{command(run)}`",
            )
        )
    head = (
        *("", "engine", "seed", "loss, epoch by epoch", "validation accuracy"),
        *("test accuracy", "seconds, fastest epoch", "command"),
    )
    return table(head, rows)


def shares(found: dict[Path, Run]) -> str:
    """Return how much of the JSON written at temperature 0.5 is JSON."""
    rows = []
    for _, run, results in of(found, "json"):
        measured = results["shares"]
        rows.append(
            (
                run.engine,
                measured["documents"],
                f"{measured['parse']:.1%}",
                f"{measured['fit']:.1%}",
                f"{results['training']['loss'][-1]:.4f}",
                f"`{command(run)}`",
            )
        )
    return table(("engine", "documents", "parse", "fit the schema", "last loss", "command"), rows)


def samples(found: dict[Path, Run]) -> str:
    """Return what was written after the last epoch."""
    parts = []
    for path, run in found.items():
        if run.experiment not in ("nietzsche", "shakespeare"):
            continue
        written = read_samples(path / runs.SAMPLES, run.epochs)
        for sample in [one for one in written if one["epoch"] == run.epochs - 1]:
            text = sample["prompt"] + "⟩" + sample["text"]
            quoted = "\n".join(f"> {line}" for line in text.splitlines())
            parts.append(
                f"{run.experiment}, {run.engine}, epoch {run.epochs}, temperature "
                f"{sample['temperature']:g}:\n\n{quoted}"
            )
    return "\n\n".join(parts)


def speed(found: dict[Path, Run]) -> str:
    """Return characters a second of both engines, from one run, in alternating blocks."""
    from keras_impl import generation
    from keras_impl.weights import to_keras
    from scratchnet.generation import sliding_window

    path, run, _ = next(of(found, "nietzsche"))
    assert isinstance(run.reader, Language)
    model = runs.load_model(path, run.reader)
    prompt = run.reader.inputs(run.reader.prompts[0])
    twin, window = to_keras(model), run.reader.window
    writers: dict[str, tuple[Writer, int]] = {
        "scratchnet, state carried": (OneStep(model), CHARACTERS),
        "Keras, state carried, one compiled step": (generation.OneStep(twin), CHARACTERS),
        "scratchnet, sliding window": (sliding_window(model, window), CHARACTERS // 20),
        "Keras, sliding window, compiled": (
            generation.sliding_window(twin, window),
            CHARACTERS // 20,
        ),
    }
    seconds: dict[str, list[float]] = {name: [] for name in writers}
    for _ in range(ROUNDS):
        for name, (writer, length) in writers.items():
            sampler = Sampler(0.5, seed=1)
            begun = time.perf_counter()
            for _ in continuation(writer, prompt, sampler, length):
                pass
            seconds[name].append((time.perf_counter() - begun) / length)
    fastest = {name: min(times) for name, times in seconds.items()}
    base = fastest["Keras, state carried, one compiled step"]
    rows = [(name, f"{1 / one:,.0f}", f"{one / base:.2f}") for name, one in fastest.items()]
    return table(("", "characters a second", "time over Keras's compiled step"), rows)


def main(folders: Sequence[str]) -> None:
    """Read the runs and write the table."""
    found = {Path(folder): runs.read(folder) for folder in folders}
    parts = [
        "# The language systems, measured",
        f"Made by `python benchmarks/text_results.py RUN…` on {machine()} Each training had one "
        "thread of BLAS or TensorFlow and shared the cores with other trainings: its seconds say "
        "how long it took there, not which engine is faster.",
        "## Counts",
        counts(),
        "## Markov chains on Nietzsche's text",
        "Witten-Bell interpolation; bits a character.",
        chains(),
        "## Nietzsche",
        "Published: " + " ".join(nietzsche.__doc__.split("Published: ")[1].split()),
        losses(found, "nietzsche"),
        "## Film reviews",
        "Published: 86.79 % of the test reviews right after 3 epochs.",
        reviews(found),
        imdb_losses.summary(),
        "## JSON",
        shares(found),
        "## Shakespeare",
        " ".join(shakespeare.__doc__.split("\n\n")[1].split()),
        losses(found, "shakespeare"),
        "## Writing, one character at a time",
        speed(found),
        "## Samples",
        samples(found),
    ]
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
