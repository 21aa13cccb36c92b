"""Results read back from the file they were written to."""

from __future__ import annotations

import json
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import jsonschema

from keras_impl.bench.race import Timing
from keras_impl.bench.report.results import FORMAT, SCRATCH, VERSION, Failure, Measured, Results
from scratchnet.errors import DataError


def read(path: Path) -> Results:
    """Return the results in a file.

    Raises
    ------
    DataError
        There is no such file, it is another program's, or it was written by a newer version.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse)
    except FileNotFoundError:
        raise DataError(
            f"{path}: expected results of scratchnet bench, got no file. Write one with scratchnet "
            "bench --save DIR, or name another with --baseline FILE."
        ) from None
    except (ValueError, RecursionError):
        raise _foreign(path, "what is no JSON, or a part of it") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise _foreign(path)
    version = found.get("version")
    if isinstance(version, int) and version > VERSION:
        raise DataError(
            f"{path}: expected results of version {VERSION}, got {version}: a newer scratchnet "
            "wrote them. Update scratchnet, or measure anew."
        )
    try:
        jsonschema.validate(found, SCHEMA)
        return _from_dict(found)
    except jsonschema.ValidationError as error:
        raise _foreign(path, f"{error.json_path}: {error.message[:80]}") from None


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _foreign(path: Path, what: str = "something else") -> DataError:
    return DataError(
        f"{path}: expected results of scratchnet bench, got {what}. Name another file, or write "
        "one with scratchnet bench --save DIR."
    )


_number = {"type": "number", "exclusiveMinimum": 0, "maximum": sys.float_info.max}
_maybe = {"type": ["number", "null"]}
_text = {"type": "string"}


def _record(**properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}


def _list(items: dict[str, Any], fewest: int = 0) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": fewest}


_timing = _record(
    name=_text,
    engine=_text,
    seconds=_number,
    median=_number,
    blocks=_list(_number, 1),
    ratio=_number,
    spread={**_list(_number, 2), "maxItems": 2},
    memory=_maybe,
    growth=_maybe,
)
_work = _record(
    name=_text,
    title=_text,
    unit=_text,
    data=_text,
    baseline=_text,
    required=_maybe,
    aimed=_maybe,
    flops={"type": "integer"},
    flops_without_one_hot={"type": "integer"},
    agreement={"type": "number"},
    timings={**_list(_timing), "contains": {"properties": {"name": {"const": SCRATCH}}}},
    complete={"type": "boolean"},
)
SCHEMA = _record(
    format=_text,
    version={"type": "integer"},
    machine={
        "type": "object",
        "required": ["threads"],
        "properties": {"threads": {"type": "integer"}, "versions": {"type": "object"}},
    },
    peak={"type": "number", "minimum": 0},
    works=_list(_work),
    failures=_list(_record(name=_text, misses=_list(_text))),
    cold=_list({"type": "object"}),
    curves=_list({"type": "object"}),
)
"""What a file of results looks like."""


def _from_dict(found: dict[str, Any]) -> Results:
    works = []
    for work in found["works"]:
        timings = tuple(
            Timing(
                **{
                    **_known(Timing, timing),
                    "blocks": tuple(timing["blocks"]),
                    "spread": tuple(timing["spread"]),
                }
            )
            for timing in work["timings"]
        )
        works.append(Measured(**{**_known(Measured, work), "timings": timings}))
    failures = [Failure(one["name"], tuple(one["misses"])) for one in found["failures"]]
    return Results(found["machine"], found["peak"], works, failures, found["cold"], found["curves"])


def _known(kind: Any, record: dict[str, Any]) -> dict[str, Any]:
    """Return of a record what a dataclass has fields for."""
    return {one.name: record[one.name] for one in fields(kind)}
