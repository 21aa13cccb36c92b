"""The report of a comparison: one self-contained page, and its pictures as files."""

from __future__ import annotations

import base64
import platform
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

import scratchnet
from keras_impl.parity.compare import Comparison
from keras_impl.parity.pictures import DARK, LIGHT, pictures, png
from scratchnet.files import write_whole
from scratchnet.pages import templates

CAPTIONS = {
    "agreement": "Every compared array. A dot left of its mark agrees.",
    "losses": "The loss on the way, scratchnet's line drawn over Keras's, and their distance.",
    "speed": "A training step, every way it can be run.",
    "confusion": "What was calculated against what was expected.",
}

THEMES = {"light": LIGHT, "dark": DARK}


def write(found: Comparison, folder: Path) -> Path:
    """Write ``report.html`` and a PNG for each picture into ``folder``; return the page's path.

    Raises
    ------
    MissingExtraError
        Without matplotlib.
    OSError
        If the folder cannot be written.
    """
    drawn = {
        name: {theme: png(draw(found, colours)) for theme, colours in THEMES.items()}
        for name, draw in pictures(found).items()
    }
    page = (
        templates("keras_impl.parity")
        .get_template("report.html.j2")
        .render(
            found=found,
            pictures={
                name: {theme: base64.b64encode(data).decode() for theme, data in both.items()}
                for name, both in drawn.items()
            },
            captions=CAPTIONS,
            versions=_versions(),
            worst=_worst(found),
        )
    )
    for name, both in drawn.items():
        write_whole(folder / f"{name}.png", both["light"])
    return write_whole(folder / "report.html", page.encode())


def _versions() -> dict[str, str]:
    return {
        "scratchnet": scratchnet.__version__,
        "NumPy": np.__version__,
        "Keras": keras.__version__,
        "TensorFlow": tf.__version__,
        "Python": platform.python_version(),
    }


def _worst(found: Comparison) -> dict[str, float]:
    both = [*found.start, *found.end]
    outputs = [one.difference for one in both if one.name == "outputs"]
    gradients = [one.difference for one in both if "/" in one.name]
    return {"outputs": max(outputs), "gradients": max(gradients)}
