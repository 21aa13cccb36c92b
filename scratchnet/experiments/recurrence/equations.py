"""The lines of `scratchnet.equations.lstm` and `.gru` for a single unit, gate by gate.

For one unit a product with a matrix is a product with a number, and the blocks of an array are
numbers of their own: ``a_i = x * Wx_i + h_prev * Wh_i + b_i``.
"""

from __future__ import annotations

from typing import NamedTuple

FUNCTIONS = {"sigmoid", "tanh"}


class Equation(NamedTuple):
    """``name = expression``, numbered as on the page."""

    number: str
    name: str
    expression: str
    value: str = ""
    """The step's variable that holds the value, where it is not ``name``."""


LOSS = Equation("", "L_t", "0.5 * (h - target) * (h - target)", "L")

LSTM_FORWARD = (
    *(Equation("(1)", f"a_{k}", f"x * Wx_{k} + h_prev * Wh_{k} + b_{k}") for k in "ifgo"),
    *(Equation("(2)", k, f"sigmoid(a_{k})") for k in "ifo"),
    Equation("(3)", "g", "tanh(a_g)"),
    Equation("(4)", "c", "f * c_prev + i * g"),
    Equation("(5)", "tanh_c", "tanh(c)"),
    Equation("(6)", "h", "o * tanh_c"),
)
LSTM_BACKWARD = (
    Equation("", "dy", "h - target"),
    Equation("", "dh", "dy + dh_rec"),
    Equation("(6')", "do", "dh * tanh_c"),
    Equation("(6')", "dtanh_c", "dh * o"),
    Equation("(5')", "dc", "dc_rec + dtanh_c * (1 - tanh_c * tanh_c)"),
    Equation("(4')", "dc_prev", "dc * f"),
    Equation("(4')", "df", "dc * c_prev"),
    Equation("(4')", "di", "dc * g"),
    Equation("(4')", "dg", "dc * i"),
    Equation("(3')", "da_g", "dg * (1 - g * g)"),
    Equation("(2')", "da_i", "di * i * (1 - i)"),
    Equation("(2')", "da_f", "df * f * (1 - f)"),
    Equation("(2')", "da_o", "do * o * (1 - o)"),
    Equation("(1')", "dh_prev", "da_i * Wh_i + da_f * Wh_f + da_g * Wh_g + da_o * Wh_o"),
    Equation("(1')", "dx", "da_i * Wx_i + da_f * Wx_f + da_g * Wx_g + da_o * Wx_o"),
)
LSTM_GRADIENTS = {
    "Wx": ("(1')", "da", "x"),
    "Wh": ("(1')", "da", "h_prev"),
    "b": ("(1')", "da", ""),
}

GRU_FORWARD = (
    *(Equation("(1)", f"u_{k}", f"x * Wx_{k} + bx_{k}") for k in "zrn"),
    *(Equation("(2)", f"v_{k}", f"h_prev * Wh_{k} + bh_{k}") for k in "zrn"),
    Equation("", "a_z", "u_z + v_z"),
    Equation("(3)", "z", "sigmoid(a_z)"),
    Equation("", "a_r", "u_r + v_r"),
    Equation("(4)", "r", "sigmoid(a_r)"),
    Equation("", "a_n", "u_n + r * v_n"),
    Equation("(5)", "n", "tanh(a_n)"),
    Equation("(6)", "h", "z * h_prev + (1 - z) * n"),
)
GRU_BACKWARD = (
    Equation("", "dy", "h - target"),
    Equation("", "dh", "dy + dh_rec"),
    Equation("(6')", "dz", "dh * (h_prev - n)"),
    Equation("(6')", "dn", "dh * (1 - z)"),
    Equation("(5')", "da_n", "dn * (1 - n * n)"),
    Equation("(5')", "dr", "da_n * v_n"),
    Equation("(5')", "dv_n", "da_n * r"),
    Equation("(4')", "da_r", "dr * r * (1 - r)"),
    Equation("(3')", "da_z", "dz * z * (1 - z)"),
    Equation("(2')", "dh_prev", "da_z * Wh_z + da_r * Wh_r + dv_n * Wh_n + dh * z"),
    Equation("(1')", "dx", "da_z * Wx_z + da_r * Wx_r + da_n * Wx_n"),
)
GRU_GRADIENTS = {
    "Wx": ("(1')", "du", "x"),
    "Wh": ("(2')", "dv", "h_prev"),
    "bx": ("(1')", "du", ""),
    "bh": ("(2')", "dv", ""),
}

GATE_GRADIENTS = {
    ("du", "z"): "da_z",
    ("du", "r"): "da_r",
    ("du", "n"): "da_n",
    ("dv", "z"): "da_z",
    ("dv", "r"): "da_r",
    ("dv", "n"): "dv_n",
}
"""The blocks of the GRU's du and dv, by their own names."""

BEFORE = {
    "first": ("h_prev = 0, the initial state.", "h_prev = c_prev = 0, the initial states."),
    "later": (
        "h_prev is step {t}'s h.",
        "h_prev and c_prev are step {t}'s h and c.",
    ),
}
ARRIVING = {
    "last": (
        "dy is from this step's output; nothing comes from a later step, so dh_rec = 0.",
        "dy is from this step's output; nothing comes from a later step, so dh_rec = dc_rec = 0.",
    ),
    "earlier": (
        "dy is from this step's output, dh_rec is step {t}'s dh_prev.",
        "dy is from this step's output, dh_rec and dc_rec are step {t}'s dh_prev and dc_prev.",
    ),
}
"""What arrives at a step, for units with one state and with two."""
