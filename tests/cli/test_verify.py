"""``scratchnet verify``: what it asks of `scratchnet.gradcheck`, and how it shows the answer."""

import importlib.util
import json
import shlex
from types import SimpleNamespace

import numpy as np
import pytest

from scratchnet import gradcheck
from scratchnet.cli import verified, verify_code, verify_own
from scratchnet.gradcheck import catalogue
from scratchnet.gradcheck.report import RIGHT, UNJUDGED, WRONG, Report, Row
from tests.gradcheck.samples import right, unjudged, wrong

CLASS = "mine.py:MyLSTM"
PAIR = "mine.py:lstm_forward,lstm_backward"


class Checks(list):
    """The calls of the checks; they find right what is not in ``found``."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, Report] = {}

    def answer(self, label: str, replay: str = "") -> Report:
        report = self.found.get(label, right())
        report.name, report.replay = label, replay
        return report

    def check(self, subject, **options):
        self.append((subject.name, options))
        return self.answer(subject.name, options["replay"])

    def check_layer(self, layer, shape, **options):
        self.append((layer, {"shape": shape, **options}))
        return self.answer(type(layer).__name__)

    def check_file(self, target, **options):
        self.append((target, options))
        return self.answer(target)


def case(name: str, label: str, dtype: str = "float64") -> SimpleNamespace:
    subject = SimpleNamespace(name=f"{name} ({label})", dtype=dtype)
    return SimpleNamespace(name=name, label=label, make=lambda: subject)


CASES = [
    case("Dense", "relu"),
    case("SimpleRNN", "plain"),
    case("Dense", "no bias", "float32"),
    case("GRU", "plain"),
    case("GRU, reset before", "plain"),
    case("MeanSquaredError", "sum"),
    case("Activation gelu", "plain"),
]


@pytest.fixture
def checks(monkeypatch) -> Checks:
    calls = Checks()
    monkeypatch.setattr(verify_own, "check", calls.check)
    monkeypatch.setattr(verify_code, "load", lambda target: None)
    for name in ("check_layer", "check_file"):
        monkeypatch.setattr(gradcheck, name, getattr(calls, name))
    monkeypatch.setattr(catalogue, "everything", lambda: iter(CASES))
    monkeypatch.setattr(verify_own, "import_tensorflow", lambda: None)
    return calls


@pytest.fixture
def without_keras(monkeypatch):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *rest: None if name == "keras" else find_spec(name, *rest),
    )


@pytest.mark.parametrize("words", [[], ["--all"]])
def test_everything_in_one_table(scratchnet, checks, words):
    result = scratchnet("verify", *words)
    assert result.exit_code == 0, result.output
    assert [subject for subject, _ in checks] == [one.make().name for one in CASES]
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["complex", "step", "Keras"]
    assert lines[1].split() == ["array", "complex", "step", "Keras", "float32", "float32"]
    assert lines[2].split() == ["Dense", "x", *["1.0e-15"] * 4, "right"]
    assert lines[3].split() == ["Wx", *["2.0e-15"] * 4, "right"]
    assert lines[5].split() == ["SimpleRNN", "x", *["1.0e-15"] * 2, "right"]
    assert len([line for line in lines if line.split()[-1:] == ["right"]]) == 6 * 3
    assert lines[-1] == (
        "7 cases in 3 s: all right, in float64 to 3.0e-15 (Dense, b, complex step), "
        "in float32 to 3.0e-15 (Dense, b, complex step)."
    )


def test_everything_with_something_wrong(scratchnet, checks):
    checks.found = {"SimpleRNN (plain)": wrong(), "Dense (relu)": unjudged()}
    result = scratchnet("verify")
    assert result.exit_code == 1
    assert "\nSimpleRNN (plain): WRONG in Wh, Wx\n" in result.stdout
    assert "\nDense (relu): could not be judged in x\n" in result.stdout
    assert result.stdout.splitlines()[-1] == (
        "7 cases in 3 s: 1 WRONG: SimpleRNN (plain). 1 could not be judged: Dense (relu)."
    )


def test_everything_with_something_unjudged(scratchnet, checks):
    checks.found = {"Dense (relu)": unjudged()}
    assert scratchnet("verify").exit_code == 2


@pytest.mark.parametrize("word", ["dense", "Dense", "DENSE"])
def test_one_layer_lists_its_cases(scratchnet, checks, word):
    result = scratchnet("verify", word, "--seed", 3)
    assert result.exit_code == 0
    assert [subject for subject, _ in checks] == ["Dense (relu)", "Dense (no bias)"]
    assert [options["seed"] for _, options in checks] == [3, 3]
    lines = [line.rstrip() for line in result.stdout.splitlines()]
    assert "relu     right, to 3e-15" in lines
    assert "no bias  right, to 3e-15" in lines


@pytest.mark.parametrize(
    ("word", "names"),
    [
        ("gru", ["GRU (plain)", "GRU, reset before (plain)"]),
        ("gelu", ["Activation gelu (plain)"]),
        ("Activation", ["Activation gelu (plain)"]),
        ("mse", ["MeanSquaredError (sum)"]),
        ("MeanSquaredError", ["MeanSquaredError (sum)"]),
        ("mean_squared_error", ["MeanSquaredError (sum)"]),
    ],
)
def test_names(scratchnet, checks, word, names):
    assert scratchnet("verify", word).exit_code == 0
    assert [subject for subject, _ in checks] == names


@pytest.mark.parametrize("word", ["simple_rnn", "SimpleRNN", "simplernn"])
def test_one_case_is_shown_in_full(scratchnet, checks, word):
    result = scratchnet("verify", word, "--no-keras")
    assert result.stdout.startswith("SimpleRNN (plain): right, to 3e-15\n\narray")
    assert result.stdout.endswith("\n  scratchnet verify simple_rnn --no-keras --seed 0\n")


def test_replay_of_a_case_names_its_kind(scratchnet, checks):
    scratchnet("verify")
    words = [options["replay"].split()[2] for _, options in checks]
    assert words == ["dense", "simple_rnn", "dense", "gru", "gru", "mean_squared_error", "gelu"]


def test_layer_of_other_sizes(scratchnet, checks):
    result = scratchnet("verify", "lstm", "--units", 7, "--input-shape", "2,5,3", "--no-keras")
    assert result.exit_code == 0, result.output
    ((layer, options),) = checks
    assert (type(layer).__name__, layer.units) == ("LSTM", 7)
    assert options == {"shape": (2, 5, 3), "seed": 0, "keras": False}
    command = "scratchnet verify lstm --input-shape 2,5,3 --units 7 --no-keras --seed 0"
    assert result.stdout.endswith(f"  {command}\n")


@pytest.mark.parametrize(
    ("words", "units", "shape"),
    [
        (["dense", "--units", 2], 2, (5, 4)),
        (["gru", "--units", 2], 2, (3, 6, 4)),
        (["gru", "--input-shape", "1,1,1"], 5, (1, 1, 1)),
    ],
)
def test_sizes_left_out(scratchnet, checks, words, units, shape):
    assert scratchnet("verify", *words).exit_code == 0
    ((layer, options),) = checks
    assert (layer.units, options["shape"]) == (units, shape)


@pytest.mark.parametrize(
    ("words", "options", "replay"),
    [
        (
            [CLASS, "--like", "LSTM", "--input-shape", "2,5,3", "--seed", 4],
            {"like": "LSTM", "input_shape": (2, 5, 3), "seed": 4},
            f"{CLASS} --like LSTM --input-shape 2,5,3 --seed 4",
        ),
        (
            [CLASS, "--input-shape", "4"],
            {"input_shape": (4,), "seed": 0},
            f"{CLASS} --input-shape 4 --seed 0",
        ),
        (
            ["my code.py:Em", "--input-shape", "3,6", "--ids", "12"],
            {"input_shape": (3, 6), "ids": 12, "seed": 0},
            "'my code.py:Em' --input-shape 3,6 --ids 12 --seed 0",
        ),
        (
            [CLASS, "--ids", "12"],
            {"input_shape": (3, 6), "ids": 12, "seed": 0},
            f"{CLASS} --input-shape 3,6 --ids 12 --seed 0",
        ),
        (
            [CLASS, "--input-shape", "5,4", "--ids", "labels=5:4"],
            {"input_shape": (5, 4), "ids": {"labels": ((5,), 4)}, "seed": 0},
            f"{CLASS} --input-shape 5,4 --ids labels=5:4 --seed 0",
        ),
        (
            [PAIR, "--like", "gru", "--shape", "x=3,6,4"],
            {"like": "gru", "shapes": {"x": (3, 6, 4)}, "seed": 0},
            f"{PAIR} --like gru --shape x=3,6,4 --seed 0",
        ),
        (
            [PAIR, "--shape", "x=3,6,4", "--shape", "h0=3,5", "--ids", "labels=3,6:10"],
            {"shapes": {"x": (3, 6, 4), "h0": (3, 5)}, "ids": {"labels": ((3, 6), 10)}, "seed": 0},
            f"{PAIR} --shape x=3,6,4 --shape h0=3,5 --ids labels=3,6:10 --seed 0",
        ),
    ],
)
def test_code_of_ones_own(scratchnet, checks, words, options, replay):
    result = scratchnet("verify", *words)
    assert result.exit_code == 0, result.output
    assert checks == [(words[0], options)]
    assert result.stdout.endswith(f"  scratchnet verify {replay}\n")


def test_replay_asks_for_the_same(scratchnet, checks):
    words = [PAIR, "--shape", "x=3,6", "--ids", "labels=3:10", "--seed", 9]
    report = json.loads(scratchnet("verify", *words, "--json").stdout)["reports"][0]
    scratchnet(*shlex.split(report["replay"])[1:])
    assert checks[0] == checks[1]


@pytest.mark.parametrize(
    ("like", "shape", "ids", "said"),
    [
        ("LSTM", (3, 6, 4), None, ["No --input-shape was given: 3,6,4 was taken."]),
        ("dense", (5, 4), None, ["No --input-shape was given: 5,4 was taken."]),
        (
            "Embedding",
            (3, 6),
            10,
            [
                "No --input-shape was given: 3,6 was taken.",
                "No --ids were given: ids below 10 were taken.",
            ],
        ),
    ],
)
def test_what_is_left_out_is_taken_and_said(scratchnet, checks, like, shape, ids, said):
    result = scratchnet("verify", CLASS, "--like", like)
    assert result.exit_code == 0
    ((_, options),) = checks
    assert (options["input_shape"], options.get("ids")) == (shape, ids)
    for line in said:
        assert line in result.stdout.splitlines()


@pytest.mark.parametrize(("report", "status"), [(right, 0), (wrong, 1), (unjudged, 2)])
def test_status_says_the_verdict(scratchnet, checks, report, status):
    checks.found = {CLASS: report()}
    result = scratchnet("verify", CLASS, "--like", "LSTM")
    assert result.exit_code == status
    assert result.stderr == ""
    assert result.stdout.startswith(f"{CLASS}: {report().answer}\n")


def test_json(scratchnet, checks):
    checks.found = {"SimpleRNN (plain)": wrong(), "GRU (plain)": unjudged()}
    result = scratchnet("verify", "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout, parse_constant=pytest.fail)
    assert list(found) == ["verdict", "worst", "reports"]
    assert found["verdict"] == "wrong"
    assert [report["name"] for report in found["reports"]] == [one.make().name for one in CASES]
    assert found["worst"][0] == {
        "name": "Dense",
        "array": "x",
        "oracle": "complex step",
        "dtype": "float64",
        "absolute": 2e-15,
        "relative": 1e-15,
        "tolerance": 1e-12,
        "verdict": "right",
        "case": "relu",
    }


def test_page(scratchnet, checks, tmp_path):
    result = scratchnet("verify", CLASS, "--like", "LSTM", "--html", "pages/found.html")
    page = tmp_path / "here/pages/found.html"
    assert f"<title>scratchnet verify {CLASS}</title>" in page.read_text()
    assert "right, to 3e-15" in page.read_text()
    assert result.stdout.endswith("\nPage: pages/found.html\n")


def test_without_keras_it_is_said_and_all_is_right(scratchnet, checks, without_keras):
    result = scratchnet("verify")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1].startswith("Keras is not installed, so nothing was held")
    assert {options["keras"] for _, options in checks} == {False}
    assert "not installed" not in scratchnet("verify", "--no-keras").stdout


def test_keras_asked_for_and_not_installed(refused, checks, without_keras):
    said = "scratchnet: --keras: Keras is not installed: pip install"
    assert refused("verify", "gru", "--keras").startswith(said)


@pytest.mark.parametrize(("option", "wanted"), [([], True), (["--no-keras"], False)])
def test_keras_where_it_is_installed(scratchnet, checks, monkeypatch, option, wanted):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    scratchnet("verify", "simple_rnn", *option)
    ((_, options),) = checks
    assert options["keras"] is wanted


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            ["simple_rn"],
            "verify: expected a layer or loss of scratchnet's, or FILE.py:NAME, got simple_rn. "
            "Did you mean simple_rnn?",
        ),
        (
            ["zzz"],
            "verify: expected a layer or loss of scratchnet's, or FILE.py:NAME, got zzz. They are "
            "activation, dense, gelu, gru, mean_squared_error, simple_rnn.",
        ),
        (
            ["mine.py"],
            "verify: expected FILE.py:CLASS or FILE.py:FORWARD,BACKWARD, such as mine.py:MyLSTM, "
            "got mine.py. Name what to check in the file.",
        ),
        (
            ["mine.py:a,b,c"],
            "verify: expected FILE.py:CLASS or FILE.py:FORWARD,BACKWARD, such as mine.py:MyLSTM, "
            "got mine.py:a,b,c. Name what to check in the file.",
        ),
        (
            ["lstm", "--all"],
            "--all: checks everything, and lstm is one thing: leave one of them out.",
        ),
        (
            [CLASS],
            f"--input-shape: expected the shape of an input of {CLASS}, such as --input-shape "
            "3,6,4 (batch, time, features), got none. Add it, or --like LSTM.",
        ),
        (
            [CLASS, "--input-shape", "3x6"],
            "--input-shape: expected sizes such as 3,6,4, got 3x6. Give whole numbers above 0 with "
            "commas between them.",
        ),
        (
            [CLASS, "--input-shape", "3,0"],
            "--input-shape: expected sizes such as 3,6,4, got 3,0. Give whole numbers above 0 with "
            "commas between them.",
        ),
        (
            [CLASS, "--input-shape", ""],
            "--input-shape: expected sizes such as 3,6,4, got nothing. Give whole numbers above 0 "
            "with commas between them.",
        ),
        (
            [CLASS, "--shape", "x=3"],
            f"--shape: is for two functions, and {CLASS} is a class: give --input-shape.",
        ),
        (
            [CLASS, "--input-shape", "3", "--ids", "ten"],
            "--ids: expected for a class one number above its largest id, such as --ids 10, got "
            "ten. The shape is --input-shape's.",
        ),
        (
            [PAIR],
            "--shape: expected the shape of every argument of lstm_forward, such as --shape "
            "x=3,6,4 --shape h0=3,5, got none. Add them; integers are --ids labels=3,6:10.",
        ),
        (
            [PAIR, "--shape", "3,6,4"],
            "--shape: expected NAME=SIZES such as x=3,6,4, got 3,6,4. Give an argument's name and "
            "whole numbers above 0 with commas between them.",
        ),
        (
            [PAIR, "--shape", "x=3,"],
            "--shape: expected NAME=SIZES such as x=3,6,4, got x=3,. Give an argument's name and "
            "whole numbers above 0 with commas between them.",
        ),
        (
            [PAIR, "--ids", "labels=3"],
            "--ids: expected NAME=SIZES:BELOW such as labels=3,6:10, got labels=3. Give the "
            "array's sizes, and a number above its largest id.",
        ),
        (
            [PAIR, "--shape", "x=3", "--ids", "x=3:4"],
            "--shape: expected each argument once, got x more than once. Leave one.",
        ),
        (
            [PAIR, "--shape", "x=3", "--input-shape", "3"],
            f"--input-shape: is for a class, and {PAIR} is two functions: give --shape x=3,6,4.",
        ),
        (
            [CLASS, "--units", 3],
            f"--units: is for scratchnet's own layers, not for {CLASS}: leave it out.",
        ),
        (
            [CLASS, "--keras"],
            f"--keras: is for scratchnet's own layers, not for {CLASS}: leave it out.",
        ),
        (
            ["lstm", "--like", "LSTM"],
            "--like: is for code of yours, and lstm is scratchnet's own: name yours, as in "
            "mine.py:MyLSTM.",
        ),
        (
            ["--shape", "x=3"],
            "--shape: is for code of yours, and no file is named: name yours, as in "
            "mine.py:MyLSTM.",
        ),
        (
            ["--units", 3],
            "--units: is for one layer: name it, as in scratchnet verify lstm.",
        ),
        (
            ["bidirectional", "--units", 3],
            "--units: Bidirectional needs more to be made than units: leave --units out.",
        ),
        (["flatten", "--units", 3], "--units: Flatten has none: leave --units out."),
        (
            ["gru", "--input-shape", "3;4"],
            "--input-shape: expected sizes such as 3,6,4, got 3;4. Give whole numbers above 0 with "
            "commas between them.",
        ),
    ],
)
def test_bad_input_is_one_line_with_a_remedy(refused, checks, words, line):
    assert refused("verify", *words) == f"scratchnet: {line}"
    assert checks == []


def test_a_missing_file_comes_before_missing_options(refused):
    assert refused("verify", CLASS) == "scratchnet: mine.py does not exist: check the path"
    assert refused("verify", PAIR) == "scratchnet: mine.py does not exist: check the path"


def test_help(scratchnet):
    result = scratchnet("verify", "--help")
    assert result.exit_code == 0
    assert "Example: scratchnet verify my_code.py:MyLSTM --like LSTM" in result.stdout


def checked(label: str, *rows: Row) -> verified.Checked:
    return verified.Checked("f", label, Report(label, list(rows)))


def test_worst_is_by_verdict_then_by_share_of_what_is_allowed():
    exact = Row("x", "Keras", (1,), 1e-13, 1e-13, 1e-12, RIGHT, 1, 1)
    loose = Row("x", "Keras", (1,), 1e-6, 1e-6, 1e-4, RIGHT, 1, 1)
    odd = Row("x", "Keras", (1,), 0.0, 0.0, 1e-12, UNJUDGED, 1, 0)
    bad = Row("x", "Keras", (1,), 1e-11, 1e-11, 1e-12, WRONG, 1, 1)
    nan = Row("x", "Keras", (1,), np.nan, np.nan, 1e-12, WRONG, 1, 1)
    rows = {"loose": loose, "exact": exact, "odd": odd, "bad": bad, "nan": nan}
    for i in range(len(rows)):
        cases = [checked(label, row) for label, row in list(rows.items())[: i + 1]]
        for order in (cases, cases[::-1]):
            (one,) = verified.worst(order)
            assert one.label == cases[-1].label


def test_nothing_checked_is_not_right():
    assert verified.status([]) == 2
