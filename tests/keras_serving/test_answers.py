"""What is served is what scratchnet says of the same run, whichever engine trained it."""

import asyncio
import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from scratchnet import runs
from tests.helpers import FORWARD_TOLERANCE, assert_agrees

TEXTS = [
    "A WONDERFUL film, the film; it's ángela's 10/10!!!<br />",
    "boring. " * 30,
    "nonsense wörds\x00\u200d🎬 a",
]


def rows(features, count, seed=0):
    """Return rows of grades, some missing, as lists and as objects in another order."""
    grades = np.random.default_rng(seed).integers(1, 11, (count, len(features))).astype(float)
    sent = []
    for i, row in enumerate(grades.tolist()):
        values = dict(zip(features, row, strict=True))
        if i % 3 == 1 and "bare_nuclei" in values:
            values["bare_nuclei"] = None
        sent.append(dict(reversed(values.items())) if i % 2 else list(values.values()))
    return sent


def expected(folder, sent):
    """Return scratchnet's outputs."""
    run = runs.read(folder)
    reader = run.reader
    model = runs.load_model(folder, reader)
    if run.experiment == "imdb":
        return runs.predict(model, reader.inputs(sent))
    frame = pd.DataFrame(
        [
            dict(zip(reader.features, row, strict=True)) if isinstance(row, list) else row
            for row in sent
        ],
        columns=list(reader.features),
        dtype=float,
    )
    return runs.predict(model, reader.inputs(frame))


@pytest.fixture(scope="module")
def by_keras(folder):
    """A run that Keras trained, in float64."""
    from scratchnet.cli import app

    path = folder / "by_keras"
    words = ["wisconsin", "--engine", "keras", "--dtype", "float64", "--epochs", 1, "--out", path]
    result = CliRunner().invoke(app, ["train", *map(str, words)])
    assert result.exit_code == 0, result.output
    return path


@pytest.mark.parametrize("name", ["table", "two", "reviews"])
def test_predictions_are_scratchnets(clients, folder, name):
    if name == "reviews":
        asked = {"texts": TEXTS}
    else:
        asked = {"rows": rows(runs.read(folder / name).reader.features, 150)}
    (sent,) = asked.values()
    answer = clients(name)("POST", "/predict", asked)
    assert answer.status == 200, answer.body
    found = [list(one["outputs"].values()) for one in answer.json()["predictions"]]
    reference = expected(folder / name, sent)
    assert np.ptp(reference[:, 0]) > 1e-3
    assert_agrees(found, reference, FORWARD_TOLERANCE["float32"])


def test_runs_of_either_engine_are_served(client_of, by_keras):
    client = client_of(by_keras)
    sent = rows(runs.read(by_keras).reader.features, 5)
    answer = client("POST", "/predict", {"rows": sent}).json()
    found = [[one["outputs"]["malignant"]] for one in answer["predictions"]]
    assert_agrees(found, expected(by_keras, sent), FORWARD_TOLERANCE["float64"])
    assert client("GET", "/").json()["trained_with"] == "keras"


@pytest.mark.parametrize(
    ("name", "asked"),
    [("table", {"rows": [[1] * 9] * 3}), ("reviews", {"texts": ["a film"] * 70})],
)
def test_no_request_waits_for_a_compilation(folder, name, asked):
    from keras_impl import serving

    model = serving.load(folder / name).model
    compiled = model._twin.predict_function.experimental_get_tracing_count
    before = compiled()
    (sent,) = asked.values()
    assert len(list(model.predictions(model.inputs(sent), lambda: None))) == len(sent)
    assert compiled() == before > 0


def test_classes_are_outputs_above_the_cut_off(clients, folder):
    sent = rows(runs.read(folder / "table").reader.features, 60)
    predictions = clients("table")("POST", "/predict", {"rows": sent}).json()["predictions"]
    for one in predictions:
        assert one["classes"] == {"malignant": int(one["outputs"]["malignant"] > 0.5)}
    assert {one["classes"]["malignant"] for one in predictions} == {0, 1}
    (one,) = clients("two")("POST", "/predict", {"rows": [[0.05, 0.1]]}).json()["predictions"]
    assert one["classes"] is None


@pytest.mark.parametrize(
    ("name", "asked", "words"),
    [
        ("char", {"prompt": "She Sells", "seed": 5}, ("--prompt", "She Sells", "--seed", 5)),
        ("char", {"seed": 1, "temperature": 1.3}, ("--seed", 1, "--temperature", 1.3)),
        (
            "char",
            {"prompt": "the ", "top_k": 4, "top_p": 0.9, "temperature": 2},
            ("--prompt", "the ", "--top-k", 4, "--top-p", 0.9, "--temperature", 2),
        ),
        ("word", {"prompt": "the sea ", "seed": 2}, ("--prompt", "the sea ", "--seed", 2)),
    ],
)
def test_a_seed_writes_what_the_command_writes(clients, folder, name, asked, words):
    from scratchnet.cli import app

    command = ["generate", folder / name, "--length", 60, "--json", *words]
    said = json.loads(CliRunner().invoke(app, [str(word) for word in command]).stdout)
    asked = {"length": 60, **asked}
    whole = clients(name)("POST", "/generate", {**asked, "stream": False}).json()
    assert whole == {"prompt": said["prompt"], "text": said["text"], "unknown": []}
    answer = clients(name)("POST", "/generate", asked)
    assert answer.headers["content-type"].startswith("text/event-stream")
    (start, *pieces, end) = answer.events()
    assert start == ("start", {"prompt": said["prompt"], "unknown": []})
    assert {name for name, _ in pieces} == {""}
    assert "".join(data["text"] for _, data in pieces) == said["text"]
    assert end == ("end", {"length": 60})
    assert len(set(said["text"])) > 3


def test_unknown_words_are_named(clients):
    asked = {"prompt": "The whales sell shells", "length": 2, "stream": False}
    answer = clients("word")("POST", "/generate", asked).json()
    assert answer["unknown"] == ["whales", "sell"]


def test_texts_written_at_the_same_time_do_not_mix(clients):
    client = clients("char")
    asked = [{"seed": seed, "length": 80, "temperature": 1.5, "stream": False} for seed in range(6)]

    async def all_at_once():
        return await asyncio.gather(*(client.ask("POST", "/generate", one) for one in asked))

    together = [answer.json()["text"] for answer in client.run(all_at_once())]
    assert together == [client("POST", "/generate", one).json()["text"] for one in asked]
    assert len(set(together)) == 6


@pytest.mark.parametrize("name", ["table", "two", "reviews", "char", "word"])
def test_the_schema_says_how_to_ask(client_of, name, folder):
    client = client_of(name, rows=7, text=50, length=30)
    info = client("GET", "/").json()
    assert (info["run"], info["limits"]["rows"]) == (name, 7)
    schema = client("GET", "/openapi.json").json()
    assert set(schema["paths"]) == {"/", "/health", "/ready", info["path"]}
    post = schema["paths"][info["path"]]["post"]
    assert set(post["responses"]) == {"200", "400", "408", "413", "415", "422", "429"}
    asked = post["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    (example,) = schema["components"]["schemas"][asked]["examples"]
    assert client("POST", info["path"], example).status == 200
    text = json.dumps(schema)
    for limit in ('"maxItems": 7',) if name in ("table", "two") else ('"maxLength": 50',):
        assert limit in text
    if name == "table":
        assert all(f'"{feature}"' in text for feature in runs.read(folder / name).reader.features)
    assert client("GET", "/docs").status == 200


def test_health_and_readiness(clients):
    assert clients("table")("GET", "/health").json() == {"status": "ok"}
    assert clients("table")("GET", "/ready").json() == {"status": "ready"}
    for path in ("/health", "/ready"):  # what probes often ask with
        assert clients("table")("HEAD", path).status == 200


@pytest.mark.parametrize(
    ("name", "said"), [("chain", "a run that trained a network"), (".", "no run here")]
)
def test_what_is_no_network_is_not_served(folder, name, said):
    from keras_impl import serving
    from scratchnet.errors import InputError

    with pytest.raises(InputError, match=said):
        serving.load(folder / name)
