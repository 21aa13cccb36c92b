"""What learners get wrong in softmax and losses."""

from __future__ import annotations

from collections.abc import Iterator

from tests.planted_bugs.learners.learner_code import LearnerBug
from tests.planted_bugs.learners.specs import CODES

# fmt: off


def loss_bugs() -> Iterator[LearnerBug]:
    """Yield all of them."""
    yield from mse_loss()
    yield from softmax_loss()
    yield from softmax_layer()
    yield from softmax_classifier()
    yield from softmax_with_loss()


def mse_loss() -> Iterator[LearnerBug]:
    code = CODES["mse_loss"]
    yield LearnerBug("the 2 of the square is missing", code, "constant-factor", "pred target",
                     "dloss * 2 * diff", "dloss * diff")
    yield LearnerBug("batch size for number of entries", code, "constant-factor", "pred target",
                     "diff.size", "len(diff)")
    yield LearnerBug("dloss not used", code, "upstream-ignored", "pred target",
                     "dloss * 2 * diff", "2 * diff")
    yield LearnerBug("the target's gradient is the prediction's", code, "wrong-sign", "target",
                     "dtarget = -dpred", "dtarget = dpred")


def softmax_loss() -> Iterator[LearnerBug]:
    code = CODES["softmax_loss"]
    yield LearnerBug("batch size missing", code, "constant-factor", "scores",
                     "    dscores /= N\n", "")
    yield LearnerBug("dloss not used", code, "upstream-ignored", "scores",
                     "return dloss * dscores", "return dscores")
    yield LearnerBug("only the label's score has a gradient", code, "softmax-elementwise", "scores",
                     "    dscores = probs.copy()\n"
                     "    dscores[np.arange(N), labels] -= 1\n",
                     "    p = probs[np.arange(N), labels]\n"
                     "    dscores = np.zeros_like(probs)\n"
                     "    dscores[np.arange(N), labels] = -1 / p * p * (1 - p)\n")
    yield LearnerBug("labels minus probabilities", code, "wrong-sign", "scores",
                     "return dloss * dscores", "return -dloss * dscores")
    yield LearnerBug("no copy of the probabilities", code, "cache-modified", "scores",
                     "probs.copy()", "probs")


def softmax_layer() -> Iterator[LearnerBug]:
    code = CODES["softmax_layer"]
    yield LearnerBug("s (1 - s)", code, "softmax-elementwise", "x",
                     "s * (grad - inner)", "s * (1 - s) * grad")
    yield LearnerBug("the gradient handed on", code, "derivative-missing", "x",
                     "return s * (grad - inner)", "return grad")
    yield LearnerBug("grad -= inner", code, "upstream-modified", "",
                     "return s * (grad - inner)",
                     "grad -= inner\n"
                     "        return s * grad")


def softmax_classifier() -> Iterator[LearnerBug]:
    code = CODES["softmax_classifier"]
    yield LearnerBug("batch size missing", code, "constant-factor", "X W b",
                     "(P - one_hot) / len(X)", "(P - one_hot)")
    yield LearnerBug("mean for sum in db", code, "constant-factor", "b",
                     "np.sum(delta, axis=0)", "np.mean(delta, axis=0)")
    yield LearnerBug("one_hot - P", code, "wrong-sign", "X W b",
                     "(P - one_hot)", "(one_hot - P)")
    yield LearnerBug("dloss not used", code, "upstream-ignored", "X W b",
                     "dloss * (P - one_hot)", "(P - one_hot)")
    yield LearnerBug("only the label's logit has a gradient", code, "softmax-elementwise", "X W b",
                     "(P - one_hot)", "one_hot * (P - 1)")


def softmax_with_loss() -> Iterator[LearnerBug]:
    code = CODES["softmax_with_loss"]
    yield LearnerBug("no copy of y", code, "cache-modified", "x",
                     "self.y.copy()", "self.y")
    yield LearnerBug("dout not used", code, "upstream-ignored", "x",
                     "dx * dout / batch_size", "dx / batch_size")
    yield LearnerBug("batch size missing", code, "constant-factor", "x",
                     "dx * dout / batch_size", "dx * dout")
