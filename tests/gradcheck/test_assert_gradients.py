"""``assert_gradients``: what it hands to which check, and what it says."""

import os
import subprocess
import sys

import numpy as np
import pytest

from scratchnet import gradcheck, layers, losses
from scratchnet.gradcheck.testing import assert_gradients
from scratchnet.model import Sequential
from tests.gradcheck.samples import right, unjudged, wrong


class Double:
    def forward(self, x):
        return 2 * x

    def backward(self, dy):
        return 2 * dy


def forward(x, w):
    return x * w, (x, w)


def backward(dy, cache):
    x, w = cache
    return dy * w, dy * x


DENSE, MSE, DOUBLE = layers.Dense(2), losses.MeanSquaredError(), Double()
MODEL = Sequential([layers.Dense(2)])
X, W = np.array([0.5, -1.5]), np.array([2.5, 0.75])


@pytest.fixture
def asked(monkeypatch):
    """Every check that was asked for: its name, arguments and options."""
    calls = []

    def put(name):
        def check(*arguments, **options):
            calls.append((name, arguments, options))
            return right()

        monkeypatch.setattr(gradcheck, name, check)

    for name in ("check_layer", "check_loss", "check_model", "check_function", "check_class"):
        put(name)
    return calls


@pytest.mark.parametrize(
    ("arguments", "options", "name", "handed"),
    [
        ((DENSE, (3, 4)), {"seed": 3}, "check_layer", (DENSE, (3, 4))),
        ((MSE, (3, 4)), {}, "check_loss", (MSE, (3, 4))),
        ((MODEL, X, W), {}, "check_model", (MODEL, X, W)),
        ((Double, (3, 4)), {"like": "dense"}, "check_class", (Double, (3, 4))),
        ((DOUBLE, (3, 4)), {}, "check_class", (DOUBLE, (3, 4))),
        ((lambda: DOUBLE,), {"input_shape": (3, 4)}, "check_class", None),
        (((forward, backward), X, W), {}, "check_function", (forward, backward, X, W)),
        ((forward, backward, X, W), {"seed": 1}, "check_function", (forward, backward, X, W)),
        (((forward, backward),), {"x": X, "w": W}, "check_function", (forward, backward)),
    ],
)
def test_each_thing_goes_to_its_own_check(asked, arguments, options, name, handed):
    assert_gradients(*arguments, **options)
    ((found, given, passed_on),) = asked
    assert found == name
    assert given == (arguments if handed is None else handed)
    assert passed_on == options


@pytest.mark.parametrize("report", [wrong(), unjudged()])
def test_raises_the_whole_report(monkeypatch, report):
    monkeypatch.setattr(gradcheck, "check_layer", lambda *_, **__: report)
    with pytest.raises(AssertionError) as raised:
        assert_gradients(DENSE, (3, 4))
    assert str(raised.value).strip() == str(report)


def test_pytest_shows_the_report_and_the_line_of_the_test(tmp_path, request):
    (tmp_path / "test_mine.py").write_text(
        "import scratchnet.gradcheck as gradcheck\n"
        "from scratchnet.gradcheck.testing import assert_gradients\n"
        "from scratchnet.layers import Dense\n"
        "from tests.gradcheck.samples import wrong\n"
        "def test_mine():\n"
        "    gradcheck.check_layer = lambda *_, **__: wrong()\n"
        "    assert_gradients(Dense(2), (3, 4))\n"
    )
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(request.config.rootpath)},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1, result.stdout
    for line in str(wrong()).splitlines():
        assert line in result.stdout
    assert ">   assert_gradients(Dense(2), (3, 4))" in result.stdout.replace(">    ", ">")
    assert "gradcheck/testing.py" not in result.stdout
