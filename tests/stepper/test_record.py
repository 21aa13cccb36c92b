"""What `step` leaves alone, what it records, and where it stops."""

import os
import sys
import threading
import types

import numpy as np
import pytest

from scratchnet.backend import array_module
from scratchnet.equations.activations import sigmoid, sigmoid_backward
from scratchnet.equations.dense import dense
from scratchnet.errors import InputError
from scratchnet.layers import LSTM, Dense
from scratchnet.layers.recurrent_ways import PAGE_VARIABLE
from scratchnet.stepper import step
from tests.strict_array import to_strict

X = np.array([[0.5, -1.0]])


def double(x):
    y = x + x
    return +y


def names(recording, **what):
    return [recording.functions[frame.function].name for frame in recording.at(**what)]


def test_the_result_and_the_function_are_unaffected():
    def twice(x):
        return sigmoid(x) * 2

    before = (twice.__code__, dict(vars(twice)), sigmoid.__code__, sys.gettrace())
    recording = step(twice, X)
    np.testing.assert_array_equal(recording.result, twice(X), strict=True)
    assert before == (twice.__code__, dict(vars(twice)), sigmoid.__code__, sys.gettrace())


def test_nothing_is_kept_alive_or_traced_afterwards():
    steps = []

    def numbers(x):
        for n in range(3):
            yield x * n

    def first(x):
        generator = numbers(x)
        next(generator)
        steps.append(generator)

    recording = step(first, X)
    count = len(recording.frames)
    seen = list(steps[0])
    assert len(seen) == 2
    assert len(recording.frames) == count


def test_a_trace_function_that_was_there_comes_back_and_sees_what_it_saw():
    events = []

    def outer(frame, event, arg):
        events.append((frame.f_code.co_name, event))
        return outer

    before = sys.gettrace()
    sys.settrace(outer)
    try:
        step(double, X)
        after = sys.gettrace()
        double(X)
    finally:
        sys.settrace(before)
    assert after is outer
    assert ("double", "line") in events


def test_step_inside_step():
    inner = []

    def both(x):
        y = double(x)
        inner.append(step(double, y))
        z = double(y)
        return +z

    outer = step(both, X)
    assert names(inner[0]) == ["double"] * 3
    assert outer.array(-1, "z").tolist() == (4 * X).tolist()
    assert names(outer).count("double") == 6


def test_an_error_goes_on_with_what_was_recorded():
    def wrong(x):
        y = x * 2
        return y @ np.zeros(5)

    before = sys.gettrace()
    with pytest.raises(ValueError, match="matmul") as caught:
        step(wrong, X)
    assert sys.gettrace() is before
    recording = caught.value.recording
    assert recording.frames[-1].line == wrong.__code__.co_firstlineno + 2
    assert recording.array(-1, "y").tolist() == (2 * X).tolist()
    assert recording.truncated.startswith("The run ended with ValueError: matmul")


def test_the_page_runs_and_the_variable_is_restored(monkeypatch):
    layer = LSTM(2)
    for before in (None, "0", "1"):
        if before is None:
            monkeypatch.delenv(PAGE_VARIABLE, raising=False)
        else:
            monkeypatch.setenv(PAGE_VARIABLE, before)
        recording = step(layer.forward, np.ones((1, 3, 2)))
        assert "lstm_step" in names(recording)
        assert os.environ.get(PAGE_VARIABLE) == before


def test_only_the_calling_thread_is_recorded():
    def work(x):
        thread = threading.Thread(target=double, args=(x,))
        thread.start()
        thread.join()

    assert "double" not in names(step(work, X))


def test_recursion_nesting_lambdas_comprehensions_and_generators():
    def factorial(n):
        return n * factorial(n - 1) if n else 1

    def halves(x):
        for k in (2, 2):
            x = x / k
            yield x

    def many(x):
        def add(y):
            return y + x

        z = [add(y) for y in halves(x)]
        w = (lambda y: add(y))(x)
        total = sum(add(y) for y in z) + w
        for left in halves(x):
            total = total + left
        return total + factorial(3)

    recording = step(many, X)
    np.testing.assert_array_equal(recording.result, many(X))
    prefix = "test_recursion_nesting_lambdas_comprehensions_and_generators."
    found = [name.removeprefix(prefix) for name in names(recording)]
    assert set(found) == {"many", "many.add", "halves", "factorial"}
    assert [f.depth for f in recording.at(function="factorial", event="call")] == [1, 2, 3, 4]
    n = [recording.array(f, "n").item() for f in recording.at(function="factorial", event="return")]
    assert n == [0, 1, 2, 3]
    assert len({f.call for f in recording.at(function="add")}) == 5
    calls = recording.at(function="halves", event="call")
    assert len(calls) == 2
    x = [recording.array(f, "x").tolist() for f in recording.at(line=calls[0].line + 2)]
    assert x == [(X / 2).tolist(), (X / 4).tolist()] * 2


def test_generators_that_are_closed_or_thrown_into():
    def plain(x):
        while True:
            x = x + 1
            yield x

    def guarded(x):
        try:
            yield x
        except KeyError:
            yield x * 2

    def use(x):
        first, second = plain(x), guarded(x)
        y = next(first) + next(first)
        first.close()
        z = next(second) + second.throw(KeyError)
        second.close()
        return y + z

    recording = step(use, 1.0)
    assert recording.result == 8.0
    assert [f.event for f in recording.at(function="guarded")].count("return") == 1
    x = [recording.array(f, "x").item() for f in recording.at(function="plain", event="line")]
    assert sorted(set(x) - {1.0}) == [2.0, 3.0]
    assert {f.depth for f in recording.at(function="plain")} == {1}
    assert recording.frames[-1].depth == 0


def test_phases():
    def train(x):
        y = sigmoid(x)
        return sigmoid_backward(y, x, y)

    recording = step(train, X)
    assert set(names(recording, phase="backward")) == {"sigmoid_backward"}
    assert {name.rpartition(".")[2] for name in names(recording, phase="forward")} == {
        "train",
        "sigmoid",
    }


def test_modules_choose_what_is_recorded():
    def both(x):
        return dense(sigmoid(x), np.ones((2, 1)), None)

    assert set(names(step(both, X, modules=["scratchnet.equations.dense"]))) == {"dense"}
    assert set(names(step(both, X, modules=[]))) == set()
    layer = Dense(2)
    layer.build((None, 2))
    housekeeping = names(step(layer.forward, X, modules=["scratchnet.layers.base"]))
    assert "Layer._ready" in housekeeping
    assert not any("Layer." in name.rpartition("Dense")[0] for name in names(step(both, X)))


@pytest.mark.parametrize(("limit", "most"), [({"max_frames": 5}, 5), ({"max_bytes": 100}, 12)])
def test_limits_stop_the_recording_and_not_the_function(limit, most):
    def long(x):
        for t in range(1000):
            x = x + t
        return x

    recording = step(long, X, **limit)
    np.testing.assert_array_equal(recording.result, long(X))
    assert 0 < len(recording.frames) <= most
    (name,) = limit
    assert name in recording.truncated
    assert "the function ran on to its end" in recording.truncated
    assert step(double, X).truncated is None


def test_an_array_beyond_the_limit_is_not_kept():
    def grow(x):
        y = x + 1
        z = np.zeros(1000)
        return z + y.sum()

    recording = step(grow, X, max_bytes=1000)
    assert recording.result.shape == (1000,)
    assert [recording.text(frame) for frame in recording.frames[1:]] == ["y = x + 1"]
    assert sum(value.array.nbytes for value in recording.values) <= 1000
    assert f"line {grow.__code__.co_firstlineno + 2} of" in recording.truncated
    assert recording.to_dict()["result"] is None
    nothing = step(grow, np.zeros(1000), max_bytes=1000)
    assert not nothing.frames
    assert "max_bytes" in nothing.truncated


def test_a_limit_reached_deep_inside():
    def f(n):
        x = np.full(3, n)
        return f(n - 1) + x.sum() if n else 0

    for limit in range(1, 40):
        recording = step(f, 6, max_frames=limit)
        assert recording.result == f(6)
        assert len(recording.frames) == min(limit, 7 * 3)


def test_what_cannot_be_stepped_is_said():
    with pytest.raises(InputError, match=r"expected a function, got ndarray.*step\(layer.forward"):
        step(X)
    with pytest.raises(InputError, match="max_frames of at least 1, got 0"):
        step(double, X, max_frames=0)


def test_arrays_of_a_device_are_copied_to_the_host():
    def forward(x):
        y = sigmoid(x)
        y[0] = 0.5
        return y

    recording = step(forward, to_strict(X))
    (entered,) = recording.at(function="forward", event="call")
    assert recording.array(entered, "x").tolist() == X.tolist()
    assert recording.array(-1, "y").tolist() == [[0.5, 0.5]]
    assert recording.frames[-2].changed
    assert array_module(recording.result) is not np


def test_a_class_that_is_made_and_a_callable_instance():
    class Unit:
        def __init__(self, w):
            self.w = w

        def __call__(self, x):
            return x * self.w

    assert step(Unit, 2.0).result.w == 2.0
    recording = step(Unit(3.0), X)
    assert [f.event for f in recording.frames] == ["call", "return"]
    assert recording.array(-1, "self.w").item() == 3.0


def test_source_that_is_not_there():
    module = compile("def unknown(x):\n    y = x + 1\n    return y\n", "<nowhere>", "exec")
    code = next(part for part in module.co_consts if isinstance(part, types.CodeType))
    recording = step(types.FunctionType(code, {"__name__": __name__}), X)
    assert [frame.line for frame in recording.frames] == [1, 2, 3]
    assert recording.array(-1, "y").tolist() == (X + 1).tolist()
    assert recording.text(1) == ""
    recording.to_json()
