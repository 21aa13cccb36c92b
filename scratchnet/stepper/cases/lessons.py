r"""Text as numbers, and text from numbers: small functions to be read and stepped through.

A network sees no letters.  `one_hot` turns a text into the rows it sees, `windows` cuts a sequence
into examples of "this came, then that", `sample_at_temperatures` draws the next id from what a
network answers, and `markov` counts what a chain needs to do the same without any network.

Sampling runs the functions of `scratchnet.text.sampling`; the others are loops that say one thing
at a time, each equal to what does the work: `scratchnet.layers.OneHot`, `scratchnet.text.windows`
and `scratchnet.text.MarkovChain`.
"""

from __future__ import annotations

import numpy as np

from scratchnet.backend import Array
from scratchnet.text.sampling import pick, softmax_at


def one_hot(text: str) -> Array:
    r"""Return one row a character, all zeros but for a 1 in the character's column.

    .. math:: x_{t,k} = 1 \text{ if } k = id_t \text{, else } 0

    ========  ==========  ==========================================
    array     shape       meaning
    ========  ==========  ==========================================
    ``ids``   (T,)        place of each character in the vocabulary
    ``x``     (T, V)      rows that a network can read
    ========  ==========  ==========================================
    """
    vocabulary = sorted(set(text))
    V, T = len(vocabulary), len(text)
    place = {character: k for k, character in enumerate(vocabulary)}
    ids = np.array([place[character] for character in text])
    x = np.zeros((T, V))
    for t in range(T):
        k = ids[t]
        x[t, k] = 1
    return x


def windows(ids: Array, length: int, stride: int) -> tuple[list[Array], Array]:
    r"""Return windows of ``length`` ids, each with the id that comes right after it.

    .. math::
        x_n = [id_{ns}, \dots, id_{ns + L - 1}], \qquad y_n = id_{ns + L}

    Windows overlap wherever the stride :math:`s` is below the length :math:`L`.  Each is a view of
    the ids: nothing is copied, however many there are.

    =============  ==========  ==========================================
    array          shape       meaning
    =============  ==========  ==========================================
    ``ids``        (T,)        a text as numbers
    ``window``     (L,)        some of them in a row
    ``y``          (N,)        what came next, one a window
    =============  ==========  ==========================================
    """
    N = (len(ids) - length - 1) // stride + 1
    x = []
    y = np.zeros(N, dtype=ids.dtype)
    for n in range(N):
        start = n * stride
        window = ids[start : start + length]
        x.append(window)
        y[n] = ids[start + length]
    return x, y


def sample_at_temperatures(logits: Array, temperatures: list[float], us: list[float]) -> Array:
    """Return how often each id is picked, one row a temperature, with the same random numbers.

    ================  ==========  ==================================
    array             shape       meaning
    ================  ==========  ==================================
    ``logits``        (V,)        what a network answers
    ``temperatures``  (R,)        one a row
    ``p``             (V,)        probabilities at one of them
    ``us``            (N,)        random numbers from [0, 1)
    ``counts``        (R, V)      how often each id was picked
    ================  ==========  ==================================
    """
    counts = np.zeros((len(temperatures), len(logits)), dtype=int)
    for row, temperature in enumerate(temperatures):
        p = softmax_at(logits, temperature)
        for u in us:
            k = pick(p, u)
            counts[row, k] += 1
    return counts


def markov(ids: Array, order: int, V: int) -> tuple[Array, Array]:
    r"""Return how often each id followed each context of ``order`` ids, and how likely it is.

    .. math::
        P(k \mid c) = \frac{n_{c,k}}{\sum_j n_{c,j}}, \qquad
        c = \sum_{j=1}^{m} id_{t-j}\, V^{j-1}

    A context is numbered as digits to the base V; one that never occurred keeps a row of zeros.

    =================  ==========  ====================================
    array              shape       meaning
    =================  ==========  ====================================
    ``ids``            (T,)        a text as numbers
    ``counts``         (V^m, V)    :math:`n_{c,k}`
    ``probabilities``  (V^m, V)    :math:`P(k | c)`
    =================  ==========  ====================================
    """
    counts = np.zeros((V**order, V), dtype=int)
    for t in range(order, len(ids)):
        context = 0
        for j in range(order, 0, -1):
            context = context * V + int(ids[t - j])
        counts[context, ids[t]] += 1
    totals = counts.sum(axis=1, keepdims=True)
    probabilities = counts / np.maximum(totals, 1)
    return counts, probabilities
