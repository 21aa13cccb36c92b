"""A training step in JAX, compiled whole, from scratchnet's weights.

The layers are Keras's equations and layouts; time is a ``lax.scan``, whose input products are made
for all steps at once.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax, nn

from keras_impl.bench.peers.peer_model import check
from scratchnet import Sequential
from scratchnet.backend import Array
from scratchnet.losses import BinaryCrossentropy
from scratchnet.optimizers import RMSprop

ACTIVATIONS = {"linear": lambda a: a, "relu": nn.relu, "sigmoid": nn.sigmoid}

Weights = list[dict[str, Any]]
"""Layer by layer, with scratchnet's keys."""


class JaxSteps:
    """One jit-compiled function from weights, slots and a batch to the next ones and the loss.

    Parameters
    ----------
    model : Sequential
        Built and compiled; its weights are copied.

    Raises
    ------
    InputError
        See `peer_model.check`.
    """

    name = "JAX"

    def __init__(self, model: Sequential) -> None:
        check(self.name, model)
        self._processor = jax.devices("cpu")[0]
        self._binary = isinstance(model.loss, BinaryCrossentropy)
        # copies: JAX would take over the memory of arrays that scratchnet updates in place
        weights: Weights = [
            {key: array.copy() for key, array in layer.params.items()} for layer in model.layers
        ]
        slots = jax.tree.map(np.zeros_like, (weights, weights))
        self._state = jax.device_put((weights, slots, 0), self._processor)
        layers = [_layer(layer) for layer in model.layers[:-1]]
        loss = partial(_binary if self._binary else _sparse, layers)
        config = model.optimizer.get_config()
        rule = partial(_rmsprop if isinstance(model.optimizer, RMSprop) else _adam, config)

        @partial(jax.jit, donate_argnums=0)
        def step(state: Any, x: Any, y: Any) -> tuple[Any, Any]:
            weights, slots, t = state
            value, gradients = jax.value_and_grad(loss)(weights, x, y)
            return (*rule(weights, gradients, slots, t + 1), t + 1), value

        self._step = step

    def prepare(self, x: Array, y: Array) -> tuple[Any, Any]:
        """Return arrays on the processor."""
        x = x.astype("float32" if x.dtype.kind == "f" else "int32")
        y = y.astype("float32").reshape(len(y), -1) if self._binary else y.astype("int32")
        prepared: tuple[Any, Any] = jax.device_put((x, y), self._processor)
        return prepared

    def step(self, x: Any, y: Any) -> float:
        """Train, and wait for the new weights too."""
        self._state, loss = jax.block_until_ready(self._step(self._state, x, y))
        return float(loss)


def _rmsprop(config: dict[str, Any], weights: Any, gradients: Any, slots: Any, t: Any) -> Any:
    rho, rate, epsilon = config["rho"], config["learning_rate"], config["epsilon"]
    unused, squares = slots
    squares = jax.tree.map(lambda s, g: rho * s + (1 - rho) * g * g, squares, gradients)
    weights = jax.tree.map(
        lambda w, g, s: w - rate * g / jnp.sqrt(s + epsilon), weights, gradients, squares
    )
    return weights, (unused, squares)


def _adam(config: dict[str, Any], weights: Any, gradients: Any, slots: Any, t: Any) -> Any:
    beta_1, beta_2, epsilon = config["beta_1"], config["beta_2"], config["epsilon"]
    means, squares = slots
    alpha = config["learning_rate"] * jnp.sqrt(1 - beta_2**t) / (1 - beta_1**t)
    means = jax.tree.map(lambda m, g: m + (1 - beta_1) * (g - m), means, gradients)
    squares = jax.tree.map(lambda s, g: s + (1 - beta_2) * (g * g - s), squares, gradients)
    weights = jax.tree.map(
        lambda w, m, s: w - alpha * m / (jnp.sqrt(s) + epsilon), weights, means, squares
    )
    return weights, (means, squares)


Apply = Callable[[dict[str, Any], Any], Any]
"""A layer: its weights and its input to its output."""


def _binary(layers: list[Apply], weights: Weights, x: Any, y: Any) -> Any:
    logits = _logits(layers, weights, x)
    return jnp.mean(jnp.maximum(logits, 0) - logits * y + jnp.log1p(jnp.exp(-jnp.abs(logits))))


def _sparse(layers: list[Apply], weights: Weights, x: Any, y: Any) -> Any:
    log_p = nn.log_softmax(_logits(layers, weights, x))
    return -jnp.mean(jnp.take_along_axis(log_p, y[:, None], axis=1))


def _logits(layers: list[Apply], weights: Weights, x: Any) -> Any:
    for layer, own in zip(layers, weights[:-1], strict=True):
        x = layer(own, x)
    return _dense("linear", weights[-1], x)


def _layer(layer: Any) -> Apply:
    kind = type(layer).__name__
    if kind == "OneHot":
        return lambda own, ids: nn.one_hot(ids, layer.num_tokens)
    if kind == "Embedding":
        return lambda own, ids: own["embeddings"][ids]
    if kind == "Dense":
        return partial(_dense, layer.activation.name)
    return partial(_recurrent, *CELLS[kind], layer.units, layer.return_sequences)


def _dense(activation: str, own: dict[str, Any], x: Any) -> Any:
    return ACTIVATIONS[activation](x @ own["kernel"] + own["bias"])


def _recurrent(
    step: Any, states: int, units: int, sequences: bool, own: dict[str, Any], x: Any
) -> Any:
    bias = own["bias"]
    products = x @ own["kernel"] + (bias[0] if bias.ndim == 2 else bias)  # (B, T, G·H)
    first = (jnp.zeros((len(x), units)),) * states

    def body(state: Any, u: Any) -> tuple[Any, Any]:
        state = step(own, state, u)
        return state, state[0] if sequences else None

    (h, *_), hs = lax.scan(body, first, products.swapaxes(0, 1))
    return hs.swapaxes(0, 1) if sequences else h


def _lstm(own: dict[str, Any], state: tuple[Any, Any], u: Any) -> tuple[Any, Any]:
    h, c = state
    i, f, g, o = jnp.split(u + h @ own["recurrent_kernel"], 4, axis=1)
    c = nn.sigmoid(f) * c + nn.sigmoid(i) * jnp.tanh(g)
    return nn.sigmoid(o) * jnp.tanh(c), c


def _gru(own: dict[str, Any], state: tuple[Any], u: Any) -> tuple[Any]:
    (h,) = state
    v = h @ own["recurrent_kernel"] + own["bias"][1]
    (u_z, u_r, u_n), (v_z, v_r, v_n) = jnp.split(u, 3, axis=1), jnp.split(v, 3, axis=1)
    z, r = nn.sigmoid(u_z + v_z), nn.sigmoid(u_r + v_r)
    n = jnp.tanh(u_n + r * v_n)
    return (z * h + (1 - z) * n,)


def _simple_rnn(own: dict[str, Any], state: tuple[Any], u: Any) -> tuple[Any]:
    return (jnp.tanh(u + state[0] @ own["recurrent_kernel"]),)


CELLS = {"LSTM": (_lstm, 2), "GRU": (_gru, 1), "SimpleRNN": (_simple_rnn, 1)}
"""A recurrent layer's step, and how many states it has."""
