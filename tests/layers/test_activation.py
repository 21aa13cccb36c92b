"""The activation layer, and how activations are named."""

import functools
import inspect

import numpy as np
import pytest

from scratchnet.equations import activations
from scratchnet.errors import InputError
from scratchnet.layers import Activation, Dense
from scratchnet.layers.activation import FORWARD, get_activation
from tests.layers.cases import message, random_array


@pytest.mark.parametrize("name", FORWARD)
def test_every_activation_by_name_and_by_itself(name):
    x, dy = random_array(3, 4), random_array(3, 4, seed=2)
    function = getattr(activations, name)
    y = function(x)
    dx = getattr(activations, f"{name}_backward")(dy, x, y)
    for identifier in (name, function, {"name": name}, functools.partial(function)):
        layer = Activation(identifier, dtype="float64")
        np.testing.assert_array_equal(layer.forward(x, training=True), y, strict=True)
        np.testing.assert_array_equal(layer.backward(dy), dx, strict=True)
        assert layer.get_config()["activation"] == name


def test_all_of_the_page_is_found():
    public = {
        name
        for name, _ in inspect.getmembers(activations, inspect.isfunction)
        if f"{name}_backward" in vars(activations)
    }
    assert public == FORWARD.keys()
    assert len(FORWARD) > 25


@pytest.mark.parametrize(
    ("identifier", "name"), [(None, "linear"), ("swish", "silu"), ("hard_swish", "hard_silu")]
)
def test_keras_other_names(identifier, name):
    assert get_activation(identifier).name == name


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("gelu", {"approximate": True}),
        ("leaky_relu", {"negative_slope": 0.3}),
        ("elu", {"alpha": 0.7}),
        ("celu", {"alpha": 2}),
        ("hard_shrink", {"threshold": 0.1}),
        ("squareplus", {"b": 1.5}),
    ],
)
def test_settings_reach_forward_and_backward(name, settings):
    x, dy = random_array(3, 4), random_array(3, 4, seed=2)
    function = getattr(activations, name)
    for identifier in (functools.partial(function, **settings), {"name": name, **settings}):
        found = get_activation(identifier)
        y = found.forward(x)
        np.testing.assert_array_equal(y, function(x, **settings))
        assert abs(y - function(x)).max() > 1e-4
        dx = found.backward(dy, x, y)
        backward = getattr(activations, f"{name}_backward")
        np.testing.assert_array_equal(dx, backward(dy, x, y, **settings))
        assert abs(dx - backward(dy, x, y)).max() > 1e-4
        assert get_activation(found.config()).config() == {"name": name, **settings}


def test_numpy_settings_do_not_change_the_dtype():
    layer = Activation({"name": "elu", "alpha": np.float64(0.5)})
    assert layer.forward(random_array(3, dtype="float32"), training=True).dtype == "float32"
    assert layer.backward(random_array(3)).dtype == "float32"
    assert type(layer.get_config()["activation"]["alpha"]) is float


class TestErrors:
    @pytest.mark.parametrize(
        ("identifier", "hint"),
        [
            ("rleu", "got 'rleu'. Did you mean relu"),
            ("tanhh", "got 'tanhh'. Did you mean tanh"),
            ("x", "got 'x'. Use one of those."),
            ("", "got ''"),
            (3, "got 3"),
            ([1, 2], r"got \[1, 2\]"),
            (max, "got <built-in function max>"),
            (activations.relu_backward, "got <function relu_backward"),
            (functools.partial(activations.elu, 2.0), "got functools.partial"),
            (functools.partial(max), "got <built-in function max>"),
            ({}, "got {}"),
            ({"alpha": 0.3}, "got {'alpha': 0.3}"),
            ({"name": ["relu"]}, r"got \['relu'\]"),
        ],
    )
    def test_unknown(self, identifier, hint):
        for make in (Activation, lambda activation: Dense(2, activation)):
            with pytest.raises(
                InputError, match=f"^activation: expected one of .*relu.*, {hint}"
            ) as e:
                make(identifier)
            message(e)

    @pytest.mark.parametrize(
        ("identifier", "reason"),
        [
            ({"name": "relu", "alpha": 1}, "expected relu to have no settings, got alpha=1"),
            ({"name": "elu", "slope": 1}, "expected elu to have alpha, got slope=1"),
            ({"name": "elu", "x": 1}, "expected elu to have alpha, got x=1"),
            (
                {"name": "elu", "alpha": "1"},
                "expected alpha of elu to be a number that .*, got '1'",
            ),
            (
                {"name": "elu", "alpha": float("nan")},
                "expected alpha of elu to be a number .*got nan",
            ),
            (
                {"name": "gelu", "approximate": 1},
                "expected approximate of gelu to be True or False, got 1",
            ),
        ],
    )
    def test_settings(self, identifier, reason):
        with pytest.raises(InputError, match=f"^activation: {reason}") as e:
            Activation(identifier)
        message(e)
