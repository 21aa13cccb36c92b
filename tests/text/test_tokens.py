"""Words by the documented rules, joined again, in time proportional to the text."""

import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scratchnet.errors import InputError
from scratchnet.text import Vocabulary, join_words, read_texts, split_characters, split_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Before we proceed any further, hear me speak.", "before we proceed any further hear me"),
        ("I don't; you can't, WON'T!", "i do n't you ca n't wo n't"),
        ("he's we'll they're I've he'd I'm", "he 's we 'll they 're i 've he 'd i 'm"),
        ("I'd've; couldn't've", "i 'd 've could n't 've"),
        ("banish'd, the king's", "banish 'd the king 's"),
        ("o'er know'st ta'en rock'n'roll", "o'er know'st ta'en rock'n'roll"),
        ("'Tis 'em, th' o' 'quoted' ''", "tis em th o quoted"),
        ("it’s ‘so’, isn’t", "it 's so is n't"),
        ("ill-will -- and _so_ on_and on", "ill will and so on and on"),
        ("3 men, 42nd, x2", "3 men 42nd x2"),
        ("naïve Ærø ЩИ Σ", "naïve ærø щи σ"),
        ("cafe\u0301s caf\u00e9s", "cafe\u0301s caf\u00e9s"),
        ("İzmir", "i\u0307zmir"),
        ("'s n't", "'s n't"),
        ("the n'tx 'sx a'sx", "the n'tx sx a'sx"),
        (" \t\r\n.,;!?«»…()[]{}", ""),
        ("", ""),
    ],
)
def test_the_rules(text, words):
    found = split_words(text)
    assert " ".join(found[: len(words.split())]) == words
    assert found[len(words.split()) :] in ([], ["speak"])


def test_shakespeares_words(shared_file):
    text, _ = read_texts(shared_file("shakespeare.txt"))
    words = split_words(text)
    assert len(words) == 207_823
    assert abs(len(words) / 207_859 - 1) < 0.01  # the published count
    ids = Vocabulary.of(text, "word").encode(text)
    published = [93, 277, 142, 33, 991, 147, 673, 133, 17, 112]  # Keras numbers from 1
    assert (ids[:10] + 1).tolist() == pytest.approx(published, rel=0.05)
    assert split_words(join_words(words)) == words


def test_words_are_joined_readably():
    said = "don't go , he said ; i'd've known the king's o'er"
    assert join_words(split_words(said)) == "don't go he said i'd've known the king's o'er"
    assert join_words(iter(["'s", "it"])) == "'s it"
    assert join_words([]) == ""


PIECES = st.sampled_from([*"abnst'’_-, İé\n", "n't", "'ll", "'s", "'d", "\u0301"])


@given(st.lists(PIECES, max_size=30).map("".join) | st.text(max_size=30))
@example("'s's")
@example("a's'sb'd")
@example("a n'tn't 's n't")
def test_what_was_split_is_split_so_again(text):
    words = split_words(text)
    assert all(words)
    assert split_words(join_words(words)) == words
    assert not re.search(r"[\s_,.;’-]", "".join(words))
    letters = re.sub(r"[^\w\u0300-\u036f]|_", "", text.lower())
    assert "".join(words).replace("'", "") == letters


@pytest.mark.parametrize(
    "piece", ["'", '"', "a'", "'s", "n't", "a", "a's", "an't'", "_", "\u0301", "n'", "'l"]
)
def test_hostile_text_takes_time_in_proportion(piece):
    started = time.perf_counter()
    split_words(piece * (10**6 // len(piece)))
    assert time.perf_counter() - started < 5  # it takes 0.2 s; a quadratic one takes hours


def test_characters_are_code_points():
    assert split_characters("né\r\n🙂'") == ["n", "é", "\r", "\n", "🙂", "'"]


@pytest.mark.parametrize("split", [split_words, split_characters])
def test_only_text_is_split(split):
    with pytest.raises(InputError, match=r"expected text to be a string, got bytes\. Read"):
        split(b"bytes")
