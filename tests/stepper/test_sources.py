"""Equations of lines, names of axes, and what is shown of a file."""

import numpy as np
import pytest

from scratchnet.equations import gru
from scratchnet.experiments import backprop
from scratchnet.stepper import step
from scratchnet.stepper.cases import lessons, systems
from scratchnet.stepper.display.mathml import mathml
from scratchnet.stepper.source_text.axes import Axes
from scratchnet.stepper.source_text.equations import mathematics, numbered
from scratchnet.stepper.source_text.latex import derived, symbol


@pytest.mark.parametrize(
    ("statement", "comment", "latex"),
    [
        ("dc_prev = dc * f", "", r"dc_{t-1} = dc \odot f"),
        ("df = dc * c_prev", "", r"df = dc \odot c_{t-1}"),
        ("dz = dh * (h_prev - n)", "", r"dz = dh \odot (h_{t-1} - n)"),
        ("dn = dh * (1 - z)", "", r"dn = dh \odot (1 - z)"),
        ("dW = x.T @ da", "", r"dW = x^T \, da"),
        ("dx = da @ W.T", "", r"dx = da \, W^T"),
        ("db = da.sum(axis=0)", "", r"db = \sum_B da"),
        ("da_g = back(dg, a_g, g)", "dg * (1 - g * g)", r"da_g = dg \odot (1 - g \odot g)"),
        ("da_z = p.back(dz, a, z)", "dz * z * (1 - z)", r"da_z = dz \odot z \odot (1 - z)"),
        (
            "dc = dc + back(dtanh_c, c)",
            "dtanh_c * (1 - tanh_c * tanh_c)",
            r"dc \leftarrow dc + d\tanh_c \odot (1 - \tanh_c \odot \tanh_c)",
        ),
        ("y = a - (b - c)", "", "y = a - (b - c)"),
        ("y = (a + b) / -c", "", r"y = \frac{a + b}{-c}"),
        ("y = (a - b) ** 2", "", "y = (a - b)^{2}"),
        ("y = (a / b) * (c - 1)", "", r"y = \frac{a}{b} \odot (c - 1)"),
        ("y = 2 * (a + b)", "", r"y = 2 \cdot (a + b)"),
        # What is not simple has none.
        ("dx, dW = back(da, x)", "", ""),
        ("dx = back(da, x)", "", ""),
        ("dx = back(da, x)", "see above, please", ""),
        ("y[0] = a", "", ""),
        ("y = a if b else c", "", ""),
        ("y = a[0] * b", "", ""),
        ("if a:", "", ""),
    ],
)
def test_a_statement_as_latex(statement, comment, latex):
    assert derived(statement, comment) == latex


@pytest.mark.parametrize(
    ("name", "latex"),
    [
        ("h_prev", "h_{t-1}"),
        ("dh_prev", "dh_{t-1}"),
        ("Wx", "W_x"),
        ("dWh", "dW_h"),
        ("dWh_n", "dW_{h,n}"),
        ("a_i", "a_i"),
        ("da_i", "da_i"),
        ("error", r"\mathrm{error}"),
    ],
)
def test_names(name, latex):
    assert symbol(name) == latex


def test_numbered_equations_of_a_docstring():
    found = numbered(gru.__doc__)
    assert [n for n, _ in found] == [1, 2, 3, 4, 5, 5, 6]
    assert found[5, "reset after"] == r"n = \varphi(u_n + r \odot v_n)"
    assert found[3, ""] == r"z = \sigma(u_z + v_z)"
    assert mathematics(r"Return :math:`a = x W + b`." + "\n\nAnd :math:`q`.") == "a = x W + b"
    assert mathematics("None here.") == ""


@pytest.mark.parametrize(
    ("sentence", "latex"),
    [
        (
            ":math:`y = 1` where :math:`x > 0`, else 0 (A 1958).",
            r"y = 1\text{ where }x > 0\text{, else 0}",
        ),
        ("Return :math:`a = x W`, and its cache.", "a = x W"),
        (":math:`y = z` clipped to [0, 1]; see below.", r"y = z\text{ clipped to [0, 1]}"),
        (":math:`p` of ``{x}``\n    on $y$, :math:`q`.", r"p\text{ of x on y, }q"),
    ],
)
def test_a_sentence_keeps_the_words_between_its_formulas(sentence, latex):
    assert mathematics(sentence) == latex
    assert mathml(latex)


def test_a_comment_may_be_the_equation():
    def mine(x):
        y = x + 1  # $y = x + 1$
        z = y * 2  # doubled: :math:`z = 2 y`, for "$5"
        return z - 1  # costs $5

    found = equations(mine, 1.0)
    assert found["y = x + 1  # $y = x + 1$"] == "y = x + 1"
    assert found['z = y * 2  # doubled: :math:`z = 2 y`, for "$5"'] == "z = 2 y"
    assert found["return z - 1  # costs $5"] is None


def equations(function, *arguments):
    recording = step(function, *arguments)
    return {
        recording.text(frame): recording.files[
            recording.functions[frame.function].file
        ].equations.get(frame.line)
        for frame in recording.frames
    }


def test_variants_of_an_equation_go_to_their_functions():
    x, h, Wx, Wh = np.ones((1, 2)), np.ones((1, 3)), np.ones((2, 9)), np.ones((3, 9))
    after = equations(gru.gru_step, x, h, Wx, Wh)
    before = equations(gru.gru_reset_before_step, x, h, Wx, Wh)
    assert r"\text{(5, reset after)}" in after["n = phi(a_n)  # (5)"]
    assert r"\text{(5, reset before)}" in before["n = phi(a_n)  # (5)"]
    both = after["z, r = sigma(a_z), sigma(a_r)  # (3), (4)"]
    assert r"\text{(3)}" in both
    assert r"\text{(4)}" in both
    assert after["a_z, a_r = u_z + v_z, u_r + v_r"] is None


def test_a_line_of_the_backward_has_its_own_statement_and_the_forward_equation():
    x, h, Wx, Wh = np.ones((1, 2)), np.ones((1, 3)), np.ones((2, 9)), np.ones((3, 9))
    _, cache = gru.gru_step(x, h, Wx, Wh)
    found = equations(gru.gru_step_backward, h, cache)
    assert found["dn = dh * (1 - z)  # (6')"] == (
        r"dn = dh \odot (1 - z) \qquad \text{from }\; "
        r"h = z \odot h_{t-1} + (1 - z) \odot n \quad \text{(6)}"
    )
    product = found["dh_prev, dWh = gate_product_backward(dv, h_prev, Wh, h_masks)  # (2')"]
    assert product.startswith(r"v = h_{t-1} W_h + b_h")


def test_axes_come_from_shape_tables():
    axes = Axes.of([gru.gru_step.__doc__])
    assert axes.named["Wx"] == ("D", "3H")
    assert axes.named["bx"] == axes.named["bh"] == ("3H",)
    sizes = axes.sizes({"x": (2, 3), "Wh": (4, 12)})
    assert sizes == {"B": 2, "D": 3, "H": 4, "3H": 12}
    assert axes.of_array("dWx", (3, 12), sizes) == ("D", "3H")
    assert axes.of_array("anything", (2, 4), sizes) == ("B", "H")
    assert axes.of_array("anything", (2, 5), sizes) is None
    assert axes.of_array("x", (7, 3), sizes) is None  # x is no (B, D) then
    assert axes.of_array("number", (), sizes) is None
    powers = Axes.of([lessons.markov.__doc__])
    assert powers.named["counts"] == ("V^m", "V")
    assert powers.sizes({"counts": (49, 7)}) == {"V^m": 49, "V": 7}
    same = axes.sizes({"x": (4, 3), "Wh": (4, 12)})
    assert axes.of_array("anything", (4, 3), same) is None  # B or H?


def test_a_function_without_a_table_takes_the_axes_that_its_caller_knows():
    case = systems.case("backprop")  # all sizes are 2: the shapes alone do not tell
    recording = step(case.function, *case.arguments)
    first, second = recording.at(function="sigmoid", event="call")
    assert recording.values[first.locals["x"]].axes == ("B", "H")
    assert recording.values[second.locals["x"]].axes == ("B", "K")


def test_own_files_are_shown_whole_and_others_function_by_function():
    def mine(x):
        return x

    recording = step(mine, 1.0)
    (file,) = recording.to_dict()["files"]
    assert file["name"] == "test_sources.py"
    assert file["first"] == mine.__code__.co_firstlineno
    assert [line.strip() for line in file["lines"]] == ["def mine(x):", "return x"]
    whole = step(backprop.mazur_round).to_dict()["files"][0]
    assert whole["name"] == "scratchnet/experiments/backprop.py"
    assert whole["lines"][0].startswith('r"""Backpropagation')
