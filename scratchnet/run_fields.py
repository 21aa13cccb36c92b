"""What ``run.json`` has to hold: each field against its type and range."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from scratchnet.arguments import DTYPES
from scratchnet.experiments import EXPERIMENTS, Experiment
from scratchnet.experiments.problem import Columns
from scratchnet.tables import LARGEST

OF_EVERY_PROBLEM = frozenset({"seed", "dtype", "epochs"})
"""Arguments of every experiment's ``problem``; the others are a run's settings."""


def checked_fields(content: Any) -> dict[str, Any]:
    """Return the fields of a run, its columns as `Columns`.

    Raises
    ------
    ValueError
        A field is missing or is not what a training writes; the message names it.
    """
    _require(isinstance(content, dict), "the file", "an object")
    for field in _RULES:
        _require(field in content, field, "it to be there")
    name = content["experiment"]
    _require(isinstance(name, str) and name in EXPERIMENTS, "experiment", "the name of one")
    experiment = EXPERIMENTS[name]
    _require(content["engine"] in experiment.engines, "engine", "one that trains the experiment")
    for field, (fits, expected) in _RULES.items():
        _require(fits(content[field]), field, expected)
    _check_settings(experiment, content["settings"])
    fields = {field: content[field] for field in _RULES}
    return {**fields, "columns": _columns(content["columns"])}


def _check_settings(experiment: Experiment, settings: dict[str, Any]) -> None:
    parameters = inspect.signature(experiment.module().problem).parameters
    for key, value in settings.items():
        known = key in parameters.keys() - OF_EVERY_PROBLEM
        _require(known, f"settings/{key[:40]}", f"an option of {experiment.name}")
        kind = bool if parameters[key].default is False else str
        _require(isinstance(value, kind), f"settings/{key}", kind.__name__)


def _columns(content: dict[str, Any]) -> Columns:
    for field in ("features", "outputs", "label", "scale", "fill", "cut_off"):
        _require(field in content, f"columns/{field}", "it to be there")
    features, label, fill = content["features"], content["label"], content["fill"]
    for field in ("features", "outputs"):
        _require(_are_names(content[field]), f"columns/{field}", "different names")
    _require(
        label is None or (_are_names([label]) and label not in features),
        "columns/label",
        "a name that is no feature's, or null",
    )
    _require(_is_number(content["scale"]), "columns/scale", "a number")
    _require(
        isinstance(fill, dict)
        and fill.keys() <= set(features)
        and all(map(_is_number, fill.values())),
        "columns/fill",
        "numbers by feature",
    )
    cut_off = content["cut_off"]
    _require(cut_off is None or _is_number(cut_off), "columns/cut_off", "a number or null")
    return Columns(
        tuple(features), tuple(content["outputs"]), label, content["scale"], fill, cut_off
    )


def _require(fits: bool, field: str, expected: str) -> None:
    if not fits:
        raise ValueError(f"{field}: expected {expected}")


def _is_count(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _is_number(value: Any) -> bool:
    kind = isinstance(value, (int, float)) and not isinstance(value, bool)
    return kind and abs(value) <= LARGEST


def _is_text_by_name(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def _are_names(value: Any) -> bool:
    return _are_texts(value) and len(set(value)) == len(value) > 0 and all(value)


_RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "experiment": (lambda value: isinstance(value, str), "a name"),
    "engine": (lambda value: isinstance(value, str), "a name"),
    "seed": (lambda value: _is_count(value, 0), "a whole number from 0"),
    "dtype": (lambda value: value in DTYPES, f"one of {', '.join(DTYPES)}"),
    "epochs": (lambda value: _is_count(value, 1), "a whole number from 1"),
    "settings": (lambda value: isinstance(value, dict), "an object"),
    "files": (_is_text_by_name, "a SHA-256 by path"),
    "columns": (lambda value: isinstance(value, dict), "an object"),
    "versions": (_is_text_by_name, "a version by package"),
    "notes": (_are_texts, "a list of sentences"),
    "results": (lambda value: value is None or isinstance(value, dict), "an object or null"),
}
"""By field: whether a value fits, and what was expected where it does not."""
