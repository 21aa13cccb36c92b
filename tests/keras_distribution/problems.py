"""Problems that the workers and the test make alike."""

from dataclasses import replace

import numpy as np

from scratchnet.experiments import imdb, readers, wisconsin
from scratchnet.experiments.problem import Problem


def reviews(dtype="float64", epochs=2, seed=1):
    """Some reviews of eight words: masks, an embedding, a norm to clip, and a last batch of 1.

    The only row of that batch is the second of two workers'.
    """
    rng = np.random.default_rng(8)
    x = rng.integers(1, 9, (50, 8)).astype("int32")
    x[rng.random(x.shape) < 0.2] = 0
    y = (x.sum(axis=1) > 30).astype("float32")[:, None]
    architecture = {"vocabulary": 9, "length": 8, "embedding": 3, "units": 4, "masked": True}
    return Problem(
        "imdb", x[:41], y[:41], x[41:], y[41:],
        lambda: imdb.build_model(**architecture, seed=seed, dtype=dtype),
        readers.Reviews(None, 8), 8, epochs, seed, dtype,
        validation=(x[41:], y[41:]), architecture=architecture,
    )  # fmt: skip


def table(dtype="float64", epochs=2, seed=0):
    """Some records of the cells; their labels are a vector's numbers, not a matrix's rows."""
    cells = wisconsin.problem(epochs=epochs, dtype=dtype, seed=seed)
    x, y = cells.x_train, cells.y_train
    return replace(cells, x_train=x[:41], y_train=y[:41], validation=(x[50:90], y[50:90]))


PROBLEMS = {"reviews": reviews, "table": table}
