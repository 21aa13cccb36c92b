"""What ``run.json`` has to hold: each field against its type and range."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from scratchnet.arguments import DTYPES
from scratchnet.datasets import file_sha256
from scratchnet.device import DEVICES
from scratchnet.experiments import EXPERIMENTS, Experiment
from scratchnet.experiments.readers import Chain, Columns, Language, Reader, Reviews
from scratchnet.runs.folder import VOCABULARY
from scratchnet.tables import LARGEST
from scratchnet.text.vocabulary import Vocabulary

FORMAT = 1
"""Of run.json; a newer scratchnet may write a higher one."""

OF_EVERY_PROBLEM = frozenset({"seed", "dtype", "epochs"})
"""Options of every experiment; the others are a run's settings."""


def checked_fields(content: Any, folder: Path) -> dict[str, Any]:
    """Return the fields of a run, its reader as an object.

    Raises
    ------
    ValueError
        A field is missing or is not what a training writes; the message names it.
    """
    _require(isinstance(content, dict), "the file", "an object")
    found = content.get("format")
    _require(
        found == FORMAT and not isinstance(found, bool),
        "format",
        f"{FORMAT}, which this scratchnet reads, not {str(found)[:20]}",
    )
    content = {"training": {}, "device": None, **content}  # older runs have neither
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
    return {**fields, "reader": _reader(experiment, content["reader"], folder)}


def _check_settings(experiment: Experiment, settings: dict[str, Any]) -> None:
    options = experiment.options()
    for key, value in settings.items():
        known = key in options.keys() - OF_EVERY_PROBLEM
        _require(known, f"settings/{key[:40]}", f"an option of {experiment.name}")
        fits, expected = _SETTINGS[options[key].partition(" |")[0]]
        _require(fits(value), f"settings/{key}", expected)


def _reader(experiment: Experiment, content: dict[str, Any], folder: Path) -> Reader:
    _require("kind" in content, "reader/kind", "it to be there")
    kind, rules, make = _READERS[experiment.kind]
    _require(content["kind"] == kind, "reader/kind", f"{kind}, as {experiment.name} has")
    for field, (fits, expected) in rules.items():
        _require(field in content, f"reader/{field}", "it to be there")
        _require(fits(content[field]), f"reader/{field}", expected)
    return make({field: content[field] for field in rules}, folder)


def _columns(fields: dict[str, Any], folder: Path) -> Columns:
    features, label = fields["features"], fields["label"]
    _require(label not in features, "reader/label", "a name that is no feature's, or null")
    _require(fields["fill"].keys() <= set(features), "reader/fill", "numbers by feature")
    names = {field: tuple(fields[field]) for field in ("features", "outputs")}
    return Columns(**{**fields, **names})


def _language(fields: dict[str, Any], folder: Path) -> Language:
    tuples = {field: tuple(fields[field]) for field in ("temperatures", "prompts")}
    return Language(**{**fields, **tuples, "vocabulary": _vocabulary(fields, folder)})


def _reviews(fields: dict[str, Any], folder: Path) -> Reviews:
    outputs = tuple(fields["outputs"])
    return Reviews(**{**fields, "outputs": outputs, "vocabulary": _vocabulary(fields, folder)})


def _vocabulary(fields: dict[str, Any], folder: Path) -> Vocabulary:
    """Return the vocabulary beside the description, which has its SHA-256."""
    vocabulary = Vocabulary.load(folder / VOCABULARY)
    same = file_sha256(folder / VOCABULARY) == fields["vocabulary"]
    _require(same, VOCABULARY, "the vocabulary that the run was trained with")
    return vocabulary


def _chain(fields: dict[str, Any], folder: Path) -> Chain:
    return Chain(**fields)


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


def _are_options(value: Any) -> bool:
    kinds = (bool, int, str)
    return isinstance(value, dict) and all(isinstance(one, kinds) for one in value.values())


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def _are_temperatures(value: Any) -> bool:
    return isinstance(value, list) and all(_is_number(one) and one >= 0 for one in value)


def _are_names(value: Any) -> bool:
    return _are_texts(value) and len(set(value)) == len(value) > 0 and all(value)


Rule = tuple[Callable[[Any], bool], str]
"""Whether a value fits, and what was expected where it does not."""

_RULES: dict[str, Rule] = {
    "experiment": (lambda value: isinstance(value, str), "a name"),
    "engine": (lambda value: isinstance(value, str), "a name"),
    "seed": (lambda value: _is_count(value, 0), "a whole number from 0"),
    "dtype": (lambda value: value in DTYPES, f"one of {', '.join(DTYPES)}"),
    "epochs": (lambda value: _is_count(value, 1), "a whole number from 1"),
    "settings": (lambda value: isinstance(value, dict), "an object"),
    "files": (_is_text_by_name, "a SHA-256 by path"),
    "reader": (lambda value: isinstance(value, dict), "an object"),
    "versions": (_is_text_by_name, "a version by package"),
    "notes": (_are_texts, "a list of sentences"),
    "results": (lambda value: value is None or isinstance(value, dict), "an object or null"),
    "training": (_are_options, "texts, whole numbers, true or false by name"),
    "device": (lambda value: value in (*DEVICES, None), f"one of {', '.join(DEVICES)}, or null"),
}

_SETTINGS: dict[str, Rule] = {
    "bool": (lambda value: isinstance(value, bool), "true or false"),
    "int": (lambda value: _is_count(value, 0), "a whole number from 0"),
    "float": (_is_number, "a number"),
    "str": (lambda value: isinstance(value, str), "a text"),
    "Paths": (_are_texts, "a list of texts"),
    "tuple[str, ...]": (_are_texts, "a list of texts"),
    "tuple[float, ...]": (_are_temperatures, "a list of numbers from 0"),
}
"""By an option's annotation: what it may be set to."""

_COLUMNS: dict[str, Rule] = {
    "features": (_are_names, "different names"),
    "outputs": (_are_names, "different names"),
    "label": (lambda value: value is None or _are_names([value]), "a name, or null"),
    "scale": (_is_number, "a number"),
    "fill": (
        lambda value: isinstance(value, dict) and all(map(_is_number, value.values())),
        "numbers by feature",
    ),
    "cut_off": (lambda value: value is None or _is_number(value), "a number or null"),
}
_VOCABULARY: dict[str, Rule] = {
    "vocabulary": (lambda value: isinstance(value, str), "the SHA-256 of its file"),
}
_LANGUAGE: dict[str, Rule] = {
    **_VOCABULARY,
    "window": (lambda value: _is_count(value, 1), "a whole number from 1"),
    "lower_case": (lambda value: isinstance(value, bool), "true or false"),
    "temperatures": (_are_temperatures, "a list of numbers from 0"),
    "sample_length": (lambda value: _is_count(value, 0), "a whole number from 0"),
    "prompts": (lambda value: _are_names(value), "different texts"),
}
_REVIEWS: dict[str, Rule] = {
    **_VOCABULARY,
    "length": (lambda value: _is_count(value, 1), "a whole number from 1"),
    "outputs": (_are_names, "different names"),
    "cut_off": (_is_number, "a number"),
}
_CHAIN: dict[str, Rule] = {
    "lower_case": (lambda value: isinstance(value, bool), "true or false"),
}
_READERS: dict[str, tuple[str, dict[str, Rule], Callable[[dict[str, Any], Path], Reader]]] = {
    "table": ("columns", _COLUMNS, _columns),
    "text": ("language", _LANGUAGE, _language),
    "reviews": ("reviews", _REVIEWS, _reviews),
    "chain": ("chain", _CHAIN, _chain),
}
"""By the kind of an experiment: what its reader is called, its fields, and how it is made."""
