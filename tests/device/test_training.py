"""Training on a device: what the host does, step by step, data set by data set."""

import copy
import pickle

import numpy as np
import pytest

from scratchnet import Sequential, generation, losses, optimizers, to_device
from scratchnet.backend import to_host
from scratchnet.layers import GRU, Dense, Embedding
from scratchnet.schedules import ExponentialDecay
from tests.device.models import (
    IDS,
    NETWORKS,
    B,
    Network,
    T,
    V,
    assert_moved,
    assert_same_training,
    steps,
)
from tests.device.places import assert_close
from tests.helpers import DEVICE_TOLERANCE

SCHEDULE = ExponentialDecay(0.02, decay_steps=30, decay_rate=0.5)
every_network = pytest.mark.parametrize("name", NETWORKS)
eagerly_or_recorded = pytest.mark.parametrize("eagerly", [True, False], ids=["eager", "recorded"])


def approx(losses, dtype="float64"):
    tolerance = DEVICE_TOLERANCE[dtype]
    return pytest.approx(losses, rel=tolerance, abs=tolerance)


@every_network
@eagerly_or_recorded
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_hundred_steps(name, eagerly, dtype, place):
    """Dropout and a learning rate that falls included; the stand-in takes its time for each."""
    network, by_kernels = NETWORKS[name], name in ("dense", "sigmoid", "words")
    count = (
        100 if by_kernels or not place.stands_in or (dtype, eagerly) == ("float64", False) else 9
    )
    batches = network.batches(count)
    host = network.model(dtype, optimizers.Adam(SCHEDULE))
    device = network.model(dtype, optimizers.Adam(SCHEDULE), run_eagerly=eagerly).to("gpu")
    before = host.get_weights()
    expected = steps(host, batches)
    assert steps(device, batches, place) == approx(expected, dtype)
    assert_same_training(device, host)
    assert_moved(before, host.get_weights())
    recorded = list(device._steps._recordings.values())
    assert len(recorded) == (0 if eagerly or name == "stateful" else 1)


@every_network
def test_what_is_recorded_is_what_is_taken_one_by_one(name, place):
    network, found = NETWORKS[name], []
    for eagerly in (True, False):
        model = network.model("float32", optimizers.Adam(SCHEDULE), run_eagerly=eagerly).to("gpu")
        losses = steps(model, network.batches(12), place)
        found.append([losses, *map(to_host, model.get_weights())])
    for eager, recorded in zip(*found, strict=True):
        if place.stands_in:  # a GPU adds rows of an embedding in any order
            np.testing.assert_array_equal(eager, recorded)
        else:
            np.testing.assert_allclose(eager, recorded, rtol=1e-4, atol=1e-5)


@every_network
def test_fit_evaluate_and_predict(name, place):
    network, found = NETWORKS[name], []
    rows = np.arange(3 * B) % B
    x, y = network.x[rows], network.y[rows]
    weight = np.linspace(0.5, 2, y.size).reshape(y.shape)
    if network.loss != "sparse_categorical_crossentropy":
        weight = weight[:, 0]
    metric = "mae" if network.loss == "mse" else "accuracy"
    for device in ("cpu", "gpu"):
        model = network.model(metrics=[metric], weighted_metrics=[metric]).to(device)
        there = [to_device(array, device) for array in (x, y, weight)]
        history = model.fit(
            *there[:2],
            batch_size=B,
            epochs=2,
            seed=3,
            verbose=False,
            sample_weight=there[2],
            validation_data=tuple(there),
        )
        model.fit(*there[:2], batch_size=B, seed=4, verbose=False, validation_split=1 / 3)
        values = {**history.history, "evaluated": model.evaluate(*there[:2], B, there[2])}
        found.append((values, model.predict(there[0], batch_size=B)))
    (expected, y_host), (values, y_device) = found
    assert values.keys() == expected.keys()
    for key, numbers in expected.items():
        assert values[key] == approx(numbers), key
    assert_close(y_device, y_host)


def test_class_weights(place):
    network, models = NETWORKS["words"], []
    rows = np.arange(4 * B) % B
    for device in ("cpu", "gpu"):
        model = network.model().to(device)
        there = [to_device(array[rows], device) for array in (network.x, network.y)]
        model.fit(*there, seed=1, batch_size=8, verbose=False, class_weight={0: 2.0, 2: 0.5})
        models.append(model)
    assert_same_training(*reversed(models))


@eagerly_or_recorded
@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean"])
def test_weights_masks_and_reductions(reduction, masked, eagerly, place):
    network = NETWORKS["masked-steps" if masked else "words"]
    loss = losses.SparseCategoricalCrossentropy(reduction=reduction)
    network = network._replace(loss=loss)
    weights = [None, np.linspace(0, 2, B), None, np.linspace(1, 3, B), np.linspace(0, 1, B)]
    if masked:
        weights = [None if w is None else w[:, None] + np.arange(T) for w in weights]
    batches = [(*b, w) for b, w in zip(network.batches(5), weights, strict=True)]
    host, device = network.model(), network.model(run_eagerly=eagerly).to("gpu")
    assert steps(device, batches, place) == approx(steps(host, batches))
    assert_same_training(device, host)


def pickled(model):
    return pickle.loads(pickle.dumps(model))  # noqa: S301  (its own)


@pytest.mark.parametrize("copied", [copy.deepcopy, pickled])
def test_a_copy_goes_its_own_way(copied, place):
    network = NETWORKS["words"]
    batches = network.batches(12)
    host, device = network.model(), network.model().to("gpu")
    steps(host, batches[:4])
    steps(device, batches[:4], place)
    twin = copied(device)
    kept = [to_host(w) for w in twin.get_weights()]
    assert steps(device, batches[4:8], place) == approx(steps(host, batches[4:8]))
    for array, before in zip(twin.get_weights(), kept, strict=True):
        np.testing.assert_array_equal(to_host(array), before)
    assert_same_training(device, host)
    other = network.model()
    steps(other, [*batches[:4], *batches[8:]])
    steps(twin, batches[8:], place)
    assert_same_training(twin, other)


def test_saved_here_loaded_there(place, tmp_path):
    network = NETWORKS["both-ways"]
    batches, host = network.batches(9), network.model()
    expected = steps(host, batches)
    device = network.model().to("gpu")
    found = steps(device, batches[:3], place)
    device.save(tmp_path / "model.npz")
    back = Sequential.load(tmp_path / "model.npz")
    found += steps(back, batches[3:6])
    back.to("gpu")
    found += steps(back, batches[6:], place)
    assert found == approx(expected)
    assert_same_training(back, host)


def test_what_is_written(place):
    """A text goes on as on the host, id by id or window by window."""
    found = []
    for device in ("cpu", "gpu"):
        model = Network(
            lambda: [Embedding(V, 4), GRU(5), Dense(V, "softmax")], IDS, IDS[:, 0]
        ).model().to(device)  # fmt: skip
        for writer in (generation.OneStep(model), generation.sliding_window(model, T)):
            found.append(list(generation.continuation(writer, [1, 2, 4], np.argmax, 12)))
    assert found[:2] == found[2:]
    assert len(set(found[0])) > 1
