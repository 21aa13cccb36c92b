"""What a report says, as text and as JSON."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from scratchnet.gradcheck.findings import TITLES, Finding
from scratchnet.gradcheck.report import RIGHT, UNJUDGED, WRONG, Report, Row
from tests.gradcheck.samples import HOSTILE, right, unjudged, wrong


def shown(report: Report, width: int, **options) -> str:
    page = io.StringIO()
    report.show(Console(file=page, width=width, highlight=False, **options))
    return page.getvalue()


def test_verdicts_and_statuses():
    found = [(one.verdict, one.ok, one.status) for one in (right(), wrong(), unjudged())]
    assert found == [(RIGHT, True, 0), (WRONG, False, 1), (UNJUDGED, False, 2)]
    assert Report("nothing").verdict == UNJUDGED
    assert Report("f", right().rows, [Finding("upstream-modified")]).verdict == WRONG
    assert Report("f", right().rows + unjudged().rows).verdict == UNJUDGED
    assert Report("f", wrong().rows[1:2] + unjudged().rows).verdict == WRONG


def test_first_line_is_the_verdict():
    firsts = [str(one).splitlines()[0] for one in (right(), wrong(), unjudged(), Report("f"))]
    assert firsts == [
        "LSTM: right, to 3e-15",
        "MyLSTM: WRONG in Wh, Wx",
        "hard_sign: could not be judged in x",
        "f: could not be judged",
    ]


def test_answers():
    rows = [replace(right().rows[0], relative=0.0)]
    assert Report("f", rows).answer == "right, to the last digit"
    assert Report("f", right().rows, [Finding("upstream-modified")]).answer == "WRONG"
    rows = [replace(wrong().rows[1], array=f"W{i}") for i in range(4)]
    assert Report("f", rows).answer == "WRONG in W0, W1, W2, W3"
    rows += [replace(rows[0], array="b"), replace(rows[0], oracle="Keras")]
    assert Report("f", rows).answer == "WRONG in W0, W1, W2, 2 more"


def test_differences_count_where_there_is_nothing_exact():
    x = replace(right().rows[0], oracle="differences", relative=3e-10)
    assert Report("f", [*right().rows, x]).answer == "right, to 3e-15"
    assert Report("f", [*right().rows, replace(x, array="h0")]).answer == "right, to 3e-10"


def test_text_of_a_right_report_in_full():
    assert str(right()).splitlines() == [
        "LSTM: right, to 3e-15",
        "",
        "array  oracle        shape  absolute  relative  allowed  verdict  judged",
        "x      complex step  3×6×4   2.0e-15   1.0e-15    1e-12  right     72/72",
        "x      Keras         3×6×4   2.0e-15   1.0e-15    1e-12  right     72/72",
        "Wx     complex step  4×20    2.0e-15   2.0e-15    1e-12  right     72/72",
        "Wx     Keras         4×20    2.0e-15   2.0e-15    1e-12  right     72/72",
        "b      complex step  20      2.0e-15   3.0e-15    1e-12  right     72/72",
        "b      Keras         20      2.0e-15   3.0e-15    1e-12  right     72/72",
        "",
        "Taylor remainder: slope 2.00, where a right gradient gives 2 and a wrong one 1",
        "",
        "Seed 0, 0.4 s.",
        "The same case again:",
        "  scratchnet verify lstm --seed 0",
    ]


def test_text_of_a_wrong_report_in_full():
    assert str(wrong()).splitlines()[9:] == [
        "The gradient of Wh[0, 3] is given as 0.125, and is 0.5 by complex step",
        "The gradient of Wx[1, 2] is given as nan, and is 0.5 by Keras",
        f"{HOSTILE} against differences cannot be judged: relu's kink",
        "Gates in the order f, i, o, g.",
        "Taylor remainder: slope 1.00, where a right gradient gives 2 and a wrong one 1",
        "",
        "1. What flows back from step t+1 through the hidden state is lost. (recurrent-term-lost)",
        "   where     Wh, gate f, step 0, row 1, worst at Wh[0, 3]",
        "   what      What later steps say of h_t never reaches it.",
        "   equation  dh_t = dy_t + dz_{t+1} Whᵀ",
        "   evidence  A backward pass without this term gives your figures to 3e-16.",
        "   line      my_lstm.py:42: dh = dy[:, t]  # <b>",
        "   also fits What flows back from step t+1 through the cell state is lost. (carry-lost)",
        "",
        "2. The backward pass writes into the upstream gradient it is given. (upstream-modified)",
        "",
        "Smallest case that fails: B = 1, T = 2, D = 1, H = 1",
        "",
        "Seed 7, 1.2 s.",
        "The same case again:",
        "  scratchnet verify my_lstm.py:MyLSTM --like LSTM --input-shape 3,6,4 "
        "--shape a_long_name=3,5 --shape another=3,5 --seed 7",
    ]


def test_text_has_no_colour_and_is_wrapped_at_100_columns_but_for_the_command():
    report = wrong()
    report.findings = [replace(report.findings[0], explanation="word " * 60)]
    lines = str(report).splitlines()
    assert "\x1b" not in str(report)
    assert max(len(line) for line in lines[:-1]) <= 100
    assert lines[-1] == f"  {report.replay}"


@pytest.mark.parametrize("width", [80, 120])
def test_table_is_whole_on_a_narrow_terminal(width):
    report = wrong()
    report.rows = [row for row in report.rows if row.array != HOSTILE]
    lines = shown(report, width).splitlines()
    (line,) = [line for line in lines if line.startswith("Wh") and "differences" in line]
    assert line.split() == [
        "Wh",
        "differences",
        "5×20",
        "3.0e-01",
        "2.0e-01",
        "1e-07",
        "WRONG",
        "100/100",
    ]
    assert "…" not in shown(report, width)


def test_wrong_is_red_and_unjudged_yellow_on_a_terminal():
    page = shown(wrong(), 120, force_terminal=True, color_system="standard")
    lines = page.splitlines()
    assert any("\x1b[1;31mWh" in line and "\x1b[1;31mWRONG" in line for line in lines)
    assert any(line.startswith("\x1b[33mb<script>") for line in lines)
    assert any(line.startswith("x") and "\x1b[32mright" in line for line in lines)


def test_names_are_no_markup_and_steer_no_terminal():
    row = replace(wrong().rows[1], array="[bold]W[/bold]\x1b[2J")
    said = str(Report("[red]f[/]", [row]))
    assert "[red]f[/]: WRONG in [bold]W[/bold]" in said
    assert "\x1b" not in said


def test_a_small_difference_can_be_seen():
    row = replace(wrong().rows[1], ours=0.535080012, reference=0.53508)
    assert "given as 0.535080012, and is 0.53508 by" in str(Report("f", [row]))


def test_every_finding_can_be_shown():
    report = Report("f", findings=[Finding(one) for one in TITLES])
    for title in TITLES.values():
        assert title in str(report)


def test_json_round_trip_has_null_for_what_json_has_not():
    report = wrong()
    found = json.loads(report.to_json())
    assert found == report.to_dict()
    assert list(found) == [
        "name", "verdict", "ok", "answer", "rows", "findings", "notes", "slope", "heat_map",
        "smallest", "seed", "replay", "seconds",
    ]  # fmt: skip
    assert found["rows"][1] == {
        "array": "Wh", "oracle": "complex step", "shape": [5, 20], "absolute": 0.3,
        "relative": 0.2, "tolerance": 1e-12, "verdict": "wrong", "entries": 100, "judged": 100,
        "worst": [0, 3], "ours": 0.125, "reference": 0.5, "reason": "",
    }  # fmt: skip
    assert (found["rows"][3]["absolute"], found["rows"][3]["relative"]) == (None, None)
    assert found["heat_map"] == {
        "rows": ["f", HOSTILE],
        "values": [[0.0, 3e-16, 0.25], [None, 1e-7, None]],
    }
    finding = found["findings"][0]
    assert finding["id"] == "recurrent-term-lost"
    assert finding["title"] == TITLES["recurrent-term-lost"]
    assert finding["where"] == "Wh, gate f, step 0, row 1, worst at Wh[0, 3]"
    assert finding["entry"] == [0, 3]
    assert finding["line"] == {
        "file": "my_lstm.py", "number": 42, "text": "    dh = dy[:, t]  # <b>",
    }  # fmt: skip


def test_json_takes_numpys_scalars():
    row = Row("x", "Keras", (np.int64(3),), np.float32(0.5), np.float64(np.inf), 1e-12, WRONG, 3, 3)
    found = json.loads(Report("f", [row], slope=np.float64(2)).to_json())
    assert found["rows"][0]["shape"] == [3]
    assert found["rows"][0]["absolute"] == 0.5
    assert found["rows"][0]["relative"] is None
    assert found["slope"] == 2.0
