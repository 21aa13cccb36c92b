"""A small text, and a small network for it."""

LINES = [
    "How much wood would a woodchuck chuck, if a woodchuck could chuck wood?",
    "He would chuck, he would, as much as he could, and chuck as much wood",
    "as a woodchuck would if a woodchuck could chuck wood. Peter Piper picked",
    "a peck of pickled peppers; a peck of pickled peppers Peter Piper picked.",
]
SMALL = ("--units", "6", "--window", "8", "--batch-size", "20", "--samples", "0")


def write_book(folder):
    """Write the text of some 14 batches; return its path."""
    path = folder / "book.txt"
    path.write_text("\n".join(LINES * 3) + "\n")
    return path
