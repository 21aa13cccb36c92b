"""Runs to serve, made once, and a client that speaks ASGI: it can send what no library would."""

import asyncio
import functools
import json
from dataclasses import dataclass, field

import numpy as np
import pytest

pytest.importorskip("keras", reason="the extra keras is not installed")
pytest.importorskip("fastapi", reason="the extra serve is not installed")
pytest.importorskip("uvicorn", reason="the extra serve is not installed")

LINE = "she sells sea shells by the sea shore, the shells she sells are sea shells; "
JSON = ((b"content-type", b"application/json"),)
WORDS = ("the", "a", "film", "wonderful", "boring", "it's", "br", "ángela", "10")


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """A folder with a run of each kind."""
    from typer.testing import CliRunner

    from scratchnet.cli import app

    folder = tmp_path_factory.mktemp("runs")
    (folder / "sea.txt").write_text(LINE * 30)
    text = ["text", "--text", folder / "sea.txt", "--samples", 0, "--window", 10, "--epochs", 1]
    for name, *words in (
        ("table", "wisconsin", "--epochs", 2),
        ("two", "backprop", "--epochs", 1),
        ("char", *text, "--units", 12),
        ("word", *text, "--unit", "word", "--embedding", 4, "--units", 6, "--cell", "gru"),
        ("chain", "markov", "--text", folder / "sea.txt", "--order", 2),
    ):
        command = ["train", *words, "--out", folder / name]
        result = CliRunner().invoke(app, [str(word) for word in command])
        assert result.exit_code == 0, result.output
    reviews(folder / "reviews")
    return folder


def reviews(folder):
    """Write a run of reviews: few words, and weights as they are drawn, made larger."""
    from scratchnet import runs
    from scratchnet.experiments.imdb import build_model
    from scratchnet.experiments.imdb_data import MARKERS
    from scratchnet.experiments.problem import Problem
    from scratchnet.experiments.readers import Reviews
    from scratchnet.text import Vocabulary

    vocabulary = Vocabulary([*MARKERS, *WORDS], unit="word")
    model = build_model(len(vocabulary), 8, 4, 5, seed=3)
    model.set_weights([3 * array for array in model.get_weights()])
    x, y = np.ones((1, 8), "int32"), np.ones((1, 1), "int32")
    settings = {"vocabulary": len(vocabulary), "length": 8, "embedding": 4, "units": 5}
    reader = Reviews(vocabulary, 8)
    problem = Problem(
        "imdb", x, y, x, y, lambda: model, reader, 1, 1, 3, "float32", settings=settings
    )
    folder.mkdir()
    runs.start(problem, "scratch", folder)
    model.save(folder / runs.MODEL)


@pytest.fixture(scope="session")
def served(folder):
    """Return what a run serves, loaded once."""
    from keras_impl import serving

    found = {}

    def find(name):
        if name not in found:
            found[name] = serving.load(folder / name)
        return found[name]

    return find


@dataclass
class Answer:
    status: int = 0
    headers: dict = field(default_factory=dict)
    chunks: list = field(default_factory=list)

    @property
    def body(self):
        return b"".join(self.chunks)

    def json(self):
        return json.loads(self.body)

    def events(self):
        """Return the names and data of server-sent events."""
        found = []
        for block in self.body.decode().split("\n\n")[:-1]:
            name, _, data = block.rpartition("\n")
            found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
        return found


class Client:
    """Asks an application; one loop for all of its questions, as in a server."""

    def __init__(self, app):
        self.app, self.runner = app, asyncio.Runner()

    def __call__(self, *asked, **options):
        return self.run(self.ask(*asked, **options))

    def run(self, coroutine):
        """Run for at most a minute."""
        return self.runner.run(asyncio.wait_for(coroutine, 60))

    async def ask(self, method, path, body=b"", headers=JSON, leaves=None, query=b""):
        """Return the answer.

        ``body`` is bytes, a value for JSON, or a tuple of bytes and of seconds to wait; the client
        leaves when ``leaves``, an asyncio.Event, is set.
        """
        if not isinstance(body, (bytes, tuple)):
            body = json.dumps(body).encode()
        parts = [body] if isinstance(body, bytes) else list(body)
        answer = Answer()

        async def receive():
            while parts:
                part = parts.pop(0)
                if isinstance(part, bytes):
                    return {"type": "http.request", "body": part, "more_body": bool(parts)}
                await asyncio.sleep(part)
            await (leaves or asyncio.Event()).wait()
            return {"type": "http.disconnect"}

        async def send(message):
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                answer.headers = {k.decode(): v.decode() for k, v in message["headers"]}
            else:
                answer.chunks.append(message.get("body", b""))

        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(errors="replace"),
            "query_string": query,
            "root_path": "",
            "headers": list(headers),
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 2),
            "state": {},
        }
        await self.app(scope, receive, send)
        return answer


@pytest.fixture(scope="module")
def client_of(served):
    """Return a client of a run, with the limits that are named."""
    from keras_impl import serving

    made = []

    def make(name, **limits):
        client = Client(serving.make_app(served(name), serving.Limits(**limits)))
        made.append(client)
        return client

    yield make
    for client in made:
        client.app.state.work.close()
        client.runner.close()


@pytest.fixture(scope="module")
def clients(client_of):
    """Return the client of a run, which writes no long texts."""
    return functools.cache(functools.partial(client_of, length=100))
