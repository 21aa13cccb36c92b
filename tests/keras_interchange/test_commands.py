"""``scratchnet verify``, ``scratchnet step`` and ``keras_impl convert`` of a Keras model."""

import importlib.util
import json

import keras
import numpy as np
import pytest
from keras import layers
from typer.testing import CliRunner

from keras_impl import weights
from keras_impl.cli import app as keras_impl
from scratchnet import Sequential
from scratchnet.cli import app as scratchnet
from scratchnet.cli import verify_keras
from scratchnet.gradcheck.report import Report
from scratchnet.layers import Dense
from tests.helpers import assert_agrees


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = keras.Sequential(
        [
            keras.Input((None,)),
            layers.Embedding(6, 3, mask_zero=True, name="words"),
            layers.Bidirectional(layers.LSTM(2, return_sequences=True), name="both"),
            layers.Dropout(0.25, seed=3, name="drop"),
            layers.GRU(3, stateful=False, name="gru", trainable=False),
            layers.Dense(2, "softmax", kernel_regularizer="l2", name="top"),
        ]
    )
    model.save("theirs.keras")
    small = [
        layers.Embedding(6, 2, mask_zero=True, name="words"),
        layers.GRU(2, name="gru", trainable=False),
        layers.Dense(2, name="top"),
    ]
    keras.Sequential([keras.Input((None,)), *small]).save("small.keras")
    wide = keras.Sequential([keras.Input((3,)), layers.Dense(4000, name="wide"), layers.Dense(1)])
    wide.save("wide.keras")
    keras.Sequential([keras.Input((3,)), layers.Rescaling(2)]).save("other.keras")
    return tmp_path


def run(app, *words):
    return CliRunner().invoke(app, [str(word) for word in words], prog_name="scratchnet")


def refused(app, *words):
    result = run(app, *words)
    assert result.exit_code == 2, result.output
    (line,) = result.stderr.splitlines()
    return line


class TestVerify:
    def test_every_layer_and_the_whole(self, here):
        result = run(scratchnet, "verify", "small.keras", "--input-shape", "2,3", "--json")
        assert result.exit_code == 0, result.output
        found = json.loads(result.stdout)
        assert {one["name"] for one in found["worst"]} == {"words", "gru", "top", "all layers"}
        whole = {
            one["array"]: one
            for one in found["worst"]
            if one["name"] == "all layers" and one["oracle"] == "Keras"
        }
        weights = ("kernel", "recurrent_kernel", "bias")
        gru = {f"gru/{key}" for key in weights}
        assert whole.keys() == {"words/embeddings", *gru, "top/kernel", "top/bias"}
        assert all(one["relative"] < 1e-12 for one in whole.values())

    def test_the_models_own_weights(self, here, monkeypatch):
        seen = {}

        def check(subject, **options):
            seen[subject.name] = subject.arrays
            return Report(subject.name, [], [])

        monkeypatch.setattr(verify_keras, "check", check)
        run(scratchnet, "verify", "small.keras")
        gru = weights.from_keras("small.keras", []).layers[1]
        kernel, recurrent_kernel, _ = gru.get_weights()
        for key, array in {"kernel": kernel, "recurrent_kernel": recurrent_kernel}.items():
            np.testing.assert_array_equal(seen["GRU"][key], array)
            (whole,) = (arrays for name, arrays in seen.items() if name.startswith("sequential"))
            np.testing.assert_array_equal(whole[f"gru/{key}"], array)

    def test_a_mistake_is_found(self, here, monkeypatch):
        backward = Dense._backward

        def wrong(self, *args):
            dx = backward(self, *args)
            self.grads = {**self.grads, "bias": 1.01 * self.grads["bias"]}
            return dx

        monkeypatch.setattr(Dense, "_backward", wrong)
        keras.Sequential([keras.Input((3,)), layers.Dense(2, "tanh", name="d")]).save("d.keras")
        result = run(scratchnet, "verify", "d.keras")
        assert result.exit_code == 1
        assert "d (Dense): WRONG in bias" in result.stdout
        assert "all layers (one after the other): WRONG in d/bias" in result.stdout

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["other.keras"], "got Rescaling (layer 'rescaling"),
            (["none.keras"], "none.keras: expected a .keras file, got no file"),
            (["theirs.keras", "--like", "lstm"], "--like: is not for theirs.keras"),
            (["theirs.keras", "--input-shape", "2,3,4"], "--input-shape: theirs.keras does not"),
        ],
    )
    def test_refused(self, here, words, said):
        assert said in refused(scratchnet, "verify", *words)


class TestStep:
    def test_a_page(self, here):
        result = run(scratchnet, "step", "theirs.keras", "--time", 2, "--batch", 1)
        assert result.exit_code == 0, result.output
        page = (here / "theirs.html").read_text(encoding="utf-8")
        for called in ("lstm_step_backward", "gru_step_backward", "embedding"):
            assert called in page

    def test_the_models_own_numbers(self, here):
        result = run(scratchnet, "step", "theirs.keras", "--time", 2, "--batch", 1, "--json")
        kernel = keras.models.load_model("theirs.keras").get_layer("top").get_weights()[0]
        values = json.loads(result.stdout)["values"]
        assert any(value["data"] == kernel.astype(float).tolist() for value in values)

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["wide.keras"], "at most 10,000 parameters, which a page can show, got 20,001"),
            (["wide.keras", "--time", 4], "--time: is for sequences"),
            (["theirs.keras", "--units", 4], "--units: is not for theirs.keras"),
            (["lstm", "--batch", 2], "--batch: is for a model that Keras saved"),
        ],
    )
    def test_refused(self, here, words, said):
        assert said in refused(scratchnet, "step", *words)
        assert not list(here.glob("*.html"))


class TestConvert:
    def test_there_and_back(self, here):
        result = run(keras_impl, "convert", "theirs.keras", "ours.npz")
        assert result.exit_code == 0, result.output
        assert "Left out" in result.stdout
        assert "'gru': that it is frozen" in result.stdout
        assert run(keras_impl, "convert", "ours.npz", "back.keras").exit_code == 0
        x = np.array([[1, 2, 0], [3, 4, 5]])
        theirs = keras.models.load_model("theirs.keras")(x).numpy()
        assert_agrees(Sequential.load("ours.npz").forward(x), theirs, 1e-5)
        assert_agrees(keras.models.load_model("back.keras")(x).numpy(), theirs, 1e-5)

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["theirs.keras", "b.keras"], "expected a .keras and an .npz"),
            (["theirs.keras", "there.npz"], "there.npz, which exists"),
            (["other.keras", "b.npz"], "got Rescaling"),
            (["there.npz", "b.keras"], "there.npz: expected a whole checkpoint"),
            (["theirs.keras", "b.npz", "--batch-size", 2], "--batch-size: is for a .keras file"),
        ],
    )
    def test_refused(self, here, words, said):
        (here / "there.npz").write_bytes(b"1")
        before = sorted(here.iterdir())
        assert said in refused(keras_impl, "convert", *words)
        assert sorted(here.iterdir()) == before

    def test_nothing_is_left_where_outputs_differ(self, here, monkeypatch):
        from keras_impl.weights import converting

        monkeypatch.setattr(converting, "_difference", lambda ours, theirs: float("nan"))
        assert "Nothing was written" in refused(keras_impl, "convert", "theirs.keras", "a.npz")
        assert not (here / "a.npz").exists()

    def test_a_stateful_model_wants_a_batch_size(self, here):
        model = keras.Sequential([keras.Input(batch_shape=(2, 3, 4)), layers.GRU(2, stateful=True)])
        model.save("s.keras")
        assert run(keras_impl, "convert", "s.keras", "s.npz").exit_code == 0
        assert "--batch-size" in refused(keras_impl, "convert", "s.npz", "t.keras")
        assert run(keras_impl, "convert", "s.npz", "t.keras", "--batch-size", 5).exit_code == 0
        assert weights.load("t.keras").input_shape == (5, 3, 4)

    def test_without_its_extra_it_says_what_to_install(self, here, monkeypatch):
        monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None)
        said = refused(keras_impl, "convert", "theirs.keras", "a.npz")
        assert said.endswith(': Keras is not installed: pip install "scratchnet[keras]"')
