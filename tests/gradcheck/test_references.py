"""Every reference graph computes what scratchnet's own layers compute, and its gradients."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from scratchnet import layers, losses
from scratchnet.gradcheck import references
from tests.helpers import assert_agrees, central_differences

B, T, D, H, O = 3, 4, 2, 5, 6  # noqa: E741
EXACT = 1e-12
GATES = {"simple_rnn": [""], "lstm": list("ifgo"), "gru": list("zrn")}


def recurrent_arrays(gates, biases, states, rng, mask=False):
    arrays = {"x": rng.normal(size=(B, T, D))} | {s: rng.normal(size=(B, H)) for s in states}
    for gate in gates:
        arrays[f"Wx.{gate}"] = rng.normal(size=(D, H))
        arrays[f"Wh.{gate}"] = 0.5 * rng.normal(size=(H, H))
        arrays |= {f"{bias}.{gate}": rng.normal(size=H) for bias in biases}
    if mask:
        arrays["mask"] = np.array([[1, 1, 0, 1], [1, 0, 1, 0], [1, 0, 0, 0]], bool)
    return arrays


def joined(arrays, kind, gates):
    return np.concatenate([arrays[f"{kind}.{gate}"] for gate in gates], axis=-1)


def hold_against(layer, built, arrays, states, parameters):
    """Hold a layer's outputs and gradients against a reference's."""
    rng = np.random.default_rng(1)
    layer.build((B, T, D))
    for name, kinds in parameters.items():
        rows = [joined(arrays, kind, layer.gate_order) for kind in kinds]
        layer.params[name][...] = rows[0] if len(rows) == 1 else np.stack(rows)
    initial = tuple(arrays[s] for s in states)
    y, *last = layer.forward(
        arrays["x"], training=True, mask=arrays.get("mask"), initial_state=initial
    )
    assert_agrees(built.values()["hs"], y, EXACT)
    d = {"hs": rng.normal(size=y.shape)} | {s[0]: rng.normal(size=(B, H)) for s in states}
    for name, state in zip(states, last, strict=True):
        assert_agrees(built.outputs[f"{name[0]}s"][-1].value, state, EXACT)
    dx = layer.backward(d["hs"], d_state=tuple(d[s[0]] for s in states))
    ours = built.gradients(d)
    assert_agrees(ours["x"], dx, EXACT)
    for name, right in zip(states, layer.d_initial_state, strict=True):
        assert_agrees(ours[name], right, EXACT)
    for name, kinds in parameters.items():
        rows = [joined(ours, kind, layer.gate_order) for kind in kinds]
        assert_agrees(rows[0] if len(rows) == 1 else np.stack(rows), layer.grads[name], EXACT)


def options():
    return {"return_sequences": True, "return_state": True, "dtype": "float64", "page": True}


ONE_BIAS = {"kernel": ["Wx"], "recurrent_kernel": ["Wh"], "bias": ["b"]}


@pytest.mark.parametrize("mask", [False, True])
@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "linear", "relu"])
def test_simple_rnn(activation, mask):
    arrays = recurrent_arrays([""], ["b"], ["h0"], np.random.default_rng(0), mask)
    layer = layers.SimpleRNN(H, activation, **options())
    layer.gate_order = [""]
    hold_against(layer, references.simple_rnn(arrays, activation), arrays, ["h0"], ONE_BIAS)


@pytest.mark.parametrize("mask", [False, True])
def test_lstm(mask):
    arrays = recurrent_arrays("ifgo", ["b"], ["h0", "c0"], np.random.default_rng(0), mask)
    layer = layers.LSTM(H, **options())
    layer.gate_order = "ifgo"
    hold_against(layer, references.lstm(arrays), arrays, ["h0", "c0"], ONE_BIAS)


@pytest.mark.parametrize("mask", [False, True])
def test_gru_with_the_reset_after_the_product(mask):
    arrays = recurrent_arrays("zrn", ["bx", "bh"], ["h0"], np.random.default_rng(0), mask)
    layer = layers.GRU(H, **options())
    layer.gate_order = "zrn"
    parameters = ONE_BIAS | {"bias": ["bx", "bh"]}
    hold_against(layer, references.gru(arrays), arrays, ["h0"], parameters)


@pytest.mark.parametrize("mask", [False, True])
def test_gru_with_the_reset_before_the_product(mask):
    arrays = recurrent_arrays("zrn", ["bx"], ["h0"], np.random.default_rng(0), mask)
    layer = layers.GRU(H, reset_after=False, **options())
    layer.gate_order = "zrn"
    parameters = ONE_BIAS | {"bias": ["bx"]}
    hold_against(layer, references.gru(arrays, False), arrays, ["h0"], parameters)


@pytest.mark.parametrize("reset_after", [True, False])
def test_gru_that_keeps_one_minus_z_is_the_other_with_the_sign_of_z_turned(reset_after):
    arrays = recurrent_arrays("zrn", ["bx", "bh"], ["h0"], np.random.default_rng(0))
    turned = {n: -a if n.endswith(".z") else a for n, a in arrays.items()}
    one = references.gru(arrays, reset_after, z_keeps=False)
    other = references.gru(turned, reset_after)
    assert_agrees(one.values()["hs"], other.values()["hs"], EXACT)
    d = {"hs": np.random.default_rng(2).normal(size=(B, T, H))}
    ours, right = one.gradients(d), other.gradients(d)
    for name in ours:
        assert_agrees(ours[name], -right[name] if name.endswith(".z") else right[name], EXACT)


def differ(build, arrays, output, names):
    """Hold a reference's gradients against differences of its own outputs."""
    rng = np.random.default_rng(3)
    built = build(arrays)
    d = rng.normal(size=np.shape(built.values()[output]))
    ours = built.gradients({output: d})
    for name in names:

        def loss(array, name=name):
            return float(np.sum(d * build({**arrays, name: array}).values()[output]))

        assert np.abs(ours[name]).max() > 1e-3
        assert_agrees(ours[name], central_differences(loss, arrays[name]), 1e-7, name)


@pytest.mark.parametrize("build", [references.simple_rnn, references.lstm, references.gru])
def test_projection(build):
    rng = np.random.default_rng(0)
    arrays = recurrent_arrays(GATES[build.__name__], [], ["h0"], rng)
    arrays |= {"Wy": rng.normal(size=(H, O)), "by": rng.normal(size=O)}
    built = build(arrays)
    assert_agrees(built.values()["ys"], built.values()["hs"] @ arrays["Wy"] + arrays["by"], EXACT)
    names = [n for n in arrays if n.split(".")[0] in ("x", "Wy", "by", "h0", "Wh")]
    differ(build, arrays, "ys", names)


@pytest.mark.parametrize("last", ["linear", "sigmoid", "tanh", "relu", "softmax"])
def test_dense_chains(last):
    rng = np.random.default_rng(0)
    model = [layers.Dense(H, "tanh", dtype="float64"), layers.Dense(O, last, dtype="float64")]
    x = rng.normal(size=(B, D))
    arrays = {"x": x, "W1": rng.normal(size=(D, H)), "b1": rng.normal(size=H)}
    arrays |= {"W2": rng.normal(size=(H, O)), "b2": rng.normal(size=O)}
    built = references.dense_chain(arrays, ("tanh", last))
    y = x
    for k, layer in enumerate(model, start=1):
        layer.build(y.shape)
        layer.params["kernel"][...] = arrays[f"W{k}"]
        layer.params["bias"][...] = arrays[f"b{k}"]
        y = layer.forward(y, training=True)
    assert_agrees(built.values()["y"], y, EXACT)
    d = rng.normal(size=y.shape)
    ours = built.gradients({"y": d})
    for k, layer in reversed(list(enumerate(model, start=1))):
        d = layer.backward(d)
        assert_agrees(ours[f"W{k}"], layer.grads["kernel"], EXACT)
        assert_agrees(ours[f"b{k}"], layer.grads["bias"], EXACT)
    assert_agrees(ours["x"], d, EXACT)


@pytest.mark.parametrize("loss", references.LOSSES)
def test_losses(loss):
    rng = np.random.default_rng(0)
    crossed = loss.endswith("cross-entropy")
    arrays = {"x": rng.normal(size=(B, D)), "W1": rng.normal(size=(D, O))}
    build = functools.partial(
        references.dense_chain, activations=("softmax" if crossed else "tanh",), loss=loss
    )
    targets = [rng.normal(size=(B, O))]
    if crossed:
        targets = [rng.integers(O, size=B), rng.dirichlet(np.ones(O), size=B)]
    for target in targets:
        differ(build, {**arrays, "target": target}, "loss", ["x", "W1"])


@pytest.mark.parametrize(
    ("name", "ours"),
    [("mean cross-entropy", "categorical_crossentropy"), ("mean squared error", "mse")],
)
def test_losses_are_scratchnets(name, ours):
    rng = np.random.default_rng(0)
    target = rng.dirichlet(np.ones(O), size=B)
    arrays = {"x": rng.normal(size=(B, O)), "target": target}
    last = "softmax" if "entropy" in name else "tanh"
    built = references.dense_chain(arrays, (last,), name)
    y = references.dense_chain(arrays, (last,)).values()["y"]
    assert_agrees(built.values()["loss"], losses.get(ours)(target, y), EXACT)


def test_embedding():
    rng = np.random.default_rng(0)
    ids = np.array([[1, 3, 1], [0, 1, 3]])
    layer = layers.Embedding(5, H, dtype="float64")
    layer.build(ids.shape)
    arrays = {"ids": ids, "W": rng.normal(size=(5, H))}
    layer.params[next(iter(layer.params))][...] = arrays["W"]
    built = references.embedding(arrays)
    assert_agrees(built.values()["y"], layer.forward(ids, training=True), EXACT)
    d = rng.normal(size=(2, 3, H))
    layer.backward(d)
    assert_agrees(built.gradients({"y": d})["W"], next(iter(layer.grads.values())), EXACT)
