"""The application: what is at each path, and how a request becomes an answer."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.types import Receive, Scope, Send

from keras_impl.serving import schemas
from keras_impl.serving.guard import Guard
from keras_impl.serving.limits import Limits
from keras_impl.serving.models import Predictor, Served, Writers
from keras_impl.serving.refusals import STOPS, add_refusals
from keras_impl.serving.work import RETRY, AbandonedError, Job, Work
from scratchnet.experiments.readers import Columns
from scratchnet.text import Sampler

REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": schemas.Refusal, "description": description}
    for status, description in (
        (400, "The body is not JSON."),
        (408, "The body did not arrive in time."),
        (413, "The body is too long, or asks for more than the time allows."),
        (415, "The content type is not application/json."),
        (422, "The body is JSON, but not what is expected."),
        (429, "Too many requests at a time: try again after Retry-After seconds."),
    )
}
LEFT = 499
"""What nginx's logs call it when a client leaves before the answer; nobody is sent it."""
BETWEEN_EVENTS_S = 0.02
"""What is written meanwhile goes into the next event."""
UNBUFFERED = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""Asks proxies to pass on what comes as it comes."""
STREAM = (
    'event: start\ndata: {"prompt": "the ", "unknown": []}\n\n'
    'data: {"text": "sea"}\n\n'
    'event: end\ndata: {"length": 3}\n\n'
)


def make_app(served: Served, limits: Limits | None = None) -> FastAPI:
    """Return the ASGI application that serves a run.

    ``GET /`` says what is served, ``/health`` that the process is alive, ``/ready`` whether it
    takes requests; ``POST /predict`` or ``POST /generate`` is the run's own.
    """
    limits = limits or Limits()
    work = Work(limits)

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        work.close()

    app = FastAPI(
        title=f"{served.name}: {served.run.experiment}",
        description="A network that scratchnet or Keras trained, served by Keras.",
        version=served.run.versions.get("scratchnet", "0"),
        lifespan=lifespan,
        redoc_url=None,
        redirect_slashes=False,  # a redirection would be to wherever the client says it called
    )
    app.state.work = work
    app.add_middleware(Guard, limits=limits)
    add_refusals(app, ["/", "/health", "/ready", served.path, "/docs", "/openapi.json"])

    @app.get("/")
    async def info() -> schemas.Info:
        """Say what is served, and within which limits."""
        run = served.run
        return schemas.Info(
            run=served.name,
            experiment=run.experiment,
            trained_with=run.engine,
            dtype=run.dtype,
            path=served.path,
            limits=asdict(limits),
        )

    @app.head("/health", include_in_schema=False)
    @app.get("/health")
    async def health() -> schemas.Health:
        """Say that the process is alive; the model is there before the port is open."""
        return schemas.Health(status="ok")

    @app.head("/ready", include_in_schema=False)
    @app.get("/ready", responses={503: {"model": schemas.Health}})
    async def ready() -> JSONResponse:
        """Say whether the next request would find a place, for whoever balances load."""
        if work.full:
            return JSONResponse({"status": "busy"}, 503, RETRY)
        return JSONResponse({"status": "ready"})

    if isinstance(served.model, Predictor):
        _add_predict(app, served.model, work, limits)
    else:
        _add_generate(app, served.model, work, limits)
    return app


def _add_predict(app: FastAPI, predictor: Predictor, work: Work, limits: Limits) -> None:
    reader = predictor.reader

    async def predict(asked: Any, request: Request) -> Any:
        """Return the network's outputs for every row, or text."""
        rows = asked.model_dump(by_alias=True)["rows" if isinstance(reader, Columns) else "texts"]
        found: list[schemas.Prediction] = []
        job = await work.start(lambda check: predictor.predictions(predictor.inputs(rows), check))
        async for predictions in _read(job, request):
            found += predictions
        return schemas.Predictions(predictions=found)

    predict.__annotations__ |= {
        "asked": schemas.rows_schema(reader, limits)
        if isinstance(reader, Columns)
        else schemas.reviews_schema(reader, limits),
        "return": schemas.Predictions,
    }
    app.post("/predict", responses=REFUSALS)(predict)


def _add_generate(app: FastAPI, writers: Writers, work: Work, limits: Limits) -> None:
    reader = writers.reader

    async def generate(asked: Any, request: Request) -> Any:
        """Write on from a prompt: server-sent events as the text comes, or one JSON object.

        The events: ``start`` with the prompt; unnamed ones with a ``text`` each; ``end`` with the
        ``length`` that was written, or ``stopped`` with the ``detail`` of why it ended early.
        """
        sampler = Sampler(asked.temperature, asked.top_k, asked.top_p, asked.seed)
        prompts = reader.prompts
        prompt = prompts[asked.seed % len(prompts)] if asked.prompt is None else asked.prompt
        unknown = writers.unknown(prompt)
        job = await work.start(lambda check: writers.pieces(prompt, sampler, asked.length, check))
        if asked.stream:
            return _Events(job, {"prompt": prompt, "unknown": unknown})
        text = ""
        async for pieces in _read(job, request):
            text += "".join(pieces)
        return schemas.Written(prompt=prompt, text=text, unknown=unknown)

    generate.__annotations__["asked"] = schemas.prompt_schema(reader, limits)
    events = {"schema": {"type": "string"}, "example": STREAM}
    written = {
        "model": schemas.Written,
        "description": "What was written.",
        "content": {"text/event-stream": events},
    }
    app.post("/generate", response_model=None, responses={200: written, **REFUSALS})(generate)


async def _read(job: Job[Any], request: Request) -> AsyncIterator[list[Any]]:
    """Yield what a job makes; stop it if the client leaves."""
    try:
        async for items in job:
            yield items
            if await request.is_disconnected():
                raise HTTPException(LEFT, "client: expected one that waits, got none.")
    finally:
        job.stop()


class _Events(StreamingResponse):
    """A text as it is written, in server-sent events.

    They are what browsers, proxies and ``curl -N`` know for a text that comes bit by bit.
    """

    media_type = "text/event-stream"

    def __init__(self, job: Job[str], start: dict[str, Any]) -> None:
        super().__init__(self._events(start), headers=UNBUFFERED)
        self._job = job

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer; the client's leaving ends this, and with it the work."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._job.stop()

    async def _events(self, start: dict[str, Any]) -> AsyncIterator[str]:
        yield _event("start", start)
        length = 0
        try:
            async for pieces in self._job:
                length += len(pieces)
                yield _event(None, {"text": "".join(pieces)})
                await asyncio.sleep(BETWEEN_EVENTS_S)
        except HTTPException as error:
            yield _event("stopped", {"detail": error.detail})
        except AbandonedError:
            yield _event("stopped", {"detail": STOPS})
        else:
            yield _event("end", {"length": length})


def _event(name: str | None, data: dict[str, Any]) -> str:
    line = f"data: {json.dumps(data, ensure_ascii=False)}\n\n"
    return line if name is None else f"event: {name}\n{line}"
