r"""The probability of a symbol after a context that may never have occurred.

A relative frequency is 0 for whatever did not occur, and no number at all after a context that did
not.  Witten–Bell interpolation mixes the frequencies after a context :math:`c` with the estimate
for the context without its oldest symbol, :math:`c'`, and so on down to no context at all and to
equal shares:

.. math::
    P(s \mid c) = \frac{n_{c,s} + K_c \, P(s \mid c')}{n_c + K_c}, \qquad
    P(s \mid c') = \frac{1}{V + 1} \text{ when } c \text{ is already empty}

:math:`n_{c,s}` counts how often :math:`s` followed :math:`c`, :math:`n_c` is the sum over all
:math:`s`, and :math:`K_c` the number of *different* symbols that followed: the more kinds have been
seen, the likelier is a new one.  After a context that never occurred both are 0, and
:math:`P(s \mid c) = P(s \mid c')`.  The share :math:`V + 1` is that of all symbols outside
the vocabulary together, so the V + 1 probabilities add up to 1 after any context.

Sources: I. H. Witten and T. C. Bell, The zero-frequency problem: estimating the probabilities of
novel events in adaptive text compression, IEEE Transactions on Information Theory 37 (1991)
1085–1094, method C; in this recursive form S. F. Chen and J. Goodman, An empirical study of
smoothing techniques for language modeling, TR-10-98, Harvard (1998), equation 17.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scratchnet.backend import Array
from scratchnet.text.transitions import NEVER, Transitions, number_of


def distribution(levels: Sequence[Transitions], context: Sequence[int]) -> Array:
    """Return the probability of each of the V symbols after a context, then the unknown share.

    Parameters
    ----------
    levels
        One `Transitions` for each length of context, from 0 on.
    context
        At most as many ids as the longest of them has; `NEVER` is a symbol unknown to it.

    Returns
    -------
    array (V + 1,)
        Adds up to 1.
    """
    V = levels[0].V
    p = np.full(V + 1, 1 / (V + 1))
    for k in range(len(context) + 1):
        number = number_of(levels, context[len(context) - k :])
        if number != NEVER:
            ids, counts = levels[k].followers(number)
            K = len(ids)
            n = np.zeros(V + 1)
            n[ids] = counts
            p = (n + K * p) / (n.sum() + K) if K else p
    return p


def probabilities(levels: Sequence[Transitions], ids: Array) -> Array:
    """Return the probability of each symbol of a text after those before it.

    The first symbols have shorter contexts, the very first none.

    ========  =======  ==============================================
    array     shape    meaning
    ========  =======  ==============================================
    ``ids``   (T,)     a text as numbers; `NEVER` is an unknown symbol
    returns   (T,)     :math:`P(id_t | id_{t-order} … id_{t-1})`
    ========  =======  ==============================================
    """
    p = np.full(len(ids), 1 / (levels[0].V + 1))
    contexts = np.zeros(len(ids), dtype=np.int64)  # the k symbols before each place
    for level in levels:
        known = contexts != NEVER
        grams = level.numbers(contexts, ids)
        n = np.where(grams != NEVER, level.counts[grams], 0)
        K = np.where(known, level.kinds[contexts], 0)
        N = np.where(known, level.totals[contexts], 0)
        p = np.where(K > 0, (n + K * p) / np.maximum(N + K, 1), p)
        contexts = np.concatenate([[NEVER], grams[:-1]])  # these and the symbol before them
    return p
