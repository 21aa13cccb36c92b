"""What learners get wrong in Embedding."""

from __future__ import annotations

from collections.abc import Iterator

from tests.planted_bugs.learners.learner_code import LearnerBug
from tests.planted_bugs.learners.specs import CODES

# fmt: off


def embedding_bugs() -> Iterator[LearnerBug]:
    """Yield all of them."""
    yield from embedding_pair()
    yield from embedding_class()


def embedding_pair() -> Iterator[LearnerBug]:
    code = CODES["embedding_pair"]
    yield LearnerBug("dW[x] += dout", code, "last-use-only", "W",
                     "np.add.at(dW, x, dout)", "dW[x] += dout")
    yield LearnerBug("dW[x] = dout", code, "last-use-only", "W",
                     "np.add.at(dW, x, dout)", "dW[x] = dout")
    yield LearnerBug("dW starts as W", code, "plus-parameter", "W",
                     "np.zeros_like(W)", "W.copy()")
    yield LearnerBug("divided by the batch size", code, "constant-factor", "W",
                     "np.add.at(dW, x, dout)", "np.add.at(dW, x, dout / len(x))")
    yield LearnerBug("rows taken out by fancy indexing", code, "all-zero", "W",
                     "np.add.at(dW, x, dout)",
                     "rows = dW[x]\n"
                     "    rows += dout")
    yield LearnerBug("subtracted at once, as in a step of descent", code, "wrong-sign", "W",
                     "np.add.at(", "np.subtract.at(")


def embedding_class() -> Iterator[LearnerBug]:
    code = CODES["embedding_class"]
    yield LearnerBug("= for +=", code, "last-use-only", "E",
                     "grad[word] += dout", "grad[word] = dout")
    yield LearnerBug("buffer made once", code, "stale", "E",
                     'np.zeros(self.params["E"].shape)',
                     'self.grads.setdefault("E", np.zeros(self.params["E"].shape))')
    yield LearnerBug("buffer starts as the table", code, "plus-parameter", "E",
                     'np.zeros(self.params["E"].shape)', 'self.params["E"].copy()')
    yield LearnerBug("words counted", code, "upstream-ignored", "E",
                     "+= dout[position]", "+= 1")
    yield LearnerBug("divided by the number of words", code, "constant-factor", "E",
                     "+= dout[position]", "+= dout[position] / self.ids.size")
