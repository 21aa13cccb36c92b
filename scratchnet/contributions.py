"""How much each word speaks for or against what a network answers."""

from __future__ import annotations

from typing import Any

from scratchnet.arguments import numeric
from scratchnet.backend import Array, array_module
from scratchnet.device import to_device
from scratchnet.errors import InputError
from scratchnet.layers import Dropout, Embedding, Layer
from scratchnet.layers.activation import ActivatedLayer
from scratchnet.layers.recurrent_options import RecurrentOptions
from scratchnet.layers.wrapper import Wrapper
from scratchnet.model import Sequential


def contributions(model: Sequential, ids: Any) -> Array:
    r"""Return the contribution of each of a sequence's tokens: gradient × input.

    With a the network's logit and :math:`e_t = E_{x_t}` the embedding of token t,

    .. math:: r_t = \frac{\partial a}{\partial e_t} \cdot e_t,

    what the logit would lose, to first order, if the token's embedding were zero.  Of a network
    that is linear above its embedding the contributions sum to the logit without its bias; of
    others they need not.  Dropout drops nothing; a masked step contributes 0.

    ========  ===================
    array     shape
    ========  ===================
    ids       (T,) integer
    e         (T, D)
    a         a number
    r         (T,)
    ========  ===================

    Parameters
    ----------
    model : Sequential
        Built; an `Embedding` first, one output.
    ids : array of int
        Padded, where the network was trained so.

    Raises
    ------
    InputError
        If the model or ``ids`` is another, or a recurrent layer is stateful or has dropout.

    Notes
    -----
    A training forward and a backward pass go through the layers above the embedding: their
    ``grads`` are then the logit's.

    Sources: K. Simonyan, A. Vedaldi, A. Zisserman, *Deep inside convolutional networks* (2014),
    section 3, for the gradient; A. Shrikumar et al., *Not just a black box* (2016) for its product
    with the input; M. Ancona et al., *Towards better understanding of gradient-based attribution
    methods* (2018), table 1; M. Denil, A. Demiraj, N. de Freitas, *Extraction of salient sentences
    from labelled documents* (2014) for words in texts.
    """
    embedding, above = _checked(model)
    if not hasattr(ids, "shape"):
        ids = to_device(numeric("contributions", "ids", ids), model.device)
    ids = numeric("contributions", "ids", ids)
    if ids.ndim != 1 or not len(ids):
        raise InputError(
            f"contributions: expected ids of shape (time,), got {ids.shape}. Pass one sequence."
        )
    x = ids[None]  # (1, T)
    e = embedding.forward(x)  # (1, T, D)
    da_de = _gradient_of_logit(above, e, embedding.compute_mask(x))
    return (da_de * e)[0].sum(axis=-1)


def _gradient_of_logit(layers: list[Layer], e: Array, mask: Array | None) -> Array:
    """Return the gradient with respect to the embedded sequence, ``(1, T, D)``."""
    *below, last = layers
    h = e
    for layer in below:
        inputs, h = h, layer.forward(h, training=True, mask=mask)
        mask = layer.compute_mask(inputs, mask)
    assert isinstance(last, ActivatedLayer)
    a, _ = last.forward_with_logits(h, training=True, mask=mask)
    if a.shape != (1, 1):
        raise InputError(
            f"contributions: expected a model with one output, got shape {a.shape[1:]}. "
            "Ask one that answers with a single number."
        )
    d = last.backward_from_logits(array_module(a).ones_like(a))
    for layer in reversed(below):
        assert d is not None  # only layers of ids have no gradient
        d = layer.backward(d)
    assert d is not None
    return d


def _checked(model: Sequential) -> tuple[Embedding, list[Layer]]:
    """Return the embedding and the layers above it, without those that only drop."""
    layers = getattr(model, "layers", [])
    if len(layers) < 2 or not isinstance(layers[0], Embedding) or not model.built:
        found = ", ".join(type(layer).__name__ for layer in layers) or "none"
        raise InputError(
            f"contributions: expected a built model with an Embedding first, got layers {found}. "
            "Only such a model reads words."
        )
    above = [layer for layer in layers[1:] if not isinstance(layer, Dropout)]
    if not above or not isinstance(above[-1], ActivatedLayer):
        raise InputError(
            f"contributions: expected a Dense or Activation layer last, got "
            f"{type(layers[-1]).__name__}. Put one there."
        )
    for layer in above:
        for inner in _within(layer):
            random = isinstance(inner, Dropout) or (
                isinstance(inner, RecurrentOptions) and (inner.dropout or inner.recurrent_dropout)
            )
            if random or getattr(inner, "stateful", False):
                raise InputError(
                    f"contributions: expected layers without a state or chance of their own, got "
                    f"{layer.name!r} stateful or with dropout. Copy the weights into one without."
                )
    return layers[0], above


def _within(layer: Layer) -> list[Layer]:
    if not isinstance(layer, Wrapper):
        return [layer]
    return [found for inner in layer.inner.values() for found in _within(inner)]
