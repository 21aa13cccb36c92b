import html
import html.parser
import json
import re

import numpy as np
import pytest

from scratchnet import step
from scratchnet.equations.dense import dense, dense_backward
from scratchnet.gradcheck.loading import load
from scratchnet.layers import GRU, LSTM, SimpleRNN
from scratchnet.stepper.cases import passes, systems
from scratchnet.stepper.display.drawing import drawing
from scratchnet.stepper.display.mathml import mathml, plain
from scratchnet.stepper.display.page import highlighted, render, render_beside
from scratchnet.stepper.display.questions import vanishing, where_from
from scratchnet.stepper.gradient_flow import hidden_gradients


@pytest.fixture(scope="module")
def recordings():
    return {name: case.record() for name, case in systems.cases(time=3).items()}


def data_of(page):
    (said,) = re.findall(r'<script type="application/json" id="recording">(.*)</script>', page)
    return json.loads(said)


class Parts(html.parser.HTMLParser):
    """Tags with their attributes."""

    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def test_every_system_has_a_page_that_loads_nothing(recordings):
    for name, recording in recordings.items():
        page = render(recording)
        for tag, attributes in Parts(page).found:
            assert tag not in {"link", "img", "iframe", "object", "embed", "base"}, name
            assert "src" not in attributes, name
            assert attributes.get("href", "#").startswith("#"), name
        assert not re.search(r"https?://(?!www\.w3\.org/)|url\(|@import|\bfetch\(", page), name


def test_policy_allows_the_pages_own_script_alone(recordings):
    import base64
    import hashlib

    page = render(recordings["dense"])
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy.startswith("default-src 'none';")
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy


def test_page_holds_every_frame_and_value(recordings):
    for recording in recordings.values():
        (run,) = data_of(render(recording))["runs"]
        said = recording.to_dict()
        assert run["frames"] == json.loads(json.dumps(said["frames"]))
        assert run["values"] == json.loads(json.dumps(said["values"]))


def test_what_a_learner_writes_cannot_leave_its_place(tmp_path):
    source = (
        'def mean(x):\n    r"""Mean.\n\n    .. math:: y = \\text{</script><img src=x>} \\quad (1)\n'
        '    """\n    y = x.mean()  # (1) </script><script>alert(1)</script>\n    return y\n'
    )
    path = tmp_path / "learner.py"
    path.write_text(source)
    (mean,) = load(f"{path}:mean")
    recording = step(mean, np.arange(3.0), title="</title><script>alert(2)</script>")
    page = render(recording)
    tags = [tag for tag, _ in Parts(page).found]
    assert tags.count("script") == 2
    assert "img" not in tags
    (run,) = data_of(page)["runs"]
    lines = "\n".join(run["files"][0]["lines"])
    assert "<script" not in lines
    assert "alert(1)" in lines
    assert all("<img" not in (e["mathml"] or "") for e in run["files"][0]["equations"].values())


def test_highlighting_keeps_the_text():
    source = 'def f(x):\n    """Say\n    a < b."""\n    return x @ 2  # & so on\n\n'
    lines = highlighted(source.split("\n"))
    text = [re.sub(r"<[^>]*>", "", line) for line in lines]
    assert [
        t.replace("&lt;", "<").replace("&amp;", "&").replace("&quot;", '"') for t in text
    ] == source.split("\n")
    assert '<span class="k">def</span>' in lines[0]
    assert all(line.count("<span") == line.count("</span>") for line in lines)


@pytest.mark.parametrize(
    ("latex", "said"),
    [
        (r"a &= x W_x + h_{t-1} W_h + b &\text{(1)}", "a = x W_x + h_(t−1) W_h + b (1)"),
        (r"c = f \odot c_{t-1} + i \odot g", "c = f ⊙ c_(t−1) + i ⊙ g"),
        (r"dW_x = x^T \, da", "dW_x = x^T da"),
        (r"p_k = \frac{e^{a_k}}{\sum_j e^{a_j}}", "p_k = e^(a_k) / (∑_j e^(a_j))"),
        (r"y = 1 \text{ if } z \ge 0 \text{, else } 0", "y = 1 if z ≥ 0 , else 0"),
        (r"a &= 1 \\ b &= 2", "a = 1\nb = 2"),
        (r"y' = y (1 - y)", "y′ = y(1 − y)"),
    ],
)
def test_latex_as_text_and_mathml(latex, said):
    assert plain(latex) == said
    assert mathml(latex).startswith("<math")


@pytest.mark.parametrize("latex", ["", "   "])
def test_nothing_has_no_mathml(latex):
    assert mathml(latex) is None


def test_every_equation_of_every_system_is_readable(recordings):
    for name, recording in recordings.items():
        for file in recording.files:
            for line, latex in file.equations.items():
                assert mathml(latex), (name, file.name, line)
                assert "\\" not in plain(latex), (name, file.name, line)


@pytest.mark.parametrize(("name", "step_name"), [("lstm", "lstm_step"), ("gru", "gru_step")])
def test_drawing_of_a_recurrence_shows_what_the_steps_computed(recordings, name, step_name):
    recording = recordings[name]
    drawn = drawing(recording)
    rows = [cell["name"] for cell in drawn["rows"]]
    assert len(drawn["columns"]) == 3
    for t, column in enumerate(drawn["columns"]):
        returned = recording.at(function=step_name, t=t, event="return")[0]
        back = recording.at(function=f"{step_name}_backward", t=t, event="return")[0]
        for row, cell in enumerate(drawn["rows"]):
            assert column["values"][row][-1][1] == returned.locals[rows[row]], (t, cell)
            assert column["gradients"][row][-1][1] == back.locals[cell["gradient"]], (t, cell)
        assert column["earlier"]["h"][-1][1] == back.locals["dh_prev"]
    for frame in recording.frames:
        lit = drawn["lit"][frame.i]
        if recording.functions[frame.function].name == step_name:
            assert lit[0] == frame.t
            assert not lit[2]
            assert {rows[r] for r in lit[1]} >= set(rows) & frame.changed.keys()


def test_calls_of_a_line_light_what_the_line_computes(recordings):
    recording = recordings["lstm"]
    drawn = drawing(recording)
    for frame in recording.at(function="sigmoid", t=1):
        assert [drawn["rows"][r]["name"] for r in drawn["lit"][frame.i][1]] == ["i", "f", "o"]


def test_drawing_of_backpropagation_names_layers_as_the_caller_does(recordings):
    recording = recordings["backprop"]
    first, second = drawing(recording)["layers"]
    assert first["names"] == {"x": "x", "a": "a_hidden", "y": "hidden"}
    assert second["names"] == {"x": "hidden", "a": "a", "y": "y"}
    last = recording.frames[-1].locals
    for layer, suffix in ((first, "_hidden"), (second, "_output")):
        (_, dW) = layer["dW"][-1]
        assert np.array_equal(recording.values[dW].array, recording.array(-1, f"dW{suffix}"))
    assert np.array_equal(recording.values[first["y"][-1][1]].array, recording.array(-1, "hidden"))
    assert "hidden" in last


def chain(x, W1, W2):
    zero = np.zeros(1)
    for _ in range(2):
        a = dense(x, W1, zero)
        b = dense(a, W2, zero)
        da, dW2, _db = dense_backward(b, a, W2)
        dense_backward(da, x, W1)
        W2 = W2 - dW2


def test_layers_are_told_apart_over_rounds():
    rng = np.random.default_rng(0)
    args = (rng.standard_normal(s) for s in ((2, 3), (3, 4), (4, 2)))
    layers = drawing(step(chain, *args))["layers"]
    assert [len(layer["W"]) for layer in layers] == [2, 2]
    assert [len(layer["dW"]) for layer in layers] == [2, 2]


def test_no_network_no_drawing(recordings):
    for name in ("softmax", "adam", "onehot", "windows", "markov", "sample"):
        assert drawing(recordings[name]) is None
        assert where_from(recordings[name]) is None


@pytest.mark.parametrize("kind", [SimpleRNN, LSTM, GRU])
@pytest.mark.parametrize("sequences", [True, False])
def test_where_the_gradient_comes_from_is_what_gradient_flow_computes(kind, sequences):
    rng = np.random.default_rng(3)
    layer = kind(4, return_sequences=sequences, dtype="float64")
    x = rng.standard_normal((2, 5, 3))
    dy = rng.standard_normal((2, 5, 4) if sequences else (2, 4))
    layer.build(x.shape)

    steps = where_from(step(passes.recurrent_pass, layer, x, dy))
    expected = hidden_gradients(layer, x, dy)

    assert [one["t"] for one in steps] == [4, 3, 2, 1, 0]
    for one in steps:
        for key, of in (("total", "total"), ("later", "from_later"), ("output", "from_output")):
            reference = getattr(expected, of)[:, one["t"]]
            np.testing.assert_allclose(one[key], reference, rtol=0, atol=1e-14)


def test_masked_steps_have_no_simple_answer():
    layer = GRU(4, return_sequences=True, dtype="float64")
    x, dy = np.ones((2, 3, 3)), np.ones((2, 3, 4))
    mask = np.array([[True, True, False], [True, False, True]])

    def run():
        layer.forward(x, training=True, mask=mask)
        return layer.backward(dy)

    assert where_from(step(run)) is None


def test_gradients_vanish_as_the_page_says():
    answer = vanishing()
    time = answer["time"]
    assert list(time) == ["SimpleRNN", "LSTM", "GRU", "LSTM, f open", "GRU, z open"]
    assert time["SimpleRNN"][0] < 1e-3 * time["SimpleRNN"][-1]
    assert time["GRU, z open"][0] > 0.1 * time["GRU, z open"][-1]
    assert len({norms[-1] for norms in time.values()}) == 1  # the same loss for all
    assert answer["depth"]["sigmoid"][0] < 1e-4
    assert answer["depth"]["relu"][0] > 1e-2


def test_notebook_gets_the_page(recordings):
    assert "srcdoc" in recordings["softmax"]._repr_html_()


def test_page_says_where_a_recording_ends(recordings):
    assert 'id="notice"' not in render(recordings["dense"])
    cut = step(np.cumsum, np.ones(3), modules=["scratchnet.equations"])
    assert "No line was recorded" in render(cut)
    case = systems.case("dense")
    short = step(case.function, *case.arguments, max_frames=3)
    assert html.escape(short.truncated) in render(short)
    whole = short.beside(recordings["dense"])
    assert f"First run: {html.escape(short.truncated)}" in render_beside(whole)
    assert "Second run: " not in render_beside(whole)


def test_two_runs_on_one_page(recordings, tmp_path):
    recording = recordings["dense"]
    other = recording.replay(W={(0, 0): 9.0})
    recording.beside(other).save(tmp_path / "both.html")
    said = data_of((tmp_path / "both.html").read_text(encoding="utf-8"))
    assert len(said["runs"]) == 2
    assert said["moments"] == [[i, i] for i in range(len(recording))]
