"""Loss and metrics over the batches of an epoch."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from scratchnet import metrics
from scratchnet.backend import Array
from scratchnet.errors import InputError
from scratchnet.metrics import Metric
from scratchnet.samples import Samples


class Averages:
    """What the batches so far have come to.

    In the loss a batch counts by its number of samples, whatever they weigh, as in Keras.

    Parameters
    ----------
    plain, weighted : sequence
        Metrics, as `scratchnet.metrics.get` takes them; only the latter see ``sample_weight``.
    """

    def __init__(self, plain: Sequence[Any], weighted: Sequence[Any]) -> None:
        self._identifiers = (plain, weighted)
        self._metrics: dict[str, Metric] | None = None
        self._resumed: dict[str, list[float]] = {}
        self.reset()

    def reset(self) -> None:
        """Forget the batches.  What "accuracy" means stays as the first batch's shapes decided."""
        self._loss, self._samples = 0.0, 0
        for metric in (self._metrics or {}).values():
            metric.reset()

    def add(self, loss: float, batch: Samples, y_pred: Array | None, mask: Array | None) -> None:
        """Take in a batch; without metrics its predictions are not looked at."""
        size = len(batch.x)
        self._loss += loss * size
        self._samples += size
        if self._metrics is None:
            self._metrics = self._named(batch.y, y_pred)
            for name, metric in self._metrics.items():
                if name in self._resumed:
                    metric.set_sums(self._resumed[name])
        plain = len(self._identifiers[0])
        for i, metric in enumerate(self._metrics.values()):
            weight = None if i < plain else batch.sample_weight
            metric.update(batch.y, y_pred, weight, mask)

    def sums(self) -> dict[str, list[float]]:
        """Return what the batches so far have come to, for `set_sums`."""
        found = {name: metric.sums() for name, metric in (self._metrics or {}).items()}
        return {"loss": [self._loss, float(self._samples)], **found}

    def set_sums(self, sums: Mapping[str, list[float]]) -> None:
        """Go on from what `sums` gave."""
        self._resumed = dict(sums)
        loss = self._resumed.pop("loss", None)
        if loss is not None:
            self._loss, self._samples = loss[0], int(loss[1])

    def result(self) -> dict[str, float]:
        """Return the loss and each metric, by name."""
        if self._metrics is None:  # resumed behind the last batch
            resumed = self._resumed.items()
            found = {name: total / count if count else 0.0 for name, (total, count) in resumed}
        else:
            found = {name: metric.result() for name, metric in self._metrics.items()}
        return {"loss": self._loss / self._samples, **found}

    def _named(self, y: Array, y_pred: Array | None) -> dict[str, Metric]:
        """Return the metrics under Keras's names: where two have one, the second gets another."""
        named: dict[str, Metric] = {}
        for prefix, identifiers in zip(("", "weighted_"), self._identifiers, strict=True):
            for identifier in identifiers:
                metric = metrics.get(identifier, y, y_pred)
                metric.reset()
                name = prefix + metric.name if metric.name in named else metric.name
                numbered = (f"{name}_{i}" for i in itertools.count(1))
                while name in named:
                    name = next(numbered)
                named[name] = metric
        return named


def checked_metrics(argument: str, identifiers: Sequence[Any] | None) -> list[Any]:
    """Return what `Averages` takes: names and metrics, from names, metrics and their configs.

    Raises
    ------
    InputError
        If one is not known, or they are not in a list.
    """
    if isinstance(identifiers, (str, Metric)):
        raise InputError(
            f"compile: expected {argument} to be a list, got {identifiers!r}. "
            f"Write {argument}=[{identifiers!r}]."
        )
    checked = []
    for identifier in identifiers or ():
        metric = metrics.get(identifier, [[0.0]], [[0.0]])  # any batch will do to know the name
        checked.append(identifier if isinstance(identifier, str) else metric)
    return checked
