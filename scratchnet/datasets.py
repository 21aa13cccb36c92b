"""The data sets: what each is, where it is found, and that it is the right one.

A file is looked for in the folder that the environment variable ``SCRATCHNET_DATA`` names, then in
the package, then in the cache, into which it is downloaded when it has a public address.  Whatever
is found has to have the SHA-256 recorded here.
"""

from __future__ import annotations

import difflib
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scratchnet.errors import DataError, InputError

FOLDER_VARIABLE = "SCRATCHNET_DATA"

TIMEOUT = 30
"""Seconds to wait for a server that does not answer."""
CHUNK = 2**16
"""Bytes between two movements of the progress bar."""

PACKAGE = Path(__file__).parent
SHIPPED_FOLDERS = (PACKAGE / "data", PACKAGE.parent / "data")
"""Where the small data set lies: in an installed wheel, and in a checkout."""


@dataclass(frozen=True)
class Dataset:
    """One file and where it comes from."""

    name: str
    file: str
    """Path inside the folder ``SCRATCHNET_DATA``."""
    sha256: str
    size: int
    """Bytes."""
    title: str
    source: str
    """Who made it, and where it was published."""
    url: str | None = None
    """Public address of exactly these bytes, where there is one."""
    shipped: bool = False
    """Whether the file is part of the package."""


WOLBERG = (
    "W. H. Wolberg and O. L. Mangasarian, Multisurface method of pattern separation for medical "
    "diagnosis applied to breast cytology, PNAS 87 (1990) 9193–9196"
)
MAAS = (
    "A. L. Maas et al., Learning word vectors for sentiment analysis, ACL (2011) 142–150; "
    "words ranked as in keras.datasets.imdb"
)

DATASETS = {
    dataset.name: dataset
    for dataset in (
        Dataset(
            name="wisconsin",
            file="wisconsin.csv",
            sha256="bc0efdcef7d416366d9ad4089b4e2aa0aa436e6b780978c4575c36c46d4e12f7",
            size=14_487,
            title="Wisconsin breast cancer data, 699 records of nine features and a class",
            source=f"{WOLBERG}; as MASS::biopsy in R",
            shipped=True,
        ),
        Dataset(
            name="wisconsin-train",
            file="wisconsin/train.csv",
            sha256="f6cbd09825f5780fdbb0abac2b88f2735c0a87528b16814924c4fbcec792d69c",
            size=10_309,
            title="The tutorial's training file of the same data, 497 records",
            source=f"{WOLBERG}; split by the tutorial's author",
        ),
        Dataset(
            name="wisconsin-test",
            file="wisconsin/test.csv",
            sha256="bd4f717eda055f8b81e57127f922ad32e50a295884fc900fc8d05f34a4a281bb",
            size=3_142,
            title="The tutorial's test file of the same data, 151 records",
            source=f"{WOLBERG}; split by the tutorial's author",
        ),
        Dataset(
            name="nietzsche",
            file="nietzsche.txt",
            sha256="23cf69874ab69d3d256099ab530ea4be24d47d9675b673bcc67cbcd6298ec647",
            size=600_901,
            title="Nietzsche's writings in English, one plain text",
            source="F. Nietzsche, Beyond Good and Evil (1886); the text of Keras's examples",
            url="https://s3.amazonaws.com/text-datasets/nietzsche.txt",
        ),
        Dataset(
            name="shakespeare",
            file="shakespeare.txt",
            sha256="86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
            size=1_115_394,
            title="Forty thousand lines of Shakespeare's plays, one plain text",
            source="W. Shakespeare; chosen by A. Karpathy, char-rnn (2015)",
            url="https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
        ),
        Dataset(
            name="imdb",
            file="imdb_flat.npz",
            sha256="75e6fe9f21d0fb7f4c19c1df77ec4459aa94888b1e93be5ada87887c1a088712",
            size=19_324_571,
            title="50,000 film reviews as ranks of words, labelled good or bad",
            source=MAAS,
        ),
        Dataset(
            name="imdb-keras",
            file="imdb.npz",
            sha256="69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f",
            size=17_464_789,
            title="The same film reviews as Keras publishes them; read where the flat file is not",
            source=MAAS,
            url="https://storage.googleapis.com/tensorflow/tf-keras-datasets/imdb.npz",
        ),
        Dataset(
            name="imdb-words",
            file="imdb_word_index.json",
            sha256="027313fe9a320280f3bf0fac5baf58c4a683cf39a7ed9c3d3d3912bde4284cf6",
            size=1_641_221,
            title="The words that the numbers of the film reviews stand for",
            source=MAAS,
            url="https://storage.googleapis.com/tensorflow/tf-keras-datasets/imdb_word_index.json",
        ),
        Dataset(
            name="babi",
            file="babi_tasks_1-20_v1-2_en.tar.gz",
            sha256="1cbd1d47a14bb2f59352675713bd9af933b570d8895036c33a5966b43f10253c",
            size=2_992_068,
            title="bAbI: twenty tasks of question answering, in English",
            source="J. Weston et al., Towards AI-complete question answering (2015), v1.2",
        ),
    )
}


@dataclass(frozen=True)
class Found:
    """A file of a data set, not yet checked, and the kind of place it is in."""

    path: Path
    place: str
    """``SCRATCHNET_DATA``, ``package`` or ``cache``."""


def get(name: str) -> Dataset:
    """Return the entry of a data set.

    Raises
    ------
    InputError
        There is no data set of that name.
    """
    if name in DATASETS:
        return DATASETS[name]
    close = difflib.get_close_matches(name, DATASETS, n=1)
    hint = f" Did you mean {close[0]}?" if close else ""
    raise InputError(
        f"data set: expected one of {', '.join(DATASETS)}, got {str(name)[:40]!r}.{hint}"
    )


def find(name: str) -> Found | None:
    """Return where a data set's file is on this machine, or None; nothing is downloaded."""
    dataset = get(name)
    places = [(folder, "package") for folder in SHIPPED_FOLDERS if dataset.shipped]
    if (folder := _named_folder()) is not None:
        places.insert(0, (folder, FOLDER_VARIABLE))
    if dataset.url is not None:
        places.append((cache_folder(), "cache"))
    for folder, place in places:
        path = folder / dataset.file
        if path.is_file():
            return Found(path, place)
    return None


def path(name: str) -> Path:
    """Return the path of a data set's file, downloaded first where need be, its checksum verified.

    Raises
    ------
    InputError
        There is no data set of that name.
    DataError
        The file is nowhere and cannot be downloaded, or it is not the file that it should be.
    """
    dataset = get(name)
    found = find(name)
    if found is not None and file_sha256(found.path) == dataset.sha256:
        return found.path
    if found is not None and found.place != "cache":
        raise DataError(
            f"{found.path}: expected the {name} data ({dataset.size:,} bytes, SHA-256 "
            f"{dataset.sha256[:12]}…), got a file that differs. Replace or remove it."
        )
    if dataset.url is None:
        raise DataError(
            f"{dataset.file}: not found, and there is no address to download it from. "
            f"Put it, under that name, into a folder, and set {FOLDER_VARIABLE} to the folder."
        )
    return _download(dataset, dataset.url)


def cache_folder() -> Path:
    """Return the folder that downloads are kept in (it may not exist yet)."""
    import pooch

    return Path(pooch.os_cache("scratchnet"))


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _named_folder() -> Path | None:
    """Return the folder that ``SCRATCHNET_DATA`` names, if it names one."""
    value = os.environ.get(FOLDER_VARIABLE)
    if not value:
        return None
    folder = Path(value)
    if not folder.is_dir():
        raise DataError(
            f"{FOLDER_VARIABLE}: expected a folder, got {value!r}. Correct it or unset it."
        )
    return folder


def _download(dataset: Dataset, url: str) -> Path:
    """Download a file into the cache, under its name only once it is whole and verified."""
    import pooch
    import requests

    pooch.get_logger().setLevel("WARNING")
    try:
        return Path(
            pooch.retrieve(
                url,
                known_hash=f"sha256:{dataset.sha256}",
                fname=dataset.file,
                path=cache_folder(),
                downloader=_fetch,
            )
        )
    except requests.RequestException as error:
        status = getattr(error.response, "status_code", None)
        reason = type(error).__name__ if status is None else f"status {status}"
        raise DataError(
            f"{dataset.file}: could not be downloaded from {url} ({reason}). Check the "
            f"network, or set {FOLDER_VARIABLE} to a folder that holds it."
        ) from error
    except ValueError as error:
        raise DataError(
            f"{dataset.file}: what came from {url} has another SHA-256 than "
            f"{dataset.sha256[:12]}…, so it was not kept. Try again, or set "
            f"{FOLDER_VARIABLE} to a folder that holds the file."
        ) from error


def _fetch(url: str, output_file: str, _: Any) -> None:
    """Write what is at an address into a file, under a progress bar on a terminal's stderr."""
    import requests
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    console = Console(stderr=True)
    with (
        requests.get(url, stream=True, timeout=TIMEOUT) as response,
        Path(output_file).open("wb") as file,
        Progress(
            TextColumn("Downloading {task.description}"),
            BarColumn(),
            DownloadColumn(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        ) as progress,
    ):
        response.raise_for_status()
        size = int(response.headers.get("Content-Length", 0))
        task = progress.add_task(url, total=size or None)
        for chunk in response.iter_content(CHUNK):
            file.write(chunk)
            progress.advance(task, len(chunk))
