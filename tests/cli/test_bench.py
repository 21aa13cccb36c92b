"""``scratchnet bench``: with candidates whose times the tests set, and once for real."""

import importlib.util
import io
import itertools
import json
import os

import pytest
from rich.console import Console

pytest.importorskip("keras", reason="needs the extra `keras`")

from keras_impl import bench
from keras_impl.bench import machine, measure, threads
from keras_impl.bench.floor import Product
from keras_impl.bench.processes import cold, memory
from keras_impl.bench.processes.memory import Memory
from keras_impl.bench.race import Candidate, Stopped
from keras_impl.bench.report.results import Results
from keras_impl.bench.report.results_file import read
from keras_impl.bench.works import works
from keras_impl.bench.works.work import Work
from keras_impl.parity.compare import Agreement
from scratchnet.cli import benched

STEP, GRAPH = "Keras, compiled step", "Keras, 49 steps in one XLA graph"
COLD = {"what": "import scratchnet", "engine": "scratchnet", "seconds": 0.25, "times": [0.25]}


class Fake:
    """A work whose candidates take the times that a test says."""

    def __init__(self) -> None:
        self.times = {STEP: 0.5, "scratchnet": 0.05, GRAPH: 0.01}
        self.agreements = [Agreement("loss", 1e-9, 1e-5)]
        self.interrupted_at = 0

    def get(self, name):
        blocks = itertools.count(1)

        def block(seconds):
            if next(blocks) == self.interrupted_at:
                raise KeyboardInterrupt
            return seconds

        candidates = [
            Candidate(way, way.partition(",")[0], lambda seconds=seconds: block(seconds))
            for way, seconds in self.times.items()
        ]
        return Work(
            *(name, f"{name} training step", "step", 0.15, 0.1, [Product(10, 9, 9)]),
            candidates=lambda threads, peers: candidates,
            agreement=lambda threads, peers: self.agreements,
            training=object(),
        )


@pytest.fixture
def fake(monkeypatch) -> Fake:
    made = Fake()
    monkeypatch.setattr(works, "get", made.get)
    monkeypatch.setattr(measure.floor, "peak", lambda threads: 2e6)
    monkeypatch.setattr(threads, "pin", lambda number: None)
    monkeypatch.setattr(memory, "measure", lambda *_, **__: Memory(120.0, 12.0))
    monkeypatch.setattr(cold, "measure", lambda *_, **__: [COLD])
    return made


def hide(monkeypatch, package):
    """Make a package as good as not installed."""
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *rest: None if name == package else find(name, *rest),
    )


def words(result):
    return " ".join(result.stdout.split())


def test_one_table_with_every_way_whoever_wins(scratchnet, fake):
    result = scratchnet("bench", "wisconsin", "--threads", "3", "--rounds", "2")
    assert result.exit_code == 0, result.output
    said = words(result)
    assert "3 threads for everyone" in said
    assert "wisconsin training step 50.0 500 0.100 (0.100–0.100) 0.15 / 0.1 as aimed 2%" in said
    assert "120 / 120 = 1.00 as required; 12 / 12 = 1.00" in said
    assert f"{GRAPH} 10.0 0.0200" in said
    assert "import scratchnet scratchnet 0.250" in said
    assert "49 steps in one XLA graph take 10.0 ms each" in said
    assert "scratchnet takes 5.0 times as long, Keras's compiled step 50 times" in said


def test_everything_is_measured_where_nothing_is_named(scratchnet, fake):
    result = scratchnet("bench", "--rounds", "1", "--no-memory", "--no-cold", "--json")
    found = json.loads(result.stdout)
    assert [work["name"] for work in found["works"]] == list(bench.NAMES)
    assert found["cold"] == []
    assert found["works"][0]["timings"][1]["memory"] is None
    usual = f"--threads {threads.available()} --rounds 1 --no-memory --no-cold"
    assert found["machine"]["command"] == f"scratchnet bench {usual}"


def test_json_is_one_object_that_can_be_read_again(scratchnet, fake, tmp_path):
    result = scratchnet("bench", "wisconsin", "--rounds", "2", "--json")
    assert result.exit_code == 0
    path = tmp_path / "speed.json"
    path.write_text(result.stdout)
    found = read(path)
    (work,) = found.works
    assert work.ours.blocks == (0.05, 0.05)
    assert found.machine["blas"]
    assert found.cold == [COLD]


def test_it_says_nothing_of_whose_machine_it_is(scratchnet, fake, tmp_path):
    import platform

    text = scratchnet("bench", "wisconsin", "--json", "--save", tmp_path / "deep").stdout
    assert platform.node() not in text.replace("localhost", "")
    assert str(tmp_path) not in text


def test_results_are_saved_and_compared(scratchnet, fake, tmp_path):
    assert scratchnet("bench", "wisconsin", "--save", "out").exit_code == 0
    folder = tmp_path / "here" / "out"
    assert {path.name for path in folder.iterdir()} == {"speed.json", "speed.md"}
    assert "| wisconsin training step | 50.0 |" in (folder / "speed.md").read_text()
    again = scratchnet("bench", "wisconsin", "--baseline", "out/speed.json")
    assert again.exit_code == 0
    assert "None got worse." in words(again)
    fake.times["scratchnet"] = 0.06
    slower = scratchnet("bench", "wisconsin", "--baseline", "out/speed.json")
    assert slower.exit_code == 1
    assert "0.100 (0.100–0.100) 0.120 (0.120–0.120) +20% REGRESSED" in words(slower)
    assert "1 got worse." in words(slower)
    fake.times = {way: 10 * seconds for way, seconds in fake.times.items()}
    fake.times["scratchnet"] = 0.5  # ten times the seconds, the same ratio
    whole = scratchnet("bench", "wisconsin", "--baseline", "out/speed.json", "--json")
    assert whole.exit_code == 0
    assert json.loads(whole.stdout)["changes"][0]["regressed"] is False


def test_results_of_other_works_are_no_baseline(refused, scratchnet, fake, tmp_path):
    assert scratchnet("bench", "wisconsin", "--save", tmp_path / "kept").exit_code == 0
    fake.get = None
    line = refused("bench", "predict", "imdb", "--baseline", tmp_path / "kept" / "speed.json")
    assert "expected results of predict, imdb, got those of wisconsin" in line


def test_a_work_that_the_baseline_lacks_is_named(scratchnet, fake):
    assert scratchnet("bench", "wisconsin", "--save", "out").exit_code == 0
    more = scratchnet("bench", "wisconsin", "predict", "--baseline", "out/speed.json")
    assert more.exit_code == 0
    assert "Not in the baseline: predict." in words(more)


def test_where_results_cannot_be_written_is_found_out_before_anything_runs(refused, fake, tmp_path):
    fake.get = None
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "deep"):
        assert "expected a folder to write into, got a file" in refused(
            "bench", "wisconsin", "--save", folder
        )


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write")
def test_a_folder_without_permission_is_found_out_before_anything_runs(refused, fake, tmp_path):
    fake.get = None
    tmp_path.chmod(0o500)
    line = refused("bench", "wisconsin", "--save", tmp_path / "deep")
    tmp_path.chmod(0o700)
    assert "got no permission" in line


@pytest.mark.parametrize("columns", [60, 80, 100])
def test_no_figure_is_cut_off_on_a_narrow_screen(fake, columns):
    found = Results(machine.describe(2, "scratchnet bench"))
    measure.measure(found, ["wisconsin"], rounds=2, memory=lambda *_: Memory(120.0, 12.0))
    screen = Console(file=io.StringIO(), width=columns)
    benched.show(screen, found)
    said = screen.file.getvalue()
    assert "…" not in said
    assert all(len(line) <= columns for line in said.splitlines())
    for whole in ("0.100 (0.100–0.100)", "50.0", "0.0200 (0.0200–0.0200)", "0.15 / 0.1"):
        assert whole in said


def test_threads_are_those_of_the_environment_unless_chosen(scratchnet, refused, fake, monkeypatch):
    monkeypatch.setenv("SCRATCHNET_THREADS", "3")
    assert "3 threads for everyone" in words(scratchnet("bench", "wisconsin"))
    assert "4 threads for everyone" in words(scratchnet("bench", "wisconsin", "--threads", "4"))
    monkeypatch.setenv("SCRATCHNET_THREADS", "many")
    assert "SCRATCHNET_THREADS" in refused("bench", "wisconsin")


def test_compare_takes_the_checkouts_results(scratchnet, fake, tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "checkout", lambda: tmp_path)
    kept = tmp_path / "benchmarks" / "results"
    assert scratchnet("bench", "wisconsin", "--save", kept).exit_code == 0
    assert "None got worse." in words(scratchnet("bench", "wisconsin", "--compare"))


def test_without_a_checkout_compare_wants_a_file(refused, fake, monkeypatch):
    monkeypatch.setattr(machine, "checkout", lambda: None)
    assert "Name a file with --baseline FILE" in refused("bench", "wisconsin", "--compare")


def test_a_baseline_that_is_missing_is_found_out_before_anything_runs(refused, fake):
    fake.get = None
    assert "got no file" in refused("bench", "wisconsin", "--baseline", "nowhere.json")


def test_an_unknown_experiment_is_one_line_with_the_known_ones(refused, fake):
    line = refused("bench", "wisconsn")
    for name in bench.NAMES:
        assert name in line
    assert "Did you mean wisconsin?" in line


@pytest.mark.parametrize("option", ["--threads", "--rounds"])
def test_there_is_one_thread_and_one_round_at_least(refused, fake, option):
    assert option in refused("bench", "wisconsin", option, "0")


def test_without_keras_it_says_what_to_install(refused, monkeypatch):
    hide(monkeypatch, "keras")
    assert 'pip install "scratchnet[keras]"' in refused("bench", "wisconsin")


def test_engines_that_disagree_end_in_status_1(scratchnet, fake):
    fake.agreements = [Agreement("outputs", 1e-2, 1e-5), Agreement("loss", 1e-9, 1e-5)]
    result = scratchnet("bench", "wisconsin", "--no-cold")
    assert result.exit_code == 1
    assert "wisconsin: not timed, the engines do not agree." in words(result)
    assert "outputs: 1.0e-02 apart, 1e-05 are allowed" in words(result)


def test_what_was_measured_is_shown_when_the_user_stops_it(scratchnet, fake, tmp_path):
    fake.interrupted_at = 8  # in the third round of three candidates
    result = scratchnet("bench", "wisconsin", "--save", "out")
    assert result.exit_code == 130
    assert "wisconsin training step (interrupted) 50.0 500" in words(result)
    assert "interrupted." in result.stderr
    assert not (tmp_path / "here" / "out").exists()


def test_cold_starts_that_had_ended_are_shown_when_the_user_stops_it(scratchnet, fake, monkeypatch):
    def stopped(*_, **__):
        raise Stopped([COLD])

    monkeypatch.setattr(cold, "measure", stopped)
    result = scratchnet("bench", "wisconsin")
    assert result.exit_code == 130
    assert "import scratchnet scratchnet 0.250" in words(result)


def test_cold_starts_are_shown_where_no_race_was_run(scratchnet, fake):
    fake.agreements = [Agreement("outputs", 1e-2, 1e-5)]
    result = scratchnet("bench", "wisconsin")
    assert result.exit_code == 1
    assert "import scratchnet scratchnet 0.250" in words(result)


def test_cold_starts_are_those_of_what_was_named(scratchnet, fake, monkeypatch):
    named = []

    def measure(*_, trainings, **__):
        named.extend(trainings)
        return []

    monkeypatch.setattr(cold, "measure", measure)
    scratchnet("bench", "predict", "wisconsin", "--rounds", "1", "--no-memory")
    assert named == ["wisconsin"]


def test_a_chart_is_drawn_where_it_was_asked_for(scratchnet, fake, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib", reason="needs the extra `plots`")
    assert scratchnet("bench", "wisconsin", "--plot", "--no-cold").exit_code == 0
    assert (tmp_path / "here/reports/bench/speed.png").read_bytes().startswith(b"\x89PNG")


def test_without_matplotlib_there_is_no_chart(refused, fake, monkeypatch):
    hide(monkeypatch, "matplotlib")
    assert 'pip install "scratchnet[plots]"' in refused("bench", "wisconsin", "--plot")


def test_help_has_an_example(scratchnet):
    result = scratchnet("bench", "--help")
    assert result.exit_code == 0
    assert "Example: scratchnet bench" in words(result)


@pytest.mark.slow
def test_for_real(scratchnet, monkeypatch):
    monkeypatch.setattr(works, "MOST_UNITS", 3)
    monkeypatch.setattr(threads, "pin", lambda number: None)
    options = ("--rounds", "1", "--no-memory", "--no-cold", "--no-peers", "--json")
    result = scratchnet("bench", "wisconsin", *options)
    assert result.exit_code == 0, result.output
    (work,) = json.loads(result.stdout)["works"]
    assert len(work["timings"]) == 6
    assert 0 < work["agreement"] < 1
    assert 0 < work["floor_share"] < 1
    assert work["data"] == "the experiment's data"
