"""`from_keras` of files: what is refused, all of it at once, and what is made to harm."""

import json
import warnings
import zipfile

import keras
import numpy as np
import pytest
from keras import layers

from keras_impl.weights import from_keras
from scratchnet.errors import CheckpointError, InputError
from tests.helpers import assert_agrees
from tests.layers.cases import message, random_array


def lines_of(x, *line):
    for layer in line:
        x = layer(x)
    return x


def plain():
    return keras.Sequential([keras.Input((3,)), layers.Dense(4, "relu", name="d")])


def both_ways():
    x = keras.Input((5, 3))
    return keras.Model(x, layers.Add(name="sum")([layers.Dense(3)(x), layers.Conv1D(3, 1)(x)]))


def twice():
    x, layer = keras.Input((3,)), layers.Dense(3, name="again")
    return keras.Model(x, layer(layer(x)))


def two_outputs():
    x = keras.Input((3,))
    return keras.Model(x, [layers.Dense(3)(x), layers.Dense(2)(x)])


def given_a_state():
    x = keras.Input((5, 3))
    y, h = layers.GRU(3, return_state=True, return_sequences=True)(x)
    return keras.Model(x, layers.GRU(3, name="second")(y, initial_state=h))


def another_mask():
    x = keras.Input((5, 3))
    mask = keras.ops.any(keras.ops.not_equal(x, 2.0), axis=-1)
    return keras.Model(x, layers.GRU(3, name="masked")(layers.Masking(0.5)(x), mask=mask))


def always_dropping():
    x = keras.Input((3,))
    return keras.Model(x, layers.Dropout(0.5, name="drop")(x, training=True))


def takes_the_state():
    x = keras.Input((5, 3))
    return keras.Model(x, layers.LSTM(3, return_state=True, name="lstm")(x)[2])


@keras.saving.register_keras_serializable("somebody")
class Theirs(layers.Layer):
    def call(self, x):
        return x


@keras.saving.register_keras_serializable("somebody")
class TheirModel(keras.Model):
    def call(self, x):
        return x


REFUSED = {
    "branches": (both_ways, r"got Conv1D \(.*\), Add \(layer 'sum'\).*without branches"),
    "shared": (twice, "layer 'again': expected once"),
    "two outputs": (two_outputs, "expected one output, got 2"),
    "initial state": (given_a_state, "'second': expected x alone, it is called with initial_state"),
    "another mask": (another_mask, "'masked': expected x alone, it is called with mask"),
    "always training": (always_dropping, "'drop': expected x alone.* training=True"),
    "a state": (takes_the_state, "'lstm': expected its first alone, its output 3 is used"),
    "subclass": (TheirModel, "Functional keras.Model, got TheirModel"),
    "foreign": (lambda: keras.Sequential([keras.Input((3,)), Theirs(name="t")]), "Theirs .*'t'"),
    "in a wrapper": (
        lambda: keras.Sequential(
            [keras.Input((4, 5, 3)), layers.TimeDistributed(layers.Conv1D(2, 1), name="each")]
        ),
        r"Conv1D \(layer 'conv1d.*' in 'each'\)",
    ),
    "a cell": (
        lambda: keras.Sequential([keras.Input((4, 3)), layers.RNN(layers.LSTMCell(2))]),
        "RNN .* Use keras.layers.LSTM",
    ),
    "all at once": (
        lambda: keras.Sequential(
            [
                keras.Input((3,)),
                layers.Rescaling(0.5, name="scale"),
                layers.Dense(3, kernel_regularizer="l2", name="penalised"),
                layers.BatchNormalization(name="norm"),
                layers.Dense(3, lambda x: x, name="own"),
                layers.Dense(3, trainable=False, name="frozen"),
            ]
        ),
        r"Rescaling \(layer 'scale'\), BatchNormalization \(layer 'norm'\)\. Save the model "
        r"without .*'penalised': expected no kernel_regularizer.* 'own': .* got a lambda.* "
        "'frozen': expected weights that train",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_from_a_file(name, tmp_path):
    make, said = REFUSED[name]
    path = tmp_path / "theirs.keras"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Keras, about what is saved here
        make().save(path)
    with pytest.raises(InputError, match=said) as e:
        from_keras(path)
    assert message(e).startswith(f"{path}: from_keras: ")


class TestLeftOut:
    def model(self):
        return keras.Sequential(
            [
                keras.Input((4, 3)),
                layers.Bidirectional(layers.GRU(2, recurrent_constraint="unit_norm"), name="both"),
                layers.Dense(3, kernel_regularizer="l2", name="d", trainable=False),
                layers.Dense(2, dtype="mixed_bfloat16", name="half"),
            ]
        )

    def test_named(self, tmp_path):
        model, left_out = self.model(), []
        model.save(tmp_path / "m.keras")
        ours = from_keras(tmp_path / "m.keras", left_out)
        said = " ".join(left_out)
        for part in ("recurrent_constraint", "'d': its kernel_regularizer", "'d': that it is froz"):
            assert part in said
        assert "'half': its computation in bfloat16" in said
        for array, weight in zip(ours.get_weights(), model.get_weights(), strict=True):
            np.testing.assert_array_equal(array, weight)

    def test_frozen_weights_keep_their_order(self):
        twin = keras.Sequential([keras.Input((4, 3)), layers.LSTM(2, name="l")])
        twin.layers[0].cell.kernel.trainable = False
        x = random_array(2, 4, 3, dtype="float32")
        assert_agrees(from_keras(twin, [])(x), twin(x).numpy(), 1e-5)

    def test_half_precision_is_kept_exactly(self):
        twin = keras.Sequential([keras.Input((3,)), layers.Dense(2, dtype="bfloat16")])
        kernel = np.asarray(twin.get_weights()[0], "float32")
        np.testing.assert_array_equal(from_keras(twin, []).get_weights()[0], kernel)


RENAMED = [
    layers.ELU(0.5),
    layers.LeakyReLU(0.25),
    layers.ReLU(),
    layers.ReLU(6.0),
    layers.SpatialDropout1D(0.5),
]


@pytest.mark.parametrize("layer", RENAMED, ids=lambda layer: layer.name)
def test_layers_under_another_name(layer):
    twin = keras.Sequential([keras.Input((4, 3)), layer])
    x = 4 * random_array(2, 4, 3, dtype="float32")
    assert_agrees(from_keras(twin)(x), twin(x).numpy(), 1e-6)


def test_a_relu_with_settings_is_refused():
    with pytest.raises(InputError, match="negative_slope"):
        from_keras(keras.Sequential([keras.Input((3,)), layers.ReLU(negative_slope=0.5)]))


def test_states_that_nothing_takes():
    x = keras.Input((4, 3))
    both = layers.Bidirectional(layers.LSTM(2, return_state=True, return_sequences=True))
    y, *_ = layers.GRU(2, return_state=True)(both(x)[0])
    twin = keras.Model(x, layers.Dense(2)(y))
    given = random_array(2, 4, 3, dtype="float32")
    assert_agrees(from_keras(twin)(given), twin(given).numpy(), 1e-5)


# Files that are damaged, or made to harm


def changed(path, change=lambda config: None, compression=zipfile.ZIP_STORED, more=()):
    """Save a plain model with another description, and with more members."""
    plain().save(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    answer = change(config)
    members["config.json"] = json.dumps(config if answer is None else answer)
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in (*members.items(), *more):
            archive.writestr(name, content)
    return path


def dense(config):
    return config["config"]["layers"][1]


def popen(what, path):
    what.update(module="subprocess", class_name="Popen", config={"args": ["touch", str(path)]})


@pytest.mark.parametrize("what", ["layer", "initializer", "disguised", "in a call"])
def test_nothing_is_run(what, tmp_path):
    harm = tmp_path / "harm"

    def change(config):
        layer = dense(config)
        if what == "initializer":
            popen(layer["config"]["kernel_initializer"], harm)
        elif what == "in a call":
            layer["inbound_nodes"] = [{"args": [{}], "kwargs": {}}]
            popen(layer["inbound_nodes"][0]["args"][0], harm)
        else:
            popen(layer, harm)
            if what == "disguised":
                layer.update(registered_name="scratchnet>Nothing", class_name="Dense")

    path = changed(tmp_path / "m.keras", change)
    with pytest.raises((InputError, CheckpointError)) as e:
        from_keras(path)
    message(e)
    assert not harm.exists()


DAMAGED = {
    "a list": (lambda config: [config], "expected the description of a model, got none"),
    "no layers": (lambda config: config["config"].pop("layers") and None, "a list of layers"),
    "no weights for": (
        lambda config: dense(config)["config"].update(units=10**9),
        "for 16000000000 bytes of them",
    ),
    "a word": (lambda config: dense(config)["config"].update(units="x"), "'d': expected a descr"),
    "long": (
        lambda config: config["config"]["layers"][0]["config"].update(batch_shape=[None, 10**9]),
        "at most 100000 steps",
    ),
    "deep": (lambda config: config.update(deep=json.loads("[" * 900 + "]" * 900)), "cannot load"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_descriptions(name, tmp_path):
    change, said = DAMAGED[name]
    path = changed(tmp_path / "m.keras", change)
    with pytest.raises(CheckpointError, match=said) as e:
        from_keras(path)
    assert message(e).startswith(f"{path}: ")


def test_bombs(tmp_path):
    zeros = ("zeros", bytes(10**7))
    path = changed(tmp_path / "m.keras", compression=zipfile.ZIP_DEFLATED, more=[zeros])
    with pytest.raises(CheckpointError, match="at most 20 times as many"):
        from_keras(path)
    from_keras(changed(tmp_path / "small.keras", compression=zipfile.ZIP_DEFLATED))


@pytest.mark.parametrize("content", [b"", b"no zip", None], ids=["empty", "text", "half"])
def test_not_whole(content, tmp_path):
    path = tmp_path / "m.keras"
    plain().save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if content is None else content)
    with pytest.raises(CheckpointError, match="damaged or of another program") as e:
        from_keras(path)
    message(e)


def test_no_file(tmp_path):
    (tmp_path / "folder.keras").mkdir()
    (tmp_path / "m.h5").write_bytes(b"")
    for name, got in (("folder.keras", "a folder"), ("none.keras", "no file"), ("m.h5", ".h5")):
        with pytest.raises(CheckpointError, match=f"expected a .keras file, got {got}"):
            from_keras(tmp_path / name)
