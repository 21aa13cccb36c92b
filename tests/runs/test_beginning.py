"""A folder that a process was killed in before its run was described."""

import dataclasses

import pytest

from scratchnet import runs
from scratchnet.errors import InputError
from scratchnet.experiments import language, wisconsin
from scratchnet.experiments.language import Settings

TEXT = "it was the best of times, it was the worst of times, it was the age of wisdom " * 4


def problem(text=TEXT):
    return language.problem("text", text, Settings(window=6, units=5, samples=0), 1, "float32", 1)


def begin(folder, of):
    with runs.recording(of.experiment, folder) as made:
        runs.start(of, "keras", made, {"schedule": "cosine"})
    return runs.read(folder)


@pytest.fixture
def early(tmp_path):
    """What a kill between the vocabulary and the description leaves."""
    folder = tmp_path / "run"
    begin(folder, problem())
    (folder / "run.json").rename(folder / ".run.json.123")
    return folder


def test_the_same_run_begins_there_again(early):
    run = begin(early, problem())
    assert run.training == {"schedule": "cosine"}
    assert run.results is None
    assert {path.name for path in early.iterdir()} == {"run.json", "vocabulary.json"}


@pytest.mark.parametrize("other", [problem(TEXT + "xyz"), wisconsin.problem()])
def test_another_does_not(early, other):
    before = (early / "vocabulary.json").read_bytes()
    with pytest.raises(InputError, match="which has something in it"):
        begin(early, other)
    assert (early / "vocabulary.json").read_bytes() == before


def test_nor_does_it_where_there_is_anything_else(early):
    (early / "mine.txt").write_text("kept")
    with pytest.raises(InputError, match="which has something in it"):
        begin(early, problem())
    assert (early / ".run.json.123").exists()


def test_a_run_without_options_is_of_before_there_were_any(tmp_path):
    run = begin(tmp_path / "run", problem())
    path = tmp_path / "run/run.json"
    path.write_text(path.read_text().replace('"training"', '"an old one has none"'))
    assert runs.read(tmp_path / "run").training == {} != run.training


def test_a_run_differs_in_whatever_decides_its_weights(tmp_path):
    run, how = begin(tmp_path / "run", problem()), {"schedule": "cosine"}
    assert runs.difference(run, problem(), "keras", how) is None
    assert runs.difference(run, problem(), "keras", {}) == "schedule cosine, got left out"
    assert runs.difference(run, problem(), "scratch", how) == "engine keras, got scratch"
    others = "the data it was started with, got others"
    lower = dataclasses.replace(run.reader, lower_case=not run.reader.lower_case)
    for change in ({"files": {"a.txt": "0"}}, {"reader": lower}):
        changed = dataclasses.replace(run, **change)
        assert runs.difference(changed, problem(), "keras", how) == others
