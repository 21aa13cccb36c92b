"""A training step in PyTorch, as someone who uses it would write it, from scratchnet's weights."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from keras_impl.bench.peers.peer_model import RECURRENT, check
from scratchnet import Sequential
from scratchnet.backend import Array
from scratchnet.layers import Dense, Embedding, Layer, OneHot
from scratchnet.losses import BinaryCrossentropy
from scratchnet.optimizers import RMSprop

GATES = {"LSTM": (0, 1, 2, 3), "GRU": (1, 0, 2), "SimpleRNN": (0,)}
"""Keras's gate blocks in PyTorch's order: i f g o on both sides; z r n here, r z n there."""
CELLS = {"LSTM": nn.LSTM, "GRU": nn.GRU, "SimpleRNN": nn.RNN}
ACTIVATIONS = {"linear": nn.Identity, "relu": nn.ReLU, "sigmoid": nn.Sigmoid}


class TorchSteps:
    """An ``nn.Module`` on the processor, its gradients from autograd.

    The updates are written here, in the operations that ``torch.optim`` uses: RMSprop of
    ``torch.optim`` adds epsilon outside the root and Keras's inside, and Adam's of the two differ
    by a factor in epsilon.

    Parameters
    ----------
    model : Sequential
        Built and compiled; its weights are copied.

    Raises
    ------
    InputError
        See `peer_model.check`.
    """

    name = "PyTorch"

    def __init__(self, model: Sequential) -> None:
        check(self.name, model)
        self._module = nn.Sequential(*map(_module, model.layers[:-1]), _linear(model.layers[-1]))
        trained = [weight for weight in self._module.parameters() if weight.requires_grad]
        self._binary = isinstance(model.loss, BinaryCrossentropy)
        rule = _RMSprop if isinstance(model.optimizer, RMSprop) else _Adam
        self._optimizer = rule(trained, model.optimizer.get_config())

    def prepare(self, x: Array, y: Array) -> tuple[Any, Any]:
        """Return tensors: ids are int64, labels as the loss wants them."""
        kind = "float32" if x.dtype.kind == "f" else "int64"
        targets = y.astype("float32").reshape(len(y), -1) if self._binary else y.astype("int64")
        return torch.from_numpy(x.astype(kind)), torch.from_numpy(targets)

    def step(self, x: Any, y: Any) -> float:
        """Train; the loss is read, so that everything before it is done."""
        self._optimizer.zero_grad()
        logits = self._module(x)
        if self._binary:
            loss = functional.binary_cross_entropy_with_logits(logits, y)
        else:
            loss = functional.cross_entropy(logits, y)
        loss.backward()
        self._optimizer.step()
        return float(loss.item())


class _RMSprop(torch.optim.Optimizer):
    def __init__(self, weights: list[Any], config: dict[str, Any]) -> None:
        super().__init__(weights, config)
        self._squares = [torch.zeros_like(weight) for weight in weights]

    @torch.no_grad()
    def step(self) -> None:
        """Update every weight by its gradient."""
        (group,) = self.param_groups
        rho, rate, epsilon = group["rho"], group["learning_rate"], group["epsilon"]
        for weight, square in zip(group["params"], self._squares, strict=True):
            square.mul_(rho).addcmul_(weight.grad, weight.grad, value=1 - rho)
            weight.addcdiv_(weight.grad, square.add(epsilon).sqrt_(), value=-rate)


class _Adam(torch.optim.Optimizer):
    def __init__(self, weights: list[Any], config: dict[str, Any]) -> None:
        super().__init__(weights, config)
        self._steps = 0
        self._means = [torch.zeros_like(weight) for weight in weights]
        self._squares = [torch.zeros_like(weight) for weight in weights]

    @torch.no_grad()
    def step(self) -> None:
        """Update every weight by its gradient."""
        (group,) = self.param_groups
        beta_1, beta_2, epsilon = group["beta_1"], group["beta_2"], group["epsilon"]
        self._steps += 1
        alpha = math.sqrt(1 - beta_2**self._steps) / (1 - beta_1**self._steps)
        rate = group["learning_rate"] * alpha
        kept = zip(group["params"], self._means, self._squares, strict=True)
        for weight, mean, square in kept:
            mean.lerp_(weight.grad, 1 - beta_1)
            square.mul_(beta_2).addcmul_(weight.grad, weight.grad, value=1 - beta_2)
            weight.addcdiv_(mean, square.sqrt().add_(epsilon), value=-rate)


class _OneHot(nn.Module):
    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, ids: Any) -> Any:
        return functional.one_hot(ids, self.size).float()


class _Recurrent(nn.Module):
    """A recurrent layer, with its last output or all of them."""

    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.sequences = layer.return_sequences
        kind = type(layer).__name__
        kernel, recurrent_kernel, bias = layer.get_weights()
        self.cells = CELLS[kind](len(kernel), layer.units, batch_first=True)
        _set(self.cells.weight_ih_l0, _reordered(kernel, kind).T)
        _set(self.cells.weight_hh_l0, _reordered(recurrent_kernel, kind).T)
        if bias.ndim == 2:  # a GRU's two biases
            _set(self.cells.bias_ih_l0, _reordered(bias[0], kind))
            _set(self.cells.bias_hh_l0, _reordered(bias[1], kind))
        else:  # PyTorch has two of which Keras has one: trained both, their sum would move twice
            _set(self.cells.bias_ih_l0, _reordered(bias, kind))
            _set(self.cells.bias_hh_l0, np.zeros_like(bias))
            self.cells.bias_hh_l0.requires_grad_(False)

    def forward(self, x: Any) -> Any:
        hs, _ = self.cells(x)
        return hs if self.sequences else hs[:, -1]


def _module(layer: Layer) -> nn.Module:
    if isinstance(layer, OneHot):
        return _OneHot(layer.num_tokens)
    if isinstance(layer, Embedding):
        module = nn.Embedding(layer.input_dim, layer.output_dim)
        _set(module.weight, layer.params["embeddings"])
        return module
    if isinstance(layer, RECURRENT):
        return _Recurrent(layer)
    assert isinstance(layer, Dense)
    return nn.Sequential(_linear(layer), ACTIVATIONS[layer.activation.name]())


def _linear(layer: Layer) -> nn.Linear:
    kernel, bias = layer.get_weights()
    module = nn.Linear(*kernel.shape)
    _set(module.weight, kernel.T)
    _set(module.bias, bias)
    return module


def _reordered(weights: Array, kind: str) -> Array:
    """Return weights (…, G·H) with PyTorch's order of the gates."""
    order = GATES[kind]
    blocks = np.split(weights, len(order), axis=-1)
    return np.concatenate([blocks[gate] for gate in order], axis=-1)


def _set(parameter: Any, value: Array) -> None:
    parameter.data.copy_(torch.from_numpy(np.ascontiguousarray(value)))
