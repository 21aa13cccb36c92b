"""Every experiment with a Keras twin, made small: its problem, and a run of it."""

from scratchnet import runs
from scratchnet.experiments import (
    backprop,
    imdb,
    imdb_data,
    json,
    nietzsche,
    shakespeare,
    text,
    wisconsin,
)
from scratchnet.experiments.imdb_archive import read_archive
from tests.experiments.imdb_files import write_archive
from tests.layers.cases import random_array

LINE = "The sea shells she sells by the Sea Shore: don't they've 3 shells’ colours, Σίσυφος? "
SMALL = {"units": 3, "window": 6, "samples": 0, "batch_size": 16}

TEXTS = {
    "nietzsche": (nietzsche, {}),
    "text": (text, {"cell": "gru", "keep_case": True}),
    "json": (json, {"max_lines": 20, "cell": "rnn"}),
    "shakespeare": (shakespeare, {"embedding": 4, "units": 5, "hidden": 6}),
}
NAMES = ["backprop", "wisconsin", *TEXTS, "imdb", "imdb-masked"]


def problem_of(name, folder, patch, dtype="float32"):
    """The problem of an experiment, on data that are written into a folder."""
    if name == "backprop":
        return backprop.problem(dtype=dtype)
    if name == "wisconsin":
        return wisconsin.problem(dtype=dtype)
    if name in TEXTS:
        module, options = TEXTS[name]
        (folder / "sea.txt").write_text(LINE * 20, encoding="utf-8")
        texts = {} if name == "json" else {"text": [folder / "sea.txt"]}
        return module.problem(dtype=dtype, **{**SMALL, **options, **texts})
    archive = write_archive(folder / "imdb.npz")
    ranks = {word: n + 1 for n, word in enumerate(f"word{n}" for n in range(80))}
    patch.setattr(imdb_data, "read_reviews", lambda: read_archive(archive))
    patch.setattr(imdb_data, "word_ranks", lambda: ranks)
    size = {"vocabulary": 50, "length": 9, "embedding": 4, "units": 5}
    return imdb.problem(dtype=dtype, masked=name == "imdb-masked", **size)


def run_of(problem, folder, engine="scratch"):
    """A run in a folder, with weights that are all different; returns its model."""
    folder.mkdir()
    runs.start(problem, engine, folder)
    model = problem.build_model()
    model.set_weights(
        [0.7 * random_array(*w.shape, seed=i) for i, w in enumerate(model.get_weights())]
    )
    model.save(folder / runs.MODEL)
    return model
