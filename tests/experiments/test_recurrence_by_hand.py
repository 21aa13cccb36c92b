"""Every printed number follows from the printed ones before it, and is the layer's."""

import ast
import html
import math
import operator
import re
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest

from scratchnet.errors import InputError
from scratchnet.experiments.recurrence import by_hand
from scratchnet.experiments.recurrence.by_hand import four, worked_example
from scratchnet.experiments.recurrence.pages import check
from scratchnet.experiments.recurrence.runs import UNITS, variables
from scratchnet.layers import GRU, LSTM
from tests.helpers import assert_agrees, central_differences

LAYERS = {"lstm": LSTM, "gru": GRU}
LAST_DIGIT = 1e-4

OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.USub: operator.neg,
}
FUNCTIONS = {"sigmoid": lambda a: 1 / (1 + math.exp(-a)), "tanh": math.tanh}


def calculated(expression: str, names: dict | None = None) -> float:
    """What a pocket calculator makes of an expression."""

    def value(node) -> float:
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Name):
            return names[node.id]
        if isinstance(node, ast.UnaryOp):
            return OPERATORS[type(node.op)](value(node.operand))
        if isinstance(node, ast.Call):
            return FUNCTIONS[node.func.id](value(node.args[0]))
        return OPERATORS[type(node.op)](value(node.left), value(node.right))

    return value(ast.parse(expression, mode="eval").body)


@pytest.fixture(scope="module", params=UNITS)
def example(request) -> by_hand.WorkedExample:
    return worked_example(request.param)


def layer_of(example):
    """The layer with the example's weights, after forward and backward, and dx."""
    layer = LAYERS[example.kind](1, return_sequences=True, dtype="float64")
    x, target = (np.array(row).reshape(1, -1, 1) for row in (example.x, example.target))
    layer.build(x.shape)
    weights = {name: np.array(row) for name, row in example.weights.items()}
    biases = [weights[name] for name in ("b", "bx", "bh") if name in weights]
    bias = biases[0] if len(biases) == 1 else np.stack(biases)
    layer.set_weights([weights["Wx"][np.newaxis], weights["Wh"][np.newaxis], bias])
    h = layer.forward(x, training=True)
    return layer, h, layer.backward(h - target)


def lines_of(example, title: str) -> dict[str, by_hand.Line]:
    (section,) = [each for each in example.sections if each.title == title]
    return {line.name: line for line in section.lines}


class TestNumbers:
    def test_each_equation_gives_its_value_exactly(self, example):
        for line in example.lines:
            assert calculated(line.expression, line.operands) == pytest.approx(
                line.value, rel=1e-12, abs=1e-15
            ), line

    def test_each_printed_number_follows_from_the_printed_ones_to_the_last_digit(self, example):
        same = 0
        for line in example.lines:
            again = calculated(line.numbers)
            assert abs(again - float(line.shown)) < LAST_DIGIT, line
            same += four(again) == line.shown
        assert same > 0.9 * len(example.lines)

    def test_printed_operands_are_printed_results_or_given(self, example):
        """A learner finds every number on the page before it is needed."""
        known = {four(value) for row in example.weights.values() for value in row}
        known |= {four(value) for value in (*example.x, *example.target, 0, by_hand.LEARNING_RATE)}
        for line in example.lines:
            for name, value in line.operands.items():
                assert four(value) in known, (name, line)
            known.add(line.shown)

    def test_no_gradient_is_lost_to_rounding(self, example):
        shown = [abs(float(line.shown)) for line in example.lines if line.shown != "0.0000"]
        assert min(shown) > 0.002
        assert len(shown) >= len(example.lines) - 4

    def test_all_have_four_decimals(self, example):
        for line in example.lines:
            assert re.fullmatch(r"-?\d\.\d{4}", line.shown)
            for number in re.findall(r"\d+\.\d+", re.sub(r"\b0\.5 \*", "", line.numbers)):
                assert re.fullmatch(r"\d\.\d{4}", number), line


class TestAgainstTheLayer:
    def test_hidden_states_and_input_gradients(self, example):
        _, h, dx = layer_of(example)
        steps = range(1, len(example.x) + 1)
        ours = [lines_of(example, f"Forward, step {t}")["h"].value for t in steps]
        assert_agrees(ours, h.ravel(), 1e-12)
        ours = [lines_of(example, f"Backward, step {t}")["dx"].value for t in steps]
        assert_agrees(ours, dx.ravel(), 1e-12)

    def test_gradients_of_the_weights(self, example):
        layer, _, _ = layer_of(example)
        kernel, recurrent, bias = layer.grads.values()
        rows = [kernel[0], recurrent[0], *np.atleast_2d(bias)]
        for (name, ours), row in zip(example.gradients.items(), rows, strict=True):
            assert_agrees(ours, row, 1e-12, name)
        shown = lines_of(example, "The gradients of the weights")
        for name, row in example.gradients.items():
            for gate, value in zip(UNITS[example.kind].gates, row, strict=True):
                assert shown[f"d{name}_{gate}"].value == value

    def test_gradients_are_the_slopes_of_the_loss(self, example):
        unit = UNITS[example.kind]
        for name in example.weights:

            def loss(row, name=name):
                return by_hand.run(unit, {**unit.weights, name: tuple(row)}).loss

            numeric = central_differences(loss, np.array(unit.weights[name]))
            assert_agrees(example.gradients[name], numeric, 1e-7, name)

    def test_the_loss_falls_after_the_update(self, example):
        before, after = example.losses
        assert after < before - 0.05
        unit = UNITS[example.kind]
        new = {line.name: line.value for line in example.sections[-1].lines}
        weights = {
            name: tuple(new[f"new {name}_{gate}"] for gate in unit.gates) for name in unit.weights
        }
        assert by_hand.run(unit, weights).loss == after

    def test_the_printed_program_prints_the_same_numbers(self, example):
        output = subprocess.run(
            [sys.executable, "-c", check(example)], check=True, capture_output=True, text=True
        ).stdout
        printed = [float(number) for number in re.findall(r"-?\d+\.\d*", output)]
        steps = range(1, len(example.x) + 1)
        expected = [lines_of(example, f"Forward, step {t}")["h"].shown for t in steps]
        expected += [lines_of(example, f"Backward, step {t}")["dx"].shown for t in steps]
        expected += [four(value) for row in example.gradients.values() for value in row]
        assert printed == [float(number) for number in expected]


class Words(HTMLParser):
    """The text of a page, and what it refers to."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self.outside: list[str] = []
        self.targets: set[str] = set()
        self.links: set[str] = set()

    def handle_starttag(self, tag, attrs) -> None:
        for key, value in attrs:
            if key == "id":
                self.targets.add("#" + value)
            if key == "href" and value.startswith("#"):
                self.links.add(value)
            elif key in ("href", "src"):
                self.outside.append(value)

    def handle_data(self, data) -> None:
        self.text += data


class TestPages:
    def test_the_text_has_every_line(self, example):
        text = example.text()
        assert text.startswith(f"One {example.kind.upper()} unit by hand\n")
        for section in example.sections:
            assert f"\n{section.title}\n---" in text
        for line in example.lines:
            assert f" {line.name} = {line.expression}\n" in text
            assert f" = {line.numbers} = {line.shown}\n" in text

    def test_the_page_has_every_line_and_needs_nothing_else(self, example):
        words = Words()
        words.feed(example.html())
        text = re.sub(r"\s+", "", words.text)
        for line in example.lines:
            whole = f"{line.name} = {line.expression} = {line.numbers} = {line.shown}"
            assert re.sub(r"\s+", "", whole) in text
        assert words.outside == []
        assert words.links
        assert words.links <= words.targets
        assert "<script" not in example.html()
        assert "prefers-color-scheme: dark" in example.html()
        assert html.escape(check(example), quote=False).splitlines()[0] in example.html()

    def test_names_are_those_of_the_code(self, example):
        """Every name that the example prints is a variable of the real step, or is explained."""
        import inspect

        unit = UNITS[example.kind]
        source = inspect.getsource(unit.step) + inspect.getsource(unit.backward)
        names = {line.name for section in example.sections for line in section.lines}
        explained = {"L", "L_1", "L_2", "L_3", "dy"}
        blocks = {n for n in names if n.startswith(("new ", "dWx_", "dWh_", "db"))}
        for name in names - explained - blocks:
            assert re.search(rf"\b{name}\b", source), name

    def test_zero_has_no_sign(self):
        assert four(-0.00004) == "0.0000"
        assert four(-0.00006) == "-0.0001"


def test_only_lstm_and_gru():
    with pytest.raises(InputError, match="one of lstm, gru, got 'rnn'"):
        worked_example("rnn")


def test_variables_are_the_last_values_of_the_function_itself():
    def inner(a):
        b = a * 10
        return b * 1

    def outer(a):
        b = a + 1
        b = b + inner(a)
        return b * 1

    answer, held = variables(outer, np.array([[2.0]]))
    assert answer == 23
    assert held == {"a": 2, "b": 23}


def test_a_profiler_in_use_is_put_back():
    def watch(*_):
        return None

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        variables(lambda: None)
        assert sys.getprofile() is watch
    finally:
        sys.setprofile(before)
