"""What an exported model takes and gives, for whoever has nothing but the file."""

from __future__ import annotations

from typing import Any

import scratchnet
from scratchnet.experiments.imdb_data import PADDING, SEPARATORS, START, UNKNOWN
from scratchnet.experiments.readers import Columns, Language, Reviews
from scratchnet.runs import Run

ROWS, TEXTS, IDS, OUTPUT = "rows", "texts", "ids", "outputs"

REVIEW_IDS = (
    f"Lower-case A-Z and no other letters; put a space for each of the separators; split at spaces "
    f"alone. Id {START} begins a review, a word's id is its place in symbols, {UNKNOWN} where it "
    f"has none. Keep the last `length` ids; put {PADDING} before fewer."
)
TEXT_IDS = {
    "char": "A symbol is a Unicode code point.",
    "word": (
        "Lower-case, put ' for ’ and a space for _. A word is n't, 'll, 're, 've, 's, 'd or 'm "
        "with no letter behind it; or else a run of letters, digits and marks (U+0300 to U+036F), "
        "with single apostrophes inside it, that ends before one of those. All else separates."
    ),
}
TEXT_END = (
    "An id is the symbol's place in symbols; a symbol that is not there is read as `unknown`, or "
    "left out if that is null. Give the last `window` ids at most, at least one."
)


def described(run: Run, dtype: str, of_ids: bool = False) -> dict[str, Any]:
    """Return it: names, shapes and meaning of input and output, and how raw data are read.

    Parameters
    ----------
    run
        Whose model it is.
    dtype
        Of its numbers.
    of_ids
        Whether it takes ids in place of texts.
    """
    reader = run.reader
    common = {"made_by": f"scratchnet {scratchnet.__version__}", "experiment": run.experiment}
    if isinstance(reader, Columns):
        D, outputs = len(reader.features), list(reader.outputs)
        return {
            **common,
            "input": {"name": ROWS, "dtype": dtype, "shape": ["batch", D], "missing": "NaN"},
            "output": {"name": OUTPUT, "dtype": dtype, "shape": ["batch", len(outputs)]},
            "features": list(reader.features),
            "outputs": outputs,
            "cut_off": reader.cut_off,
            "fill": dict(reader.fill),
            "scale": reader.scale,
        }
    assert isinstance(reader, (Language, Reviews))
    length = ["time"] if isinstance(reader, Language) else [reader.length]
    taken = {
        "input": {"name": IDS, "dtype": "int32", "shape": ["batch", *length]}
        if of_ids
        else {"name": TEXTS, "dtype": "string", "shape": ["batch"]},
        "symbols": list(reader.vocabulary.symbols),
    }
    if isinstance(reader, Reviews):
        return {
            **common,
            **taken,
            "output": {"name": OUTPUT, "dtype": dtype, "shape": ["batch", 1]},
            "outputs": list(reader.outputs),
            "cut_off": reader.cut_off,
            "length": reader.length,
            "separators": SEPARATORS,
            "reading": REVIEW_IDS,
        }
    vocabulary = reader.vocabulary
    lower = (
        "Lower-case as Unicode does. " if reader.lower_case and vocabulary.unit == "char" else ""
    )
    return {
        **common,
        **taken,
        "output": {"name": OUTPUT, "dtype": dtype, "shape": ["batch", len(vocabulary)]},
        "outputs": "the probability of each symbol to come next",
        "window": reader.window,
        "unit": vocabulary.unit,
        "lower_case": reader.lower_case,
        "unknown": vocabulary.unknown,
        "reading": f"{lower}{TEXT_IDS[vocabulary.unit]} {TEXT_END}",
    }
