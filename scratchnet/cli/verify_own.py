"""What ``scratchnet verify`` checks of scratchnet's own."""

from __future__ import annotations

import contextlib
import difflib
import importlib.util
import inspect
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.progress import Progress

from scratchnet import gradcheck, layers, losses
from scratchnet.arguments import snake_case
from scratchnet.cli import console
from scratchnet.cli.quiet import import_tensorflow
from scratchnet.cli.shapes import listed, sizes
from scratchnet.cli.verified import Checked
from scratchnet.cli.verify_code import command, default_shape, refuse, spelling
from scratchnet.errors import InputError, MissingExtraError
from scratchnet.gradcheck import catalogue
from scratchnet.gradcheck.check import check

if TYPE_CHECKING:
    from scratchnet.layers import Layer

UNITS = 5

NO_KERAS = (
    "Keras is not installed, so nothing was held against it: "
    'pip install "scratchnet[keras]" adds it.'
)


def check_catalogue(target: str | None, seed: int, keras: bool | None) -> tuple[list[Checked], str]:
    """Check everything, or all cases of one name; return what was found, and a remark.

    Raises
    ------
    InputError
        If there is nothing of this name.
    MissingExtraError
        If Keras was asked for and is not installed.
    """
    cases = list(catalogue.everything())
    if target is not None:
        names = meant(target, {case.name: _words(case.name) for case in cases})
        cases = [case for case in cases if case.name in names]
    with_keras, remark = _start_keras(keras)
    checked = []
    screen = console.progress()
    with Progress(console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task("", total=len(cases))
        for case in cases:
            bar.update(task, description=case.name)
            subject = case.make()
            replay = command(_words(case.name)[0], seed=seed, keras=keras)
            report = check(subject, seed=seed, keras=with_keras, replay=replay)
            report.name = f"{case.name} ({case.label})"
            checked.append(Checked(case.name, case.label, report, subject.dtype))
            bar.advance(task)
    return checked, remark


def check_layer(
    target: str | None, units: int | None, input_shape: str | None, seed: int, keras: bool | None
) -> tuple[list[Checked], str]:
    """Check one layer of these sizes; return what was found, and a remark.

    Raises
    ------
    InputError
        If there is no such layer, or it cannot have these sizes.
    MissingExtraError
        If Keras was asked for and is not installed.
    """
    name, layer = _layer(target, units)
    shape = default_shape(name) if input_shape is None else sizes("--input-shape", input_shape)
    with_keras, remark = _start_keras(keras)
    report = gradcheck.check_layer(layer, shape, seed=seed, keras=with_keras)
    words = ["--input-shape", listed(shape)]
    words += ["--units", str(units)] if units is not None else []
    report.replay = command(snake_case(name), *words, seed=seed, keras=keras)
    return [Checked(name, report.name, report)], remark


def meant(target: str, words: Mapping[str, Sequence[str]]) -> list[str]:
    """Return which names are meant, given the words for each: ``simple_rnn`` is ``SimpleRNN``.

    Raises
    ------
    InputError
        If none is.
    """
    wanted = {spelling(target)}
    with contextlib.suppress(InputError):  # a loss's short name, such as mse
        wanted.add(spelling(type(losses.get(target)).__name__))
    names = [name for name, its in words.items() if wanted & set(map(spelling, its))]
    if names:
        return names
    known = {spelling(word): word for its in words.values() for word in its}
    near = difflib.get_close_matches(spelling(target), known, n=1)
    advice = f"They are {', '.join(sorted(known.values()))}."
    if near:
        advice = f"Did you mean {known[near[0]]}?"
    raise InputError(
        f"verify: expected a layer or loss of scratchnet's, or FILE.py:NAME, got {target}. {advice}"
    )


def _words(name: str) -> list[str]:
    """Return what a case's name can be called by: ``Activation relu`` is ``relu`` above all."""
    kind, *rest = name.replace(",", "").split()
    own = rest if kind == "Activation" else []
    return [*own, snake_case(kind)]


def _layer(target: str | None, units: int | None) -> tuple[str, Layer]:
    """Return one of scratchnet's layers, made of so many units, and its name."""
    option = "--input-shape" if units is None else "--units"
    if target is None:
        refuse(option, "is for one layer: name it, as in scratchnet verify lstm")
    kinds = {name: getattr(layers, name) for name in layers.__all__ if name != "Layer"}
    (name,) = meant(target, {name: [snake_case(name)] for name in kinds})
    arguments = inspect.signature(kinds[name]).parameters
    needed = {key for key, one in arguments.items() if one.default is one.empty}
    if needed - {"units"}:
        refuse(option, f"{name} needs more to be made than units: leave {option} out")
    if "units" in arguments:
        return name, kinds[name](UNITS if units is None else units, dtype="float64")
    if units is not None:
        refuse("--units", f"{name} has none: leave --units out")
    return name, kinds[name](dtype="float64")


def _start_keras(wanted: bool | None) -> tuple[bool, str]:
    """Import Keras where it is wanted and installed; return whether it is there, and a remark."""
    if wanted is False:
        return False, ""
    if all(importlib.util.find_spec(module) for module in ("keras", "tensorflow")):
        import_tensorflow()
        return True, ""
    if wanted:
        raise MissingExtraError('--keras: Keras is not installed: pip install "scratchnet[keras]"')
    return False, NO_KERAS
