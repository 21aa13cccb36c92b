"""Classes as people write them."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from scratchnet.errors import InputError
from scratchnet.gradcheck.subjects.user_class import ClassSubject
from tests.gradcheck.slopes import assert_right


def draw(*shape, seed=7):
    return np.random.default_rng(seed + sum(shape)).uniform(-1, 1, shape)


class Dense:
    """Weights and gradients as attributes."""

    def __init__(self, inputs=4, units=5):
        self.W = 0.01 * draw(inputs, units)
        self.b = np.zeros(units)
        self.lr = 0.1

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dy):
        self.dW = self.x.T @ dy
        self.db = dy.sum(0)
        return dy @ self.W.T


class Named(Dense):
    def backward(self, dy):
        dx = super().backward(dy)
        self.W_grad, self.grad_b = self.dW, self.db
        del self.dW, self.db
        return dx


class Dicts(Dense):
    def __init__(self):
        super().__init__()
        self.params = {"W": self.W, "b": self.b}
        self.grads = {}

    def backward(self, dy):
        self.grads["dW"], self.grads["db"] = self.x.T @ dy, dy.sum(0)
        return dy @ self.params["W"].T


class DictsOfCopies(Dicts):
    """Computes with the dict's arrays, which are others than the attributes."""

    def __init__(self):
        super().__init__()
        self.params = {name: array.copy() for name, array in self.params.items()}

    def forward(self, x):
        self.x = x
        return x @ self.params["W"] + self.params["b"]


class Lists(Dense):
    def parameters(self):
        return [self.b, self.W]

    def gradients(self):
        return [self.gb, self.gW]

    def backward(self, dy):
        self.gW, self.gb = self.x.T @ dy, dy.sum(0)
        return dy @ self.W.T


class Pairs(Lists):
    def parameters(self):
        return iter([("kernel", self.W), ("bias", self.b)])

    def gradients(self):
        return [("bias", self.gb), ("kernel", self.gW)]


class Objects(Dense):
    def __init__(self):
        self.W = SimpleNamespace(data=draw(4, 5), grad=None)
        self.b = SimpleNamespace(data=draw(5), grad=None)

    def parameters(self):
        return [self.W, self.b]

    def forward(self, x):
        self.x = x
        return x @ self.W.data + self.b.data

    def backward(self, dy):
        self.W.grad, self.b.grad = self.x.T @ dy, dy.sum(0)
        return dy @ self.W.data.T


class Returned(Dense):
    def backward(self, dy):
        dx, dW, db = dy @ self.W.T, self.x.T @ dy, dy.sum(0)
        return dx, db, dW


class ReturnedDict(Dense):
    def backward(self, dy):
        return {"x": dy @ self.W.T, "W": self.x.T @ dy, "b": dy.sum(0)}


class ReturnedPair(Dense):
    def backward(self, dy):
        return dy @ self.W.T, {"W": self.x.T @ dy, "b": dy.sum(0)}


class NothingReturned(Dense):
    def backward(self, dy):
        super().backward(dy)


class Lazy(Dense):
    def __init__(self):
        self.W = self.b = None

    def forward(self, x):
        if self.W is None:
            self.W, self.b = np.ones((x.shape[1], 5)), np.zeros(5)
        return super().forward(x)


class WithCache(Dense):
    def forward(self, x):
        return x @ self.W + self.b, x

    def backward(self, dy, cache):
        self.x = cache
        return super().backward(dy)


class Callable(Dense):
    def __call__(self, x):
        return Dense.forward(self, x)

    forward = None


class Float32(Dense):
    def __init__(self):
        super().__init__()
        self.W, self.b = self.W.astype(np.float32), self.b.astype(np.float32)


class Trains(Dense):
    """Takes the learning rate, and steps inside its backward pass."""

    def backward(self, output_error, learning_rate):
        input_error = output_error @ self.W.T
        weights_error = self.x.T @ output_error
        self.W -= learning_rate * weights_error
        self.b -= learning_rate * output_error.sum(0)
        return input_error


class Steps(Dense):
    def backward(self, dy):
        dx = dy @ self.W.T
        self.W -= self.lr * self.x.T @ dy
        self.b = self.b - self.lr * dy.sum(0)
        return dx


@pytest.mark.parametrize(
    "kind",
    [Dense, Named, Dicts, DictsOfCopies, Lists, Objects, Returned, ReturnedDict, ReturnedPair,
     Lazy, WithCache, Callable, Float32, Pairs, NothingReturned, Trains, Steps],
)  # fmt: skip
def test_parameters_and_gradients_in_every_form(kind):
    subject = ClassSubject(kind, (3, 4))
    names = {"kernel", "bias"} if kind is Pairs else {"W", "b"}
    assert set(subject.parameters) == names
    assert subject.wrt[0] == "x"
    assert subject.name == kind.__name__
    assert subject.dtype == "float64"
    assert np.abs(subject.arrays[max(names)]).min() > 1e-3
    assert len(subject.functions) == 2
    pulled = assert_right(subject, names if kind is NothingReturned else None)
    assert ("x" in pulled.gradients) == (kind is not NothingReturned)
    steps = kind in (Trains, Steps)
    assert set(pulled.changed) == (names if steps else set())


def test_class_instance_and_function_of_no_arguments():
    instance = Dense(4, 2)
    kept = instance.W.copy()
    for thing in (instance, lambda: Dense(4, 2)):
        subject = ClassSubject(thing, (3, 4), seed=5)
        assert subject.name == "Dense"
        assert subject.run(subject.arrays)["y"].shape == (3, 2)
        assert_right(subject)
    assert vars(instance).keys() == {"W", "b", "lr"}
    np.testing.assert_array_equal(instance.W, kept)


class Model:
    """Layers in a list, and a gain that is a number."""

    def __init__(self):
        self.layers = [Dense(4, 6), Dense(6, 2)]
        self.gain = 1.5

    def forward(self, x):
        self.inner = np.tanh(self.layers[0].forward(x))
        return self.gain * self.layers[1].forward(self.inner)

    def backward(self, dy):
        self.dgain = float((dy * self.layers[1].forward(self.inner)).sum())
        inner = self.layers[1].backward(self.gain * dy)
        return self.layers[0].backward(inner * (1 - self.inner**2))


def test_parameters_within_layers_and_numbers():
    subject = ClassSubject(Model, (3, 4))
    assert set(subject.parameters) == {
        "layers.0.W", "layers.0.b", "layers.1.W", "layers.1.b", "gain",
    }  # fmt: skip
    assert_right(subject)


class Deep:
    """Weights and gradients in lists."""

    def __init__(self):
        self.weights = [draw(4, 3), draw(3, 4)]
        self.biases = [draw(3), draw(4)]

    def forward(self, x):
        self.inputs = []
        for W, b in zip(self.weights, self.biases, strict=True):
            self.inputs.append(x)
            x = np.tanh(x @ W + b)
        self.y = x
        return x

    def backward(self, dy):
        self.dweights, self.dbiases = [None, None], [None, None]
        outputs = [self.inputs[1], self.y]
        for i in (1, 0):
            dz = dy * (1 - outputs[i] ** 2)
            self.dweights[i], self.dbiases[i] = self.inputs[i].T @ dz, dz.sum(0)
            dy = dz @ self.weights[i].T
        return dy


def test_lists_of_weights_and_of_biases():
    subject = ClassSubject(Deep, (3, 4))
    assert set(subject.parameters) == {"weights0", "weights1", "biases0", "biases1"}
    assert_right(subject)


class CharRNN:
    """Columns, steps in dicts, (T, D, 1) input, and its state carried from call to call."""

    def __init__(self):
        self.Wxh, self.Whh, self.Why = draw(5, 4), draw(5, 5), draw(3, 5)
        self.bh, self.by = np.zeros((5, 1)), np.zeros((3, 1))
        self.hprev = np.zeros((5, 1))

    def forward(self, inputs):
        xs, hs, ys = {}, {-1: self.hprev.copy()}, {}
        for t in range(len(inputs)):
            xs[t] = inputs[t]
            hs[t] = np.tanh(self.Wxh @ xs[t] + self.Whh @ hs[t - 1] + self.bh)
            ys[t] = self.Why @ hs[t] + self.by
        self.xs, self.hs = xs, hs
        self.hprev = hs[len(inputs) - 1]
        return ys

    def backward(self, dys):
        dWxh, dWhh, dWhy = (np.zeros_like(W) for W in (self.Wxh, self.Whh, self.Why))
        dbh, dby = np.zeros_like(self.bh), np.zeros_like(self.by)
        dhnext = np.zeros((5, 1))
        for t in reversed(range(len(dys))):
            dWhy += dys[t] @ self.hs[t].T
            dby += dys[t]
            draw = (self.Why.T @ dys[t] + dhnext) * (1 - self.hs[t] ** 2)
            dbh += draw
            dWxh += draw @ self.xs[t].T
            dWhh += draw @ self.hs[t - 1].T
            dhnext = self.Whh.T @ draw
        return dWxh, dWhh, dWhy, dbh, dby


def test_steps_in_dicts_and_a_state_that_is_carried():
    subject = ClassSubject(CharRNN, (6, 4, 1))
    assert subject.parameters == ("Wxh", "Whh", "Why", "bh", "by")
    assert_right(subject, subject.parameters)


class LSTM:
    """PyTorch's names, (T, B, D), initial states, final states, accumulating gradients."""

    def __init__(self):
        self.weight_ih, self.weight_hh = draw(20, 4), draw(20, 5)
        self.bias_ih = np.zeros(20)
        self.zero_grad()

    def zero_grad(self):
        self.grad_weight_ih = np.zeros_like(self.weight_ih)
        self.grad_weight_hh = np.zeros_like(self.weight_hh)
        self.grad_bias_ih = np.zeros_like(self.bias_ih)

    def forward(self, x, initial_state=None, mask=None, training=False):
        assert training
        T, B, _ = x.shape
        h, c = (np.zeros((B, 5)),) * 2 if initial_state is None else initial_state
        self.steps, ys = [], []
        for t in range(T):
            z = x[t] @ self.weight_ih.T + h @ self.weight_hh.T + self.bias_ih
            i, f, o = (1 / (1 + np.exp(-part)) for part in np.split(z, 4, 1)[:3])
            g = np.tanh(z[:, 15:])
            m = np.ones((B, 1)) if mask is None else mask[t][:, None]
            old = h, c
            new = f * c + i * g
            c, h = m * new + (1 - m) * c, m * (o * np.tanh(new)) + (1 - m) * h
            self.steps.append((x[t], *old, i, f, o, g, new, m))
            ys.append(h)
        return np.stack(ys), (h, c)

    def backward(self, dy, dstate):
        dh, dc = dstate
        dx = []
        for t in reversed(range(len(dy))):
            x, h, c, i, f, o, g, new, m = self.steps[t]
            dh = dh + dy[t]
            dhm, dcm = m * dh, m * dc
            dcm = dcm + dhm * o * (1 - np.tanh(new) ** 2)
            dz = np.hstack(
                [dcm * g * i * (1 - i), dcm * c * f * (1 - f),
                 dhm * np.tanh(new) * o * (1 - o), dcm * i * (1 - g**2)]
            )  # fmt: skip
            self.grad_weight_ih += dz.T @ x
            self.grad_weight_hh += dz.T @ h
            self.grad_bias_ih += dz.sum(0)
            dx.append(dz @ self.weight_ih)
            dh, dc = dz @ self.weight_hh + (1 - m) * dh, dcm * f + (1 - m) * dc
        return np.stack(dx[::-1]), (dh, dc)


def test_an_lstm_with_states_mask_and_training():
    mask = np.array([[1, 1, 1], [1, 0, 1], [0, 0, 1.0]])
    for given in (None, mask):
        subject = ClassSubject(LSTM, (3, 3, 4), mask=given, like="lstm")
        assert subject.like == "lstm"
        assert [a.shape for a in subject.run(subject.arrays).values()] == [
            (3, 3, 5),
            (3, 5),
            (3, 5),
        ]
        assert {"h0", "c0"} < set(subject.arrays)
        assert_right(subject, subject.parameters)
        if given is None:
            assert_right(subject, ("x", "h0", "c0"))
    once, twice = (
        subject.pull(subject.arrays, {"y": draw(3, 3, 5)}, times=n).gradients for n in (1, 2)
    )
    np.testing.assert_array_equal(twice["weight_ih"], 2 * once["weight_ih"])
    np.testing.assert_array_equal(twice["x"], once["x"])


class Cell:
    """One step; its state is required."""

    def __init__(self, hidden_size=5):
        self.hidden_size = hidden_size
        self.Wf = draw(4 + hidden_size, hidden_size)

    def forward(self, x, h_prev):
        self.joint = np.hstack([h_prev, x])
        self.h = np.tanh(self.joint @ self.Wf)
        return self.h

    def backward(self, dh):
        dz = dh * (1 - self.h**2)
        self.dWf = self.joint.T @ dz
        djoint = dz @ self.Wf.T
        dh_prev, dx = djoint[:, :5], djoint[:, 5:]
        return dx, dh_prev


def test_a_cell_whose_state_is_required():
    subject = ClassSubject(Cell, (3, 4))
    assert subject.arrays["h_prev"].shape == (3, 5)
    assert_right(subject)
    assert ClassSubject(Cell, (3, 4), shapes={"h_prev": (3, 5)}).wrt == ("x", "h_prev", "Wf")


class LayeredStates(Cell):
    """Returns hidden states in a list, and wants their gradients so."""

    def forward(self, x):
        self.x = x
        self.hs = [np.tanh(x @ self.Wf[:4]), np.tanh(x @ self.Wf[4:8])]
        return self.hs

    def backward(self, dhs):
        assert isinstance(dhs, list)
        self.dWf = np.zeros_like(self.Wf)
        dx = 0
        for k in range(2):
            dz = dhs[k] * (1 - self.hs[k] ** 2)
            self.dWf[4 * k : 4 * k + 4] = self.x.T @ dz
            dx = dx + dz @ self.Wf[4 * k : 4 * k + 4].T
        return dx


def test_list_valued_states():
    subject = ClassSubject(LayeredStates, (3, 4))
    assert subject.run(subject.arrays)["y"].shape == (2, 3, 5)
    assert_right(subject)


class CrossEntropy:
    def forward(self, logits, labels):
        e = np.exp(logits - logits.max(1, keepdims=True))
        self.p, self.labels = e / e.sum(1, keepdims=True), labels
        return -np.log(self.p[np.arange(len(logits)), labels]).mean()

    def backward(self):
        d = self.p.copy()
        d[np.arange(len(d)), self.labels] -= 1
        return d / len(d)


class MSE:
    def forward(self, y_pred, y_true):
        self.difference = y_pred - y_true
        return (self.difference**2).mean()

    def backward(self):
        return 2 * self.difference / self.difference.size


class BCE(MSE):
    def forward(self, p, y):
        if (p <= 0).any() or (p >= 1).any():
            return float("nan")
        self.p, self.y = p, y
        return -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean()

    def backward(self, dout=1.0):
        return dout * (self.p - self.y) / (self.p * (1 - self.p)) / self.p.size


@pytest.mark.parametrize("kind", [CrossEntropy, MSE, BCE])
def test_losses(kind):
    subject = ClassSubject(kind, (4, 3))
    assert subject.wrt == ("x",)
    assert subject.parameters == ()
    assert_right(subject)


def test_targets_that_are_stated():
    subject = ClassSubject(CrossEntropy, (4, 3), labels_below=2)
    assert subject.arrays["labels"].shape == (4,)
    assert subject.arrays["labels"].max() < 2
    subject = ClassSubject(MSE, (4, 3), targets_shape=(1, 3))
    assert subject.arrays["y_true"].shape == (1, 3)
    assert_right(subject)


class Embedding:
    def __init__(self):
        self.E = draw(7, 3)

    def forward(self, ids):
        self.ids = ids
        return self.E[ids]

    def backward(self, dout):
        self.dE = np.zeros_like(self.E)
        np.add.at(self.dE, self.ids, dout)


def test_ids():
    subject = ClassSubject(Embedding, (3, 5), ids_below=7)
    assert subject.arrays["x"].dtype.kind == "i"
    assert subject.wrt == subject.parameters == ("E",)
    assert_right(subject)


class Vandal(Dense):
    def __init__(self, deed):
        super().__init__()
        self.deed = deed

    def forward(self, x):
        self.y = np.tanh(super().forward(x))
        self.kept = {"y": self.y * 1}
        return self.y.copy()

    def backward(self, dy):
        dx = super().backward(dy * (1 - self.y**2))
        self.deed(self, dy)
        return dx


@pytest.mark.parametrize(
    ("deed", "changed"),
    [
        (lambda s, dy: None, ()),
        (lambda s, dy: dy.__imul__(2), ("upstream",)),
        (lambda s, dy: s.y.__imul__(2), ("cache",)),
        (lambda s, dy: s.kept["y"].__imul__(2), ("cache",)),
        (lambda s, dy: s.x.__imul__(2), ("x", "cache")),
        (lambda s, dy: s.W.__imul__(2), ("W",)),
        (lambda s, dy: s.kept.clear(), ()),
        (lambda s, dy: s.dW.__imul__(1), ()),
    ],
)
def test_what_the_backward_pass_writes_into(deed, changed):
    subject = ClassSubject(lambda: Vandal(deed), (3, 4))
    upstream = {"y": np.ones((3, 5))}
    assert subject.pull(subject.arrays, upstream).changed == changed
    assert assert_right(subject).changed == changed


class PlusParameter(Dense):
    """A gradient that starts as a copy of the parameter is no write into the cache."""

    def forward(self, x):
        self.dW = self.W.copy()
        return super().forward(x)

    def backward(self, dy):
        self.dW += self.x.T @ dy
        self.db = dy.sum(0)
        return dy @ self.W.T


def test_wrong_gradients_come_out_as_they_are():
    subject = ClassSubject(PlusParameter, (3, 4))
    pulled = assert_right(subject, ("x", "b"))
    assert pulled.changed == ()
    right = ClassSubject(Dense, (3, 4)).pull(subject.arrays, {"y": np.ones((3, 5))}).gradients["W"]
    ours = subject.pull(subject.arrays, {"y": np.ones((3, 5))}).gradients["W"]
    np.testing.assert_allclose(ours, right + subject.arrays["W"], rtol=1e-12)


class Only32(Dense):
    def __init__(self):
        super().__init__()
        self.W, self.b = self.W.astype(np.float32), self.b.astype(np.float32)

    def forward(self, x):
        if x.dtype != np.float32:
            raise TypeError("float32 wanted")
        return super().forward(x)


class Rounds(Dense):
    def forward(self, x):
        return super().forward(x).astype(np.float32)


@pytest.mark.parametrize("kind", [Only32, Rounds])
def test_float32(kind):
    subject = ClassSubject(kind, (3, 4))
    assert subject.dtype == "float32"
    assert subject.notes == ["the code computes in float32: tolerances to match"]
    assert set(subject.pull(subject.arrays, {"y": draw(3, 5)}).gradients) == {"x", "W", "b"}


class ForgotBias(Dense):
    def backward(self, dy):
        self.dW = self.x.T @ dy
        return dy @ self.W.T


def test_a_parameter_without_a_gradient_is_known():
    subject = ClassSubject(ForgotBias, (3, 4))
    assert subject.wrt == ("x", "W", "b")
    assert set(assert_right(subject, ("x", "W")).gradients) == {"x", "W"}


class NeedsSize(Dense):
    def __init__(self, size):
        super().__init__(4, size)


class OneWay:
    def forward(self, x):
        return x


class Fails(Dense):
    def __init__(self):
        raise OSError("no\nfile")


class FailsLater(Dense):
    def backward(self, dy):
        return self.nothing


class NoUpstream(Dense):
    def backward(self):
        return self.x


class Two(Dense):
    def forward(self, x, this, that):
        return x


class Locked(Dense):
    def __init__(self):
        super().__init__()
        self.module = np


@pytest.mark.parametrize(
    ("thing", "message"),
    [
        (NeedsSize, "the class NeedsSize needs size: write a function of no arguments"),
        (lambda size: Dense(size), "needs size"),
        (OneWay, "no method 'backward'"),
        (lambda: 3, "gives int, which has no method 'forward'"),
        (Fails, "raised OSError: no file"),
        (FailsLater, r"FailsLater.backward raised AttributeError: .* \(test_user_class.py:\d+\)"),
        (NoUpstream, "takes no upstream gradient"),
        (Two, "needs 'that', and what to pass cannot be told"),
        (Locked, "cannot be copied"),
        (Dense(3, 2), r"Dense.forward raised ValueError: .* for x \(3, 4\)"),
    ],
)
def test_mistakes_are_told_in_one_line(thing, message):
    with pytest.raises(InputError, match=message) as error:
        ClassSubject(thing, (3, 4))
    assert "\n" not in str(error.value)


def test_a_mask_that_is_not_taken():
    with pytest.raises(InputError, match="takes no mask"):
        ClassSubject(Dense, (3, 4), mask=np.ones(3))


class OneSequence:
    """(T, D), without a batch: a state of another shape than (H,) would broadcast."""

    def __init__(self):
        self.W = draw(4, 5)
        self.total = np.zeros((4, 5))

    def forward(self, x, h0=None):
        h = np.zeros(5) if h0 is None else h0
        self.x, self.hs = x, []
        for row in x:
            h = np.tanh(row @ self.W + 0.5 * h)
            self.hs.append(h)
        self.sums = np.zeros_like(self.W)
        return np.stack(self.hs)

    def backward(self, dy):
        dh = 0
        for t in reversed(range(len(dy))):
            dz = (dy[t] + dh) * (1 - self.hs[t] ** 2)
            self.sums += np.outer(self.x[t], dz)
            dh = 0.5 * dz
        self.dW, self.dh0 = self.sums, dh


def test_a_state_without_a_batch_and_a_buffer_of_zeros():
    subject = ClassSubject(OneSequence, (6, 4))
    assert subject.arrays["h0"].shape == (5,)
    assert subject.parameters == ("W",)
    assert assert_right(subject, ("h0", "W")).changed == ()
