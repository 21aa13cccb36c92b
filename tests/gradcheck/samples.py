"""Reports as a check would give them, with everything that a report can hold."""

import numpy as np

from scratchnet.gradcheck.findings import Finding, Line
from scratchnet.gradcheck.report import RIGHT, UNJUDGED, WRONG, HeatMap, Report, Row

HOSTILE = "b<script>alert('1')</script>"


def right() -> Report:
    rows = [
        Row(array, oracle, shape, 2e-15, 1e-15 * (i + 1), 1e-12, RIGHT, 72, 72, (0, 1))
        for i, (array, shape) in enumerate({"x": (3, 6, 4), "Wx": (4, 20), "b": (20,)}.items())
        for oracle in ("complex step", "Keras")
    ]
    return Report("LSTM", rows, slope=2.0, replay="scratchnet verify lstm --seed 0", seconds=0.4)


def wrong() -> Report:
    rows = [
        Row(
            "x", "complex step", (3, 6, 4), 2e-15, 1e-15, 1e-12, RIGHT, 72, 72, (0, 1, 2), 0.1, 0.1
        ),
        Row("Wh", "complex step", (5, 20), 0.3, 0.2, 1e-12, WRONG, 100, 100, (0, 3), 0.125, 0.5),
        Row("Wh", "differences", (5, 20), 0.3, 0.2, 1e-7, WRONG, 100, 100, (0, 4), 0.25, 0.75),
        Row("Wx", "Keras", (4, 20), np.nan, np.inf, 1e-12, WRONG, 80, 80, (1, 2), np.nan, 0.5),
        Row(HOSTILE, "differences", (20,), 0, 0, 1e-7, UNJUDGED, 20, 13, reason="relu's kink"),
    ]
    findings = [
        Finding(
            "recurrent-term-lost",
            array="Wh",
            gate="f",
            step=0,
            row=1,
            entry=(np.int64(0), np.int64(3)),
            worst="Wh[0, 3]",
            explanation="What later steps say of h_t never reaches it.",
            equation="dh_t = dy_t + dz_{t+1} Whᵀ",
            evidence="A backward pass without this term gives your figures to 3e-16.",
            line=Line("my_lstm.py", 42, "    dh = dy[:, t]  # <b>"),
            alternatives=("carry-lost",),
        ),
        Finding("upstream-modified"),
    ]
    values = np.array([[0.0, 3e-16, 0.25], [np.nan, 1e-7, np.inf]])
    return Report(
        "MyLSTM",
        rows,
        findings,
        notes=["Gates in the order f, i, o, g."],
        slope=1.0,
        heat_map=HeatMap(("f", HOSTILE), values),
        smallest="B = 1, T = 2, D = 1, H = 1",
        seed=7,
        replay="scratchnet verify my_lstm.py:MyLSTM --like LSTM --input-shape 3,6,4 "
        "--shape a_long_name=3,5 --shape another=3,5 --seed 7",
        seconds=1.25,
    )


def unjudged() -> Report:
    row = Row("x", "differences", (), 0.0, 0.0, 1e-7, UNJUDGED, 1, 0, reason="no derivative there")
    return Report("hard_sign", [row], seconds=0.1)
