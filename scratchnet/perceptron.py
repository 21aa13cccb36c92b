"""Rosenblatt's perceptron, one update at a time, remembered so that its learning can be drawn."""

from __future__ import annotations

import math
from typing import Any

from scratchnet.backend import Array, array_module, random_generator, to_host, to_like
from scratchnet.equations.perceptron import perceptron, perceptron_update
from scratchnet.errors import InputError

INITIAL_SCALE = 0.01
"""Standard deviation of the initial weights and bias: small beside any learning rate."""


class Perceptron:
    r"""One unit that answers 1 where :math:`x \cdot w + b \ge 0` and learns from its mistakes.

    Parameters
    ----------
    learning_rate
        :math:`\eta` in :math:`w \leftarrow w + \eta\,(y_{true} - y_{pred})\,x`.
    seed
        Of the initial weights and of the shuffling.

    Attributes
    ----------
    weights, bias
        :math:`w` of shape (D,) and :math:`b`; small random numbers, drawn when the first example
        tells how many features there are.  Assign both to start from others.
    boundaries
        Copies of :math:`(w, b)`: the initial one and one after every change.
    mistakes
        How many wrong answers each epoch so far has seen.
    converged
        Whether the last epoch saw none.  On data that no line separates it never becomes True.

    References
    ----------
    Rosenblatt (1958).  Novikoff (1962) proved that on separable data the mistakes are finite.

    Examples
    --------
    >>> unit = Perceptron(seed=0).fit([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 0, 0, 1])
    >>> unit.converged, unit.predict([[1, 1], [1, 0]]).tolist()
    (True, [1, 0])
    """

    def __init__(self, learning_rate: float = 1.0, seed: int | None = None) -> None:
        if not (learning_rate > 0 and math.isfinite(learning_rate)):
            raise InputError(
                f"Perceptron: expected a positive learning_rate, got {learning_rate}. Try 1.0"
            )
        self.learning_rate = learning_rate
        self.weights: Any = None  # an Array from the first example on
        self.bias = 0.0
        self.boundaries: list[tuple[Array, float]] = []
        self.mistakes: list[int] = []
        self.converged = False
        self._generator = random_generator(seed)

    @property
    def epochs_run(self) -> int:
        """How many epochs `fit` has run so far."""
        return len(self.mistakes)

    def update(self, x: Array, y_true: int) -> int:
        """Learn from one example and return the answer given before learning.

        Parameters
        ----------
        x
            The example, shape (D,).
        y_true
            Its class, 0 or 1.

        Raises
        ------
        InputError
            If ``x`` has another shape or is not finite, or ``y_true`` is not 0 or 1.
        """
        return self._learn(self._examples(x, "x", rank=1), _labels(y_true, "y_true", rank=0)[0])

    def predict(self, X: Array) -> Array:
        """Return the class, 0 or 1, of each row of ``X`` (B, D)."""
        X = self._examples(X, "X", rank=2)
        return perceptron(X, self.weights, self.bias).astype(int)

    def fit(self, X: Array, y: Array, epochs: int = 100, shuffle: bool = False) -> Perceptron:
        """Go through the examples until an epoch sees no mistake, at most ``epochs`` times.

        Parameters
        ----------
        X
            Examples, shape (B, D).
        y
            Their classes, 0 or 1, shape (B,).
        epochs
            How often to go through all of them at most.
        shuffle
            Whether to take them in a new random order each time.

        Returns
        -------
        Perceptron
            Itself; `converged` and `mistakes` tell how it went.

        Raises
        ------
        InputError
            If a shape is wrong, a value not finite, a label not 0 or 1, or there is no example.
        """
        if not isinstance(epochs, int) or epochs < 1:
            raise InputError(f"Perceptron.fit: expected epochs of at least 1, got {epochs!r}")
        X = self._examples(X, "X", rank=2)
        labels = _labels(y, "y", rank=1)
        if len(labels) != len(X):
            raise InputError(
                f"Perceptron.fit: expected one label a row of X, got {len(X)} rows and "
                f"{len(labels)} labels. Give both the same length"
            )
        for _ in range(epochs):
            order = self._generator.permutation(len(X)).tolist() if shuffle else range(len(X))
            mistakes = sum(self._learn(X[i], labels[i]) != labels[i] for i in order)
            self.mistakes.append(mistakes)
            self.converged = mistakes == 0
            if self.converged:
                break
        return self

    def _learn(self, x: Array, y_true: int) -> int:
        y_pred = int(perceptron(x, self.weights, self.bias))
        if y_pred != y_true:
            self.weights, self.bias = perceptron_update(
                x, y_true, y_pred, self.weights, self.bias, self.learning_rate
            )
            self.boundaries.append((self.weights.copy(), self.bias))
            self.converged = False
        return y_pred

    def _examples(self, x: Any, name: str, rank: int) -> Array:
        """Return ``x`` as floats once it is known to fit; the first one settles the weights."""
        xp = array_module(x)
        try:
            x = xp.asarray(x, dtype=float)
        except (TypeError, ValueError) as error:
            raise InputError(f"Perceptron: expected {name} to hold numbers: {error}") from None
        if x.ndim != rank or x.size == 0:
            expected = "(features,)" if rank == 1 else "(examples, features)"
            hint = "one example" if rank == 1 else "one example a row (X[np.newaxis] if single)"
            raise InputError(
                f"Perceptron: expected {name} of shape {expected}, got {x.shape}. Give {hint}"
            )
        wrong = xp.argwhere(~xp.isfinite(x))
        if len(wrong):
            where = ", ".join(str(int(i)) for i in wrong[0])
            raise InputError(
                f"Perceptron: expected finite numbers, got NaN or infinity at {name}[{where}]. "
                "Leave that example out or fill it in"
            )
        self._settle(x)
        return x

    def _settle(self, x: Array) -> None:
        """Draw the weights if there are none yet; otherwise check that they fit ``x``."""
        features = x.shape[-1]
        if self.weights is None:
            drawn = INITIAL_SCALE * self._generator.standard_normal(features + 1)
            self.weights, self.bias = to_like(drawn[:-1], x), float(drawn[-1])
        if len(self.weights) != features:
            raise InputError(
                f"Perceptron: expected {len(self.weights)} features, as in the first example, "
                f"got {features}. Make a new Perceptron for other data"
            )
        if not self.boundaries:
            self.boundaries.append((self.weights.copy(), self.bias))


def _labels(y: Any, name: str, rank: int) -> list[int]:
    """Return the labels as Python numbers once they are known to be 0 or 1."""
    try:
        labels = to_host(y)
    except ValueError as error:
        raise InputError(f"Perceptron: expected {name} to hold 0 and 1 only: {error}") from None
    if labels.ndim != rank:
        expected = "(examples,)" if rank else "(), a single class"
        raise InputError(
            f"Perceptron: expected {name} of shape {expected}, got {labels.shape}. "
            "Give one class for each example"
        )
    values = labels.ravel().tolist()
    for i, value in enumerate(values):
        if value not in (0, 1):
            raise InputError(
                f"Perceptron: expected {name} to hold 0 and 1 only, got {value!r} at position {i}. "
                "Encode the two classes as 0 and 1"
            )
    return [int(value) for value in values]
