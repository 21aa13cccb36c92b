"""What learners get wrong in Dense, and in two layers."""

from __future__ import annotations

from collections.abc import Iterator

from tests.planted_bugs.learners.learner_code import LearnerBug
from tests.planted_bugs.learners.specs import CODES

# fmt: off


def dense_bugs() -> Iterator[LearnerBug]:
    """Yield all of them."""
    yield from dense_affine()
    yield from dense_sigmoid()
    yield from dense_layer()
    yield from dense_relu_attributes()
    yield from mlp_train_step()
    yield from mlp_pair()
    yield from dense_affine_square()
    yield from dense_affine_batch()
    yield from mlp_pair_square()


def dense_affine() -> Iterator[LearnerBug]:
    code = CODES["dense_affine"]
    yield LearnerBug("bias gradient negated", code, "wrong-sign", "b",
                     "np.sum(dout, axis=0)", "-np.sum(dout, axis=0)")
    yield LearnerBug("dw divided by the batch size", code, "constant-factor", "w",
                     "x.T.dot(dout)", "x.T.dot(dout) / x.shape[0]")
    yield LearnerBug("mean for sum in db", code, "constant-factor", "b",
                     "np.sum(dout, axis=0)", "np.mean(dout, axis=0)")
    yield LearnerBug("the data needs no gradient", code, "all-zero", "x",
                     "dx = dout.dot(w.T)", "dx = np.zeros_like(x)")
    yield LearnerBug("db counts the rows", code, "upstream-ignored", "b",
                     "np.sum(dout, axis=0)", "np.full(w.shape[1], float(len(x)))")
    yield LearnerBug("weight decay left in", code, "plus-parameter", "w",
                     "x.T.dot(dout)", "x.T.dot(dout) + w")
    yield LearnerBug("db summed over everything", code, "bias-axis", "b",
                     "np.sum(dout, axis=0)", "np.sum(dout) * np.ones(w.shape[1])")
    yield LearnerBug("a step with dw before dx", code, "updated-weights", "x",
                     "    dx = dout.dot(w.T)\n"
                     "    dw = x.T.dot(dout)\n",
                     "    dw = x.T.dot(dout)\n"
                     "    w = w - 0.1 * dw\n"
                     "    dx = dout.dot(w.T)\n")


def dense_sigmoid() -> Iterator[LearnerBug]:
    code = CODES["dense_sigmoid"]
    yield LearnerBug("no sigmoid'", code, "derivative-missing", "A_prev W b",
                     "dZ = dA * s * (1 - s)", "dZ = dA")
    yield LearnerBug("tanh' for sigmoid'", code, "derivative-of-another", "A_prev W b",
                     "s * (1 - s)", "(1 - s**2)")
    yield LearnerBug("sigmoid' of the activation", code, "derivative-at-output", "A_prev W b",
                     "dA * s * (1 - s)", "dA * sigmoid(s) * (1 - sigmoid(s))")
    yield LearnerBug("Z * (1 - Z)", code, "derivative-at-input", "A_prev W b",
                     "s * (1 - s)", "Z * (1 - Z)")
    yield LearnerBug("sigmoid' squared", code, "derivative-twice", "A_prev W b",
                     "dA * s * (1 - s)", "dA * s * (1 - s) * s * (1 - s)")
    yield LearnerBug("dW divided by m", code, "constant-factor", "W",
                     "np.dot(dZ, A_prev.T)", "np.dot(dZ, A_prev.T) / A_prev.shape[1]")
    yield LearnerBug("dA for dZ in dW", code, "derivative-missing", "W",
                     "np.dot(dZ, A_prev.T)", "np.dot(dA, A_prev.T)", also=("wrong-operand",))
    yield LearnerBug("descent before dA_prev", code, "updated-weights", "A_prev",
                     "    dA_prev = np.dot(W.T, dZ)",
                     "    W = W - 0.1 * dW\n"
                     "    dA_prev = np.dot(W.T, dZ)")


def dense_layer() -> Iterator[LearnerBug]:
    code = CODES["dense_layer"]
    yield LearnerBug("tanh' of the output", code, "derivative-at-output", "x W b",
                     "(1 - self.y**2)", "(1 - np.tanh(self.y) ** 2)")
    yield LearnerBug("1 - z²", code, "derivative-at-input", "x W b",
                     "(1 - self.y**2)", "(1 - self.z**2)")
    yield LearnerBug("sigmoid' for tanh'", code, "derivative-of-another", "x W b",
                     "(1 - self.y**2)", "self.y * (1 - self.y)")
    yield LearnerBug("dW accumulated, never zeroed", code, "stale", "W",
                     'self.grads["W"] = self', 'self.grads["W"] += self')
    yield LearnerBug("dz made in dy", code, "upstream-modified", "",
                     "dz = dy * (1 - self.y**2)",
                     "dy *= 1 - self.y**2\n"
                     "        dz = dy")
    yield LearnerBug("y squared in place", code, "cache-modified", "x W b",
                     "dz = dy * (1 - self.y**2)",
                     "self.y *= self.y\n"
                     "        dz = dy * (1 - self.y)")
    yield LearnerBug("mean for sum in db", code, "constant-factor", "b",
                     "dz.sum(axis=0)", "dz.mean(axis=0)")
    yield LearnerBug("W updated before dx", code, "updated-weights", "x",
                     "        return dz @",
                     '        self.params["W"] = self.params["W"] - 0.1 * self.grads["W"]\n'
                     "        return dz @")


def dense_relu_attributes() -> Iterator[LearnerBug]:
    code = CODES["dense_relu_attributes"]
    yield LearnerBug("no relu'", code, "derivative-missing", "inputs weight bias",
                     "np.where(self.pre > 0, grad_output, 0)", "grad_output")
    yield LearnerBug("bias gradient of the last time step", code, "last-use-only", "bias",
                     "flat_grad.sum(axis=0)", "grad_pre.sum(axis=0)[-1]", also=("bias-axis",))
    yield LearnerBug("weight gradient negated", code, "wrong-sign", "weight",
                     "flat_grad.T @ flat_in", "-flat_grad.T @ flat_in")
    yield LearnerBug("relu' made in the upstream gradient", code, "upstream-modified", "",
                     "grad_pre = np.where(self.pre > 0, grad_output, 0)",
                     "grad_output[self.pre <= 0] = 0\n"
                     "        grad_pre = grad_output")
    yield LearnerBug("bias gradient averaged", code, "constant-factor", "bias",
                     "flat_grad.sum(axis=0)", "flat_grad.mean(axis=0)")


def mlp_train_step() -> Iterator[LearnerBug]:
    code = CODES["mlp_train_step"]
    yield LearnerBug("hidden gradient through updated output weights", code, "updated-weights",
                     "x w_hidden b_hidden",
                     "        # hidden layer\n"
                     "        dE_dh = delta_o @ self.w_output.T\n"
                     "        delta_h = dE_dh * self.out_h * (1 - self.out_h)\n"
                     "        self.d_w_hidden = self.x.T @ delta_h\n"
                     "        self.d_b_hidden = delta_h.sum(0)\n"
                     "        dx = delta_h @ self.w_hidden.T\n"
                     "        # gradient descent\n"
                     "        self.w_output = self.w_output - self.lr * self.d_w_output\n",
                     "        self.w_output = self.w_output - self.lr * self.d_w_output\n"
                     "        # hidden layer\n"
                     "        dE_dh = delta_o @ self.w_output.T\n"
                     "        delta_h = dE_dh * self.out_h * (1 - self.out_h)\n"
                     "        self.d_w_hidden = self.x.T @ delta_h\n"
                     "        self.d_b_hidden = delta_h.sum(0)\n"
                     "        dx = delta_h @ self.w_hidden.T\n"
                     "        # gradient descent\n",
                     known="programs after Mazur's worked example of backpropagation")
    yield LearnerBug("no sigmoid' in the hidden layer", code, "derivative-missing",
                     "x w_hidden b_hidden",
                     "delta_h = dE_dh * self.out_h * (1 - self.out_h)", "delta_h = dE_dh")
    yield LearnerBug("output error for output delta", code, "derivative-missing",
                     "x w_hidden b_hidden",
                     "delta_o @ self.w_output.T", "dE_dout @ self.w_output.T",
                     also=("wrong-operand",))
    yield LearnerBug("sigmoid' of the output once more", code, "derivative-twice",
                     "x w_hidden b_hidden",
                     "dE_dh = delta_o @", "dE_dh = (delta_o * self.out_o * (1 - self.out_o)) @")


def mlp_pair() -> Iterator[LearnerBug]:
    code = CODES["mlp_pair"]
    yield LearnerBug("no tanh'", code, "derivative-missing", "X W1 b1",
                     'dz1 = da1 * (1 - np.square(cache["a1"]))', "dz1 = da1")
    yield LearnerBug("1 - z1²", code, "derivative-at-input", "X W1 b1",
                     '(1 - np.square(cache["a1"]))', '(1 - np.square(cache["z1"]))')
    yield LearnerBug("tanh' of a1", code, "derivative-at-output", "X W1 b1",
                     '(1 - np.square(cache["a1"]))', '(1 - np.square(np.tanh(cache["a1"])))')
    yield LearnerBug("z1 for a1 in W2's gradient", code, "wrong-operand", "W2",
                     'cache["a1"].T @ dout', 'cache["z1"].T @ dout')
    yield LearnerBug("W2 updated first", code, "updated-weights", "X W1 b1",
                     '    da1 = dout @ cache["W2"].T',
                     '    cache["W2"] = cache["W2"] - 0.1 * grads["W2"]\n'
                     '    da1 = dout @ cache["W2"].T')


def dense_affine_square() -> Iterator[LearnerBug]:
    code = CODES["dense_affine_square"]
    yield LearnerBug("factors of dw exchanged", code, "transposed", "w",
                     "x.T.dot(dout)", "dout.T.dot(x)")
    yield LearnerBug("dx through w", code, "weights-transposed", "x",
                     "dout.dot(w.T)", "dout.dot(w)")


def dense_affine_batch() -> Iterator[LearnerBug]:
    code = CODES["dense_affine_batch"]
    yield LearnerBug("db summed over the units", code, "bias-axis", "b",
                     "np.sum(dout, axis=0)", "np.sum(dout, axis=1)")


def mlp_pair_square() -> Iterator[LearnerBug]:
    code = CODES["mlp_pair_square"]
    yield LearnerBug("da1 through W2", code, "weights-transposed", "X W1 b1",
                     'dout @ cache["W2"].T', 'dout @ cache["W2"]')
