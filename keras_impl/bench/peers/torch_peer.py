"""A training step in PyTorch, as someone who uses it would write it, from scratchnet's weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from keras_impl.bench.peers.peer_model import RECURRENT, check
from keras_impl.bench.peers.torch_rules import KerasAdam, KerasRMSprop
from scratchnet import Sequential
from scratchnet.backend import Array
from scratchnet.layers import Dense, Embedding, Layer, OneHot
from scratchnet.losses import BinaryCrossentropy
from scratchnet.optimizers import RMSprop

GATES = {"LSTM": (0, 1, 2, 3), "GRU": (1, 0, 2), "SimpleRNN": (0,)}
"""Keras's gate blocks in PyTorch's order: i f g o on both sides; z r n here, r z n there.

Taken twice, each is the order that it began with: it leads back, too.
"""
CELLS = {"LSTM": nn.LSTM, "GRU": nn.GRU, "SimpleRNN": nn.RNN}
ACTIVATIONS = {"linear": nn.Identity, "relu": nn.ReLU, "sigmoid": nn.Sigmoid}


class TorchSteps:
    """An ``nn.Module``, its gradients from autograd, its updates those of `torch_rules`.

    Parameters
    ----------
    model : Sequential
        Built and compiled; its weights are copied.
    device : str
        Where the module is, and where `prepare` brings a batch: ``cpu`` or ``cuda``.

    Raises
    ------
    InputError
        See `peer_model.check`.
    """

    name = "PyTorch"

    def __init__(self, model: Sequential, device: str = "cpu") -> None:
        check(self.name, model)
        self.device = device
        layers = [*map(_module, model.layers[:-1]), _linear(model.layers[-1])]
        self._module = nn.Sequential(*layers).to(device)
        self.trained = [weight for weight in self._module.parameters() if weight.requires_grad]
        self._binary = isinstance(model.loss, BinaryCrossentropy)
        rule = KerasRMSprop if isinstance(model.optimizer, RMSprop) else KerasAdam
        self.optimizer: Any = rule(self.trained, model.optimizer.get_config())

    def prepare(self, x: Array, y: Array) -> tuple[Any, Any]:
        """Return tensors: ids are int64, labels as the loss wants them."""
        kind = "float32" if x.dtype.kind == "f" else "int64"
        targets = y.astype("float32").reshape(len(y), -1) if self._binary else y.astype("int64")
        tensors = torch.from_numpy(x.astype(kind)), torch.from_numpy(targets)
        return tensors[0].to(self.device), tensors[1].to(self.device)

    def step(self, x: Any, y: Any) -> float:
        """Train; the loss is read, so that everything before it is done."""
        return float(self.train(x, y).item())

    def train(self, x: Any, y: Any) -> Any:
        """Train without reading the loss, a tensor."""
        loss = self.loss_after_backward(x, y)
        self.optimizer.step()
        return loss

    def loss_after_backward(self, x: Any, y: Any) -> Any:
        """Return the loss, its gradients in the weights' ``grad``."""
        self.optimizer.zero_grad()
        logits = self._module(x)
        if self._binary:
            loss = functional.binary_cross_entropy_with_logits(logits, y)
        else:
            loss = functional.cross_entropy(logits, y)
        loss.backward()
        return loss.detach()

    def gradients(self, x: Any, y: Any) -> tuple[float, list[Array]]:
        """Return the loss and its gradients in order and layout of ``get_weights``; no update."""
        loss = self.loss_after_backward(x, y)
        return float(loss.item()), [array for one in self._module for array in _gradients(one)]


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
        self.kind = kind = type(layer).__name__
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


def _gradients(module: Any) -> list[Array]:
    """Return the gradients of a layer's weights in Keras's layout."""
    if isinstance(module, _OneHot):
        return []
    if isinstance(module, nn.Embedding):
        return [_read(module.weight)]
    if isinstance(module, _Recurrent):
        cells, kind = module.cells, module.kind
        kernels = [
            _reordered(_read(one).T, kind) for one in (cells.weight_ih_l0, cells.weight_hh_l0)
        ]
        both = [one for one in (cells.bias_ih_l0, cells.bias_hh_l0) if one.requires_grad]
        biases = [_reordered(_read(one), kind) for one in both]
        return [*kernels, biases[0] if len(biases) == 1 else np.stack(biases)]
    linear = module if isinstance(module, nn.Linear) else module[0]
    return [_read(linear.weight).T, _read(linear.bias)]


def _read(weight: Any) -> Array:
    return weight.grad.cpu().numpy()


def _reordered(weights: Array, kind: str) -> Array:
    """Return weights (…, G·H) with PyTorch's order of the gates."""
    order = GATES[kind]
    blocks = np.split(weights, len(order), axis=-1)
    return np.concatenate([blocks[gate] for gate in order], axis=-1)


def _set(parameter: Any, value: Array) -> None:
    parameter.data.copy_(torch.from_numpy(np.ascontiguousarray(value)))
