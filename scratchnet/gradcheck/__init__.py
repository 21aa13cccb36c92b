"""Is my gradient right, and if not, where and why.

::

    from scratchnet import gradcheck

    report = gradcheck.check_layer(LSTM(5, return_sequences=True), (3, 6, 4))
    report = gradcheck.check_function(lstm_forward, lstm_backward, x, h0, Wx, Wh, b)
    report = gradcheck.check_class(MyLSTM, (3, 6, 4), like="LSTM")
    report.ok, report.findings
    print(report)

How it is made: `numeric` differentiates by differences, `recognition` finds out what a forward pass
computes and how it is laid out, `graph`, `references` and `mistakes` compute the gradients of code
with one mistake in it, and `diagnosis` holds them against the code under test.
"""

from scratchnet.gradcheck.entry_points import (
    check_class,
    check_file,
    check_function,
    check_layer,
    check_loss,
    check_model,
)
from scratchnet.gradcheck.findings import TITLES, Finding, Line
from scratchnet.gradcheck.report import Report
from scratchnet.gradcheck.testing import assert_gradients

__all__ = [
    "TITLES",
    "Finding",
    "Line",
    "Report",
    "assert_gradients",
    "check_class",
    "check_file",
    "check_function",
    "check_layer",
    "check_loss",
    "check_model",
]
