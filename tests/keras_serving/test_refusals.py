"""Whatever a request holds, its answer is a result, or a 4xx with a line that says why."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

VALID = {
    "table": {"rows": [[1, 2, 3, 4, 5, 6, 7, 8, 9.5]]},
    "reviews": {"texts": ["a wonderful film"]},
    "char": {"prompt": "the ", "length": 2, "temperature": 0.5, "seed": 1, "stream": False},
    "word": {"prompt": "the sea", "length": 2, "top_k": 2, "top_p": 0.5, "stream": True},
}
PATHS = {
    **dict.fromkeys(("table", "two", "reviews"), "/predict"),
    **dict.fromkeys(("char", "word"), "/generate"),
}
EVERY = pytest.mark.parametrize("name", list(VALID))
HOSTILE = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def assert_refused(answer, status=None):
    """Assert that there is one line that says why, and no more."""
    assert 400 <= answer.status < 500, (answer.status, answer.body)
    assert status is None or answer.status == status, (answer.status, answer.body)
    (name, detail), *others = answer.json().items()
    assert (name, others) == ("detail", [])
    assert detail.endswith(".")
    assert len(detail) < 1000
    assert detail.isprintable()
    return detail


def assert_answered(answer):
    if answer.status != 200:
        assert_refused(answer)


leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([10**400, -(2**63), 2**63, 1e308, 5e-324, -0.0]),
    st.floats(),
    st.text(st.characters(categories=None), max_size=30),  # lone surrogates too
    st.sampled_from(["\ud800", "\x00", "\u202e", "🐚" * 9, "NaN", "1", "../../etc/passwd", "'--"]),
)
anything = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=10),
        st.dictionaries(st.text(st.characters(categories=None), max_size=8), inner, max_size=4),
    ),
    max_leaves=12,
)


@st.composite
def almost(draw, valid):
    """Return a valid request with one of its values, or an item of one, replaced or added."""
    asked = json.loads(json.dumps(valid))
    key = draw(st.sampled_from([*asked, "mitoses", "other"]))
    inside = isinstance(asked.get(key), list) and draw(st.booleans())
    if inside:
        items = asked[key][0] if isinstance(asked[key][0], list) else asked[key]
        items[draw(st.integers(0, len(items) - 1))] = draw(anything)
    elif draw(st.booleans()):
        asked[key] = draw(anything)
    else:
        asked.pop(key, None)
    return asked


@EVERY
@given(data=st.data())
@HOSTILE
def test_almost_valid_requests(clients, name, data):
    asked = data.draw(almost(VALID[name]))
    assert_answered(clients(name)("POST", PATHS[name], asked))


@EVERY
@given(asked=anything)
@HOSTILE
def test_any_json(clients, name, asked):
    assert_answered(clients(name)("POST", PATHS[name], asked))


@given(
    body=st.one_of(
        st.binary(max_size=200),
        st.text(max_size=100).map(lambda text: text.encode("utf-16", "surrogatepass")),
        st.text(alphabet='{}[]",:0eE-+.nulltrue\\ud8\x00 ', max_size=60).map(str.encode),
    ),
    name=st.sampled_from(list(VALID)),
)
@HOSTILE
def test_any_bytes(clients, name, body):
    assert_refused(clients(name)("POST", PATHS[name], body))


header = st.tuples(
    st.sampled_from([b"content-type", b"content-length", b"accept", b"host", b"content-encoding"]),
    st.binary(max_size=30) | st.sampled_from([b"application/json", b"-1", b"9" * 5000, b"\xff"]),
)


@given(
    method=st.sampled_from(["GET", "POST", "PUT", "HEAD", "OPTIONS", "DELETE", "BREW", ""]),
    path=st.sampled_from(["/", "/health", "/predict", "/predict/", "//", "/../x", "/\x00\n\ud800"])
    | st.text(max_size=20).map(lambda text: f"/{text}"),
    headers=st.lists(header, max_size=4),
    query=st.binary(max_size=20),
)
@HOSTILE
def test_any_method_path_and_headers(clients, method, path, headers, query):
    answer = clients("table")(method, path, VALID["table"], headers=headers, query=query)
    assert answer.status < 500, answer.body
    if answer.status >= 400 and method != "HEAD":
        assert_refused(answer)


@pytest.mark.parametrize(
    ("name", "asked", "said"),
    [
        ("table", {}, "rows: expected it to be there, got none."),
        ("table", {"rows": []}, "rows: expected 1 or more items, got a list of 0."),
        ("table", {"rows": [[1] * 8]}, "rows[0]: expected 9 or more items, got a list of 8."),
        ("table", {"rows": [[1] * 8 + ["2"]]}, "rows[0][8]: expected a number, got '2'."),
        ("table", {"rows": [[1] * 8 + [True]]}, "rows[0][8]: expected a number, got true."),
        ("table", {"rows": [[float("nan")] * 9]}, "rows[0][0]: expected a finite number, got NaN"),
        (
            "table",
            {"rows": [[1] * 8 + [1e16]]},
            "[8]: expected 1000000000000000 or less, got 1e",
        ),
        ("table", {"rows": [{"mitoses": 1}]}, "rows[0].clump_thickness: expected it to be there"),
        ("two", {"rows": [[None, 1]]}, "rows[0][0]: expected a number, got null."),
        ("table", {"rows": [[1] * 9], "more": 1}, "more: expected no such name, got 1."),
        ("table", {"texts": ["a film"]}, "rows: expected it to be there, got none;"),
        ("table", [[1] * 9], "body: expected an object, got a list of 1."),
        ("table", {"rows": [1]}, "rows[0]: expected a list of numbers, or an object, got 1."),
        ("table", b"", "body: expected it to be there, got none."),
        ("reviews", {"texts": ["a film", "zzz"]}, "texts[1]: expected at least one of the 9 words"),
        ("reviews", {"texts": [""]}, "texts[0]: expected at least one of the 9 words"),
        ("reviews", {"texts": ["\ud800"]}, "texts[0]: expected text that UTF-8 can write, got '\\"),
        ("char", {"prompt": "the µ"}, "characters that the run's text has, got 'µ'. Leave out"),
        ("char", {"prompt": ""}, "prompt: expected 1 or more characters, got ''."),
        ("char", {"temperature": -1}, "temperature: expected 0 or more, got -1."),
        ("char", {"length": 101}, "length: expected 100 or less, got 101."),
        ("char", {"length": 2.0}, "length: expected a whole number, got 2.0."),
        ("char", {"seed": 2**63}, "seed: expected 9223372036854775807 or less, got 92233"),
        ("char", {"top_p": 0}, "top_p: expected more than 0, got 0."),
        ("word", {"prompt": " \n "}, "prompt: expected one or more words that the run's text has"),
        ("word", {"stream": "yes"}, "stream: expected true or false, got 'yes'."),
    ],
)
def test_mistakes_are_named(clients, name, asked, said):
    assert said in assert_refused(clients(name)("POST", PATHS[name], asked), 422)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"xml", "expected JSON, got other text (Expecting value at character 0)"),
        (b'{"rows": [1,]', "expected JSON, got other text"),
        (b'{"rows": "\xff\xfe"}', "expected JSON, got bytes that are not UTF-8"),
        (b"[" * 200_000, "expected JSON, got lists or objects too deep in each other"),
        (b'{"a":' * 100_000, "expected JSON, got lists or objects too deep in each other"),
        (b'{"rows": [[' + b"9" * 5000 + b"]]}", "expected JSON, got what cannot be read"),
    ],
)
def test_what_is_no_json(clients, body, said):
    assert said in assert_refused(clients("table")("POST", "/predict", body), 400)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (b"application/json; charset=utf-8", 200),
        (b"application/problem+json", 200),
        (b"text/plain", 415),
        (b"application/x-www-form-urlencoded", 415),
        (b"multipart/form-data; boundary=x", 415),
        (None, 415),
    ],
)
def test_the_content_type_is_json(clients, kind, status):
    headers = [] if kind is None else [(b"content-type", kind)]
    answer = clients("table")("POST", "/predict", VALID["table"], headers=headers)
    assert answer.status == status
    if status == 415:
        assert "Content-Type: expected application/json, got" in assert_refused(answer)


def test_other_paths_and_methods(clients):
    detail = assert_refused(clients("table")("POST", "/generate", {}), 404)
    assert detail.startswith("/generate: expected one of /, /health, /ready, /predict,")
    answer = clients("table")("GET", "/predict")
    assert assert_refused(answer, 405).startswith("method: expected POST, got GET.")
    assert answer.headers["allow"] == "POST"


def test_a_missing_value_that_the_run_cannot_fill_is_refused(served):
    """The schema of a row in order has one kind of cell; what stands for which is looked up."""
    from dataclasses import replace

    from keras_impl.serving.models import Predictor
    from scratchnet.errors import InputError

    known = served("table").model
    predictor = Predictor(known._twin, replace(known.reader, fill={"mitoses": 1.0}))
    assert predictor.inputs([[1] * 8 + [None]])[0, -1] == known.reader.scale
    with pytest.raises(InputError, match="rows: expected a number for bare_nuclei in each, got nu"):
        predictor.inputs([[1] * 5 + [None] + [1] * 3])


def test_numbers_that_overflow_the_network_are_refused(client_of, served, monkeypatch):
    import numpy as np

    client = client_of("table")
    model = served("table").model
    monkeypatch.setattr(model._twin, "predict_on_batch", lambda x: np.full((len(x), 1), np.nan))
    detail = assert_refused(client("POST", "/predict", VALID["table"]), 422)
    assert detail.startswith("rows[0]: expected numbers that give a finite output")
