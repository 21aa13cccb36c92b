"""Code is loaded from the file that is named, and from nowhere else."""

from __future__ import annotations

import inspect
import sys

import pytest

from scratchnet.errors import InputError
from scratchnet.gradcheck.loading import load

CODE = """\
from __future__ import annotations
from dataclasses import dataclass
import beside

@dataclass
class Layer:
    size: int = 3
    def forward(self, x):
        return beside.double(x)
    def backward(self, dy):
        return 2 * dy

layer = Layer()
number = 3

def f_forward(x):
    return x, None

def f_backward(dy, cache):
    return dy
"""


@pytest.fixture
def mine(tmp_path):
    (tmp_path / "beside.py").write_text("def double(x):\n    return 2 * x\n")
    (tmp_path / "mine.py").write_text(CODE)
    return tmp_path / "mine.py"


def test_classes_instances_and_functions(mine):
    before = list(sys.path)
    layer, instance, forward, backward = load(f"{mine}:Layer,layer, f_forward,f_backward")
    assert layer().forward(2) == 4
    assert type(instance) is layer
    assert (forward(1), backward(3, None)) == ((1, None), 3)
    assert sys.path == before
    assert "beside" not in sys.modules
    assert "mine" not in sys.modules
    assert inspect.getsource(layer).startswith("@dataclass\nclass Layer")
    assert inspect.getsourcefile(forward) == str(mine)


def test_a_relative_path(mine, monkeypatch):
    monkeypatch.chdir(mine.parent)
    (layer,) = load("mine.py:Layer")
    assert layer().forward(2) == 4


def test_a_file_named_like_an_installed_module(tmp_path):
    (tmp_path / "json.py").write_text("def mine():\n    return 'mine'\n")
    assert load(f"{tmp_path}/json.py:mine")[0]() == "mine"
    import json

    assert json.loads("1") == 1


def test_siblings_of_one_name_do_not_meet(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "beside.py").write_text(f"name = '{folder}'\n")
        (tmp_path / folder / "mine.py").write_text(
            "import beside\ndef name():\n    return beside.name\n"
        )
    a, b = (load(f"{tmp_path}/{folder}/mine.py:name")[0] for folder in ("a", "b"))
    assert (a(), b()) == ("a", "b")


def test_the_file_is_read_anew(mine):
    load(f"{mine}:Layer")
    mine.write_text("def other():\n    return 'changed it is'\n")
    (other,) = load(f"{mine}:other")
    assert other() == "changed it is"


@pytest.mark.parametrize(
    ("code", "names", "message"),
    [
        ("x = (", "f", r"mine\.py:1 is not valid Python"),
        ("def f(:\n  pass", "f", r"mine\.py:1 is not valid Python: invalid syntax"),
        ("\n\nraise KeyError('oh\\nno')", "f", r"mine\.py:3 raised KeyError"),
        ("def g():\n    return 1 / 0\n\ng()", "f", r"mine\.py:2 raised ZeroDivisionError"),
        ("import sys\nsys.exit(3)", "f", r"mine\.py:2 ends the program.*__main__"),
        ("import no_such_module_here", "f", r"mine\.py:1 imports no_such_module_here"),
        ("import math", "f", "has no 'f'; it defines no class or function"),
        ("def forwrad(x): return x", "forward", "did you mean 'forwrad'.*it has forwrad"),
        ("def a(): pass\ndef b(): pass", "zzz", "has no 'zzz'; it has a, b"),
        ("f = 3", "f", "'f' in .* is of type int: name a class"),
        ("import math as f", "f", "'f' in .* is a module"),
        ("def f(): pass", "f;g", "is no name"),
        ("def f(): pass", "", "is no name"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(tmp_path, code, names, message):
    (tmp_path / "mine.py").write_text(code)
    before, modules = list(sys.path), set(sys.modules)
    with pytest.raises(InputError, match=message) as error:
        load(f"{tmp_path}/mine.py:{names}")
    assert "\n" not in str(error.value)
    assert sys.path == before
    if "raised" in message:
        assert set(sys.modules) == modules


def test_what_is_wrong_with_the_path(tmp_path, mine):
    for target, message in {
        str(mine): "names no class or function: write FILE.py:NAME",
        "Layer": "names no class or function",
        f"{tmp_path}/mien.py:Layer": "does not exist; did you mean mine.py",
        f"{tmp_path}/nothing/else.py:Layer": "does not exist: check the path",
        f"{tmp_path}:Layer": "no Python file",
        f"{tmp_path}/notes.txt:Layer": "no Python file: name one that ends in .py",
    }.items():
        with pytest.raises(InputError, match=message) as error:
            load(target)
        assert "\n" not in str(error.value)


def test_a_file_that_is_not_utf8(tmp_path):
    (tmp_path / "mine.py").write_bytes(b"name = '\xff\xfe'\n")
    with pytest.raises(InputError, match=r"valid Python|UTF-8") as error:
        load(f"{tmp_path}/mine.py:name")
    assert "\n" not in str(error.value)
