import json

import pytest

from scratchnet.cli.step import NAMES
from scratchnet.stepper.cases import systems

OWN = """
import numpy as np

def affine(x, W, b=0.0):
    y = x @ W + b
    return y

def count(t_max=3):
    s = 0
    for t in range(t_max):
        s += t
    return s

def fails():
    raise RuntimeError("no\\nway")

def pick(table, labels):
    return table[labels]

def lazily():
    yield 1

def endless():
    k = 0
    while k < 10:
        k += 1
    raise KeyboardInterrupt

class Layer:
    pass
"""


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "own.py"
    path.write_text(OWN)
    return path


def test_names_are_those_of_the_systems():
    assert tuple(systems.cases()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_page_of_every_name(scratchnet, tmp_path, name):
    result = scratchnet("step", name, "--time", 2)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"Page: {name}.html")
    assert "<!doctype html>" in (tmp_path / "here" / f"{name}.html").read_text(encoding="utf-8")


def test_save_and_open(scratchnet, tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    result = scratchnet("step", "dense", "--save", "a/b.html", "--open", "--frame", 3)
    assert result.exit_code == 0
    assert opened == [(tmp_path / "here" / "a" / "b.html").as_uri() + "#frame=3"]


def test_json_is_the_recording(scratchnet, tmp_path):
    result = scratchnet("step", "rnn", "--time", 2, "--units", 3, "--seed", 5, "--json")
    expected = systems.case("rnn", time=2, units=3, seed=5).record().to_json()
    assert json.loads(result.stdout) == json.loads(expected)
    assert list((tmp_path / "here").iterdir()) == []


def test_json_and_a_page(scratchnet, tmp_path):
    result = scratchnet("step", "dense", "--json", "--save", "x.html")
    json.loads(result.stdout)
    assert (tmp_path / "here" / "x.html").exists()


def test_terminal_without_a_keyboard(scratchnet, tmp_path):
    one = scratchnet("step", "softmax", "--terminal", "--frame", 2)
    every = scratchnet("step", "softmax", "--terminal")
    assert one.stdout.startswith("2 of ")
    assert one.stdout.strip() in every.stdout
    assert len(every.stdout) > 3 * len(one.stdout)
    assert list((tmp_path / "here").iterdir()) == []


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_by_hand(scratchnet, tmp_path, kind):
    from scratchnet.experiments.recurrence.by_hand import worked_example

    text = scratchnet("step", f"{kind}-by-hand", "--terminal").stdout
    assert text.strip() == worked_example(kind).text().strip()
    assert scratchnet("step", f"{kind}-by-hand").exit_code == 0
    page = (tmp_path / "here" / f"{kind}-by-hand.html").read_text(encoding="utf-8")
    assert page == worked_example(kind).html()


def test_own_function(scratchnet, own, tmp_path):
    result = scratchnet("step", f"{own}:affine", "--shape", "x=3,4", "--shape", "W=4,2")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "here" / "affine.html").exists()
    said = json.loads(scratchnet("step", f"{own}:count", "--json").stdout)
    assert said["values"][said["result"]]["data"] == 3
    assert said["files"][0]["name"] == "own.py"
    result = scratchnet("step", f"{own}:pick", "--shape", "table=5,2", "--ids", "labels=3:5")
    assert result.exit_code == 0, result.output


def test_seed_decides_the_arguments(scratchnet, own):
    words = ("step", f"{own}:affine", "--shape", "x=1,2", "--shape", "W=2,1", "--json")
    first, again, other = (scratchnet(*words, "--seed", seed).stdout for seed in (0, 0, 1))
    assert first == again != other


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["lsmt"], "Did you mean lstm?"),
        (["nothing"], "expected one of onehot"),
        (["dense", "--shape", "x=3"], "--shape: is for a function of yours"),
        (["dense", "--frame", "999"], "--frame: expected at most"),
        (["dense", "--time", "0"], "--time"),
        (["dense", "--json", "--terminal"], "leave one of them out"),
        (["lstm-by-hand", "--units", "3"], "--units: is not for lstm-by-hand"),
        (["lstm-by-hand", "--json"], "--json: is for recordings"),
        (["{own}:affine"], "--shape x=3,4 --shape W=3,4"),
        (["{own}:affine", "--shape", "x"], "expected NAME=SIZES"),
        (["{own}:affine", "--shape", "x=3", "--shape", "x=3"], "more than once"),
        (["{own}:count", "--shape", "q=3"], "q"),
        (["{own}:count", "--time", "3"], "--time: is for scratchnet's own"),
        (["{own}:Layer"], "expected one function"),
        (["{own}:Layer"], "write a function that makes the object and calls it"),
        (["{own}:Layer.forward"], "got Layer.forward, of an object"),
        (["{own}:lazily"], "No line was recorded"),
        (["{own}:affin"], "did you mean"),
        (["nowhere.py:f"], "does not exist"),
    ],
)
def test_what_cannot_be_done(refused, own, words, said):
    assert said in refused("step", *(word.format(own=own) for word in words))


@pytest.mark.parametrize(
    ("name", "shapes", "said"),
    [
        ("fails", [], "raised RuntimeError: no way"),
        ("affine", ["--shape", "x=3,4", "--shape", "W=3,4"], "raised ValueError: matmul"),
    ],
)
def test_lines_before_an_error_are_shown(scratchnet, own, tmp_path, name, shapes, said):
    result = scratchnet("step", f"{own}:{name}", *shapes)
    assert result.exit_code == 2
    assert said in result.stderr
    page = (tmp_path / "here" / f"{name}.html").read_text(encoding="utf-8")
    assert 'id="notice"' in page
    assert "The run ended with" in page
    printed = json.loads(scratchnet("step", f"{own}:{name}", *shapes, "--json").stdout)
    assert printed["frames"]
    assert printed["truncated"].startswith("The run ended with")


def test_lines_before_an_interrupt_are_shown(scratchnet, own, tmp_path):
    result = scratchnet("step", f"{own}:endless")
    assert result.exit_code not in (0, None)
    page = (tmp_path / "here" / "endless.html").read_text(encoding="utf-8")
    assert "The run ended with KeyboardInterrupt" in page
