"""Refusals: one line that names what was expected, what came, and what to do."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from keras_impl.serving.work import RETRY, AbandonedError
from scratchnet.archive import one_line
from scratchnet.errors import InputError

NAMED = 3
"""How many mistakes of a request are named."""
SHOWN = 40
"""How many characters of a wrong value."""
TAGS = ("body", "named", "listed")
"""Parts of a place that only the schema knows."""
EXPECTED = {
    "bool_type": "true or false",
    "extra_forbidden": "no such name",
    "finite_number": "a finite number",
    "float_type": "a number",
    "greater_than": "more than {gt}",
    "greater_than_equal": "{ge} or more",
    "int_type": "a whole number",
    "less_than_equal": "{le} or less",
    "list_type": "a list",
    "model_attributes_type": "an object",
    "model_type": "an object",
    "string_too_long": "at most {max_length} characters",
    "string_too_short": "{min_length} or more characters",
    "string_type": "text",
    "string_unicode": "text that UTF-8 can write",
    "too_long": "at most {max_length} items",
    "too_short": "{min_length} or more items",
}
"""By the kind of a mistake, as pydantic names it."""
STOPS = "server: it is being stopped. Try again later."
REMEDY = "See /docs for what to send."


def add_refusals(app: FastAPI, paths: Sequence[str]) -> None:
    """Have the application answer every mistake of a client in the same form.

    Parameters
    ----------
    paths : sequence of str
        What there is, for whoever asks for something else.
    """

    def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        kind = request.headers.get("content-type", "")
        media = kind.partition(";")[0].strip().lower()
        if media != "application/json" and not media.endswith("+json"):
            got = repr(kind[:SHOWN]) if kind else "none"
            return _refusal(
                415, f"Content-Type: expected application/json, got {got}. Send JSON, and say so."
            )
        errors = error.errors()
        if errors[0]["type"] == "json_invalid":
            reason = f"{errors[0]['ctx']['error']} at character {errors[0]['loc'][-1]}"
            return _refusal(400, f"body: expected JSON, got other text ({reason}). {REMEDY}")
        said = "; ".join(map(_mistake, errors[:NAMED]))
        more = f"; and {len(errors) - NAMED} more" if len(errors) > NAMED else ""
        return _refusal(422, f"{said}{more}. {REMEDY}")

    def refused(request: Request, error: HTTPException) -> JSONResponse:
        detail = error.detail
        if error.status_code == 404:
            detail = (
                f"{request.scope['path'][:SHOWN]}: expected one of {', '.join(paths)}. {REMEDY}"
            )
        elif error.status_code == 405:
            allowed = (error.headers or {}).get("Allow", "another")
            detail = f"method: expected {allowed}, got {request.method[:SHOWN]}. {REMEDY}"
        elif error.status_code == 400:
            detail = f"body: expected JSON, got {_unread(error.__cause__)}. {REMEDY}"
        return _refusal(error.status_code, detail, error.headers)

    def unusable(request: Request, error: InputError) -> JSONResponse:
        return _refusal(422, str(error))

    def abandoned(request: Request, error: AbandonedError) -> JSONResponse:
        return _refusal(503, STOPS, RETRY)

    app.add_exception_handler(AbandonedError, abandoned)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(InputError, unusable)


def _refusal(status: int, detail: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    line = one_line(detail) + "."
    shown = "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in line)
    return JSONResponse({"detail": shown}, status, headers)


def _mistake(error: Mapping[str, Any]) -> str:
    """Return where a mistake is, what was expected and what came."""
    parts = [part for part in error["loc"] if part not in TAGS]
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part[:SHOWN]}" for part in parts)
    where = place.lstrip(".") or "body"
    if error["type"] == "missing":
        return f"{where}: expected it to be there, got none"
    given = {
        name: int(value) if isinstance(value, float) and value.is_integer() else value
        for name, value in error.get("ctx", {}).items()
    }
    expected = EXPECTED.get(error["type"], "what /docs shows").format_map(given)
    if expected == "an object" and error["loc"][-1] == "named":  # as a row that is no list is read
        expected = "a list of numbers, or an object"
    return f"{where}: expected {expected}, got {_shown(error['input'])}"


def _shown(value: Any) -> str:
    if isinstance(value, (dict, list)):
        return f"{'an object' if isinstance(value, dict) else 'a list'} of {len(value)}"
    if isinstance(value, str):
        return ascii(value[:SHOWN]) + ("…" if len(value) > SHOWN else "")
    if isinstance(value, int) and abs(value) >= 10**SHOWN:
        return "a larger one"
    return json.dumps(value)


def _unread(cause: BaseException | None) -> str:
    """Return what a body is that could not be read."""
    if isinstance(cause, UnicodeDecodeError):
        return "bytes that are not UTF-8"
    if isinstance(cause, RecursionError):
        return "lists or objects too deep in each other"
    return "what cannot be read"
