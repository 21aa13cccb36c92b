"""Every learner's code, and how each is called."""

from __future__ import annotations

from dataclasses import replace

from tests.planted_bugs.learners.learner_code import LearnerCode

IFCO = {name + gate: shape for gate in "fico" for name, shape in (("W", "H H+D"), ("b", "H 1"))}
MLP = {"X": "B D", "W1": "D H", "b1": "H", "W2": "H O", "b2": "O"}

_CODES = [
    LearnerCode(
        "dense_affine", "affine_forward,affine_backward", "pair", "dense",
        {"x": "B D", "w": "D H", "b": "H"}, sizes={"B": 5, "D": 4, "H": 3},
        about="linear; gradients a tuple",
    ),
    LearnerCode(
        "dense_sigmoid", "layer_forward,layer_backward", "pair", "dense",
        {"A_prev": "D B", "W": "H D", "b": "H 1"}, sizes={"B": 5, "D": 4, "H": 3},
        about="sigmoid; examples are columns; (out, in); dict of dW …",
    ),
    LearnerCode(
        "dense_layer", "Dense", "class", "dense", {"x": "B D"}, sizes={"B": 5, "D": 4, "H": 3},
        built_with="D H", about="tanh; params and grads dicts",
    ),
    LearnerCode(
        "dense_relu_attributes", "FullyConnected", "class", "dense", {"inputs": "B T D"},
        sizes={"B": 2, "T": 4, "D": 3, "H": 5}, built_with="D H",
        about="relu; (out, in); attributes weight, weight_grad",
    ),
    LearnerCode(
        "mlp_train_step", "TwoLayerNet", "class", "", {"x": "B D"},
        sizes={"B": 5, "D": 2, "H": 3, "O": 4}, built_with="D H O",
        about="two sigmoid layers; backward makes a step of gradient descent; attributes d_…",
    ),
    LearnerCode(
        "mlp_pair", "net_forward,net_backward", "pair", "", MLP,
        sizes={"B": 5, "D": 4, "H": 3, "O": 2}, about="tanh, linear; dict under the arrays' names",
    ),
    LearnerCode(
        "mse_loss", "mse_forward,mse_backward", "pair", "", {"pred": "B D", "target": "B D"},
        about="mean over all entries",
    ),
    LearnerCode(
        "softmax_loss", "softmax_loss_forward,softmax_loss_backward", "pair", "",
        {"scores": "B D"}, {"labels": ("B", "D")}, about="mean; one array returned",
    ),
    LearnerCode(
        "softmax_layer", "Softmax", "class", "", {"x": "B D"}, about="no parameters",
    ),
    LearnerCode(
        "softmax_classifier", "forward,backward", "pair", "",
        {"X": "B D", "W": "D H", "b": "H"}, {"y": ("B", "H")},
        sizes={"B": 5, "D": 3, "H": 4}, about="dense, softmax and loss; dict of dW …",
    ),
    LearnerCode(
        "softmax_with_loss", "SoftmaxWithLoss", "class", "", {"x": "B D"}, {"t": ("B", "D")},
        about="forward(x, t) gives a number; backward(dout=1)",
    ),
    LearnerCode(
        "embedding_pair", "word_embedding_forward,word_embedding_backward", "pair", "embedding",
        {"W": "V D"}, {"x": ("B T", "V")}, sizes={"B": 3, "T": 5, "D": 4, "V": 6},
        about="one array returned",
    ),
    LearnerCode(
        "embedding_class", "Embedding", "class", "embedding", {}, {"ids": ("B T", "V")},
        sizes={"B": 3, "T": 5, "D": 4, "V": 6}, built_with="V D", about="backward gives None",
    ),
    LearnerCode(
        "rnn_assignment", "rnn_forward,rnn_backward", "pair", "simple_rnn",
        {"x": "B T D", "h0": "B H", "Wx": "D H", "Wh": "H H", "b": "H"},
        about="(in, out); batch first; tuple",
    ),
    LearnerCode(
        "rnn_minimal", "rnn_forward,rnn_backward", "pair", "simple_rnn",
        {"inputs": "T D 1", "hprev": "H 1", "Wxh": "H D", "Whh": "H H", "bh": "H 1"},
        sizes={"T": 5, "D": 4, "H": 3}, about="one sequence of columns; (out, in); tuple",
    ),
    LearnerCode(
        "rnn_layer", "SimpleRNN", "class", "simple_rnn", {"x": "B T D"},
        sizes={"B": 2, "T": 5, "D": 4, "H": 3}, built_with="D H",
        about="(in, out); batch first; params and grads dicts",
    ),
    LearnerCode(
        "rnn_time_major", "RNN", "class", "simple_rnn", {"inp": "T B D"},
        sizes={"B": 2, "T": 4, "D": 5, "H": 3}, built_with="D H",
        about="(out, in); time first; two biases; attributes weight_ih, grad_weight_ih",
    ),
    LearnerCode(
        "rnn_cell_columns", "rnn_cell_forward,rnn_cell_backward", "cell", "simple_rnn",
        {"xt": "D B", "a_prev": "H B", "Wax": "H D", "Waa": "H H", "ba": "H 1"},
        about="examples are columns; (out, in); dict of dWax …",
    ),
    LearnerCode(
        "rnn_cell_joint", "step,step_back", "cell", "simple_rnn",
        {"x": "B D", "h_prev": "B H", "W": "H+D H", "b": "H"},
        about="one matrix over [h, x]; (in, out); tuple",
    ),
    LearnerCode(
        "lstm_gate_dict", "LSTM", "class", "lstm", {"X": "B T D"},
        sizes={"B": 2, "T": 4, "D": 5, "H": 3}, built_with="D H",
        about="matrices a gate W_i, U_i, b_i; (in, out); batch first; dicts",
    ),
    LearnerCode(
        "lstm_masked", "MaskedLSTM", "class", "lstm", {"x": "B T D"},
        sizes={"B": 6, "T": 5, "D": 4, "H": 3}, built_with="D H", masked=True,
        about="i f g o; (in, out); batch first; dicts; forward(x, mask)",
    ),
    LearnerCode(
        "lstm_time_major", "LSTM", "class", "lstm", {"seq": "T B D"},
        sizes={"B": 3, "T": 5, "D": 4, "H": 2}, built_with="D H",
        about="i f g o; (out, in); time first; two biases; attributes d_weight_ih",
    ),
    LearnerCode(
        "lstm_single_sequence", "LSTM", "class", "lstm", {"x": "T D"},
        sizes={"T": 5, "D": 4, "H": 3}, built_with="D H",
        about="matrices a gate Wf, Wi, WC, Wo over [h, x]; (out, in); one sequence; attributes",
    ),
    LearnerCode(
        "lstm_assignment", "lstm_forward,lstm_backward", "pair", "lstm",
        {"x": "B T D", "h0": "B H", "Wx": "D 4H", "Wh": "H 4H", "b": "4H"},
        about="i f o g; (in, out); batch first; tuple; c0 is zero",
    ),
    LearnerCode(
        "lstm_columns", "lstm_forward,lstm_backward", "pair", "lstm",
        {"x": "D B T", "a0": "H B", **IFCO},
        about="matrices a gate over [a, x]; (out, in); (n_x, m, T); dict; c0 is zero",
    ),
    LearnerCode(
        "lstm_float32", "forward,backward", "pair", "lstm",
        {"x": "T B D", "h0": "B H", "c0": "B H", "W": "D+H 4H", "b": "4H"}, dtype="float32",
        about="f i o g; one matrix over [x, h]; (in, out); time first; tuple; float32 inside",
    ),
    LearnerCode(
        "lstm_cell", "cell_forward,cell_backward", "cell", "lstm",
        {"x": "B D", "h_prev": "B H", "c_prev": "B H", "W": "D 4H", "U": "H 4H", "b": "4H"},
        about="f i g o; (in, out); tuple",
    ),
    LearnerCode(
        "lstm_cell_columns", "lstm_cell_forward,lstm_cell_backward", "cell", "lstm",
        {"xt": "D B", "a_prev": "H B", "c_prev": "H B", **IFCO},
        about="matrices a gate over [a, x]; (out, in); examples are columns; dict",
    ),
    LearnerCode(
        "lstm_cell_joint", "lstm_step,lstm_step_backward", "cell", "lstm",
        {"x": "B D", "h_prev": "B H", "c_prev": "B H", "W": "4H D+H", "b": "4H"},
        about="g i f o; one matrix over [x, h]; (out, in); tuple",
    ),
    LearnerCode(
        "gru_time_major", "GRU", "class", "gru", {"x": "T B D"},
        sizes={"B": 2, "T": 4, "D": 5, "H": 3}, built_with="D H",
        about="reset after; r z n; (out, in); time first; two biases; dicts",
    ),
    LearnerCode(
        "gru_gates", "GRU", "class", "gru", {"x": "B T D"},
        sizes={"B": 2, "T": 5, "D": 4, "H": 3}, built_with="D H",
        about="reset before; matrices a gate Wz, Uz, bz; (in, out); batch first; attributes",
    ),
    LearnerCode(
        "gru_reset_after", "gru_forward,gru_backward", "pair", "gru",
        {"x": "B T D", "h0": "B H", "kernel": "D 3H", "recurrent_kernel": "H 3H", "bias": "2 3H"},
        sizes={"B": 4, "T": 6, "D": 5, "H": 3},
        about="reset after; z r n; (in, out); batch first; bias (2, 3H); tuple",
    ),
    LearnerCode(
        "gru_joint", "forward,backward", "pair", "gru",
        {"xs": "T B D", "h_init": "B H", "W_rz": "H+D 2H", "b_rz": "2H", "W_n": "H+D H",
         "b_n": "H"},
        about="reset before; r z, n; over [h, x]; time first; (1-z) h + z n; dict",
    ),
    LearnerCode(
        "gru_cell", "gru_cell,gru_cell_backward", "cell", "gru",
        {"x": "D 1", "h_prev": "H 1"} | {
            name + gate: shape
            for gate in "zrh" for name, shape in (("W", "H D"), ("U", "H H"), ("b", "H 1"))
        },
        sizes={"D": 4, "H": 3},
        about="reset before; matrices a gate; (out, in); one example, a column; tuple",
    ),
    LearnerCode(
        "gru_cell_framework", "gru_cell_forward,gru_cell_backward", "cell", "gru",
        {"input": "B D", "hx": "B H", "w_ih": "3H D", "w_hh": "3H H", "b_ih": "3H", "b_hh": "3H"},
        about="reset after; r z n; (out, in); two biases; dict under the arrays' names",
    ),
]  # fmt: skip


def _codes() -> dict[str, LearnerCode]:
    """Return them by key, and those once more whose bugs hide only where two sizes are equal."""
    codes = {code.key: code for code in _CODES}
    for key, name, sizes in (
        ("dense_affine", "square", {"D": 4, "H": 4}),
        ("dense_affine", "batch", {"B": 3, "H": 3}),
        ("mlp_pair", "square", {"H": 3, "O": 3}),
        ("rnn_cell_joint", "batch", {"B": 2, "H": 2}),
    ):
        again = replace(codes[key].at(**sizes), key=f"{key}_{name}", file=key)
        codes[again.key] = again
    return codes


CODES = _codes()
"""Every learner's code by its key."""
