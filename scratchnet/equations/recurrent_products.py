r"""The products of a recurrent step, where dropout may give each gate its own mask.

Without dropout they are plain: :math:`a = x W`.  With it (Gal & Ghahramani 2016) the mask is the
same at every time step, and gate k sees its own dropped input, :math:`a_k = (m_k \odot x)\,W_k`.
"""

from __future__ import annotations

from scratchnet.backend import Array, array_module


def gate_product(x: Array, W: Array, m: Array | None = None) -> Array:
    r"""Return :math:`a_k = (m_k \odot x)\,W_k` for all gates k, side by side.

    ========  ==============  =========================================
    array     shape           meaning
    ========  ==============  =========================================
    ``x``     (B, D)          input or previous state
    ``W``     (D, G·H)        weights of G gates, side by side
    ``m``     (G, B, D)       masks, or None
    ``a``     (B, G·H)        products
    ========  ==============  =========================================
    """
    if m is None:
        return x @ W
    gates = array_module(x).split(W, len(m), axis=1)
    return array_module(x).concatenate(
        [(m_k * x) @ W_k for m_k, W_k in zip(m, gates, strict=True)], axis=1
    )


def gate_product_backward(
    da: Array, x: Array, W: Array, m: Array | None = None
) -> tuple[Array, Array]:
    r"""Return ``dx, dW``.

    .. math:: dx = \sum_k m_k \odot (da_k W_k^T), \qquad dW_k = (m_k \odot x)^T da_k
    """
    if m is None:
        return da @ W.T, x.T @ da
    xp = array_module(x)
    gates = list(zip(m, xp.split(W, len(m), axis=1), xp.split(da, len(m), axis=1), strict=True))
    dx = sum(m_k * (da_k @ W_k.T) for m_k, W_k, da_k in gates)
    dW = xp.concatenate([(m_k * x).T @ da_k for m_k, _, da_k in gates], axis=1)
    return dx, dW
