"""``scratchnet generate RUN``: let a trained network, or a chain, write."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scratchnet.cli import problem as options
from scratchnet.cli.refusal import refuse
from scratchnet.cli.visible import visible

if TYPE_CHECKING:
    from scratchnet.experiments.readers import Language
    from scratchnet.generation import Writer
    from scratchnet.model import Sequential


def generate(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A folder that train wrote.")],
    length: Annotated[int, typer.Option(min=1, help="Characters, or words, to write.")] = 400,
    temperature: Annotated[
        float, typer.Option(help="Below 1 the likely becomes likelier; 0 takes the likeliest.")
    ] = 0.5,
    top_k: Annotated[
        int | None, typer.Option(help="Only among this many likeliest.", show_default="all")
    ] = None,
    top_p: Annotated[
        float | None,
        typer.Option(help="Only among the likeliest with this probability.", show_default="1"),
    ] = None,
    seed: options.Seed = 0,
    prompt: Annotated[
        str | None,
        typer.Option(help="What to go on from.", show_default="a passage of the text"),
    ] = None,
    exact_window: Annotated[
        bool,
        typer.Option(
            "--exact-window",
            help="Show the network its last window at every step, as the published scripts do, "
            "in place of carrying its states along.",
        ),
    ] = False,
    engine: Annotated[
        str | None,
        typer.Option(
            metavar="scratch|keras", help="Which writes.", show_default="the one that trained"
        ),
    ] = None,
    device: options.Device = None,
    as_json: options.Json = False,
) -> None:
    """Write on from a prompt, character by character or word by word, as it comes."""
    from scratchnet import runs
    from scratchnet.experiments.readers import Chain, Language
    from scratchnet.runs.writing import pieces
    from scratchnet.text import Sampler

    sampler = Sampler(temperature, top_k, top_p, seed)
    found = runs.read(run)
    chosen = engine or found.engine
    options.check_engine(chosen)
    reader = found.reader
    if isinstance(reader, Chain):
        for option, wanted in (
            ("--exact-window", exact_window),
            ("--top-p", top_p is not None),
            ("--engine", engine is not None),
            ("--device", device is not None),
        ):
            if wanted:
                refuse(option, "a chain has no such option. Leave it out.")
        if prompt == "":
            refuse("--prompt", "expected one or more symbols, got none. Leave it out.")
        chain = runs.load_chain(run)
        started = (prompt or "").lower() if reader.lower_case else prompt or ""
        stream = chain.stream(length, started or None, temperature, seed, top_k)
        _answer(run, "counts", started, stream, as_json)
        return
    if not isinstance(reader, Language):
        refuse(
            str(run),
            f"expected a run that learned a text, got one of {found.experiment}. Name one.",
        )
    started = reader.prompts[seed % len(reader.prompts)] if prompt is None else prompt
    _check_prompt(reader, started, "--prompt" if prompt is not None else f"{run}/run.json: prompts")
    where = options.checked_device(device, chosen)
    writer = _writer(run, reader, chosen, exact_window, where)
    stream = pieces(writer, reader, started, sampler, length)
    _answer(run, chosen, started, stream, as_json)


def _check_prompt(reader: Language, prompt: str, name: str) -> None:
    """Raise unless there is a prompt that the network can read; say which words it cannot."""
    from scratchnet.cli import console
    from scratchnet.errors import InputError
    from scratchnet.text import split_words

    vocabulary = reader.vocabulary
    unit = vocabulary.unit_name
    try:
        ids = reader.inputs(prompt)
    except InputError:
        read = prompt.lower() if reader.lower_case else prompt
        unknown = [one for one in dict.fromkeys(read) if one not in vocabulary]
        refuse(
            name,
            f"expected {unit}s that the run's text has, got {', '.join(map(repr, unknown[:10]))}. "
            "Leave them out.",
        )
    if not len(ids):
        refuse(name, f"expected one or more {unit}s, got none. Leave it out, or write one.")
    if vocabulary.unknown is not None and (ids == 0).any():
        unknown = [one for one in dict.fromkeys(split_words(prompt)) if one not in vocabulary]
        said = f"--prompt: the run's text does not have {', '.join(map(repr, unknown[:10]))}"
        console.progress().print(visible(said), style="dim", markup=False)


def _answer(run: Path, engine: str, prompt: str, stream: Iterator[str], as_json: bool) -> None:
    """Print what is written, as it comes or as JSON."""
    from scratchnet.cli import console
    from scratchnet.device import clearly

    text, seconds = clearly(_written)(stream, None if as_json else prompt)
    if as_json:
        named = {"run": str(run), "engine": engine, "prompt": prompt, "text": text}
        console.print_json({**named, "seconds": round(seconds, 4)})


def _written(stream: Iterator[str], prompt: str | None) -> tuple[str, float]:
    """Return the text, printing it as it comes behind its prompt, and how long it took."""
    begun, parts = time.perf_counter(), []
    if prompt is not None:
        print(visible(prompt), end="", flush=True)
    for piece in stream:
        parts.append(piece)
        if prompt is not None:
            print(visible(piece), end="", flush=True)
    if prompt is not None:
        print()
    return "".join(parts), time.perf_counter() - begun


def _writer(
    run: Path, reader: Language, engine: str, exact_window: bool, device: str | None
) -> Writer:
    """Return what writes, in the engine that was asked for."""
    from scratchnet import generation, runs

    model: Sequential = runs.load_model(run, reader)
    if engine == "scratch":
        model.to(device or "cpu")
        if exact_window:
            return generation.sliding_window(model, reader.window)
        return generation.OneStep(model)
    from scratchnet.cli.quiet import import_tensorflow

    options.require_keras_installed()
    import_tensorflow()
    from keras_impl import generation as keras_generation
    from keras_impl.weights import to_keras

    twin: Any = to_keras(model)
    if exact_window:
        return keras_generation.sliding_window(twin, reader.window)
    return keras_generation.OneStep(twin)
