"""Benign or malignant: the network that learns the Wisconsin breast cancer data.

9 → Dense 9 relu → Dense 12 relu → Dense 1 sigmoid, trained by RMSprop on the binary cross-entropy
in batches of 10; inputs are the grades times 0.1.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from scratchnet.experiments.problem import Problem
from scratchnet.experiments.wisconsin_data import (
    FEATURES,
    Preparation,
    load,
    published_rows,
)
from scratchnet.layers import Dense
from scratchnet.model import Sequential
from scratchnet.optimizers import RMSprop
from scratchnet.random import set_random_seed

BATCH_SIZE = 10
EPOCHS = 50
"""The loss on held-out records stops falling between epoch 20 and 100, seed by seed."""
PUBLISHED_ROUNDS = 50
PUBLISHED_EPOCHS = 10
"""The tutorial's program: ten rows of each file, ``fit`` called 50 times for 10 epochs each."""


def build_model(seed: int = 0, dtype: str = "float32") -> Sequential:
    """Return the network, built and compiled; the seed decides its first weights."""
    set_random_seed(seed)
    model = Sequential(
        [
            Dense(9, activation="relu"),
            Dense(12, activation="relu"),
            Dense(1, activation="sigmoid"),
        ],
        name="wisconsin",
        dtype=dtype,
    )
    model.build((None, len(FEATURES)))
    model.compile(optimizer=RMSprop(0.001), loss="binary_crossentropy", metrics=["accuracy"])
    return model


def problem(
    seed: int = 0,
    dtype: str = "float32",
    epochs: int | None = None,
    train_csv: str | Path | None = None,
    test_csv: str | Path | None = None,
    published: bool = False,
) -> Problem:
    """Return what both engines are given; ``published`` is the tutorial's program as printed.

    Raises
    ------
    InputError, DataError
        See `load` and `published_rows`.
    """
    if published:
        data = published_rows(train_csv, test_csv)
        epochs = epochs or PUBLISHED_ROUNDS * PUBLISHED_EPOCHS
    else:
        data = load(train_csv, test_csv, seed)
        epochs = epochs or EPOCHS
    files = {"train_csv": train_csv, "test_csv": test_csv}
    settings = {key: str(Path(path).resolve()) for key, path in files.items() if path is not None}
    return Problem(
        "wisconsin",
        data.x_train,
        data.y_train,
        data.x_test,
        data.y_test,
        partial(build_model, seed, dtype),
        data.columns,
        BATCH_SIZE,
        epochs,
        seed,
        dtype,
        {**settings, **({"published": True} if published else {})},
        notes(data.preparation, epochs, published),
        validation=(data.x_test, data.y_test),
        files=tuple(settings.values()),
    )


def notes(done: Preparation, epochs: int, published: bool) -> tuple[str, ...]:
    """Return what was done to the records, and what the published program cannot show."""
    (train, test), (malignant, malignant_test) = done.rows, done.malignant
    said = [
        f"{' and '.join(done.files)}: {train} records to train on ({malignant} malignant), "
        f"{test} held out ({malignant_test} malignant)."
    ]
    if any(done.incomplete):
        values = ", ".join(f"{name} {value:g}" for name, value in done.filled.items())
        said.append(
            f"{sum(done.incomplete)} records lack a value; they are kept and filled with the "
            f"training rows' median: {values}."
        )
    if done.outside:
        said.append(f"{done.outside} values are no grade from 1 to 10; they are taken as they are.")
    if len(done.files) == 1:
        said.append(
            f"{done.repeated} records repeat an earlier one; identical records are on one side of "
            "the split."
        )
    elif done.shared:
        said.append(
            f"{done.shared} of the {test} held-out records also stand in the training file."
        )
    if published:
        first, second = done.rows_in_files
        said.append(
            f"As in the tutorial's program, only the first {train} of {first} and the first {test} "
            f"of {second} rows are read, here for {epochs} epochs. So few records are learned by "
            "heart, and a list of ten outputs tells accuracies 10 % apart at best: it shows that "
            "the loop runs, not how good the network is."
        )
        said.append(
            f"The tutorial trains {PUBLISHED_ROUNDS} × {PUBLISHED_EPOCHS} epochs and prints ten "
            "pairs, one of them a false positive (0.855 for a 0). It speaks of 646 samples; its "
            "two files have 648 rows, 497 and 151."
        )
    return tuple(said)
