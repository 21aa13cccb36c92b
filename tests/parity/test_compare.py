"""The main job: both engines on one problem, and the report of how they agree."""

import html.parser
import json
import re
import shlex
from dataclasses import replace

import numpy as np
import pytest

from keras_impl.parity import compare as comparing
from keras_impl.parity import report
from keras_impl.parity.compare import compare
from scratchnet.equations import activations
from scratchnet.experiments import backprop, wisconsin

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def found():
    return compare(wisconsin.problem(dtype="float64", epochs=3))


def test_float64_agrees_at_1e_12_at_the_start_along_the_way_and_at_the_end(found):
    assert found.ok
    names = [one.name for one in found.start]
    assert names == [one.name for one in found.end]
    assert names[:2] == ["outputs", "loss"]
    assert len(names) == 2 + 6
    for one in [*found.start, *found.end, *found.trajectory]:
        assert one.tolerance == 1e-12
        assert one.difference <= 1e-12
    assert [one.name for one in found.trajectory] == [
        "weights after 1 step",
        "weights after 100 steps",
        "weights after 159 steps",
    ]


def test_both_losses_fall_together(found):
    ours, theirs = found.losses["scratchnet"], found.losses["Keras"]
    assert ours[0] > ours[1] > ours[2] > 0
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_float32_agrees_at_its_tolerances():
    found = compare(wisconsin.problem(dtype="float32", epochs=2))
    assert found.ok
    assert {one.tolerance for one in found.start} == {1e-5, 1e-4}
    assert max(one.difference for one in found.start) > 1e-12  # it was float32 indeed


def test_scores_are_the_same_on_the_same_rows(found):
    assert found.scores["scratchnet"] == found.scores["Keras"]
    assert sum(map(sum, found.scores["Keras"].confusion)) == 174
    assert 0.5 < found.scores["Keras"].accuracy < 1


def test_every_way_of_running_keras_is_timed(found):
    names = [timing.name for timing in found.timings]
    assert names[0] == "Keras, compiled step"
    assert names[-1] == "scratchnet"
    assert any("steps_per_execution" in name for name in names)
    assert sum("XLA" in name for name in names) == 2
    assert found.timings[0].ratio == 1
    assert all(0 < timing.seconds <= timing.median for timing in found.timings)


def test_it_goes_into_json_and_comes_back(found):
    again = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert again["ok"] is True
    assert again["start"][0] == {
        "name": "outputs",
        "difference": found.start[0].difference,
        "tolerance": 1e-12,
        "ok": True,
    }
    assert again["speed_ratio"] == found.speed_ratio


def test_a_problem_of_one_sample_and_two_outputs():
    found = compare(backprop.problem(dtype="float64", epochs=5))
    assert found.ok
    assert not found.scores
    assert set(found.pairs[0]) == {"scratchnet", "Keras", "expected"}
    assert len(found.pairs[0]["Keras"]) == 2


@pytest.mark.parametrize("name", ["relu_backward", "sigmoid"])
def test_a_wrong_engine_is_found_out(monkeypatch, name):
    """A factor of 1 + 1e-9 in one derivative, or in one output, is enough."""
    from scratchnet.layers import activation

    right = activation.get_activation

    def wrong(identifier):
        chosen = right(identifier)
        kind = "backward" if name.endswith("_backward") else "forward"
        if chosen.name != name.removesuffix("_backward"):
            return chosen
        function = getattr(chosen, kind)
        return chosen._replace(**{kind: lambda *arguments: (1 + 1e-9) * function(*arguments)})

    monkeypatch.setattr("scratchnet.layers.dense.get_activation", wrong)
    assert callable(getattr(activations, name))
    found = compare(wisconsin.problem(dtype="float64", epochs=1))
    assert not found.ok
    missed = {one.name for one in found.start if not one.ok}
    expected = {"outputs"} if name == "sigmoid" else {"dense/kernel", "dense/bias"}
    assert expected <= missed


def test_nan_never_agrees():
    assert not comparing.Agreement("outputs", float("nan"), 1e-12).ok


def test_gradients_that_are_zero_in_both_agree(tmp_path):
    """Inputs of 0 leave the first kernel without a gradient: there is nothing to divide by."""
    records = tmp_path / "zeros.csv"
    records.write_text("0,0,0,0,0,0,0,0,0,1\n0,0,0,0,0,0,0,0,0,0\n")
    problem = wisconsin.problem(dtype="float64", epochs=2, train_csv=records, test_csv=records)
    found = compare(problem)
    assert found.ok
    assert {one.name: one.difference for one in found.start}["dense/kernel"] == 0
    assert shlex.split(found.command)[-4:] == [
        "--train-csv", str(records), "--test-csv", str(records)
    ]  # fmt: skip
    json.dumps(found.to_dict(), allow_nan=False)


def test_a_difference_from_zero_is_not_hidden():
    assert comparing.difference([1e-9, 0.0], [0.0, 0.0]) == 1e-9


def test_json_has_no_nan(found):
    broken = replace(found, weight_difference=float("nan"))
    assert json.loads(json.dumps(broken.to_dict(), allow_nan=False))["weight_difference"] is None


class Page(html.parser.HTMLParser):
    """What a page refers to and says."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.references: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        for key, value in attributes:
            if key in ("src", "srcset", "href"):
                self.references.append(value)

    def handle_data(self, data):
        self.text += data


def test_report_is_one_page_that_needs_nothing_else(found, tmp_path):
    path = report.write(found, tmp_path / "report")
    names = {"agreement.png", "confusion.png", "losses.png", "report.html", "speed.png"}
    assert {file.name for file in path.parent.iterdir()} == names
    for picture in path.parent.glob("*.png"):
        assert picture.read_bytes().startswith(b"\x89PNG")
    text = path.read_text()
    page = Page(text)
    assert len(page.references) == 8  # four pictures, light and dark
    assert all(one.startswith("data:image/png;base64,") for one in page.references)
    assert "http" not in re.sub(r"base64,[A-Za-z0-9+/=]*", "", text)
    assert "prefers-color-scheme: dark" in text
    said = " ".join(page.text.split())
    assert "The two agree." in said
    assert "dense_1/kernel" in said
    assert f"{found.losses['Keras'][0]:.12f}" in said
    assert "scratchnet compare wisconsin --epochs 3 --dtype float64 --seed 0" in said


def test_report_says_so_when_they_do_not_agree(found, tmp_path):
    missed = [replace(found.start[0], difference=0.5), *found.start[1:]]
    path = report.write(replace(found, start=missed), tmp_path)
    said = Page(path.read_text()).text
    assert "The two do NOT agree." in said
    assert "MISSES" in said


def test_report_escapes_what_it_is_given(found, tmp_path):
    path = report.write(replace(found, notes=("<script>alert(1)</script>",)), tmp_path)
    assert "<script>" not in path.read_text()
