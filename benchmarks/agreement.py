"""Write the README's table of what agrees with what from the comparisons that the tests made.

``make agreement`` runs the tests with ``SCRATCHNET_AGREEMENT`` naming a file, to which every
comparison of `tests.helpers.assert_agrees` adds a line, and then this script with that file.
"""

from __future__ import annotations

import collections
import json
import sys
from collections.abc import Iterator
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- agreement: made by `make agreement` -->", "<!-- end of agreement -->"

LAYER_FILES = ("activation", "dense", "dropout", "embedding", "flatten", "gradients")
LAYERS = "layers: Dense, Embedding, Dropout, Flatten, Activation"
MODELS = "models: loss, gradients, 100 training steps"
RECURRENT_MODELS = "recurrent models: loss, gradients, 100 training steps"

RECURRENT_FILES = (
    "tests/parity/test_recurrent.py",
    "tests/parity/test_layers.py",
    "tests/layers/test_gradients.py",
    "tests/layers/test_recurrent_gradients.py::test_against",
    "tests/layers/test_recurrent_gradients.py::test_activations_against",
)
RECURRENT = {  # a wrapper's tests name what it wraps too
    "Bidirectional": "Bidirectional, every merge mode",
    "TimeDistributed": "TimeDistributed",
    "Masking": "Masking",
    "GRU-reset-before": "GRU, reset before the product",
    "GRU": "GRU, reset after the product",
    "LSTM": "LSTM",
    "SimpleRNN": "SimpleRNN",
}
"""Rows of the recurrent layers, by what a test's name contains."""

ROWS = (
    ("tests/parity/test_recurrent.py::TestTraining", "", RECURRENT_MODELS),
    ("tests/parity/test_recurrent.py::test_model", "", RECURRENT_MODELS),
    *((file, layer, row) for file in RECURRENT_FILES for layer, row in RECURRENT.items()),
    ("tests/equations/test_activations.py", "", "activations"),
    ("tests/equations/test_dense.py", "", "Dense, the page"),
    ("tests/equations/test_losses.py", "", "losses, the page"),
    ("tests/losses/", "", "losses, every reduction, weight and mask"),
    *((f"tests/layers/test_{file}.py", "", LAYERS) for file in LAYER_FILES),
    ("tests/parity/test_layers.py", "", LAYERS),
    ("tests/optimizers/", "", "optimizers, 120 steps"),
    ("tests/parity/test_models.py", "", MODELS),
)
"""Start of a test's name, what else is in it, and the row that its comparisons count for."""

ORDER = dict.fromkeys(
    ["activations", "Dense, the page", LAYERS, *reversed(RECURRENT.values())]
    + [row for *_, row in ROWS if row not in (MODELS, RECURRENT_MODELS)]
    + [MODELS, RECURRENT_MODELS]
)

COLUMNS = ("Keras, float64", "Keras, float32", "central differences")


def column(test: str, tolerance: float) -> str | None:
    """Return what a comparison was with; None where TensorFlow rounds a constant to float32."""
    if tolerance <= 1e-12:
        return COLUMNS[0]
    if tolerance in (1e-3, 1e-4) or (tolerance == 1e-5 and "float32" in test):
        return COLUMNS[1]
    differences = "differences" in test.lower() or "gradients.py" in test
    return COLUMNS[2] if tolerance == 1e-7 and differences else None


def table(lines: Iterator[str]) -> str:
    """Return the table in Markdown: the worst difference of each row, and of how many arrays."""
    worst: dict[str, dict[str, float]] = collections.defaultdict(dict)
    counts: collections.Counter[str] = collections.Counter()
    for line in lines:
        test, difference, tolerance = json.loads(line)
        matches = (row for start, part, row in ROWS if test.startswith(start) and part in test)
        row = next(matches, None)
        kind = column(test, tolerance)
        if row and kind:
            counts[row] += 1
            worst[row][kind] = max(difference, worst[row].get(kind, 0.0))
    text = f"| against | {' | '.join(COLUMNS)} | arrays compared |\n| --- |" + " --- |" * 4 + "\n"
    for row in ORDER:
        cells = [f"{worst[row][kind]:.1e}" if kind in worst[row] else "" for kind in COLUMNS]
        text += f"| {row} | {' | '.join(cells)} | {counts[row]:,} |\n"
    return text


def main() -> None:
    """Rewrite the part of the README between the two marks."""
    with Path(sys.argv[1]).open(encoding="utf-8") as file:
        made = table(file)
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    README.write_text(f"{before}{BEGIN}\n{made}{END}{after}", encoding="utf-8")
    print(made)


if __name__ == "__main__":
    main()
