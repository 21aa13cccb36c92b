"""Arrays, layers and models go to a device and come back, to the last bit."""

import numpy as np
import pytest

import scratchnet
from scratchnet import Sequential, device_of, optimizers, to_device
from scratchnet.backend import to_host
from scratchnet.errors import DeviceError, InputError
from scratchnet.layers import (
    GRU,
    LSTM,
    Bidirectional,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    SimpleRNN,
    TimeDistributed,
)
from tests.helpers import assert_agrees
from tests.layers.cases import random_array
from tests.strict_array import StrictArray

pytestmark = pytest.mark.usefixtures("strict_cupy")

B, T, V, CLASSES = 6, 4, 9, 3
IDS = np.random.default_rng(0).integers(V, size=(B, T))
LABELS = np.arange(B) % CLASSES


def network():
    return [
        Embedding(V, 5),
        Bidirectional(LSTM(3, return_sequences=True)),
        TimeDistributed(Dense(4, "tanh")),
        GRU(4),
        Dropout(0.3, seed=2),
        Dense(CLASSES, "softmax"),
    ]


def trained(steps=2, optimizer="adam", device="cpu", layers=network):
    scratchnet.set_random_seed(7)
    model = Sequential(layers(), dtype="float64").to(device)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    go_on(model, steps)
    return model


def go_on(model, steps):
    x, y = (to_device(array, model.device) for array in (IDS, LABELS))
    return [model.train_on_batch(x, y) for _ in range(steps)]


def everything(model):
    """All that training has made, as host arrays by name."""
    arrays = {f"weight_{i}": to_host(array) for i, array in enumerate(model.get_weights())}
    for layer in model.layers:
        arrays |= {f"{layer.name}/d{key}": to_host(d) for key, d in layer.grads.items()}
    return arrays | model.optimizer.state()


def assert_equal(ours, reference):
    assert ours.keys() == reference.keys()
    for name in reference:
        np.testing.assert_array_equal(ours[name], reference[name], strict=True)


def assert_close(ours, reference):
    """A device's kernels round as the host's arrays do not."""
    assert ours.keys() == reference.keys()
    for name in reference:
        assert_agrees(ours[name], reference[name], 1e-10)


def test_arrays_go_there_and_back():
    x = random_array(3, 4)
    there = to_device(x, "gpu")
    assert type(there) is StrictArray
    assert (device_of(there), device_of(x), device_of([1.0]), device_of(None)) == (
        *("gpu", "cpu", "cpu", "cpu"),
    )
    np.testing.assert_array_equal(to_device(there, "cpu"), x, strict=True)
    assert to_device(there, "gpu") is there
    assert to_device(x, "cpu") is x
    assert to_host(to_device([[1, 2], [3, 4]], "gpu")).tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize("device", ["cpu", "gpu"])
@pytest.mark.parametrize(
    ("value", "found"),
    [
        (None, "object"),
        ("a", "<U1"),
        (object(), "object"),
        ([[1.0], [1.0, 2.0]], "list (setting an array element with a sequence"),
        (np.array(["2020"], dtype="M8[Y]"), "datetime64[Y]"),
        ([1j], "complex128"),
    ],
    ids=["none", "text", "object", "ragged", "dates", "complex"],
)
def test_what_is_no_array_of_numbers_goes_nowhere(strict_cupy, monkeypatch, value, found, device):
    monkeypatch.setattr(type(strict_cupy), "asarray", None)
    with pytest.raises(InputError) as e:
        to_device(value, device)
    line = str(e.value)
    assert line.startswith(f"to_device: expected value to be an array of numbers, got {found}")
    assert line.endswith(" Make its rows equally long and its elements numbers.")
    assert "\n" not in line


def test_what_a_gpu_has_no_type_for_stays_on_the_host():
    x = np.ones(2, dtype=np.longdouble)
    if x.dtype == np.float64:
        pytest.skip("a long double is a double here")
    assert to_device(x, "cpu") is x
    with pytest.raises(InputError, match=r"a dtype that a GPU has, got .* Convert it to float64"):
        to_device(x, "gpu")


@pytest.mark.parametrize("value", [None, "a", [object()]])
def test_the_stand_in_takes_what_cupy_takes(strict_cupy, value):
    for make in (strict_cupy.asarray, strict_cupy.array):
        with pytest.raises(ValueError, match="Unsupported dtype"):
            make(value)


@pytest.mark.parametrize("device", ["cuda", "gpu:0", "GPU", "cpuu"])
def test_another_device_has_a_near_match(device):
    meant = "cpu" if device == "cpuu" else "gpu"
    model, layer = Sequential([Dense(2)]), Dense(2, name="top")
    for owner, move in (
        ("to_device", lambda: to_device([1.0], device)),
        ("top.to", lambda: layer.to(device)),
        ("Sequential.to", lambda: model.to(device)),
    ):
        expected = (
            f"{owner}: expected device to be cpu or gpu, got '{device}'. Did you mean {meant}?"
        )
        with pytest.raises(InputError) as e:
            move()
        assert str(e.value) == expected
    for nothing in (None, "tpu", "npu"):
        with pytest.raises(InputError, match=r"got .*. Use one of those.$"):
            layer.to(nothing)


@pytest.mark.parametrize(
    "layer",
    [
        Dense(3),
        LSTM(3, stateful=True),
        SimpleRNN(3, recurrent_dropout=0.2, seed=1),
        Bidirectional(GRU(3)),
        TimeDistributed(Dense(3)),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_a_layer_takes_everything_along(layer):
    x, dy = random_array(2, 4, 3).astype("float32"), None
    y = layer.forward(x, training=True)
    dy = random_array(*y.shape).astype("float32")
    layer.backward(dy)
    kept = [{k: v.copy() for k, v in arrays.items()} for arrays in (layer.params, layer.grads)]
    states = getattr(layer, "states", None)
    assert layer.device == "cpu"
    assert layer.to("gpu") is layer
    assert layer.device == "gpu"
    for arrays, before in zip((layer.params, layer.grads), kept, strict=True):
        assert list(arrays) == list(before)
        assert before
        for key, array in arrays.items():
            assert type(array) is StrictArray
            np.testing.assert_array_equal(to_host(array), before[key], strict=True)
    if states is not None:
        assert all(type(state) is StrictArray for state in layer.states)
    y = layer.forward(to_device(x, "gpu"), training=True)
    layer.backward(to_device(dy, "gpu"))
    assert all(type(array) is StrictArray for array in layer.grads.values())
    layer.to("cpu")
    for array in (*layer.params.values(), *layer.grads.values()):
        assert type(array) is np.ndarray
    layer.forward(x)
    if states is not None:
        assert all(type(state) is np.ndarray for state in layer.states)


def test_a_pass_begun_elsewhere_is_forgotten():
    layer = Dense(3)
    layer.forward(random_array(2, 4), training=True)
    layer.to("gpu")
    with pytest.raises(scratchnet.errors.BackwardError):
        layer.backward(to_device(random_array(2, 3), "gpu"))


def test_a_layer_that_is_there_keeps_its_arrays():
    layer = Dense(2).to("gpu")
    layer.build((None, 3))
    kernel = layer.params["kernel"]
    assert type(kernel) is StrictArray
    assert layer.to("gpu").params["kernel"] is kernel


def test_a_wrappers_parameters_are_its_layers_wherever_they_are():
    layer = Bidirectional(LSTM(2))
    layer.build((None, 3, 4))
    for device in ("gpu", "cpu"):
        layer.to(device)
        for prefix, inner in layer.inner.items():
            assert layer.params[f"{prefix}/kernel"] is inner.params["kernel"]


@pytest.mark.parametrize("when", ["before layers", "before build", "after build", "after a step"])
def test_a_model_trains_alike_from_wherever_it_was_told(when):
    expected = trained(3)
    scratchnet.set_random_seed(7)
    model = Sequential([] if when == "before layers" else network(), dtype="float64")
    if when.startswith("before"):
        model.to("gpu")
    for layer in network() if when == "before layers" else ():
        model.add(layer)
    if when.endswith("build"):
        model.build(IDS.shape)
    assert model.to("gpu" if when != "after a step" else "cpu") is model
    model.compile("adam", "sparse_categorical_crossentropy")
    first = go_on(model, 1)
    assert model.to("gpu").device == "gpu"
    losses = first + go_on(model, 2)
    assert all(np.isfinite(losses))
    assert all(
        type(array) is StrictArray for layer in model.layers for array in layer.params.values()
    )
    assert_close(everything(model), everything(expected))


@pytest.mark.parametrize("name", ["SGD", "Adam", "RMSprop", "Adagrad"])
def test_there_and_back_between_steps(name):
    options = {"SGD": {"momentum": 0.9}, "Adam": {"amsgrad": True}}.get(name, {})

    def make():
        return getattr(optimizers, name)(learning_rate=0.1, **options)

    expected, model = trained(6, make()), trained(0, make())
    for device in ("cpu", "gpu", "cpu", "gpu", "gpu", "cpu"):
        before = everything(model)
        assert_equal(everything(model.to(device)), before)
        slots = [array for kept in model.optimizer.slots for array in kept.values()]
        assert [device_of(array) for array in slots] == [device] * len(slots)
        go_on(model, 1)
    assert_close(everything(model), everything(expected))


@pytest.mark.parametrize(("first", "second"), [("cpu", "gpu"), ("gpu", "cpu"), ("gpu", "gpu")])
def test_what_one_device_saved_another_goes_on_with(first, second, tmp_path):
    expected = trained(4, device=first)
    trained(2, device=first).save(tmp_path / "model.npz")
    model = Sequential.load(tmp_path / "model.npz")
    assert model.device == "cpu"
    go_on(model.to(second), 2)
    (assert_equal if first == second else assert_close)(everything(model), everything(expected))


def test_fit_and_predict_on_the_device_are_the_hosts():
    x, y = np.tile(IDS, (3, 1)), np.tile(LABELS, 3)
    results = []
    for device in ("cpu", "gpu"):
        model = trained(
            0, device=device, layers=lambda: [Embedding(V, 4), Flatten(), Dense(3, "softmax")]
        )
        there = [to_device(array, device) for array in (x, y)]
        history = model.fit(*there, epochs=2, batch_size=4, seed=1, verbose=False).history
        results.append((history["loss"], to_host(model.predict(there[0]))))
    for ours, reference in zip(results[1], results[0], strict=True):
        assert_agrees(ours, reference, 1e-10)


def test_a_device_that_is_full_leaves_the_model_where_it_was(strict_cupy, monkeypatch):
    model = trained(1)
    before = everything(model)
    real, count = type(strict_cupy).asarray, []

    def asarray(self, value, *args, **kwargs):
        count.append(value)
        if len(count) == 9:
            raise strict_cupy.cuda.memory.OutOfMemoryError(
                "Out of memory allocating 12,345,678 bytes (allocated so far: 512 bytes)."
            )
        return real(self, value, *args, **kwargs)

    monkeypatch.setattr(type(strict_cupy), "asarray", asarray)
    with pytest.raises(DeviceError) as e:
        model.to("gpu")
    assert str(e.value) == (
        "gpu: expected room for 12.3 MB, got 8.59 GB free of 17.2 GB. Choose a smaller batch_size "
        "or a smaller network, or stay on the CPU."
    )
    assert len(count) == 9
    assert model.device == "cpu"
    assert all(
        type(array) is np.ndarray for layer in model.layers for array in layer.params.values()
    )
    assert_equal(everything(model), before)
    go_on(model, 1)


def test_texts_are_written_from_a_device():
    from scratchnet import generation

    model = Sequential([Embedding(V, 4), LSTM(5), Dense(V, "softmax")])
    model.build((1, T))
    written = []
    for device in ("cpu", "gpu"):
        model.to(device)
        for writer in (generation.OneStep(model), generation.sliding_window(model, T)):
            written.append(list(generation.continuation(writer, [1, 2], np.argmax, 6)))
    assert written[0] == written[2]
    assert written[1] == written[3]
