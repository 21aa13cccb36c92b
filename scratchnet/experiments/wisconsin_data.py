"""The Wisconsin breast cancer records: read, split, filled and scaled.

Nine features of the cells of a breast lump, each graded from 1 to 10, and the class, 0 benign or 1
malignant.  What is done to them is written down in a `Preparation`, for whoever reads the results.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scratchnet import datasets, tables
from scratchnet.backend import Array
from scratchnet.errors import DataError, InputError
from scratchnet.experiments.readers import Columns
from scratchnet.splitting import split

if TYPE_CHECKING:
    import pandas as pd

FEATURES = (
    "clump_thickness",
    "cell_size_uniformity",
    "cell_shape_uniformity",
    "marginal_adhesion",
    "epithelial_cell_size",
    "bare_nuclei",
    "bland_chromatin",
    "normal_nucleoli",
    "mitoses",
)
LABEL = "malignant"
COLUMNS = (*FEATURES, LABEL)
CLASSES = ("benign", "malignant")
GRADES = range(1, 11)

SCALE = 0.1
HELD_OUT = 0.25
"""Share of the records that is kept from training, where the split is ours."""

CUT_OFF = 0.5
"""A record is called malignant where the network's output is above this."""

PUBLISHED_ROWS = 10
"""As many rows of each of its files the tutorial's program reads."""


@dataclass(frozen=True)
class Preparation:
    """What was done to the records before the network sees them."""

    files: tuple[str, ...]
    """One file, split here, or a training and a test file, taken as they are."""
    rows: tuple[int, int]
    """Records to train on and held out."""
    malignant: tuple[int, int]
    """How many of them are malignant."""
    rows_in_files: tuple[int, int]
    """Records that there were to take these from."""
    incomplete: tuple[int, int]
    """Records with a missing value; all are kept."""
    filled: dict[str, float]
    """What was written where a value was missing: the median of the training rows."""
    repeated: int
    """Records whose nine features stand in an earlier record too."""
    shared: int
    """Held-out records whose nine features also stand in a training record."""
    outside: int
    """Values that are no grade from 1 to 10."""


@dataclass(frozen=True)
class Data:
    """Records ready for training, float64: ``x (B, 9)`` is grades × 0.1, ``y (B, 1)`` is 0 or 1."""

    x_train: Array
    y_train: Array
    x_test: Array
    y_test: Array
    columns: Columns
    """What makes inputs of more records, filled as the ones to train on were."""
    preparation: Preparation


def read(path: str | Path | None = None, *, label_required: bool = True) -> pd.DataFrame:
    """Read a file of records, by default the 699 that come with the package.

    Raises
    ------
    DataError
        The file is missing or not in the form that `scratchnet.tables` describes.
    """
    path = datasets.path("wisconsin") if path is None else path
    return tables.read_csv(path, FEATURES, LABEL, label_required=label_required)


def load(
    train_csv: str | Path | None = None, test_csv: str | Path | None = None, seed: int = 0
) -> Data:
    """Return the records to train on and those held out.

    Parameters
    ----------
    train_csv, test_csv
        The user's own files.  Both are taken as they are; the first alone, or by default the file
        of the package, is split so that identical records are never on both sides.
    seed
        Decides the split.

    Raises
    ------
    InputError
        There is a ``test_csv`` without a ``train_csv``.
    DataError
        A file is missing or not in the right form, or too small to be split.
    """
    if train_csv is None and test_csv is not None:
        raise InputError(
            "test_csv: expected a train_csv beside it, got none. Name both files, or "
            "train_csv alone to hold out a quarter of it."
        )
    train_name = str(train_csv or datasets.get("wisconsin").file)
    records = read(train_csv)
    if test_csv is not None:
        return _prepare(records, read(test_csv), (train_name, str(test_csv)))
    try:
        trained, held_out = split(records, FEATURES, LABEL, HELD_OUT, seed)
    except DataError as error:
        raise DataError(f"{train_name}: {error} Name a test file with --test-csv.") from error
    return _prepare(records.iloc[trained], records.iloc[held_out], (train_name,))


def published_rows(train_csv: str | Path | None = None, test_csv: str | Path | None = None) -> Data:
    """Return what the tutorial's program sees: the first ten rows of each file, and no more.

    Parameters
    ----------
    train_csv, test_csv
        By default the tutorial's own files, ``wisconsin-train`` and ``wisconsin-test`` of
        `scratchnet.datasets`.

    Raises
    ------
    DataError
        A file is missing or not in the right form.
    """
    train_csv = train_csv or datasets.path("wisconsin-train")
    test_csv = test_csv or datasets.path("wisconsin-test")
    train, test = read(train_csv), read(test_csv)
    names = (Path(train_csv).name, Path(test_csv).name)
    rows_in_files = (len(train), len(test))
    train, test = train.head(PUBLISHED_ROWS), test.head(PUBLISHED_ROWS)
    return _prepare(train, test, names, rows_in_files)


def columns(fill: dict[str, float]) -> Columns:
    """Return how a file's rows become inputs: missing values filled, then grades × 0.1."""
    return Columns(FEATURES, (LABEL,), LABEL, SCALE, fill, CUT_OFF)


def _prepare(
    train: pd.DataFrame,
    test: pd.DataFrame,
    files: tuple[str, ...],
    rows_in_files: tuple[int, int] | None = None,
) -> Data:
    """Fill, scale and describe the two sides of a split."""
    import pandas as pd

    features = list(FEATURES)
    medians = train[features].median()
    if medians.isna().any():
        raise DataError(
            f"{files[0]}: {medians.index[medians.isna()][0]} is missing in every row to train "
            "on, so it cannot be filled with their median. Give the column some values."
        )
    both = pd.concat([train, test])[features]
    filled = medians[both.isna().any()]
    known = {tuple(record) for record in train[features].fillna(-np.inf).to_numpy()}
    shared = [tuple(record) in known for record in test[features].fillna(-np.inf).to_numpy()]
    preparation = Preparation(
        files=files,
        rows=(len(train), len(test)),
        malignant=(int(train[LABEL].sum()), int(test[LABEL].sum())),
        rows_in_files=rows_in_files or (len(train), len(test)),
        incomplete=(_incomplete(train[features]), _incomplete(test[features])),
        filled={str(name): float(value) for name, value in filled.items()},
        repeated=int(both.duplicated().sum()),
        shared=sum(shared),
        outside=int((both.notna() & ~both.isin(GRADES)).to_numpy().sum()),
    )
    prepared = columns({name: float(medians[name]) for name in FEATURES})
    return Data(
        x_train=prepared.inputs(train),
        y_train=train[[LABEL]].to_numpy(dtype="float64", copy=True),
        x_test=prepared.inputs(test),
        y_test=test[[LABEL]].to_numpy(dtype="float64", copy=True),
        columns=prepared,
        preparation=preparation,
    )


def _incomplete(features: pd.DataFrame) -> int:
    return int(features.isna().any(axis=1).sum())
