"""Nested JSON that the project writes itself, and how much of a model's own JSON holds up.

The documents are orders of a tea shop.  `SCHEMA` is all that is said about them: `generate` draws
documents from it, `shares` counts how many documents of a sample are JSON and how many fit it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, NoReturn

import numpy as np

from scratchnet.arguments import positive_integer, whole_number

Schema = dict[str, Any]


def _object(optional: tuple[str, ...] = (), **properties: Schema) -> Schema:
    """Return the schema of an object with these keys and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": [key for key in properties if key not in optional],
        "additionalProperties": False,
    }


def _array(of: Schema, least: int, unique: bool) -> Schema:
    return {"type": "array", "items": of, "minItems": least, "uniqueItems": unique}


def _number(least: float, most: float, kind: str = "number") -> Schema:
    return {"type": kind, "minimum": least, "maximum": most}


def _one_of(*values: str | None) -> Schema:
    return {"enum": list(values)}


SCHEMA: Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "an order",
    **_object(
        optional=("note",),
        order=_number(1000, 9999, "integer"),
        customer=_object(
            name=_one_of("Alba", "Bruno", "Clara", "Diego", "Greta", "Nils", "Rosa", "Simon"),
            address=_object(
                street=_one_of(
                    "Abbey Road", "Church Lane", "Garden Row", "High Street", "Mill Lane",
                    "Station Road",
                ),
                house=_number(1, 99, "integer"),
                city=_one_of("Bath", "Derby", "Leeds", "Oxford", "Truro", "York"),
            ),
        ),
        items=_array(
            _object(
                product=_one_of(
                    "assam", "black tea", "camomile", "earl grey", "green tea", "jasmine", "mint",
                    "rooibos",
                ),
                grams=_number(1, 999, "integer"),
                price=_number(1, 99),
                options=_array(
                    _one_of("loose leaf", "gift wrap", "organic", "tin"), least=0, unique=True
                ),
            ),
            least=1,
            unique=False,
        ),
        delivery=_object(
            express={"type": "boolean"},
            day=_one_of("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", None),
        ),
        note=_one_of("call first", "leave at the door", "mind the dog", "ring twice"),
        paid={"type": "boolean"},
    ),
}  # fmt: skip
"""What a document must be, in the words of JSON Schema (draft 2020-12)."""


LONGEST = 1500
"""Characters that a document has at most: of 20,000, the longest has 1,239."""


def generate(count: int, seed: int) -> str:
    """Return documents drawn from `SCHEMA`, one below the other, the same for the same seed.

    They are indented, so that a network which remembers one line knows how deep it is.

    Parameters
    ----------
    count : int
        How many.
    seed : int
        A whole number of 0 or more.

    Raises
    ------
    InputError
        If ``count`` or ``seed`` is not such a number.
    """
    count = positive_integer("generate", "count", count)
    rng = np.random.default_rng(whole_number("generate", "seed", seed))
    return "".join(json.dumps(_draw(SCHEMA, rng), indent=1) + "\n" for _ in range(count))


def _draw(schema: Schema, rng: np.random.Generator) -> Any:
    """Return a value that fits, each choice equally likely."""
    if "enum" in schema:
        return schema["enum"][rng.integers(len(schema["enum"]))]
    return _DRAW[schema["type"]](schema, rng)


def _draw_object(schema: Schema, rng: np.random.Generator) -> dict[str, Any]:
    return {
        key: _draw(inner, rng)
        for key, inner in schema["properties"].items()
        if key in schema["required"] or rng.integers(2)
    }


def _draw_array(schema: Schema, rng: np.random.Generator) -> list[Any]:
    """Return the least number of elements, and another one with probability 1/3 again and again.

    Whether a list goes on needs no memory of its length, and a network that is sampled below
    temperature 1 rather ends it.
    """
    drawn: list[Any] = []
    while len(drawn) < schema["minItems"] or rng.integers(3) == 0:
        element = _draw(schema["items"], rng)
        if not (schema["uniqueItems"] and element in drawn):
            drawn.append(element)
    return drawn


def _draw_integer(schema: Schema, rng: np.random.Generator) -> int:
    return int(rng.integers(schema["minimum"], schema["maximum"] + 1))


def _draw_number(schema: Schema, rng: np.random.Generator) -> float:
    """Return a price: a number with at most two decimals."""
    return int(rng.integers(100 * schema["minimum"], 100 * schema["maximum"] + 1)) / 100


def _draw_boolean(schema: Schema, rng: np.random.Generator) -> bool:
    return bool(rng.integers(2))


_DRAW: dict[str, Callable[[Schema, np.random.Generator], Any]] = {
    "object": _draw_object,
    "array": _draw_array,
    "integer": _draw_integer,
    "number": _draw_number,
    "boolean": _draw_boolean,
}


@dataclass(frozen=True)
class Shares:
    """How many documents of a sample are JSON and how many of them fit the schema."""

    documents: int
    parsed: int
    fitting: int

    @property
    def parse(self) -> float:
        """Share of the documents that are JSON, 0 where there is no document."""
        return self.parsed / max(self.documents, 1)

    @property
    def fit(self) -> float:
        """Share of the documents that are JSON and fit the schema, 0 where there is none."""
        return self.fitting / max(self.documents, 1)

    def __add__(self, other: Shares) -> Shares:
        return Shares(
            self.documents + other.documents,
            self.parsed + other.parsed,
            self.fitting + other.fitting,
        )

    def __str__(self) -> str:
        return (
            f"of {self.documents} documents {self.parse:.1%} parse, {self.fit:.1%} fit the schema"
        )


def shares(text: str, complete_only: bool = True) -> Shares:
    """Return how many documents of a text are JSON, and how many fit `SCHEMA`.

    A document reaches from one ``{`` at the left margin to the next, so what a model writes between
    two counts against the first.  JSON is what RFC 8259 says it is, so NaN and Infinity are none;
    an object with a key twice, and nesting or whole numbers beyond what Python reads, count as
    none either.

    Parameters
    ----------
    text : str
        A sample.
    complete_only : bool
        Whether to leave out what the sample's ends cut off: text before the first document, and
        the last document unless it ends with a ``}`` at the left margin.
    """
    pieces = documents(text, complete_only)
    parsed = fitting = 0
    for piece in pieces:
        try:
            value = _read(piece)
        except (ValueError, RecursionError):
            continue
        parsed += 1
        fitting += _fits(value)
    return Shares(len(pieces), parsed, fitting)


def documents(text: str, complete_only: bool = True) -> list[str]:
    """Return a sample's documents, right or wrong; arguments as for `shares`."""
    pieces = [piece for piece in re.split(r"^(?=\{)", text, flags=re.MULTILINE) if piece.strip()]
    if complete_only and pieces and not pieces[0].startswith("{"):
        del pieces[0]
    if complete_only and pieces and _is_cut_off(pieces[-1]):
        del pieces[-1]
    return pieces


def _is_cut_off(piece: str) -> bool:
    """Whether a last document might have ended well; one too long for that counts as it stands."""
    return not piece.rstrip().endswith("\n}") and len(piece) <= LONGEST


def _read(piece: str) -> Any:
    return json.loads(piece, parse_constant=_refuse, object_pairs_hook=_without_repeats)


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key occurs twice")
    return found


def _fits(value: Any) -> bool:
    try:
        return bool(_validator().is_valid(value))
    except RecursionError:  # nested so deeply that it can't be printed
        return False


@cache
def _validator() -> Any:
    import jsonschema  # loaded by whoever measures, not by whoever trains

    return jsonschema.Draft202012Validator(SCHEMA)
