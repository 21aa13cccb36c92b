"""Whatever stands in run.json: either it is a run's description or it is refused by name."""

import json

import pytest

from scratchnet import runs
from scratchnet.errors import DataError
from scratchnet.experiments import wisconsin

ABSENT = object()


@pytest.fixture(scope="module")
def description(tmp_path_factory):
    """The text of a good run.json."""
    folder = tmp_path_factory.mktemp("run")
    runs.start(wisconsin.problem(seed=3, epochs=2), "scratch", folder)
    return (folder / "run.json").read_text()


def changed(description, path, value):
    content = json.loads(description)
    inner = content
    *parents, key = path.split("/")
    for parent in parents:
        inner = inner[parent]
    if value is ABSENT:
        del inner[key]
    else:
        inner[key] = value
    return json.dumps(content)


BAD = {
    "experiment": (None, 3, [], {}, "wisconsn"),
    "engine": (None, 3, [], "torch"),
    "seed": (None, -1, 1.5, True, "1", []),
    "dtype": (None, "float16", 32, ["float32"]),
    "epochs": (None, 0, -3, 2.0, True, "2"),
    "settings": (None, [], "x"),
    "settings/foo": (1, "x"),
    "settings/seed": (1,),
    "settings/published": (1, "yes", None),
    "settings/train_csv": (1, True, None, ["w.csv"]),
    "files": (None, [], {"w.csv": 3}),
    "format": (None, 0, 2, "1", True),
    "reader/kind": (None, 3, "language"),
    "reader": (None, [], "x"),
    "reader/features": (None, 3, "abc", [], [1], ["a", "a"], [""]),
    "reader/outputs": (None, 3, "abc", [], [[]], ["a", "a"]),
    "reader/label": (3, "", [], "mitoses"),
    "reader/scale": (None, "1", True, float("nan"), float("inf"), 1e300, 10**400),
    "reader/fill": (None, [], {"no_feature": 1.0}, {"mitoses": "1"}, {"mitoses": float("nan")}),
    "reader/cut_off": ("1", [], float("nan"), -float("inf")),
    "versions": (None, [], {"numpy": 2}),
    "notes": (None, "a note", [1]),
    "results": (3, [], "x"),
}
OPTIONAL = ("settings/foo", "settings/seed", "settings/published", "settings/train_csv")


@pytest.mark.parametrize(
    ("path", "value"),
    [(path, value) for path, values in BAD.items() for value in values]
    + [(path, ABSENT) for path in BAD if path not in OPTIONAL],
)
def test_every_field_is_held_to_its_type_and_range(tmp_path, description, path, value):
    (tmp_path / "run.json").write_text(changed(description, path, value))
    with pytest.raises(DataError) as caught:
        runs.read(tmp_path)
    said = str(caught.value)
    assert said.startswith(f"{tmp_path / 'run.json'}: not a description of a run (")
    assert path.partition("/")[0] in said
    assert said.endswith("). Train again, or restore the file.")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("reader/label", None),
        ("reader/cut_off", None),
        ("reader/cut_off", -0.25),
        ("reader/scale", 3),
        ("settings/published", True),
        ("settings/train_csv", "w.csv"),
        ("results", {"loss": 1.0}),
        ("seed", 0),
        ("epochs", 1),
    ],
)
def test_what_a_training_may_write_is_read(tmp_path, description, path, value):
    (tmp_path / "run.json").write_text(changed(description, path, value))
    runs.write(runs.read(tmp_path), tmp_path)
    assert json.loads((tmp_path / "run.json").read_text()) == json.loads(
        changed(description, path, value)
    )


@pytest.mark.parametrize("content", [b"[" * 100_000, b"\xff" * 9_000, b"1" * 5_000, b"null"])
def test_what_is_no_object_is_refused_in_a_short_line(tmp_path, content):
    (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(DataError, match="not a description of a run") as caught:
        runs.read(tmp_path)
    assert len(str(caught.value)) < 800
    assert "\n" not in str(caught.value)
