"""Results go into a file and come back; ratios are compared, and what got worse is found."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_impl.bench.measure import with_memory
from keras_impl.bench.processes.memory import Memory
from keras_impl.bench.race import timed
from keras_impl.bench.report import table
from keras_impl.bench.report.changes import ALLOWED, Change, absent, changes_between, differing
from keras_impl.bench.report.results import Failure, Measured, Results
from keras_impl.bench.report.results_file import read
from scratchnet.errors import DataError

MACHINE = {
    "cpu": "A processor",
    "architecture": "x86_64",
    "cores": 2,
    "cores_available": 2,
    "threads": 2,
    "system": "Linux 6",
    "python": "CPython 3.11",
    "versions": {"scratchnet": "0.1.0", "numpy": "2.4"},
    "blas": ["openblas 0.3"],
    "date": "2026-01-02T03:04:05+00:00",
    "commit": None,
    "command": "scratchnet bench wisconsin --threads 2 --rounds 15",
}


def work(name="wisconsin", ours=(0.2, 0.3, 0.25), theirs=(1.0, 1.1, 1.2), **changed):
    reference = timed("Keras, compiled step", "Keras", theirs, theirs)
    mine = timed("scratchnet", "scratchnet", ours, theirs)
    graph = timed("Keras, 49 steps in one XLA graph", "Keras", (0.05, 0.06, 0.05), theirs)
    made = Measured(
        name=name,
        title=f"{name} training step",
        unit="step",
        data="the experiment's data",
        baseline="Keras, compiled step",
        required=0.3,
        aimed=0.1,
        flops=10_000,
        flops_without_one_hot=5_000,
        agreement=0.01,
        timings=(reference, mine, graph),
    )
    return dataclasses.replace(made, **changed)


def found(*works, **changed):
    made = Results(MACHINE, 1e6, list(works), [Failure("imdb", ("loss: 1.0 apart",))])
    return dataclasses.replace(made, **changed)


def written(tmp_path, text):
    path = tmp_path / "speed.json"
    path.write_text(text)
    return path


def test_it_goes_into_a_file_and_comes_back(tmp_path):
    before = found(work(), work("nietzsche", complete=False, required=None, aimed=None))
    before.cold = [{"what": "import", "engine": "scratchnet", "seconds": 0.2}]
    assert read(written(tmp_path, before.to_json())) == before


def test_json_holds_what_follows_from_the_timings():
    (one,) = found(work()).to_dict()["works"]
    assert one["floor_seconds"] == 0.01  # 10,000 operations at a million a second
    assert one["floor_share"] == pytest.approx(0.05)
    assert one["floor_share_without_one_hot"] == pytest.approx(0.025)
    assert one["verdict"] == "required"


@pytest.mark.parametrize(
    ("fastest", "verdict"),
    [(0.1, "aimed"), (0.11, "required"), (0.3, "required"), (0.31, "missed")],
)
def test_the_verdict(fastest, verdict):
    assert work(ours=(fastest, 1.0, 1.0)).verdict == verdict


def test_a_file_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(DataError, match=r"got no file\. Write one with scratchnet bench --save"):
        read(tmp_path / "speed.json")


@pytest.mark.parametrize("text", ["[]", "{}", "null", '{"format": "pytest-benchmark"}'])
def test_a_foreign_file_is_one_line(tmp_path, text):
    with pytest.raises(DataError, match="expected results of scratchnet bench, got something else"):
        read(written(tmp_path, text))


@pytest.mark.parametrize("content", [b"", b"nonsense", b'{"format"', b"[" * 100_000, b"\xff\xfe"])
def test_what_is_no_json_or_was_cut_off_is_one_line(tmp_path, content):
    path = tmp_path / "speed.json"
    path.write_bytes(content)
    with pytest.raises(DataError, match="got what is no JSON, or a part of it"):
        read(path)


def test_what_a_record_has_beside_what_is_known_does_not_matter(tmp_path):
    whole = json.loads(found(work()).to_json())
    whole["works"][0]["timings"][0]["note"] = "by hand"
    assert read(written(tmp_path, json.dumps(whole))) == found(work())


def test_a_newer_file_is_one_line(tmp_path):
    newer = {**found(work()).to_dict(), "version": 2, "works": "in another way"}
    with pytest.raises(DataError, match="expected results of version 1, got 2: a newer scratchnet"):
        read(written(tmp_path, json.dumps(newer)))


def broken(path, value):
    whole = json.loads(found(work()).to_json())
    at = whole
    for key in path[:-1]:
        at = at[key]
    if value is KeyError:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return json.dumps(whole)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("works",), KeyError),
        (("works", 0, "title"), KeyError),
        (("works", 0, "timings"), []),
        (("works", 0, "timings", 1, "name"), "another"),
        (("works", 0, "timings", 1, "ratio"), -1.0),
        (("works", 0, "timings", 1, "ratio"), "0.5"),
        (("works", 0, "timings", 1, "spread"), [0.1]),
        (("works", 0, "timings", 1, "spread"), [0.1, 0.2, 0.3]),
        (("works", 0, "timings", 1, "blocks"), []),
        (("machine", "threads"), KeyError),
        (("version",), "1"),
        (("peak",), None),
    ],
)
def test_what_is_broken_inside_is_one_line(tmp_path, path, value):
    with pytest.raises(DataError, match="expected results of scratchnet bench, got") as error:
        read(written(tmp_path, broken(path, value)))
    assert "\n" not in str(error.value)


def test_nan_is_refused(tmp_path):
    text = found(work()).to_json().replace('"ratio": 0.2,', '"ratio": NaN,')
    assert "NaN" in text
    with pytest.raises(DataError):
        read(written(tmp_path, text))


def test_only_works_that_both_measured_against_the_same_are_compared():
    old = found(work("a"), work("b"), work("c"))
    other = dataclasses.replace(
        work("c"),
        baseline="Keras, XLA",
        timings=(timed("Keras, XLA", "Keras", (1.0,), (1.0,)), work("c").ours),
    )
    new = found(work("b", ours=(0.5, 0.5, 0.5)), other, work("d"))
    (one,) = changes_between(old, new)
    assert (one.name, one.old, one.new) == ("b", pytest.approx(0.2), pytest.approx(0.5))
    assert one.change == pytest.approx(1.5)
    assert one.regressed


def test_seconds_are_never_compared():
    slow = work(ours=(20.0, 30.0, 25.0), theirs=(100.0, 110.0, 120.0))
    (one,) = changes_between(found(work()), found(slow))
    assert one.change == pytest.approx(0.0)
    assert not one.regressed


RATIO = st.floats(0.001, 100.0)
WIDTH = st.floats(0.0, 2.0)


@st.composite
def change(draw):
    old, new = draw(RATIO), draw(RATIO)
    widths = [draw(WIDTH) for _ in range(4)]
    return Change(
        *("name", "title", old),
        (old / (1 + widths[0]), old * (1 + widths[1])),
        new,
        (new / (1 + widths[2]), new * (1 + widths[3])),
    )


@pytest.mark.parametrize(("new", "regressed"), [(0.05, False), (0.109, False), (0.112, True)])
def test_a_tenth_is_allowed_even_where_nothing_was_disturbed(new, regressed):
    assert Change("name", "title", 0.1, (0.1, 0.1), new, (new, new)).regressed is regressed


@given(change())
def test_nothing_that_got_faster_or_hardly_slower_is_a_regression(one):
    if one.new <= one.old * (1 + ALLOWED):
        assert not one.regressed


@given(change())
def test_spreads_that_overlap_excuse_anything(one):
    if one.new_spread[0] <= one.old_spread[1]:
        assert not one.regressed


@given(change())
def test_beyond_both_spreads_and_a_tenth_it_is_a_regression(one):
    if one.new > 1.1001 * one.old and one.new_spread[0] > one.old_spread[1]:
        assert one.regressed


@given(change(), st.floats(1.0, 3.0))
def test_slower_still_is_a_regression_still(one, factor):
    worse = dataclasses.replace(
        one, new=one.new * factor, new_spread=tuple(factor * end for end in one.new_spread)
    )
    assert worse.regressed or not one.regressed


def test_another_machine_is_mentioned():
    other = found(work(), machine={**MACHINE, "threads": 4})
    assert differing(found(work()), other) == ["the threads: 2 then, 4 now"]
    assert differing(found(), found()) == []
    versions = {"scratchnet": "0.1.0", "numpy": "2.5", "jax": "0.10"}
    other = found(work(), machine={**MACHINE, "versions": versions})
    assert differing(found(work()), other) == [
        "numpy: 2.4 then, 2.5 now",
        "jax: none then, 0.10 now",
    ]


def test_a_work_that_the_baseline_lacks_is_named():
    both = found(work(), work("imdb", baseline="scratchnet"), work("predict"))
    then = found(work(), work("imdb"))
    assert absent(then, both) == ["imdb", "predict"]


def test_more_threads_than_cores_are_remarked_upon():
    assert not any("get in each other's way" in said for said in table.how(found(work())))
    crowded = found(work(), machine={**MACHINE, "threads": 99})
    assert "99 threads on 2 cores get in each other's way" in table.markdown(crowded)


def test_memory_is_explained_where_it_was_measured():
    assert "MiB are" not in " ".join(table.how(found(work())))
    needed = {"scratchnet": Memory(10.0, 1.0)}
    assert "MiB are" in " ".join(table.how(found(with_memory(work(), needed))))


def test_the_table_shows_every_way_beneath_its_work():
    first, graph = table.rows(found(work()))
    assert first.cells == (
        *("wisconsin training step", "200", "1,000", "0.200 (0.200–0.241)"),
        *("0.3 / 0.1", "as required", "5% (2%)", ""),
    )
    assert first.verdict == "required"
    assert graph.cells[0] == "  Keras, 49 steps in one XLA graph"
    assert not graph.main


def test_memory_stands_beside_time():
    made = with_memory(
        work(), {"scratchnet": Memory(135.0, 30.0), "Keras, compiled step": Memory(900.0, 300.0)}
    )
    assert table.rows(found(made))[0].cells[-1] == "135 / 900 = 0.15 as aimed; 30 / 300 = 0.10"
    assert table.rows(found(with_memory(work(), {})))[0].cells[-1] == ""


def test_it_says_what_one_graph_does_for_a_tiny_network():
    said = table.in_one_graph(found(work()))
    assert "49 steps in one XLA graph take 50.0 ms each" in said
    assert "scratchnet takes 4.0 times as long, Keras's compiled step 20 times" in said
    faster = found(work(ours=(0.01, 0.01, 0.01)))
    assert "scratchnet, called step by step, takes 0.20 of that" in table.in_one_graph(faster)
    assert table.in_one_graph(found()) == ""


def test_the_page_says_everything():
    page = table.markdown(found(work()))
    assert page.startswith("# Speed, measured\n\nMade by `scratchnet bench wisconsin --threads 2")
    assert "A processor, 2 cores, Linux 6; 2 threads for everyone" in page
    assert "| &nbsp;&nbsp;Keras, 49 steps in one XLA graph | 50.0 |" in page
    assert "imdb was not timed, the engines disagree: loss: 1.0 apart." in page
    rows = [line for line in page.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in rows}) == 1  # no cell is missing


def test_curves_are_a_table_too():
    curve = {
        "axis": "T",
        "values": [10, 20],
        "seconds": {"scratchnet": [0.001, 0.002], "Keras": [0.003, 0.0045]},
        "last_exponents": {"scratchnet": 1.0, "Keras": 0.585},
    }
    assert table.curve_rows(found(curves=[curve])) == [
        ("T", "scratchnet", "10: 1.00, 20: 2.00", "T^1.00"),
        ("T", "Keras", "10: 3.00, 20: 4.50", "T^0.58"),
    ]
    assert "| T | Keras | 10: 3.00, 20: 4.50 |" in table.markdown(found(work(), curves=[curve]))


@pytest.mark.parametrize(
    ("value", "text"), [(0.0336532, "0.0337"), (0.5, "0.500"), (99.94, "99.9"), (1234.5, "1,234")]
)
def test_three_figures(value, text):
    assert table.figures(value) == text


def test_memory_and_the_floor_have_their_verdicts():
    def marked(name, ours, theirs):
        needed = {"scratchnet": Memory(ours, None), "Keras, compiled step": Memory(theirs, None)}
        measured = with_memory(work(name), needed)
        return table.rows(found(measured))[0].cells[-2:]

    assert "MISSED" in marked("nietzsche", 10, 10)[0]  # 5 % of the floor
    assert "MISSED" not in marked("imdb", 10, 10)[0]
    assert [marked("imdb", ours, 100)[1].partition(" = ")[2] for ours in (101, 100, 50)] == [
        "1.01 MISSED",
        "1.00 as required",
        "0.50 as aimed",
    ]
