"""Function pairs in the forms that courses use."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from scratchnet.errors import InputError
from scratchnet.gradcheck.loading import load
from scratchnet.gradcheck.subjects.user_function import FunctionSubject
from tests.gradcheck.slopes import assert_right


def draw(*shape, seed=[0]):  # noqa: B006 - counts up, so that no two arrays are alike
    seed[0] += 1
    return np.random.default_rng(seed[0]).uniform(-1, 1, shape)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def affine_forward(x, w, b):
    return x.reshape(len(x), -1) @ w + b, (x, w, b)


def affine_arrays():
    return {"x": draw(3, 4), "w": draw(4, 5), "b": draw(5)}


def affine_gradients(dout, cache):
    x, w, _ = cache
    return (dout @ w.T).reshape(x.shape), x.reshape(len(x), -1).T @ dout, dout.sum(0)


def in_order(dout, cache):
    dx, dw, db = affine_gradients(dout, cache)
    return dx, dw, db


def in_another_order(dout, cache):
    dx, dw, db = affine_gradients(dout, cache)
    return db, dw, dx


def unnamed(dout, cache):
    return affine_gradients(dout, cache)


def as_list(dout, cache):
    return list(affine_gradients(dout, cache))


def as_dict(dout, cache):
    return dict(zip(("dx", "dW", "db"), affine_gradients(dout, cache), strict=True))


def as_plain_dict(dout, cache):
    return dict(zip(("x", "w", "b"), affine_gradients(dout, cache), strict=True))


def as_other_dict(dout, cache):
    return dict(zip(("x_grad", "grad_w", "d_b"), affine_gradients(dout, cache), strict=True))


def as_nested(dout, cache):
    dx, dw, db = affine_gradients(dout, cache)
    return dx, {"w": dw, "b": db}


def as_object(dout, cache):
    dx, dw, db = affine_gradients(dout, cache)
    return SimpleNamespace(dX=dx, dW=dw, db=db)


def kept_in_a_name(cache, dout):
    dx, dw, db = affine_gradients(dout, cache)
    grads = (dw, db, dx * 1.0)
    return grads  # noqa: RET504


def with_expressions(dout, cache):
    dx, dw, db = affine_gradients(dout, cache)
    return np.copy(dw), db / 1.0, dx.reshape(dx.shape)


@pytest.mark.parametrize(
    "backward",
    [in_order, in_another_order, unnamed, as_list, as_dict, as_plain_dict, as_other_dict,
     as_nested, as_object, kept_in_a_name, with_expressions],
)  # fmt: skip
def test_gradients_in_every_form(backward):
    subject = FunctionSubject(affine_forward, backward, affine_arrays())
    assert subject.wrt == ("x", "w", "b")
    assert subject.parameters == ("w", "b")
    assert subject.functions == (affine_forward, backward)
    assert assert_right(subject).changed == ()


def test_fewer_gradients_are_matched_by_name_then_shape():
    def named(dout, cache):
        x, _, _ = cache
        dw, db = x.T @ dout, dout.sum(0)
        return dw, db

    def by_shape(dout, cache):
        x, _, _ = cache
        one, two = dout.sum(0), x.T @ dout
        return one, two

    for backward in (named, by_shape):
        subject = FunctionSubject(affine_forward, backward, affine_arrays())
        assert set(assert_right(subject, ("w", "b")).gradients) == {"w", "b"}


def test_two_of_a_shape_cannot_be_told_apart():
    def forward(x, u, v):
        return x * u * v, (x, u, v)

    def backward(dout, cache):
        x, u, v = cache
        return [dout * x * v, dout * x * u]

    arrays = {"x": draw(4), "u": draw(4), "v": draw(4)}
    with pytest.raises(InputError, match="return a dict") as error:
        FunctionSubject(forward, backward, arrays)
    assert "\n" not in str(error.value)


def test_keys_that_name_nothing():
    with pytest.raises(InputError, match="none of the keys one, two"):
        FunctionSubject(
            affine_forward, lambda dout, cache: {"one": dout, "two": dout}, affine_arrays()
        )


def rnn_step_forward(x, prev_h, Wx, Wh, b):
    next_h = np.tanh(x @ Wx + prev_h @ Wh + b)
    return next_h, (x, prev_h, Wx, Wh, next_h)


def rnn_step_backward(dnext_h, cache):
    x, prev_h, Wx, Wh, next_h = cache
    dz = dnext_h * (1 - next_h**2)
    dx, dprev_h = dz @ Wx.T, dz @ Wh.T
    dWx, dWh, db = x.T @ dz, prev_h.T @ dz, dz.sum(0)
    return dx, dprev_h, dWx, dWh, db


def test_aliases_of_states():
    arrays = {"x": draw(3, 5), "prev_h": draw(3, 5), "Wx": draw(5, 5), "Wh": draw(5, 5)}
    assert_right(FunctionSubject(rnn_step_forward, rnn_step_backward, arrays | {"b": draw(5)}))

    def forward(x, h0, Wx, Wh, b):
        return rnn_step_forward(x, h0, Wx, Wh, b)

    def backward(dout, cache):
        dx, dh_prev, dWx, dWh, db = rnn_step_backward(dout, cache)
        return dWh, dWx, db, dh_prev, dx

    arrays = {("h0" if k == "prev_h" else k): v for k, v in arrays.items()}
    assert_right(FunctionSubject(forward, backward, arrays | {"b": draw(5)}))


def lstm_step_forward(x, prev_h, prev_c, Wx, Wh, b):
    a = x @ Wx + prev_h @ Wh + b
    ai, af, ao, ag = np.split(a, 4, axis=1)
    i, f, o, g = sigmoid(ai), sigmoid(af), sigmoid(ao), np.tanh(ag)
    next_c = f * prev_c + i * g
    next_h = o * np.tanh(next_c)
    return next_h, next_c, (x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c)


def lstm_step_backward(dnext_h, dnext_c, cache):
    x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c = cache
    dc = dnext_c + dnext_h * o * (1 - np.tanh(next_c) ** 2)
    da = np.hstack(
        [
            dc * g * i * (1 - i),
            dc * prev_c * f * (1 - f),
            dnext_h * np.tanh(next_c) * o * (1 - o),
            dc * i * (1 - g**2),
        ]
    )
    return da @ Wx.T, da @ Wh.T, dc * f, x.T @ da, prev_h.T @ da, da.sum(0)


def lstm_arrays():
    return {"x": draw(3, 4), "prev_h": draw(3, 5), "prev_c": draw(3, 5), "Wx": draw(4, 20),
            "Wh": draw(5, 20), "b": draw(20)}  # fmt: skip


def test_several_outputs_are_named_by_the_return_statement():
    subject = FunctionSubject(lstm_step_forward, lstm_step_backward, lstm_arrays())
    assert list(subject.run(subject.arrays)) == ["next_h", "next_c"]
    assert_right(subject)


def test_missing_upstream_gradients_are_zero():
    subject = FunctionSubject(lstm_step_forward, lstm_step_backward, lstm_arrays())
    upstream = {"next_c": draw(3, 5)}
    pulled = subject.pull(subject.arrays, upstream)
    full = subject.pull(subject.arrays, upstream | {"next_h": np.zeros((3, 5))})
    np.testing.assert_array_equal(pulled.gradients["Wx"], full.gradients["Wx"])


def test_fewer_upstream_gradients_than_outputs():
    """A course's cell returns a prediction as well, whose gradient goes into another function."""

    def cell_forward(xt, a_prev, c_prev, parameters):
        a_next, c_next, kept = lstm_step_forward(
            xt.T, a_prev.T, c_prev.T, parameters["Wx"].T, parameters["Wa"].T, parameters["b"][:, 0]
        )
        yt_pred = sigmoid(parameters["Wy"] @ a_next.T)
        return a_next.T, c_next.T, yt_pred, (kept, parameters)

    def cell_backward(da_next, dc_next, cache):
        dx, da, dc, dWx, dWa, db = lstm_step_backward(da_next.T, dc_next.T, cache[0])
        gradients = {"dxt": dx.T, "da_prev": da.T, "dc_prev": dc.T}
        gradients |= {"dWx": dWx.T, "dWa": dWa.T, "db": db[:, None]}
        return gradients

    arrays = {
        "xt": draw(4, 3), "a_prev": draw(5, 3), "c_prev": draw(5, 3),
        "parameters": {
            "Wx": draw(20, 4), "Wa": draw(20, 5), "b": draw(20, 1), "Wy": draw(2, 5),
        },
    }  # fmt: skip
    subject = FunctionSubject(cell_forward, cell_backward, arrays)
    assert list(subject.run(subject.arrays)) == ["y0", "y1"]
    assert subject.parameters == ("Wx", "Wa", "b", "Wy")
    assert "no gradient of yt_pred" in subject.notes[0]
    assert_right(subject, ("xt", "a_prev", "c_prev", "Wx", "Wa", "b"))

    flat = {k: v for k, v in arrays.items() if k != "parameters"} | arrays["parameters"]
    packed = FunctionSubject(cell_forward, cell_backward, flat)
    assert packed.parameters == ("Wx", "Wa", "b", "Wy")


def sequence_forward(x, a0, parameters):
    """Return states of a (n_x, m, T) sequence."""
    caches, a_next = [], a0
    a = np.zeros((len(a0), x.shape[1], x.shape[2]))
    for t in range(x.shape[2]):
        a_prev = a_next
        a_next = np.tanh(
            parameters["Wax"] @ x[:, :, t] + parameters["Waa"] @ a_prev + parameters["ba"]
        )
        a[:, :, t] = a_next
        caches.append((a_next, a_prev, x[:, :, t], parameters))
    return a, (caches, x)


def sequence_backward(da, caches):
    kept, x = caches
    parameters = kept[0][3]
    gradients = {"dx": np.zeros_like(x), "da0": 0}
    gradients |= {"d" + name: np.zeros_like(array) for name, array in parameters.items()}
    carried = 0
    for t in reversed(range(x.shape[2])):
        a_next, a_prev, xt, _ = kept[t]
        dz = (da[:, :, t] + carried) * (1 - a_next**2)
        gradients["dx"][:, :, t] = parameters["Wax"].T @ dz
        gradients["dWax"] += dz @ xt.T
        gradients["dWaa"] += dz @ a_prev.T
        gradients["dba"] += dz.sum(1, keepdims=True)
        carried = parameters["Waa"].T @ dz
    gradients["da0"] = carried
    return gradients


def test_parameters_in_a_dict_and_batch_in_the_middle():
    parameters = {"Wax": draw(5, 4), "Waa": draw(5, 5), "ba": draw(5, 1)}
    arrays = {"x": draw(4, 3, 6), "a0": draw(5, 3), "parameters": parameters}
    subject = FunctionSubject(sequence_forward, sequence_backward, arrays)
    assert subject.wrt == ("x", "a0", "Wax", "Waa", "ba")
    assert assert_right(subject).changed == ()


def test_steps_in_lists_dicts_and_tuples():
    def as_lists(x, W):
        hs = [np.tanh(step @ W) for step in x]
        return hs, (x, W, hs)

    def lists_back(dhs, cache):
        x, W, hs = cache
        assert isinstance(dhs, list)
        dz = [dh * (1 - h**2) for dh, h in zip(dhs, hs, strict=True)]
        return [d @ W.T for d in dz], sum(step.T @ d for step, d in zip(x, dz, strict=True))

    def as_dicts(x, W):
        hs, last = {-1: np.zeros((3, 5))}, None
        for t in range(len(x)):
            hs[t] = np.tanh(x[t] @ W)
            last = hs[t].copy()
        return (hs, (last, None)), (x, W, hs)

    def dicts_back(d, cache):
        x, W, hs = cache
        dhs, (dlast, nothing) = d
        assert sorted(dhs) == list(range(len(x)))
        assert nothing is None
        dhs = dict(dhs)
        dhs[len(x) - 1] = dhs[len(x) - 1] + dlast
        dx, dW = lists_back([dhs[t] for t in range(len(x))], (x, W, [hs[t] for t in range(len(x))]))
        return dict(enumerate(dx)), dW

    arrays = {"x": draw(6, 3, 4), "W": draw(4, 5)}
    subject = FunctionSubject(as_lists, lists_back, arrays)
    assert subject.run(subject.arrays)["y"].shape == (6, 3, 5)
    assert_right(subject)
    subject = FunctionSubject(as_dicts, dicts_back, arrays)
    assert [a.shape for a in subject.run(subject.arrays).values()] == [(6, 3, 5), (3, 5)]
    assert_right(subject)


def test_a_loss_takes_no_upstream_gradient():
    def forward(scores, labels):
        e = np.exp(scores - scores.max(1, keepdims=True))
        p = e / e.sum(1, keepdims=True)
        loss = float(-np.log(p[np.arange(len(p)), labels]).mean())
        return loss, (p, labels)

    def backward(cache):
        p, labels = cache
        d = p.copy()
        d[np.arange(len(p)), labels] -= 1
        return d / len(p)

    subject = FunctionSubject(
        forward, backward, {"scores": draw(4, 3), "labels": np.array([2, 0, 1, 1])}
    )
    assert subject.wrt == ("scores",)
    assert subject.run(subject.arrays)["y"].shape == ()
    assert_right(subject)
    one = subject.pull(subject.arrays, {"y": np.ones(())}).gradients["scores"]
    _, cache = forward(subject.arrays["scores"], subject.arrays["labels"])
    np.testing.assert_array_equal(one, backward(cache))

    def with_upstream(dloss, cache):
        assert isinstance(dloss, float)
        return dloss * backward(cache)

    assert_right(FunctionSubject(forward, with_upstream, subject.arrays))


def test_targets_need_no_gradient():
    def forward(p, t):
        return ((p - t) ** 2).sum() / 2, p - t

    for backward in (lambda cache: cache, lambda cache: (cache, -cache)):
        subject = FunctionSubject(forward, backward, {"p": draw(3, 2), "t": draw(3, 2)})
        assert_right(subject)
        assert subject.wrt[0] == "p"
    assert subject.wrt == ("p", "t")


def test_masks_ids_and_plain_values_are_not_differentiated():
    def forward(ids, W, mask, scale=2.0, mode="train"):
        assert mode == "test"
        return W[ids] * mask[..., None] * scale, (ids, W.shape, mask, scale)

    def backward(dout, cache):
        ids, shape, mask, scale = cache
        dW = np.zeros(shape)
        np.add.at(dW, ids, dout * mask[..., None] * scale)
        return dW

    arrays = {"ids": np.array([[0, 2], [2, 4]]), "W": draw(5, 3)}
    arrays |= {"mask": np.array([[1.0, 1], [1, 0]]), "scale": 3.0, "mode": "test"}
    subject = FunctionSubject(forward, backward, arrays)
    assert subject.wrt == ("W",)
    assert set(subject.arrays) == {"ids", "W", "mask"}
    assert_right(subject)


def test_arrays_by_position_and_tuples_of_states():
    def forward(inputs, state, kernel):
        h, c = state
        return np.tanh(inputs @ kernel) * h + c, (inputs, h, kernel)

    def backward(dout, cache):
        inputs, h, kernel = cache
        y = np.tanh(inputs @ kernel)
        dz = dout * h * (1 - y**2)
        return dz @ kernel.T, (dout * y, dout), inputs.T @ dz

    given = {"a": draw(3, 4), "s": (draw(3, 5), draw(3, 5)), "K": draw(4, 5)}
    subject = FunctionSubject(forward, backward, given)
    assert list(subject.arrays) == ["inputs", "state0", "state1", "kernel"]
    assert_right(subject)


def test_positional_only_and_starred_arguments():
    def forward(x, w, /):
        return x @ w, (x, w)

    def backward(dout, cache, /):
        x, w = cache
        return dout @ w.T, x.T @ dout

    arrays = {"x": draw(3, 4), "w": draw(4, 2)}
    assert_right(FunctionSubject(forward, backward, arrays))
    assert_right(FunctionSubject(lambda *both: forward(*both), backward, arrays))


def test_backward_that_takes_the_arrays_again():
    def forward(Z):
        return np.tanh(Z), Z

    def backward(dA, Z):
        return dA * (1 - np.tanh(Z) ** 2)

    assert_right(FunctionSubject(forward, backward, {"Z": draw(3, 4)}))


@pytest.mark.parametrize(
    ("vandal", "changed"),
    [
        (lambda d, c: d.__imul__(c["h"]), ("upstream",)),
        (lambda d, c: c["x"].__imul__(0) + 1 * d, ("x", "cache")),
        (lambda d, c: c["h"].__iadd__(1) * d, ("cache",)),
        (lambda d, c: c["own"][0].h.__iadd__(1) * d, ("cache",)),
        (lambda d, c: c.update(h=c["h"] + 1) or d, ("cache",)),
        (lambda d, c: c["dW"].__iadd__(1) * d, ()),
        (lambda d, c: c.pop("h") * d, ()),
    ],
)
def test_what_the_backward_pass_writes_into(vandal, changed):
    def forward(x):
        own = SimpleNamespace(h=np.cos(x))
        return np.sin(x), {"x": x, "h": np.sin(x), "own": [own], "dW": np.zeros_like(x)}

    subject = FunctionSubject(forward, vandal, {"x": draw(3)})
    upstream = {"y": np.ones(3)}
    assert subject.pull(subject.arrays, upstream).changed == changed
    np.testing.assert_array_equal(upstream["y"], 1)
    again = [subject.pull(subject.arrays, upstream).gradients["x"] for _ in range(2)]
    np.testing.assert_array_equal(again[0], again[1])


def test_parameters_around_the_functions():
    W = draw(4, 4)
    kept = W.copy()

    def forward(x):
        return x @ W, x

    def backward(dout, cache):
        dx = dout @ W.T
        W[...] -= 0.1
        return dx

    subject = FunctionSubject(forward, backward, {"x": draw(3, 4)})
    assert assert_right(subject).changed == ("W",)
    np.testing.assert_array_equal(W, kept)


def test_twice_on_the_same_arguments():
    def forward(x, w):
        return x * w, (x, w)

    def backward(dout, cache):
        x, w = cache
        dx, dw = dout * w, dout * x
        w += 1
        return dx, dw

    subject = FunctionSubject(forward, backward, {"x": draw(3), "w": draw(3)})
    one, two = (subject.pull(subject.arrays, {"y": np.ones(3)}, times=n) for n in (1, 2))
    np.testing.assert_allclose(two.gradients["x"], one.gradients["x"] + 1)
    assert one.changed == ("w", "cache")


def test_a_forward_that_writes_is_noted():
    def forward(x):
        x -= x.mean()
        return x * 2, None

    subject = FunctionSubject(forward, lambda dout, cache: 2 * (dout - dout.mean()), {"x": draw(5)})
    assert subject.notes == ["forward writes into x"]
    assert_right(subject)


def test_float32():
    def narrow(x, w):
        return (x.astype(np.float32) @ w.astype(np.float32)), (x, w)

    def only(dout, cache):
        x, w = cache
        if x.dtype != np.float32:
            raise TypeError("float32 wanted")
        return dout.astype(np.float32) @ w.T, x.T @ dout.astype(np.float32)

    def wide(x, w):
        return x @ w, (x, w)

    def rounding(dout, cache):
        x, w = cache
        return (dout @ w.T).astype(np.float32), (x.T @ dout).astype(np.float32)

    arrays = {"x": draw(3, 4), "w": draw(4, 2)}
    for forward, backward in ((narrow, only), (wide, only), (wide, rounding), (narrow, rounding)):
        subject = FunctionSubject(forward, backward, arrays)
        assert subject.dtype == "float32"
        assert subject.notes == ["the code computes in float32: tolerances to match"]
        if forward is wide:
            assert subject.run(subject.arrays)["y"].dtype == np.float64
            assert_right(subject, tolerance=1e-6)
    assert FunctionSubject(wide, lambda d, c: (d @ c[1].T, c[0].T @ d), arrays).dtype == "float64"


def test_errors_of_the_code_name_its_line(tmp_path):
    (tmp_path / "mine.py").write_text(
        "def forward(x, w):\n    return x @ w, (x, w)\n\n\ndef backward(dout, cache):\n"
        "    def deep():\n        return cache[2]\n    return deep()\n\n\n"
        "def broken(x, w):\n    return x[:, 99], None\n"
    )
    forward, backward, broken = load(f"{tmp_path}/mine.py:forward,backward,broken")
    arrays = {"x": draw(3, 4), "w": draw(4, 2)}
    with pytest.raises(InputError) as error:
        FunctionSubject(forward, backward, arrays)
    assert str(error.value) == (
        "backward raised IndexError: tuple index out of range (mine.py:7) for x (3, 4), w (4, 2)"
    )
    assert isinstance(error.value.__cause__, IndexError)
    with pytest.raises(InputError, match=r"^broken raised IndexError: .*\(mine\.py:12\) for x"):
        FunctionSubject(broken, backward, arrays)


@pytest.mark.parametrize(
    ("forward", "backward", "arrays", "message"),
    [
        (lambda x, w: (x, w), lambda d, cache: d, {"x": 1}, "needs 'w' as well"),
        (lambda x: (x, x), lambda d, cache: d, {"x": 1, "z": 2}, "no argument 'z'"),
        (lambda x: x, lambda d, cache: d, {"x": 1}, r"returned ndarray where \(output, cache\)"),
        (lambda x: (x, x), lambda cache: cache, {"x": 1}, "takes no upstream gradient"),
        (lambda x: (x, x), lambda a, b, cache: a, {"x": 1}, "takes 2 upstream gradients"),
        (lambda x: ("text", x), lambda a, cache: a, {"x": 1}, "no float array"),
        (lambda x: (x, x), lambda a, cache: (a, a), {"x": 1}, "cannot be told"),
        (lambda x: (x, x), lambda a, cache: 1 / 0, {"x": 1}, "ZeroDivisionError"),
    ],
)
def test_mistakes_are_told_in_one_line(forward, backward, arrays, message):
    arrays = {name: draw(3, 4) for name in arrays}
    with pytest.raises(InputError, match=message) as error:
        FunctionSubject(forward, backward, arrays)
    assert "\n" not in str(error.value)


def test_wrt_chooses():
    subject = FunctionSubject(affine_forward, as_dict, affine_arrays(), wrt=("w",))
    assert subject.wrt == ("w",)
    assert set(assert_right(subject).gradients) == {"w"}
    with pytest.raises(InputError, match="wrt names 'q'"):
        FunctionSubject(affine_forward, as_dict, affine_arrays(), wrt=("q",))


def test_a_wrong_gradient_stays_wrong():
    def wrong(dout, cache):
        dx, dw, db = affine_gradients(dout, cache)
        return dx, dw.T, 2 * db

    subject = FunctionSubject(affine_forward, wrong, affine_arrays())
    pulled = assert_right(subject, ("x",))
    assert pulled.gradients["w"].shape == (5, 4)
    with pytest.raises(AssertionError, match="b"):
        assert_right(subject, ("b",))
