"""Gradient × input of each token, against finite differences and where it is known."""

import numpy as np
import pytest

from scratchnet import Sequential
from scratchnet.backend import to_host
from scratchnet.contributions import contributions
from scratchnet.errors import InputError
from scratchnet.layers import (
    GRU,
    LSTM,
    Activation,
    Bidirectional,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    SimpleRNN,
    TimeDistributed,
)
from tests.helpers import (
    DEVICE_TOLERANCE,
    DIFFERENCES_TOLERANCE,
    assert_agrees,
    assert_not_negligible,
    central_differences,
)
from tests.layers.cases import random_array
from tests.strict_array import StrictArray, to_strict

V, E, T = 9, 4, 7
IDS = np.array([0, 0, 3, 8, 3, 1, 5])


def built(*layers, dtype="float64", size=0.7):
    """A model with random weights, and biases that are not zero."""
    model = Sequential(layers, dtype=dtype)
    model.build((None, T))
    weights = model.get_weights()
    model.set_weights([size * random_array(*w.shape, seed=7 + i) for i, w in enumerate(weights)])
    return model


STACKS = {
    "lstm": lambda **k: [Embedding(V, E, **k), LSTM(5), Dense(1, "sigmoid")],
    "gru": lambda **k: [Embedding(V, E, **k), GRU(5), Dense(3, "tanh"), Dense(1, "sigmoid")],
    "two": lambda **k: [
        Embedding(V, E, **k),
        Bidirectional(LSTM(3, return_sequences=True)),
        SimpleRNN(5),
        Dense(1),
    ],
    "apart": lambda **k: [Embedding(V, E, **k), GRU(5), Dense(1), Activation("sigmoid")],
    "steps": lambda **k: [
        Embedding(V, E, **k),
        TimeDistributed(Dense(3, "tanh")),
        LSTM(4, go_backwards=True),
        Dense(1, "tanh"),
    ],
}


def logit(model, e, mask):
    """The last pre-activation for an embedded sequence, by inference alone."""
    *below, last = model.layers[1:]
    h = e
    for layer in below:
        inputs, h = h, layer.forward(h, mask=mask)
        mask = layer.compute_mask(inputs, mask)
    return float(last.forward_with_logits(h, mask=mask)[0][0, 0])


class TestDefinition:
    @pytest.mark.parametrize("masked", [False, True])
    @pytest.mark.parametrize("stack", STACKS)
    def test_finite_differences_of_the_logit(self, stack, masked):
        model = built(*STACKS[stack](mask_zero=masked))
        embedding = model.layers[0]
        e, mask = embedding.forward(IDS[None]), embedding.compute_mask(IDS[None])
        gradient = central_differences(lambda e: logit(model, e, mask), e.copy())
        reference = (gradient * e)[0].sum(axis=1)
        assert_not_negligible(reference, 1e-2)
        assert_agrees(contributions(model, IDS), reference, DIFFERENCES_TOLERANCE)
        if masked:
            assert not contributions(model, IDS)[:2].any()

    @pytest.mark.parametrize("last", ["linear", "sigmoid", "tanh"])
    def test_of_a_linear_network_they_sum_to_the_logit_without_its_bias(self, last):
        model = built(Embedding(V, E), Flatten(), Dense(1, last))
        kernel, bias = model.get_weights()[1:]
        e = model.layers[0].forward(IDS[None])
        found = contributions(model, IDS)
        assert_agrees(found, (e[0] * kernel.reshape(T, E)).sum(axis=1), 1e-12)
        assert_agrees(found.sum(), logit(model, e, None) - bias[0], 1e-12)
        assert abs(bias[0]) > 0.1

    def test_the_same_word_at_two_places(self):
        found = contributions(built(*STACKS["lstm"]()), IDS)
        assert IDS[2] == IDS[4]
        assert abs(found[2] - found[4]) > 1e-4

    def test_a_certain_answer_has_contributions_too(self):
        """Of the probability they would all be 0: its slope is, at a logit of hundreds."""
        model = built(Embedding(V, E), Flatten(), Dense(1, "sigmoid"), size=30)
        assert model.predict(IDS[None])[0, 0] in (0, 1)
        assert_not_negligible(contributions(model, IDS), 1)

    def test_float32(self):
        double, single = (built(*STACKS["lstm"](), dtype=d) for d in ("float64", "float32"))
        found = contributions(single, IDS)
        assert found.dtype == "float32"
        assert_agrees(found, contributions(double, IDS), 1e-4)


class TestUse:
    def test_dropout_layers_drop_nothing(self):
        def stack(*between):
            return built(Embedding(V, E), *between, LSTM(5), *between[1:], Dense(1, "sigmoid"))

        without = contributions(stack(), IDS)
        np.testing.assert_array_equal(contributions(stack(Dropout(0.5, seed=1)), IDS), without)
        top = built(Embedding(V, E), LSTM(5), Dense(1, "sigmoid"), Dropout(0.5, seed=1))
        np.testing.assert_array_equal(contributions(top, IDS), without)

    def test_twice_the_same_and_the_model_as_it_was(self):
        model = built(*STACKS["lstm"]())
        before, p = model.get_weights(), model(IDS[None])
        np.testing.assert_array_equal(contributions(model, IDS), contributions(model, IDS))
        for array, kept in zip(model.get_weights(), before, strict=True):
            np.testing.assert_array_equal(array, kept)
        np.testing.assert_array_equal(model(IDS[None]), p)

    def test_any_length_and_a_list(self):
        model = built(*STACKS["lstm"]())
        assert contributions(model, [4]).shape == (1,)
        assert contributions(model, range(V)).shape == (V,)

    def test_on_a_device(self):
        model, twin = built(*STACKS["lstm"]()), built(*STACKS["lstm"]())
        found = contributions(twin, to_strict(IDS))
        assert type(found) is StrictArray
        expected = contributions(model, IDS)
        assert_agrees(to_host(found), expected, DEVICE_TOLERANCE["float64"])


class TestRefused:
    @pytest.mark.parametrize(
        ("layers", "expected"),
        [
            ([], "an Embedding first, got layers none"),
            ([Embedding(V, E)], "got layers Embedding"),
            ([Dense(3), Dense(1)], "got layers Dense, Dense"),
            ([Embedding(V, E), Flatten()], "a Dense or Activation layer last, got Flatten"),
            ([Embedding(V, E), LSTM(5), Dense(2)], r"with one output, got shape \(2,\)"),
            ([Embedding(V, E), Dense(1)], r"with one output, got shape \(7, 1\)"),
            ([Embedding(V, E), Dropout(0.5)], "a Dense or Activation layer last"),
            ([Embedding(V, E), LSTM(5, dropout=0.1), Dense(1)], "'lstm' stateful or with dropout"),
            ([Embedding(V, E), GRU(5, recurrent_dropout=0.1), Dense(1)], "'gru' stateful or with"),
            ([Embedding(V, E), LSTM(5, stateful=True), Dense(1)], "'lstm' stateful or with"),
            (
                [Embedding(V, E), Bidirectional(LSTM(5, dropout=0.1)), Dense(1)],
                "'bidirectional' stateful or with dropout",
            ),
            (
                [Embedding(V, E), TimeDistributed(Dropout(0.1)), Flatten(), Dense(1)],
                "'time_distributed' stateful or with dropout",
            ),
        ],
    )
    def test_models(self, layers, expected):
        model = Sequential(layers)
        if layers:
            model.build((1, T) if isinstance(layers[0], Embedding) else (1, 5))
        with pytest.raises(InputError, match=expected) as caught:
            contributions(model, IDS)
        assert str(caught.value).startswith("contributions: expected ")

    def test_not_built(self):
        model = Sequential([Embedding(V, E), LSTM(5), Dense(1)])
        with pytest.raises(InputError, match="a built model"):
            contributions(model, IDS)

    @pytest.mark.parametrize(
        ("ids", "expected"),
        [
            (IDS[None], r"ids of shape \(time,\), got \(1, 7\)"),
            ([], r"got \(0,\)"),
            (3, r"got \(\)"),
            ([1, V], "input_dim"),
            ([1, -1], "input_dim"),
            ([1, 0.5], "whole numbers"),
            (["a"], "array of numbers"),
            (None, "array of numbers"),
        ],
    )
    def test_ids(self, ids, expected):
        with pytest.raises(InputError, match=expected):
            contributions(built(*STACKS["lstm"]()), ids)
