"""Bidirectional, TimeDistributed and Masking: gradients and promises."""

import functools
import json

import numpy as np
import pytest

from scratchnet.backend import to_host
from scratchnet.errors import BackwardError, CheckpointError, InputError
from scratchnet.layers import GRU, LSTM, Bidirectional, Dense, Embedding, Masking, TimeDistributed
from tests.all_pairs import all_pairs
from tests.helpers import (
    DEVICE_TOLERANCE,
    DIFFERENCES_TOLERANCE,
    GRADIENT_TOLERANCE,
    assert_agrees,
    assert_not_negligible,
    central_differences,
)
from tests.layers.cases import every_dtype, message, random_array, randomised
from tests.layers.recurrent_cases import (
    LAYERS,
    every_layer,
    label,
    mask_of_every_kind,
    page_and_kernel,
)
from tests.strict_array import StrictArray, to_strict

MERGE_MODES = ("concat", "sum", "mul", "ave", None)
every_mode = pytest.mark.parametrize("merge_mode", MERGE_MODES)
B, T, D, H = 5, 4, 3, 2


def bidirectional(name, merge_mode="concat", features=D, units=H, **arguments):
    """A Bidirectional with random distinct weights, float64 unless told otherwise."""
    arguments = {"dtype": "float64", **arguments}
    wrapper = Bidirectional(LAYERS[name](units, **arguments), merge_mode=merge_mode)
    return randomised(wrapper, (None, None, features))


def states(wrapper, seed=50):
    count = 2 * len(wrapper.forward_layer.state_names)
    return tuple(0.5 * random_array(B, H, seed=seed + i) for i in range(count))


def directions_of(wrapper, name, **arguments):
    """Two plain layers with the two directions' weights."""
    arguments = {"dtype": "float64", **arguments}
    forth, back = LAYERS[name](H, **arguments), LAYERS[name](H, go_backwards=True, **arguments)
    half = len(wrapper.params) // 2
    for layer, weights in (
        (forth, wrapper.get_weights()[:half]),
        (back, wrapper.get_weights()[half:]),
    ):
        layer.build((None, None, D))
        layer.set_weights(weights)
    return forth, back


def as_list(y):
    return list(y) if isinstance(y, tuple) else [y]


OPTIONS = all_pairs(
    {
        "merge_mode": MERGE_MODES,
        "return_sequences": (True, False),
        "masked": (True, False),
        "state": (True, False),
        "page": (True, False),
        "dropout": (0.0, 0.3),
        "recurrent_dropout": (0.0, 0.3),
    }
)


@every_layer
@pytest.mark.parametrize("options", OPTIONS, ids=label)
def test_bidirectional_against_central_differences(name, options):
    """x, the states and the biases; the weights' gradients are the directions' own: see below."""
    options = dict(options)
    masked, with_state = options.pop("masked"), options.pop("state")
    wrapper = bidirectional(name, return_state=True, **options)
    wrapper.set_weights([w / 2 for w in wrapper.get_weights()])
    mask = mask_of_every_kind(B, T) if masked else None
    state = states(wrapper) if with_state else None
    start = state or tuple(np.zeros((B, H)) for _ in states(wrapper))
    x = random_array(B, T, D)

    def forward(initial_state):
        drawn = {"seed": 7, "draws": 0}
        wrapper.set_state({"forward": drawn, "backward": {**drawn, "draws": 40}})
        return wrapper.forward(x, training=True, mask=mask, initial_state=initial_state)

    outputs = forward(state)
    upstream = [random_array(*array.shape, seed=i) for i, array in enumerate(outputs, 30)]

    def loss(_):
        return float(sum((d * y).sum() for d, y in zip(upstream, forward(start), strict=True)))

    count = 2 if options["merge_mode"] is None else 1
    dy = tuple(upstream[:2]) if count == 2 else upstream[0]
    dx = wrapper.backward(dy, tuple(upstream[count:]))
    assert list(wrapper.grads) == list(wrapper.params)
    keys = [key for key in wrapper.grads if key.endswith("bias")]
    compared = [
        ("x", x, dx),
        *((key, wrapper.params[key], wrapper.grads[key]) for key in keys),
        *zip(map(str, range(len(start))), start, wrapper.d_initial_state, strict=True),
    ]
    for what, array, gradient in compared:
        numeric = central_differences(loss, array)
        assert_not_negligible(numeric)
        assert_agrees(gradient, numeric, DIFFERENCES_TOLERANCE, f"d{what}")


@every_layer
@every_mode
@page_and_kernel
@pytest.mark.parametrize("return_sequences", [True, False])
def test_bidirectional_is_two_layers(name, merge_mode, page, return_sequences):
    settings = {"page": page, "return_sequences": return_sequences, "return_state": True}
    wrapper = bidirectional(name, merge_mode, **settings)
    forth, back = directions_of(wrapper, name, **settings)
    x, state, d_state = random_array(B, T, D), states(wrapper), states(wrapper, seed=80)
    n = len(state) // 2
    outputs = wrapper.forward(x, training=True, initial_state=state)
    y_f, *states_f = forth.forward(x, training=True, initial_state=state[:n])
    y_b, *states_b = back.forward(x, training=True, initial_state=state[n:])
    flip = (slice(None), slice(None, None, -1)) if return_sequences else ...
    y_b = y_b[flip]
    merged = {
        "concat": lambda: [np.concatenate([y_f, y_b], axis=-1)],
        "sum": lambda: [y_f + y_b],
        "mul": lambda: [y_f * y_b],
        "ave": lambda: [(y_f + y_b) / 2],
        None: lambda: [y_f, y_b],
    }[merge_mode]()
    for actual, reference in zip(outputs, [*merged, *states_f, *states_b], strict=True):
        np.testing.assert_array_equal(actual, reference)
    dys = [random_array(*y.shape, seed=i) for i, y in enumerate(merged, 30)]
    dx = wrapper.backward(dys[0] if merge_mode else tuple(dys), d_state)
    dy_f, dy_b = {
        "concat": lambda: (dys[0][..., :H], dys[0][..., H:]),
        "sum": lambda: (dys[0], dys[0]),
        "mul": lambda: (dys[0] * y_b, dys[0] * y_f),
        "ave": lambda: (dys[0] / 2, dys[0] / 2),
        None: lambda: tuple(dys),
    }[merge_mode]()
    expected = forth.backward(dy_f, d_state[:n]) + back.backward(dy_b[flip], d_state[n:])
    assert_agrees(dx, expected, GRADIENT_TOLERANCE["float64"])
    references = [*forth.grads.values(), *back.grads.values()]
    for gradient, reference in zip(wrapper.grads.values(), references, strict=True):
        np.testing.assert_array_equal(gradient, reference)
    for d, reference in zip(
        wrapper.d_initial_state, (*forth.d_initial_state, *back.d_initial_state), strict=True
    ):
        np.testing.assert_array_equal(d, reference)


class TestBidirectional:
    @every_layer
    def test_keys_are_paths_in_keras_order(self, name):
        wrapper = bidirectional(name)
        keys = ["kernel", "recurrent_kernel", "bias"]
        assert list(wrapper.params) == [f"{d}/{k}" for d in ("forward", "backward") for k in keys]
        for key, array in wrapper.params.items():
            direction, _, own = key.partition("/")
            assert array is getattr(wrapper, f"{direction}_layer").params[own]

    @every_mode
    def test_output_shape(self, merge_mode):
        for return_sequences in (True, False):
            wrapper = bidirectional("gru", merge_mode, return_sequences=return_sequences)
            expected = wrapper.compute_output_shape((B, T, D))
            for y in as_list(wrapper(random_array(B, T, D))):
                assert y.shape == expected

    @every_layer
    @every_mode
    def test_masked_steps_give_zero(self, name, merge_mode):
        wrapper = bidirectional(name, merge_mode, return_sequences=True)
        mask = mask_of_every_kind(B, T)
        for y in as_list(wrapper.forward(random_array(B, T, D), mask=mask)):
            assert not y[~mask].any()
            assert np.abs(y[mask]).min() > 0

    @every_mode
    def test_wrong_dy(self, merge_mode):
        wrapper = bidirectional("lstm", merge_mode)
        with pytest.raises(BackwardError):
            wrapper.backward(random_array(B, H) if merge_mode else (random_array(B, H),) * 2)
        y = wrapper.forward(random_array(B, T, D), training=True)
        wrong = [np.ones((*array.shape, 1)) for array in as_list(y)]
        with pytest.raises(InputError, match=r"expected dy") as e:
            wrapper.backward(wrong[0] if merge_mode else tuple(wrong))
        message(e)
        right = [np.ones_like(array) for array in as_list(y)]
        wrapper.backward(right[0] if merge_mode else tuple(right))
        with pytest.raises(BackwardError, match=r"backward once after each"):
            wrapper.backward(right[0] if merge_mode else tuple(right))

    @every_layer
    def test_inference_disturbs_nothing(self, name):
        wrapper, twin = bidirectional(name, "mul"), bidirectional(name, "mul")
        x, dy = random_array(B, T, D), random_array(B, H)
        for one in (wrapper, twin):
            one.forward(x, training=True)
        wrapper(random_array(2, 7, D))
        np.testing.assert_array_equal(wrapper.backward(dy), twin.backward(dy))

    @every_layer
    def test_stateful(self, name):
        wrapper = bidirectional(name, stateful=True)
        x = random_array(B, T, D)
        first = wrapper(x)
        carried = wrapper(x)
        assert np.abs(first - carried).max() > 1e-3
        twin = bidirectional(name, return_state=True)
        _, *after = twin(x)
        np.testing.assert_array_equal(twin(x, initial_state=tuple(after))[0], carried)
        wrapper.reset_state()
        np.testing.assert_array_equal(wrapper(x), first)

    @every_layer
    @every_mode
    def test_config_makes_the_layer_again(self, name, merge_mode):
        wrapper = bidirectional(name, merge_mode, dropout=0.3, return_sequences=True)
        config = json.loads(json.dumps(wrapper.get_config()))
        again = Bidirectional.from_config(config)
        assert again.get_config() == wrapper.get_config()
        again.build((None, None, D))
        again.set_weights(wrapper.get_weights())
        x, mask = random_array(B, T, D), mask_of_every_kind(B, T)
        for y, reference in zip(
            as_list(again.forward(x, mask=mask)),
            as_list(wrapper.forward(x, mask=mask)),
            strict=True,
        ):
            np.testing.assert_array_equal(y, reference)

    def test_a_way_back_of_its_own(self):
        way_back = GRU(3, go_backwards=True, dtype="float64")
        wrapper = Bidirectional(LSTM(2, dtype="float64"), backward_layer=way_back)
        assert wrapper(random_array(B, T, D)).shape == (B, 5)
        again = Bidirectional.from_config(json.loads(json.dumps(wrapper.get_config())))
        assert type(again.backward_layer) is GRU

    @pytest.mark.parametrize(
        "make",
        [
            lambda: Bidirectional(Dense(3)),
            lambda: Bidirectional(LSTM(3, go_backwards=True)),
            lambda: Bidirectional(LSTM(3), merge_mode="product"),
            lambda: Bidirectional(LSTM(3), backward_layer=LSTM(3)),
            lambda: Bidirectional(
                LSTM(3), backward_layer=LSTM(3, go_backwards=True, return_sequences=True)
            ),
        ],
    )
    def test_what_it_does_not_take(self, make):
        with pytest.raises(InputError, match=r"^Bidirectional: expected .*, got ") as e:
            make()
        message(e)


WRAPPED = {
    "dense": functools.partial(Dense, 5, "tanh"),
    "gru": functools.partial(GRU, 2),
    "lstm": functools.partial(LSTM, 2, return_sequences=True),
    "bidirectional": lambda **dtype: Bidirectional(GRU(2, **dtype)),
}
every_wrapped = pytest.mark.parametrize("inner", WRAPPED)


class TestTimeDistributed:
    @staticmethod
    def make(inner, **arguments):
        shape = (None, 3, 4) if inner == "dense" else (None, 3, 2, 4)
        wrapper = TimeDistributed(WRAPPED[inner](**{"dtype": "float64", **arguments}))
        return randomised(wrapper, shape), random_array(5, *shape[1:])

    @every_wrapped
    def test_against_central_differences(self, inner):
        wrapper, x = self.make(inner)
        dy = random_array(*wrapper.forward(x, training=True).shape, seed=4)
        dx = wrapper.backward(dy)
        compared = [(x, dx), *((wrapper.params[k], g) for k, g in wrapper.grads.items())]
        for array, gradient in compared:
            numeric = central_differences(lambda _: float((dy * wrapper(x)).sum()), array)
            assert_not_negligible(numeric)
            assert_agrees(gradient, numeric, DIFFERENCES_TOLERANCE)

    @every_wrapped
    def test_is_the_layer_at_every_step(self, inner):
        wrapper, x = self.make(inner)
        y = wrapper(x)
        assert y.shape == wrapper.compute_output_shape(x.shape)
        for t in range(x.shape[1]):
            assert_agrees(y[:, t], wrapper.layer(x[:, t]), 1e-14)

    @every_wrapped
    def test_keys_are_paths(self, inner):
        wrapper, _ = self.make(inner)
        assert list(wrapper.params) == [f"layer/{key}" for key in wrapper.layer.params]

    def test_token_ids(self):
        wrapper = TimeDistributed(Embedding(7, 3, dtype="float64"))
        ids = np.random.default_rng(0).integers(7, size=(5, 4, 2))
        y = wrapper.forward(ids, training=True)
        assert y.shape == (5, 4, 2, 3)
        assert wrapper.backward(random_array(*y.shape)) is None
        assert_not_negligible(wrapper.grads["layer/embeddings"])

    def test_messages(self):
        with pytest.raises(InputError, match=r"expected layer to return one array, got 3") as e:
            TimeDistributed(LSTM(2, return_state=True))(random_array(5, 4, 3, 2))
        message(e)
        with pytest.raises(InputError, match=r"expected x of shape \(batch, time, …\)") as e:
            TimeDistributed(Dense(2))(random_array(5, 4))
        message(e)
        with pytest.raises(InputError, match=r"layer: expected a scratchnet layer, got") as e:
            TimeDistributed(Dense)
        message(e)
        with pytest.raises(BackwardError):
            self.make("dense")[0].backward(random_array(5, 3, 5))


class TestMasking:
    def test_gradient_and_mask(self):
        mask = mask_of_every_kind(B, T)
        x = np.where(mask[..., None], random_array(B, T, D), 7.0)
        layer = Masking(7.0, dtype="float64")
        np.testing.assert_array_equal(layer.compute_mask(x), mask)
        y = layer.forward(x, training=True)
        np.testing.assert_array_equal(y, np.where(mask[..., None], x, 0))
        dy = random_array(B, T, D, seed=3)
        np.testing.assert_array_equal(layer.backward(dy), np.where(mask[..., None], dy, 0))

    def test_one_other_feature_keeps_a_step(self):
        x = np.zeros((1, 3, 2))
        x[0, 1, 1] = 1e-300
        np.testing.assert_array_equal(
            Masking(dtype="float64").compute_mask(x), [[False, True, False]]
        )

    def test_messages(self):
        with pytest.raises(InputError, match=r"^Masking: expected mask_value") as e:
            Masking("zero")
        message(e)
        with pytest.raises(InputError, match=r"^Masking: expected x of shape") as e:
            Masking()(random_array(3, 4))
        message(e)


@every_dtype
@pytest.mark.parametrize(
    ("make", "shape"),
    [
        *((lambda m=m, **d: Bidirectional(LSTM(2, **d), m), (B, T, D)) for m in MERGE_MODES),
        (lambda **d: Bidirectional(GRU(2, return_sequences=True, page=True, **d)), (B, T, D)),
        (lambda **d: TimeDistributed(GRU(2, **d)), (B, 3, T, D)),
        (lambda **d: Masking(0.5, **d), (B, T, D)),
    ],
)
def test_everything_stays_where_the_input_is(make, shape, dtype):
    x, results = random_array(*shape, dtype=dtype), []
    x[1, 2] = 0.5
    for place in (np.asarray, to_strict):
        layer = randomised(make(dtype=dtype), shape)
        ys = as_list(layer.forward(place(x), training=True))
        dys = [place(random_array(*y.shape, dtype=dtype)) for y in ys]
        dx = layer.backward(dys[0] if len(dys) == 1 else tuple(dys))
        results.append([*ys, dx, *layer.grads.values()])
    for reference, array in zip(*results, strict=True):
        assert type(array) is StrictArray
        assert array.dtype == reference.dtype
        assert_agrees(to_host(array), reference, DEVICE_TOLERANCE[dtype])


def test_stored_arrays_that_belong_nowhere_are_refused():
    layer = Bidirectional(LSTM(3))
    layer.build((None, 4, 5))
    stored = {**layer.params, "sideways/kernel": np.zeros(1)}
    with pytest.raises(CheckpointError, match="unexpected arrays sideways/kernel"):
        Bidirectional(LSTM(3)).restore((None, 4, 5), stored)
