"""The recurrent layers against Keras and TensorFlow's tape, their options in pairs."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from keras_impl.parity.oracle import LayerTwin, ask_layer, keras_floats
from scratchnet.layers import (
    GRU,
    LSTM,
    Bidirectional,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    Masking,
    SimpleRNN,
    TimeDistributed,
)
from scratchnet.layers.activation import FORWARD
from tests.all_pairs import all_pairs, pairs_of_values
from tests.helpers import (
    FORWARD_TOLERANCE,
    GRADIENT_TOLERANCE,
    assert_agrees,
    assert_not_negligible,
)
from tests.layers.cases import RECURRENT, every_dtype, random_array, randomised
from tests.parity.recurrent_cases import (
    BIDIRECTIONAL_FACTORS,
    FACTORS,
    SIZES,
    built,
    identifier,
    impossible,
    impossible_for_simple_rnn,
    input_of,
    mask_of,
    options_of,
    states_of,
)
from tests.parity.test_models import Training, assert_trained_alike, check, compiled, train_both

ROUNDED = {"gelu", "leaky_relu"}
"""Activations with a constant that TensorFlow rounds to float32; 1e-7 is agreement then."""

DESIGNS = {
    "SimpleRNN": all_pairs(FACTORS, impossible_for_simple_rnn, least=110),
    "LSTM": all_pairs({**FACTORS, "unit_forget_bias": (True, False)}, impossible, least=110),
    "GRU": all_pairs(FACTORS, impossible, least=110),
    "GRU-reset-before": all_pairs(FACTORS, impossible, least=110),
    "Bidirectional": all_pairs(BIDIRECTIONAL_FACTORS, impossible, least=110),
}


def slowness(row: dict[str, Any]) -> tuple[Any, ...]:
    """Keras takes seconds where it has masks for each gate at 200 steps."""
    slow = row["size"] == "T=200" and row["rates"] in ("recurrent dropout", "both dropouts")
    return (pytest.mark.slow,) if slow else ()


def cases(*names: str) -> Any:
    """Parametrize a test with the rows of some designs."""
    return pytest.mark.parametrize(
        ("name", "row"),
        [
            pytest.param(name, row, id=f"{name}-{i}-{identifier(row)}", marks=slowness(row))
            for name in names
            for i, row in enumerate(DESIGNS[name])
        ],
    )


every_recurrent = pytest.mark.parametrize("name", RECURRENT)


def several(y: Any) -> list[Any]:
    return list(y) if isinstance(y, tuple) else [y]


def compare(
    layer: Any,
    x: np.ndarray,
    *,
    mask: np.ndarray | None = None,
    initial_state: tuple[np.ndarray, ...] | None = None,
    loosest: float = 0.0,
    zero: tuple[str, ...] = (),
    twin: LayerTwin | None = None,
) -> list[np.ndarray]:
    """Compare outputs and, for random gradients on all of them, every gradient; return outputs.

    ``zero`` names gradients that are exactly zero.
    """
    options: dict[str, Any] = {}
    if mask is not None:
        options["mask"] = mask
    if initial_state is not None:
        options["initial_state"] = initial_state
    outputs = several(layer.forward(x, training=True, **options))
    upstream = [random_array(*y.shape, seed=50 + i) for i, y in enumerate(outputs)]
    count = 2 if getattr(layer, "merge_mode", "") is None else 1
    dy = tuple(upstream[:2]) if count == 2 else upstream[0]
    d_state = tuple(upstream[count:])
    dx = layer.backward(dy, d_state=d_state) if d_state else layer.backward(dy)
    twin = twin or LayerTwin(layer, x.shape)
    answer = twin.ask(x, dy, training=True, d_state=d_state, **options)

    forward = max(FORWARD_TOLERANCE[layer.dtype], loosest)
    gradient = max(GRADIENT_TOLERANCE[layer.dtype], loosest)
    references = [*several(answer.y), *answer.states]
    assert len(outputs) == len(references)
    for i, (y, reference) in enumerate(zip(outputs, references, strict=True)):
        assert y.dtype == reference.dtype == layer.dtype
        assert_not_negligible(reference)
        assert_agrees(y, reference, forward, f"output {i}")
    (grads,) = answer.grads
    assert list(layer.grads) == list(grads) == list(layer.params)
    ours = {"x": dx, **layer.grads}
    theirs = {"x": answer.dx, **grads}
    if answer.d_initial_state:
        ours |= {f"initial_state {i}": d for i, d in enumerate(layer.d_initial_state)}
        theirs |= {f"initial_state {i}": d for i, d in enumerate(answer.d_initial_state)}
    assert list(ours) == list(theirs)
    for key, reference in theirs.items():
        if reference is None:
            assert ours[key] is None
            continue
        assert ours[key].dtype == reference.dtype == layer.dtype
        if key.rpartition("/")[2] in zero:
            assert not reference.any()
            assert not ours[key].any()
            continue
        assert_not_negligible(reference)
        assert_agrees(ours[key], reference, gradient, f"d{key}")
    return outputs


def test_every_pair_of_options_is_tried():
    for name, rows in DESIGNS.items():
        factors = BIDIRECTIONAL_FACTORS if name == "Bidirectional" else FACTORS
        senseless = impossible_for_simple_rnn if name == "SimpleRNN" else impossible
        for one, other in pairs_of_values(factors, senseless):
            assert any(dict([one, other]).items() <= row.items() for row in rows), (one, other)
        assert not any(senseless(row) for row in rows)


@pytest.mark.slow
@cases("SimpleRNN", "LSTM", "GRU", "GRU-reset-before")
def test_options_in_pairs(name, row):
    B, T, _, H = SIZES[row["size"]]
    layer = built(RECURRENT[name](H, seed=15, **options_of(row)), row)
    initial_state = None
    if row["initial_state"]:
        initial_state = states_of(layer, B, seed=30, scale=0.1 if T > 100 else 0.5)
    zero = () if T > 1 or row["initial_state"] else ("recurrent_kernel",)
    compare(
        layer, input_of(row), mask=mask_of(row["mask"], B, T), initial_state=initial_state,
        zero=zero,
    )  # fmt: skip


@pytest.mark.slow
@cases("Bidirectional")
def test_bidirectional_options_in_pairs(name, row):
    B, T, _, H = SIZES[row["size"]]
    make, options = RECURRENT[row["layer"]], options_of(row)
    way_back = None
    if row["own_backward"]:
        units = H + 1 if row["merge_mode"] in ("concat", None) else H
        way_back = make(units, "softsign", seed=10, go_backwards=True, **options)
    layer = built(Bidirectional(make(H, seed=15, **options), row["merge_mode"], way_back), row)
    initial_state = states_of(layer, B, seed=30) if row["initial_state"] else None
    zero = () if T > 1 or row["initial_state"] else ("recurrent_kernel",)
    compare(
        layer, input_of(row), mask=mask_of(row["mask"], B, T), initial_state=initial_state,
        zero=zero,
    )  # fmt: skip


ACTIVATIONS = sorted(FORWARD.keys() - {"heaviside"})
PLACES = [(name, "activation") for name in RECURRENT]
PLACES += [(name, "recurrent_activation") for name in RECURRENT if name != "SimpleRNN"]


@pytest.mark.slow
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize(("name", "place"), PLACES)
@every_dtype
def test_every_activation(name, place, activation, dtype):
    """Some are unbounded: the weights are small, and the steps few; shrinking ones want more."""
    layer = RECURRENT[name](
        6, return_sequences=True, return_state=True, dtype=dtype, **{place: activation}
    )
    randomised(layer, (3, 4, 5))
    scale = 0.5 if "shrink" in activation else 0.1 if activation == "exponential" else 0.2
    layer.set_weights([scale * w for w in layer.get_weights()])
    x = random_array(3, 4, 5, dtype=dtype)
    loosest = 1e-7 if activation in ROUNDED else 0.0
    compare(layer, x, initial_state=states_of(layer, 3, seed=30), loosest=loosest)


class TestUnitForgetBias:
    @pytest.mark.parametrize("unit_forget_bias", [True, False])
    @pytest.mark.parametrize(
        "initializer", ["zeros", {"class_name": "Constant", "config": {"value": 0.25}}]
    )
    def test_bias_of_a_new_layer(self, unit_forget_bias, initializer):
        options = {"unit_forget_bias": unit_forget_bias, "bias_initializer": initializer}
        layer = LSTM(3, **options)
        layer.build((None, 5, 2))
        twin = keras.layers.LSTM(3, **options)
        twin.build((None, 5, 2))
        np.testing.assert_array_equal(layer.params["bias"], twin.get_weights()[2], strict=True)


class TestStateful:
    """Consecutive chunks: the state is carried on, the gradient is not (truncated BPTT)."""

    @pytest.mark.slow
    @pytest.mark.parametrize("mask", ["no mask", "left", "holes", "row"])
    @pytest.mark.parametrize("page", [True, False])
    @every_recurrent
    @every_dtype
    def test_three_chunks(self, name, dtype, page, mask):
        layer = RECURRENT[name](6, return_sequences=True, stateful=True, page=page, dtype=dtype)
        randomised(layer, (3, 5, 4))
        twin = LayerTwin(layer, (3, 5, 4))
        for chunk in range(3):
            x = random_array(3, 5, 4, dtype=dtype, seed=chunk)
            compare(layer, x, mask=mask_of(mask, 3, 5), twin=twin)
            for ours, theirs in zip(layer.states, twin.twin.states, strict=True):
                assert_agrees(ours, theirs.numpy(), FORWARD_TOLERANCE[dtype], "states")

    @every_recurrent
    def test_with_dropouts_and_states_given_and_reset(self, name):
        options = {"dropout": 0.25, "recurrent_dropout": 0.25, "seed": 3, "go_backwards": True}
        layer = RECURRENT[name](6, stateful=True, return_state=True, dtype="float64", **options)
        randomised(layer, (3, 5, 4))
        twin = LayerTwin(layer, (3, 5, 4))
        x = [random_array(3, 5, 4, seed=chunk) for chunk in range(4)]
        first = compare(layer, x[0], twin=twin)
        compare(layer, x[1], twin=twin)
        compare(layer, x[2], twin=twin, initial_state=states_of(layer, 3, seed=30))
        compare(layer, x[3], twin=twin)
        layer.reset_state()
        twin.twin.reset_state()
        again = compare(layer, x[0], twin=twin)
        assert abs(again[0] - first[0]).max() > 1e-3  # other dropout masks, but from zeros

    @pytest.mark.parametrize("inner", RECURRENT, ids="Bidirectional-{}".format)
    def test_both_ways(self, inner):
        layer = Bidirectional(RECURRENT[inner](6, stateful=True, return_sequences=True), "sum")
        layer.set_dtype("float64")
        randomised(layer, (3, 5, 4))
        twin = LayerTwin(layer, (3, 5, 4))
        for chunk in range(3):
            compare(layer, random_array(3, 5, 4, seed=chunk), twin=twin)
        layer.reset_state()
        twin.twin.reset_state()
        compare(layer, random_array(3, 5, 4, seed=4), twin=twin)

    @every_recurrent
    def test_inference_moves_the_state_too(self, name):
        layer = RECURRENT[name](6, stateful=True, dtype="float64")
        randomised(layer, (3, 5, 4))
        twin = LayerTwin(layer, (3, 5, 4))
        with keras_floats("float64"):
            for chunk in range(2):
                x = random_array(3, 5, 4, seed=chunk)
                assert_agrees(layer(x), twin.twin(x, training=False).numpy(), 1e-12, "y")
        compare(layer, random_array(3, 5, 4, seed=3), twin=twin)

    @every_recurrent
    def test_what_is_propagated_and_what_is_not(self, name):
        """Outputs are those of the whole sequence; the gradient ends where the chunk began.

        Handed on by hand, ``d_initial_state`` of a chunk as ``d_state`` of the one before, it is
        the whole sequence's.
        """
        options = {"return_sequences": True, "return_state": True, "dtype": "float64"}
        whole = randomised(RECURRENT[name](6, **options), (3, 15, 4))
        x, dy = random_array(3, 15, 4), random_array(3, 15, 6, seed=2)
        none = [np.zeros((3, 6))] * len(whole.state_names)
        answer = ask_layer(whole, x, dy, training=True, d_state=none)
        (reference,) = answer.grads

        chunked = RECURRENT[name](6, stateful=True, **options)
        chunked.build((3, 5, 4))
        chunked.set_weights(whole.get_weights())
        starts, parts = [], []
        for t in (0, 5, 10):
            starts.append(chunked.states or tuple(none))
            y, *_ = chunked.forward(x[:, t : t + 5], training=True)
            assert_agrees(y, answer.y[:, t : t + 5], FORWARD_TOLERANCE["float64"], "y")
            chunked.backward(dy[:, t : t + 5])
            parts.append(dict(chunked.grads))
        truncated = sum(part["kernel"] for part in parts)
        assert abs(truncated - reference["kernel"]).max() > 1e-3 * abs(reference["kernel"]).max()

        d_state, totals, dxs = None, dict.fromkeys(reference, 0.0), []
        for t, start in zip((10, 5, 0), reversed(starts), strict=True):
            chunked.forward(x[:, t : t + 5], training=True, initial_state=start)
            dxs.append(chunked.backward(dy[:, t : t + 5], d_state=d_state))
            d_state = chunked.d_initial_state
            totals = {key: total + chunked.grads[key] for key, total in totals.items()}
        assert_agrees(np.concatenate(dxs[::-1], axis=1), answer.dx, 1e-12, "dx")
        for key, total in totals.items():
            assert_agrees(total, reference[key], GRADIENT_TOLERANCE["float64"], f"d{key}")
        for d, theirs in zip(d_state, answer.d_initial_state, strict=True):
            assert_agrees(d, theirs, GRADIENT_TOLERANCE["float64"], "dinitial_state")


INNER = {
    "Dense": (lambda: Dense(3, "tanh"), (2, 4, 5)),
    "Dense-softmax": (lambda: Dense(3, "softmax", use_bias=False), (2, 4, 5, 3)),
    "Dropout": (lambda: Dropout(0.3, seed=4), (2, 4, 5)),
    "Dropout-shared": (lambda: Dropout(0.3, (None, 1, None), seed=4), (2, 4, 5, 3)),
    "Flatten": (Flatten, (2, 4, 5, 3)),
    "Embedding": (lambda: Embedding(7, 3), (2, 4, 5)),
    "LSTM": (lambda: LSTM(3, return_sequences=True), (2, 4, 5, 3)),
    "LSTM-dropouts": (lambda: LSTM(3, dropout=0.3, recurrent_dropout=0.4, seed=3), (2, 4, 5, 3)),
    "GRU-dropout": (lambda: GRU(3, dropout=0.3, seed=3), (2, 4, 5, 3)),
    "Bidirectional": (lambda: Bidirectional(SimpleRNN(3)), (2, 4, 5, 3)),
    "TimeDistributed": (lambda: TimeDistributed(Dense(2, "elu")), (2, 4, 5, 3)),
    "T=1": (lambda: Dense(3, "tanh"), (2, 1, 5)),
}


@pytest.mark.parametrize("inner", [pytest.param(i, id=f"TimeDistributed-{i}") for i in INNER])
@every_dtype
def test_time_distributed_layer(inner, dtype):
    make, shape = INNER[inner]
    layer = TimeDistributed(make(), dtype=dtype)
    randomised(layer, shape)
    x = random_array(*shape, dtype=dtype)
    if inner == "Embedding":
        x = np.random.default_rng(1).integers(7, size=shape)
    compare(layer, x)


@pytest.mark.parametrize("mask_value", [0.0, -1.5, 0.125], ids="Masking-{}".format)
@every_dtype
def test_masking_layer(mask_value, dtype):
    """Keras rounds mask_value to float32 even in float64; all three are exact in it."""
    x = random_array(3, 5, 4, dtype=dtype)
    x[0, 1], x[1, :2], x[2, 4, :3] = mask_value, mask_value, mask_value
    layer = Masking(mask_value, dtype=dtype)
    (y,) = compare(layer, x)
    with keras_floats(dtype):
        twin = keras.layers.Masking(mask_value)
        theirs = twin.compute_mask(x).numpy()
    ours = layer.compute_mask(x)
    assert 0 < (~ours).sum() < ours.size
    np.testing.assert_array_equal(ours, theirs, strict=True)
    np.testing.assert_array_equal(y[~ours], 0)


V, CLASSES = 11, 3


def padded_ids(B: int = 4, T: int = 6) -> np.ndarray:
    """Ids with padding on the left, on the right, inside, everywhere."""
    ids = np.random.default_rng(1).integers(1, V, (B, T))
    ids[0, 4:], ids[1, :3], ids[2, 2], ids[3] = 0, 0, 0, 0
    return ids


def padded_steps() -> np.ndarray:
    x = random_array(4, 6, 5)
    x[padded_ids() == 0] = 0
    return x


MODELS = {
    "Masking-LSTM": lambda: [Masking(), LSTM(6), Dense(CLASSES, "softmax")],
    "Masking-GRU-backwards": lambda: [
        Masking(),
        GRU(6, return_sequences=True, go_backwards=True),
        SimpleRNN(5, return_sequences=True),
        Dense(CLASSES, "softmax"),
    ],
    "TimeDistributed-words": lambda: [
        Embedding(V, 5, mask_zero=True),
        LSTM(6, return_sequences=True),
        LSTM(7, return_sequences=True),
        TimeDistributed(Dense(CLASSES, "softmax")),
    ],
    "LSTM-GRU-words": lambda: [
        Embedding(V, 5, mask_zero=True),
        Dropout(0.3, seed=2),
        LSTM(6, return_sequences=True, dropout=0.25, seed=4),
        GRU(7, dropout=0.25, recurrent_dropout=0.25, seed=5),
        Dense(CLASSES, "softmax"),
    ],
    "Bidirectional-words": lambda: [
        Embedding(V, 5, mask_zero=True),
        Bidirectional(GRU(6, return_sequences=True, dropout=0.25, seed=4), "mul"),
        Bidirectional(LSTM(4, return_sequences=True)),
        Dense(CLASSES, "softmax"),
    ],
    "GRU-reset-before-words": lambda: [
        Embedding(V, 5, mask_zero=True),
        GRU(6, reset_after=False, return_sequences=True, zero_output_for_mask=True),
        SimpleRNN(7, return_sequences=True),
        Dense(CLASSES, "softmax"),
    ],
}


@pytest.mark.parametrize("name", MODELS)
@every_dtype
def test_model(name, dtype):
    """Masks travel through the layers and, where a sequence comes out, into the loss."""
    layers = MODELS[name]()
    x = padded_ids() if isinstance(layers[0], Embedding) else padded_steps()
    model = compiled(layers, "sparse_categorical_crossentropy", dtype, 0.6, x.shape)
    shape = model(x).shape[:-1]
    y = np.random.default_rng(2).integers(CLASSES, size=shape)
    with keras_floats(dtype):
        loss = keras.losses.SparseCategoricalCrossentropy()
    value = check(model, loss, x, y)
    if len(shape) == 2 and "backwards" not in name:
        for layer in model.layers:
            layer.set_state(_restarted(layer.state()))
        y[padded_ids() == 0] = (y[padded_ids() == 0] + 1) % CLASSES
        assert model.gradients(x, y)[0] == pytest.approx(value, rel=1e-6)


def _restarted(state: dict[str, Any]) -> dict[str, Any]:
    """Return a layer's state with its dropout masks to come again."""
    if "draws" in state:
        return {**state, "draws": 0}
    return {key: _restarted(inner) for key, inner in state.items()}


@pytest.mark.slow
class TestTraining:
    """100 steps of Keras's compiled train step, and of ours."""

    STACKS = {  # noqa: RUF012  (never written to)
        "LSTM-GRU": lambda: [
            Embedding(V, 4),
            LSTM(6, return_sequences=True),
            GRU(5),
            Dense(CLASSES, "softmax"),
        ],
        "SimpleRNN-GRU-reset-before": lambda: [
            Embedding(V, 4, mask_zero=True),
            SimpleRNN(6, return_sequences=True),
            GRU(5, reset_after=False),
            Dense(CLASSES, "softmax"),
        ],
        "Bidirectional-LSTM": lambda: [
            Embedding(V, 4, mask_zero=True),
            Bidirectional(LSTM(3, return_sequences=True)),
            LSTM(5),
            Dense(CLASSES, "softmax"),
        ],
    }
    OPTIMIZERS = (
        Training("RMSprop", {"learning_rate": 0.01}),
        Training("SGD", {"learning_rate": 0.02, "momentum": 0.875}),
    )

    @staticmethod
    def batches():
        rng = np.random.default_rng(6)
        for _ in range(100):
            x = rng.integers(V, size=(4, 6))
            yield x, x[:, -2] % CLASSES

    @pytest.mark.parametrize("stack", STACKS)
    @pytest.mark.parametrize("training", OPTIMIZERS, ids=str)
    def test_in_float64(self, stack, training):
        self.train(stack, training, "float64", 1e-12)

    @pytest.mark.parametrize("training", OPTIMIZERS, ids=str)
    def test_in_float32(self, training):
        self.train("LSTM-GRU", training._replace(tolerance=1e-3), "float32", 1e-3)

    def train(self, stack, training, dtype, tolerance):
        """Keras squares the slices of an embedding's gradient unless they are added up first."""
        loss = "sparse_categorical_crossentropy"
        before = compiled(self.STACKS[stack](), loss, dtype, shape=(4, 6)).get_weights()
        both = train_both(
            self.STACKS[stack](), loss, training, dtype, self.batches(), (4, 6), densified=True
        )
        assert_trained_alike(*both, before, tolerance)
