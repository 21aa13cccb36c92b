"""PyTorch and JAX train the same network: the losses say so before anything is timed."""

import importlib

import numpy as np
import pytest

from scratchnet import Sequential
from scratchnet.errors import InputError
from scratchnet.layers import GRU, LSTM, Dense, Dropout, Embedding, OneHot, SimpleRNN
from scratchnet.optimizers import Adam, RMSprop
from scratchnet.random import set_random_seed
from scratchnet.schedules import ExponentialDecay

PEERS = {
    "PyTorch": ("torch", "keras_impl.bench.peers.torch_peer", "TorchSteps"),
    "JAX": ("jax", "keras_impl.bench.peers.jax_peer", "JaxSteps"),
}
STEPS = 5
B, T, V = 7, 5, 11


@pytest.fixture(params=PEERS)
def peer(request):
    needed, module, name = PEERS[request.param]
    reason = f"{request.param} is not installed (extra `peers`)"
    framework = pytest.importorskip(needed, reason=reason)
    if needed == "torch":
        framework.set_num_threads(1)  # its threads spin, which on a busy machine takes seconds
    return getattr(importlib.import_module(module), name)


def compiled(layers, input_shape, optimizer, loss):
    """Return a model with distinct weights, the biases too."""
    set_random_seed(3)
    model = Sequential(layers)
    model.build((None, *input_shape))
    rng = np.random.default_rng(5)
    model.set_weights([w + rng.normal(0, 0.3, w.shape) for w in model.get_weights()])
    model.compile(optimizer, loss, metrics=["accuracy"] if loss.startswith("binary") else None)
    return model


def table():
    layers = [Dense(9, "relu"), Dense(6, "sigmoid"), Dense(1, "sigmoid")]
    return compiled(layers, (4,), RMSprop(0.01), "binary_crossentropy"), 4


def language(*recurrent, optimizer, first=None, hidden=False):
    layers = [first or OneHot(V), *recurrent, *([Dense(6, "relu")] if hidden else [])]
    layers.append(Dense(V, "softmax"))
    return compiled(layers, (T,), optimizer, "sparse_categorical_crossentropy"), 0


def reviews():
    layers = [Embedding(V, 3), LSTM(8), Dense(1, "sigmoid")]
    return compiled(layers, (T,), Adam(0.01), "binary_crossentropy"), 0


MODELS = {
    "wisconsin": table,
    "LSTM": lambda: language(LSTM(8), optimizer=RMSprop(0.01)),
    "GRU": lambda: language(GRU(8), optimizer=RMSprop(0.01)),
    "SimpleRNN": lambda: language(SimpleRNN(8), optimizer=Adam(0.01, epsilon=1e-3)),
    "shakespeare": lambda: language(
        LSTM(8, return_sequences=True),
        LSTM(6),
        optimizer=Adam(0.01),
        first=Embedding(V, 3),
        hidden=True,
    ),
    "stacked GRU": lambda: language(
        GRU(4, return_sequences=True), GRU(6), optimizer=RMSprop(0.01, epsilon=1e-2)
    ),
    "imdb": reviews,
}


def batches(model, features):
    rng = np.random.default_rng(7)
    binary = type(model.loss).__name__ == "BinaryCrossentropy"
    for _ in range(STEPS):
        x = rng.normal(size=(B, features)) if features else rng.integers(V, size=(B, T))
        y = rng.integers(2, size=(B, 1)) if binary else rng.integers(V, size=B)
        yield x.astype("float32") if features else x, y.astype("float32") if binary else y


@pytest.mark.parametrize("name", MODELS)
def test_first_losses_are_scratchnets(peer, name):
    model, features = MODELS[name]()
    engine = peer(model)
    expected = []
    for x, y in batches(model, features):
        loss = model.train_on_batch(x, y)  # before the peer's, whose weights are its own
        expected.append(loss[0] if isinstance(loss, list) else loss)
    found = [float(engine.step(*engine.prepare(x, y))) for x, y in batches(model, features)]
    assert len(set(np.round(expected, 3))) == STEPS  # they are of different batches, and it learns
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_pytorchs_gradients_are_scratchnets(name):
    framework = pytest.importorskip("torch", reason="PyTorch is not installed (extra `peers`)")
    framework.set_num_threads(1)
    from keras_impl.bench.peers.torch_peer import TorchSteps

    model, features = MODELS[name]()
    x, y = next(batches(model, features))
    engine = TorchSteps(model)
    found_loss, found = engine.gradients(*engine.prepare(x, y))
    loss, layers = model.gradients(x, y)
    expected = [array for layer in layers for array in layer.values()]
    assert found_loss == pytest.approx(loss, rel=1e-5)
    for ours, theirs in zip(expected, found, strict=True):
        assert np.abs(ours).max() > 1e-4
        np.testing.assert_allclose(theirs, ours, rtol=0, atol=1e-5 * np.abs(ours).max())


def test_the_models_weights_stay_as_they_are(peer):
    model, _ = MODELS["GRU"]()
    before = model.get_weights()
    engine = peer(model)
    ids, next_ids = next(batches(model, 0))
    engine.step(*engine.prepare(ids, next_ids))
    for kept, now in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(kept, now)


def test_prepare_leaves_the_callers_arrays_alone(peer):
    model, features = MODELS["wisconsin"]()
    x, y = next(batches(model, features))
    x.flags.writeable = y.flags.writeable = False
    engine = peer(model)
    engine.step(*engine.prepare(x, y))


REFUSED = {
    "a layer": (lambda: language(LSTM(8), Dropout(0.2), optimizer=RMSprop()), "Dropout"),
    "a setting": (lambda: language(GRU(8, reset_after=False), optimizer=RMSprop()), "reset_after"),
    "a gate": (lambda: language(LSTM(8, activation="relu"), optimizer=RMSprop()), "relu"),
    "an activation": (
        lambda: (compiled([Dense(3, "elu"), Dense(1, "sigmoid")], (4,), "adam", BINARY), 4),
        "elu",
    ),
    "a last layer": (lambda: (compiled([Dense(1, "relu")], (4,), "adam", "mse"), 4), "dense"),
    "an optimizer": (lambda: (compiled([Dense(1, "sigmoid")], (4,), "sgd", BINARY), 4), "SGD"),
    "momentum": (lambda: language(LSTM(8), optimizer=RMSprop(momentum=0.5)), "momentum"),
    "a schedule": (
        lambda: language(LSTM(8), optimizer=RMSprop(ExponentialDecay(0.1, 5, 0.5))),
        "schedule",
    ),
    "a loss": (lambda: (compiled([Dense(3, "softmax")], (4,), "adam", BINARY), 4), "Binary"),
}
BINARY = "binary_crossentropy"


@pytest.mark.filterwarnings("ignore:BinaryCrossentropy after a softmax")
@pytest.mark.parametrize("name", REFUSED)
def test_what_a_peer_does_not_have_is_refused_in_one_line(peer, name):
    build, named = REFUSED[name]
    model, _ = build()
    with pytest.raises(InputError, match=named) as refusal:
        peer(model)
    assert "\n" not in str(refusal.value)
    assert "expected" in str(refusal.value)
    assert peer.name in str(refusal.value)


def test_a_model_that_is_not_compiled_is_refused(peer):
    with pytest.raises(InputError, match="built and compiled"):
        peer(Sequential([Dense(1, "sigmoid")]))


def test_double_precision_is_refused(peer):
    model = Sequential([Dense(1, "sigmoid")], dtype="float64")
    model.build((None, 3))
    model.compile("adam", BINARY)
    with pytest.raises(InputError, match="float32"):
        peer(model)
