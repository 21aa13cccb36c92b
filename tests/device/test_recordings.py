"""Recorded steps: when they are made, what they may know, and that they never go stale."""

import math
import warnings

import numpy as np
import pytest

from scratchnet import Sequential, captured, losses, optimizers, to_device
from scratchnet.backend import to_host
from scratchnet.callbacks import Callback
from scratchnet.errors import BackwardError, InputError, NonFiniteError
from scratchnet.layers import LSTM, Bidirectional, Dense, Dropout, Embedding, TimeDistributed
from scratchnet.schedules import ExponentialDecay
from tests.device.models import (
    IDS,
    LABELS,
    NETWORKS,
    SERIES,
    B,
    D,
    Network,
    assert_same_training,
    steps,
)
from tests.helpers import DEVICE_TOLERANCE, assert_agrees
from tests.layers.cases import random_array

WORDS = NETWORKS["words"]


def approx(losses):
    tolerance = DEVICE_TOLERANCE["float64"]
    return pytest.approx(losses, rel=tolerance, abs=tolerance)


def recordings(model):
    return list(model._steps._recordings.values())


def both(network=WORDS, **compiled):
    return network.model(**compiled), network.model(**compiled).to("gpu")


def test_a_step_is_recorded_the_second_time_its_shape_comes(place):
    model = WORDS.model().to("gpu")
    counts = []
    for size in (B, B, B, 4, 4, B, 4):
        steps(model, WORDS.batches(1, size), place)
        counts.append(len(recordings(model)))
    assert counts == [0, 1, 1, 1, 2, 2, 2]


@pytest.mark.parametrize("name", ["words", "masked", "both-ways"])
def test_two_shapes_in_turn(name, place):
    network = NETWORKS[name]
    host, device = both(network)
    batches = [batch for k in range(6) for batch in network.batches(1, 4 if k % 2 else B)]
    assert steps(device, batches, place) == approx(steps(host, batches))
    assert_same_training(device, host)
    assert len(recordings(device)) == 2


def sized(sizes):
    return [batch for size in sizes for batch in WORDS.batches(1, size)]


def test_no_more_are_kept_than_a_few(place):
    host, device = both()
    batches = sized([3, 4, 5, 6, 7, 8] * 3)
    assert steps(device, batches, place) == approx(steps(host, batches))
    assert len(recordings(device)) == captured.MOST
    kept = set(recordings(device))
    steps(device, sized([3, 4, 5, 6, 7, 8]), place)
    assert set(recordings(device)) == kept


def test_one_that_was_idle_makes_room(place, monkeypatch):
    monkeypatch.setattr(captured, "IDLE", 3)
    monkeypatch.setattr(captured, "MOST", 2)
    host, device = both()
    batches = sized([3, 3, 4, 4, 3, 3, 3, 5, 5, 3, 5, 4])
    assert steps(device, batches, place) == approx(steps(host, batches))
    sizes = [recorded._batch.x.shape[0] for recorded in recordings(device)]
    assert sizes == [3, 5]


def test_types_are_part_of_a_shape(place):
    model = WORDS.model().to("gpu")
    x, y = WORDS.batches(1)[0]
    for kind in ("int64", "int32", "int64", "int32"):
        steps(model, [(x.astype(kind), y)], place)
    assert [recorded._batch.x.dtype for recorded in recordings(model)] == ["int64", "int32"]


def test_what_a_user_gave_is_never_written_to(place):
    model = WORDS.model().to("gpu")
    batches = [tuple(map(place.put, batch)) for batch in WORDS.batches(5)]
    kept = [tuple(map(to_host, batch)) for batch in batches]
    for batch in batches:
        model.train_on_batch(*batch)
    assert recordings(model)
    for batch, before in zip(batches, kept, strict=True):
        for array, same in zip(batch, before, strict=True):
            np.testing.assert_array_equal(to_host(array), same)


def gradients(model):
    return [to_host(gradient) for layer in model.layers for gradient in layer.grads.values()]


def test_layers_hold_what_the_latest_step_left(place):
    host, device = both()
    sizes = [B, B, B, 4, 4, B, 4, B]
    for number, batch in enumerate(sized(sizes)):
        steps(host, [batch])
        steps(device, [batch], place)
        for ours, reference in zip(gradients(device), gradients(host), strict=True):
            assert_agrees(ours, reference, DEVICE_TOLERANCE["float64"], f"step {number}")
        if number == 5:  # what happens between steps is forgotten by the next
            device.gradients(*map(place.put, batch))
            host.gradients(*batch)
            device.layers[0].forward(place.put(batch[0]), training=True)
    with pytest.raises(BackwardError):
        device.layers[-1].backward(place.put(np.ones((B, 3))))


def test_masks_are_those_of_the_latest_step(place):
    def layers():
        return [Embedding(9, 4), Dropout(0.5, seed=3), LSTM(3), Dense(3, "softmax")]

    host, device = both(WORDS._replace(layers=layers))
    for batch in sized([B, B, 4, 4, B, B]):
        steps(host, [batch])
        steps(device, [batch], place)
        np.testing.assert_array_equal(
            to_host(device.layers[1].dropout_mask), host.layers[1].dropout_mask
        )


def test_settings_that_are_changed_take_part_at_once(place):
    def layers():
        return [Embedding(9, 4), Dropout(0.5, seed=3), LSTM(3, dropout=0.2, seed=4), Dense(2)]

    network = Network(layers, IDS, random_array(B, 2), "huber")
    host, device = both(network)
    changes = {
        3: lambda model: setattr(model.layers[1], "rate", 0.1),
        6: lambda model: setattr(model.layers[2], "dropout", 0.4),
        9: lambda model: setattr(model.loss, "delta", 0.1),
    }
    found, expected = [], []
    for number, batch in enumerate(network.batches(12)):
        for model in (host, device):
            changes.get(number, lambda model: None)(model)
        expected += steps(host, [batch])
        found += steps(device, [batch], place)
    assert found == approx(expected)
    assert len(recordings(device)) == 4


def test_weights_that_were_replaced(place):
    host, device = both()
    batches = WORDS.batches(6)
    found, expected = [], []
    for number, batch in enumerate(batches):
        if number == 3:
            for model in (host, device):
                dense = model.layers[-1]
                dense.params["kernel"] = dense.params["kernel"] * 0.5
        expected += steps(host, [batch])
        found += steps(device, [batch], place)
    assert found == approx(expected)
    assert_same_training(device, host)


def test_weights_and_masks_come_and_go(place):
    host, device = both()
    weights = [None, None, np.linspace(0, 2, B), np.linspace(1, 2, B), None, np.linspace(2, 0, B)]
    batches = [(*b, w) for b, w in zip(WORDS.batches(6), weights, strict=True)]
    assert steps(device, batches, place) == approx(steps(host, batches))
    assert_same_training(device, host)


def set_weights(model):
    model.set_weights([to_host(w) * 0.9 for w in model.get_weights()])


def set_one_layers_weights(model):
    model.layers[-1].set_weights([to_host(w) * 0.9 for w in model.layers[-1].get_weights()])


def take_the_optimizer_back(model):
    state = model.optimizer.state()
    model.optimizer.set_state({name: array * 0 + 1 for name, array in state.items()})


def change_the_learning_rate(model):
    model.optimizer.learning_rate = 0.3


def compile_anew(model):
    model.compile(optimizers.SGD(0.2, momentum=0.9), losses.SparseCategoricalCrossentropy())


def ask_for_a_metric(model):
    model.compile(model.optimizer, model.loss, metrics=["accuracy"])


def another_loss(model):
    model.compile(model.optimizer, losses.SparseCategoricalCrossentropy(reduction="sum"))


def take_it_away_and_back(model):
    device = model.device
    model.to("cpu").to(device)


def take_layers_away_and_back(model):
    device = model.device
    for layer in model.layers:
        layer.to("cpu").to(device)


def take_the_optimizer_away_and_back(model):
    model.optimizer.to("cpu").to(model.device)


def look_at_gradients(model):
    x, y = (to_device(array, model.device) for array in (WORDS.x, WORDS.y))
    model.gradients(x, y)
    model.predict(x)
    model.evaluate(x, y)


def rewind_the_masks(model):
    dropout = next(layer for layer in model.layers if isinstance(layer, Dropout))
    dropout.set_state({"seed": 2, "draws": 0})


def another_seed(model):
    dropout = next(layer for layer in model.layers if isinstance(layer, Dropout))
    dropout.set_state({"seed": 77, "draws": 3})


@pytest.mark.parametrize(
    "change",
    [
        *(set_weights, set_one_layers_weights, take_the_optimizer_back, change_the_learning_rate),
        *(compile_anew, ask_for_a_metric, another_loss, take_it_away_and_back, look_at_gradients),
        *(take_layers_away_and_back, take_the_optimizer_away_and_back),
        *(rewind_the_masks, another_seed),
    ],
)
def test_recordings_do_not_go_stale(change, place):
    host, device = both()
    found = []
    for model, where in ((host, None), (device, place)):
        losses = steps(model, WORDS.batches(4), where)
        change(model)
        losses += steps(model, WORDS.batches(9)[4:], where)
        found.append(losses)
    expected, ours = (list(np.ravel([np.atleast_1d(loss)[0] for loss in one])) for one in found)
    assert ours == approx(expected)
    assert_same_training(device, host)


def test_a_callback_may_change_the_learning_rate(place):
    class Halve(Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.optimizer.learning_rate = self.model.optimizer.learning_rate / 2

    models = both()
    for model in models:
        x, y = (WORDS.x, WORDS.y) if model.device == "cpu" else place.put(WORDS.x, WORDS.y)
        model.fit(x, y, batch_size=2, epochs=3, callbacks=[Halve()], verbose=False, seed=1)
    host, device = models
    assert_same_training(device, host)
    assert recordings(device)


def test_metrics_are_those_of_the_host(place):
    host, device = both(metrics=["accuracy"], weighted_metrics=["accuracy"])
    weights = np.linspace(0, 2, B)
    for batch in WORDS.batches(5):
        expected = host.train_on_batch(*batch, weights)
        assert device.train_on_batch(*place.put(*batch, weights)) == approx(expected)
    assert recordings(device)


# Steps that are not taken


def spoilt(x):
    bad = x.copy()
    bad[1, 0] = np.nan
    return bad


DENSE = NETWORKS["dense"]
HUGE = Network(lambda: [Dense(3), Dense(2, "softplus")], random_array(B, D), np.ones((B, 2)), "mse")
NUMBERS = {"dense": (DENSE, spoilt(DENSE.x), DENSE.y), "huge": (HUGE, HUGE.x * 1e200, HUGE.y)}


@pytest.mark.parametrize("eagerly", [True, False])
@pytest.mark.parametrize("name", NUMBERS)
def test_a_loss_that_is_not_finite_changes_nothing(name, eagerly, place):
    network, *bad = NUMBERS[name]
    found = []
    for model in (network.model(), network.model(run_eagerly=eagerly).to("gpu")):
        where = None if model.device == "cpu" else place
        losses = steps(model, network.batches(3), where)
        before = [to_host(w) for w in model.get_weights()]
        kept = model.optimizer.state()
        with pytest.raises((NonFiniteError, InputError)) as raised:
            model.train_on_batch(*(bad if where is None else where.put(*bad)))
        for array, old in zip(model.get_weights(), before, strict=True):
            np.testing.assert_array_equal(to_host(array), old)
        for key, old in kept.items():
            np.testing.assert_array_equal(model.optimizer.state()[key], old)
        found.append(([*losses, *steps(model, network.batches(6)[3:], where)], raised))
    (expected, on_host), (ours, on_device) = found
    assert on_device.type is on_host.type
    assert str(on_device.value) == str(on_host.value)
    assert ours == approx(expected)


def with_label(value):
    labels = LABELS.copy()
    labels[2] = value
    return WORDS.x, labels


def with_id(value):
    ids = IDS.astype("float64" if isinstance(value, float) else IDS.dtype)
    ids[2, 1] = value
    return ids, LABELS


BAD = {
    "label-too-high": (WORDS, with_label(3)),
    "label-below-0": (WORDS, with_label(-1)),
    "label-far-out": (WORDS, with_label(10**6)),
    "id-too-high": (WORDS, with_id(9)),
    "id-below-0": (WORDS, with_id(-1)),
    "id-fraction": (WORDS, with_id(1.5)),
    "one-hot-id-too-high": (NETWORKS["characters"], with_id(9)),
    "one-hot-id-below-0": (NETWORKS["characters"], with_id(-1)),
    "target-nan": (DENSE, (DENSE.x, spoilt(DENSE.y))),
    "label-fraction": (WORDS, (IDS, LABELS + 0.5)),
}


@pytest.mark.parametrize("eagerly", [True, False])
@pytest.mark.parametrize("name", BAD)
def test_bad_data_are_named_as_on_the_host(name, eagerly, place):
    network, bad = BAD[name]
    host, device = network.model(), network.model(run_eagerly=eagerly).to("gpu")
    good = network.batches(3)
    if bad[0].dtype.kind == "f" or bad[1].dtype.kind == "f":  # a recording for these types
        good = [(x.astype(bad[0].dtype), y.astype(bad[1].dtype)) for x, y in good]
    steps(device, good, place)
    steps(host, good)
    before = [to_host(w) for w in device.get_weights()]
    with pytest.raises((InputError, NonFiniteError)) as on_host:
        host.train_on_batch(*bad)
    with pytest.raises((InputError, NonFiniteError)) as on_device:
        device.train_on_batch(*place.put(*bad))
    assert on_device.type is on_host.type
    assert str(on_device.value) == str(on_host.value)
    for array, old in zip(device.get_weights(), before, strict=True):
        np.testing.assert_array_equal(to_host(array), old)
    assert all(math.isfinite(loss) for loss in steps(device, good, place))


# Steps that are not recorded


class Doubled(Dense):
    """A layer of one's own, which may do on the host what it likes."""

    count = 0

    def _forward(self, x, training, mask):
        type(self).count += 1
        return super()._forward(x, training, mask)


def test_a_layer_of_ones_own_is_never_recorded(place):
    network = Network(lambda: [Doubled(3), Dense(2)], random_array(B, D), random_array(B, 2), "mse")
    host, device = both(network)
    Doubled.count = 0
    assert steps(device, network.batches(5), place) == approx(steps(host, network.batches(5)))
    assert Doubled.count == 10
    assert not recordings(device)


@pytest.mark.parametrize(
    "layer",
    [
        lambda: TimeDistributed(Doubled(3)),
        lambda: Bidirectional(LSTM(3, return_sequences=True, stateful=True)),
        lambda: Bidirectional(type("Own", (LSTM,), {})(3, return_sequences=True)),
    ],
    ids=["own-inside", "stateful-inside", "own-both-ways"],
)
def test_nor_inside_a_wrapper(layer, place):
    y = random_array(B, 5, 2)
    host, device = both(Network(lambda: [layer(), Dense(2)], SERIES, y, "mse"))
    batches = [(SERIES, y)] * 5
    assert steps(device, batches, place) == approx(steps(host, batches))
    assert not recordings(device)


def test_a_model_of_ones_own_is_never_recorded(place):
    class Counted(Sequential):
        count = 0

        def forward_with_mask(self, x, training=False):
            type(self).count += 1
            return super().forward_with_mask(x, training)

    model = Counted(DENSE.layers(), dtype="float64").to("gpu")
    model.compile("sgd", "mse")
    steps(model, DENSE.batches(5), place)
    assert Counted.count == 5


def test_a_step_that_cannot_be_recorded_warns_once(place, monkeypatch):
    host, device = both()

    def refuse(self, step, batch, layers):
        raise RuntimeError("this device has had enough")

    monkeypatch.setattr(captured.Recorded, "__init__", refuse)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = steps(device, WORDS.batches(6), place)
    assert found == approx(steps(host, WORDS.batches(6)))
    (warning,) = caught
    assert "this device has had enough" in str(warning.message)
    assert "run_eagerly=True" in str(warning.message)
    assert_same_training(device, host)


@pytest.mark.parametrize("options", [{"recurrent_dropout": 0.3}, {"page": True}], ids=str)
def test_products_of_the_page_are_not_recorded(options, place):
    layers = lambda: [LSTM(3, seed=7, **options), Dense(3, "softmax")]  # noqa: E731
    network = Network(layers, SERIES, LABELS)
    host, device = both(network)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = steps(device, network.batches(5), place)
    assert found == approx(steps(host, network.batches(5)))
    assert len(caught) <= 1
    assert_same_training(device, host)


def test_run_eagerly_is_a_switch(place):
    host, device = both()
    losses, expected = [], steps(host, WORDS.batches(9))
    for first, eagerly in ((0, False), (3, True), (6, False)):
        device.compile(device.optimizer, device.loss, run_eagerly=eagerly)
        losses += steps(device, WORDS.batches(9)[first : first + 3], place)
        assert bool(recordings(device)) is not eagerly
    assert losses == approx(expected)


def test_schedules_and_every_number_of_a_rule_go_into_a_recording(place):
    for name in ("Nadam", "Adamax", "SGD", "Adadelta"):
        rate = ExponentialDecay(0.05, decay_steps=2, decay_rate=0.7)
        host = WORDS.model(optimizer=getattr(optimizers, name)(rate))
        device = WORDS.model(optimizer=getattr(optimizers, name)(rate)).to("gpu")
        assert steps(device, WORDS.batches(8), place) == approx(steps(host, WORDS.batches(8)))
        assert_same_training(device, host)
        assert recordings(device)


def test_an_embedding_alone(place):
    network = Network(lambda: [Embedding(9, 3), LSTM(3), Dense(3, "softmax")], IDS, LABELS)
    host, device = both(network)
    assert steps(device, network.batches(5), place) == approx(steps(host, network.batches(5)))
    assert isinstance(device, Sequential)
