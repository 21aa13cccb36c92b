import numpy as np


def softmax_loss_forward(scores, labels):
    """Mean cross-entropy of scores (N, C) with the right classes labels (N,)."""
    shifted = scores - scores.max(axis=1, keepdims=True)
    e = np.exp(shifted)
    probs = e / e.sum(axis=1, keepdims=True)
    N = scores.shape[0]
    loss = -np.log(probs[np.arange(N), labels]).mean()
    return loss, (probs, labels)


def softmax_loss_backward(dloss, cache):
    probs, labels = cache
    N = probs.shape[0]
    dscores = probs.copy()
    dscores[np.arange(N), labels] -= 1
    dscores /= N
    return dloss * dscores
