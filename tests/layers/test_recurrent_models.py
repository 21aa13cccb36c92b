"""Recurrent layers in a model: stacked, masked, saved and resumed."""

import numpy as np
import pytest

from scratchnet import Sequential, set_random_seed
from scratchnet.errors import InputError
from scratchnet.layers import GRU, LSTM, Bidirectional, Dense, Embedding, Masking
from tests.helpers import (
    DIFFERENCES_TOLERANCE,
    assert_agrees,
    assert_not_negligible,
    central_differences,
)
from tests.layers.cases import message, random_array, randomised
from tests.layers.recurrent_cases import LAYERS, every_layer, mask_of_every_kind, recurrent


class TestModels:
    IDS = np.random.default_rng(3).integers(1, 11, size=(12, 6)) * (
        np.arange(6) >= np.arange(12)[:, None] % 5
    )
    """Ids 1 to 10 after up to four of padding."""
    TARGETS = np.random.default_rng(4).integers(0, 3, size=12)

    @staticmethod
    def stacked(name, **settings):
        return Sequential(
            [
                Embedding(11, 4, mask_zero=True),
                LAYERS[name](5, return_sequences=True, **settings),
                Bidirectional(LSTM(3, return_sequences=True), merge_mode="sum"),
                LAYERS[name](4, go_backwards=True, **settings),
                Dense(3, activation="softmax"),
            ],
            dtype="float64",
        )

    @every_layer
    def test_stack_against_central_differences(self, name):
        model = self.stacked(name)
        model.compile(loss="sparse_categorical_crossentropy")
        model.build((None, None))
        rng = np.random.default_rng(5)
        model.set_weights([0.6 * rng.standard_normal(w.shape) for w in model.get_weights()])
        _, gradients = model.gradients(self.IDS, self.TARGETS)
        loss = lambda _: model.evaluate(self.IDS, self.TARGETS)  # noqa: E731
        for layer, grads in zip(model.layers, gradients, strict=True):
            for key, array in layer.params.items():
                numeric = central_differences(loss, array, step=5e-5)
                assert_not_negligible(numeric)
                assert_agrees(grads[key], numeric, DIFFERENCES_TOLERANCE, f"{layer.name}/{key}")

    @every_layer
    def test_padding_changes_nothing(self, name):
        model = self.stacked(name)
        padded = np.concatenate([np.zeros((12, 2), dtype=int), self.IDS], axis=1)
        assert_agrees(model(padded), model(self.IDS), 1e-14)

    @every_layer
    def test_masking_is_the_mask_by_value(self, name):
        x, mask = random_array(5, 4, 3), mask_of_every_kind(5, 4)
        layer = recurrent(name, 2, 3, return_sequences=True)
        twin = recurrent(name, 2, 3, return_sequences=True)
        model = Sequential([Masking(7.0, dtype="float64"), layer])
        marked = np.where(mask[..., None], x, 7.0)
        y = model.forward(marked, training=True)
        np.testing.assert_array_equal(y, twin.forward(x, training=True, mask=mask))
        dy = random_array(*y.shape)
        np.testing.assert_array_equal(model.backward(dy), twin.backward(dy))

    @every_layer
    @pytest.mark.parametrize("rates", [(0.3, 0.0), (0.0, 0.3), (0.3, 0.3)])
    def test_saved_loaded_and_resumed_to_the_bit(self, name, rates, tmp_path):
        settings = {"dropout": rates[0], "recurrent_dropout": rates[1]}
        arguments = {"batch_size": 5, "epochs": 4, "seed": 1, "verbose": 0}

        def fresh():
            set_random_seed(6)
            model = self.stacked(name, **settings)
            model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
            return model

        whole = fresh()
        whole.fit(self.IDS, self.TARGETS, **arguments)
        stopped = fresh()
        stopped.fit(self.IDS, self.TARGETS, **{**arguments, "epochs": 2})
        stopped.save(tmp_path / "model.npz")
        resumed = Sequential.load(tmp_path / "model.npz")
        np.testing.assert_array_equal(resumed(self.IDS), stopped(self.IDS))
        resumed.fit(self.IDS, self.TARGETS, **arguments, initial_epoch=2)
        for array, reference in zip(resumed.get_weights(), whole.get_weights(), strict=True):
            np.testing.assert_array_equal(array, reference)

    @pytest.mark.parametrize(
        ("layer", "count"),
        [
            (LSTM(2, return_state=True), 3),
            (GRU(2, return_state=True, return_sequences=True), 2),
            (Bidirectional(LSTM(2), merge_mode=None), 2),
        ],
    )
    @pytest.mark.parametrize("last", [True, False])
    def test_layers_of_many_outputs_do_not_fit(self, layer, count, last):
        model = Sequential([layer] if last else [layer, Dense(2)])
        with pytest.raises(InputError) as e:
            model(random_array(5, 4, 3))
        assert message(e) == (
            f"Sequential: expected {layer.name} to return one array, got {count}. Leave out "
            "return_state, and give a Bidirectional a merge_mode."
        )

    def test_stateful_layers_in_a_model(self):
        layer = randomised(GRU(2, stateful=True, dtype="float64"), (None, None, 3))
        model, x = Sequential([layer]), random_array(5, 8, 3)
        twin = randomised(GRU(2, dtype="float64"), (None, None, 3))
        model(x[:, :4])
        assert_agrees(model(x[:, 4:]), twin(x), 1e-14)
