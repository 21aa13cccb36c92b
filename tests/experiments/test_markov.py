"""The experiment ``markov``: its published figures, and what a training measures."""

import pytest

from scratchnet.errors import DataError, InputError
from scratchnet.experiments import markov
from scratchnet.text.markov import MarkovChain

LINE = "Abracadabra, said the man; and the man said Abracadabra.\n"


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text(LINE * 20, encoding="utf-8")
    return path


@pytest.mark.shared_data
def test_without_arguments_it_is_the_published_chain(shared_file, tmp_path):
    shared_file("nietzsche.txt")
    chain = markov.fit()
    assert chain.counts.loc["a", "b"] == 813
    assert len(chain.followers("a")) == 39
    assert chain.probabilities.loc["a", "n"] == 0.2322806826829003
    measured = markov.train(tmp_path)
    assert measured | {"bits": None, "held_out_bits": None} == {
        "order": 1,
        "unit": "char",
        "symbols": 600_893,
        "vocabulary": 57,
        "contexts": 57,
        "transitions": 1227,
        "bits": None,
        "held_out_bits": None,
        "held_out_share": 0.1,
    }
    assert measured["bits"] == pytest.approx(3.507, abs=2e-3)
    assert measured["held_out_bits"] == pytest.approx(3.489, abs=2e-3)
    assert MarkovChain.load(tmp_path / "chain.json").counts.equals(chain.counts)


def test_case(text, tmp_path):
    assert "A" not in markov.fit([text]).vocabulary
    assert markov.fit([text], keep_case=True).followers("A").to_dict() == {"b": 40}
    markov.train(tmp_path, [text], keep_case=True)
    assert "A" in MarkovChain.load(tmp_path / "chain.json").vocabulary


def test_several_files_and_some_of_their_lines(text):
    content, reports = markov.read([text, text], max_lines=2)
    assert content == f"{LINE * 2}\n{LINE * 2}".lower()
    assert [report.lines for report in reports] == [2, 2]


def test_an_encoding(tmp_path):
    path = tmp_path / "latin.txt"
    path.write_bytes("ça va, ça va".encode("latin-1"))
    assert "ç" in markov.fit([path], encoding="latin-1").vocabulary
    with pytest.raises(DataError, match="offset 0"):
        markov.fit([path])


def test_held_out_is_the_last_tenth(text):
    chain = MarkovChain(2).fit(LINE * 20)
    measured = markov.measure(chain, LINE * 20)
    assert len(LINE) == 57
    expected = MarkovChain(2).fit((LINE * 20)[:1026]).bits((LINE * 20)[1026:])
    assert measured["held_out_bits"] == expected
    assert measured["bits"] == chain.bits(LINE * 20)
    words = MarkovChain(1, "word").fit(LINE * 20)
    assert markov.measure(words, LINE * 20)["symbols"] == 180
    expected = MarkovChain(1, "word").fit(LINE * 18).bits(LINE * 2)
    assert markov.measure(words, LINE * 20)["held_out_bits"] == expected


@pytest.mark.parametrize(("text", "order"), [("ab", 1), ("abcdefghijk", 10)])
def test_nothing_is_held_out_of_a_text_too_short_for_it(text, order):
    assert markov.measure(MarkovChain(order).fit(text), text)["held_out_bits"] is None


def test_nothing_is_written_when_something_is_wrong(tmp_path, text):
    for options, error in (
        ({"order": 0}, InputError),
        ({"order": 3, "max_lines": -1}, InputError),
        ({"text": [tmp_path / "none.txt"]}, DataError),
    ):
        with pytest.raises(error):
            markov.train(tmp_path / "run", **{"text": [text], **options})
    assert not (tmp_path / "run").exists()
