"""Symbols and their ids."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet.errors import DataError, InputError
from scratchnet.text import Vocabulary, read_texts, split_words, vocabulary


def test_characters_are_in_the_order_of_their_code_points():
    known = Vocabulary.of("banana\n🙂é")
    assert known.symbols == ("\n", "a", "b", "n", "é", "🙂")
    assert dict(known.ids) == {"\n": 0, "a": 1, "b": 2, "n": 3, "é": 4, "🙂": 5}
    assert len(known) == 6
    assert "é" in known
    assert "e" not in known
    ids = known.encode("nab🙂é")
    assert ids.tolist() == [3, 1, 2, 5, 4]
    assert ids.dtype == np.int32
    assert known.decode(ids) == "nab🙂é"
    assert known.encode("").shape == (0,)
    assert known.decode([]) == ""


def test_words_are_numbered_as_keras_does():
    keras = pytest.importorskip("keras.src.legacy.preprocessing.text")
    text = "The cat's hat. The dog, the CAT! A dog; a bird; a rat's rat and a hat"
    tokenizer = keras.Tokenizer(filters="")
    tokenizer.fit_on_texts([split_words(text)])
    known = Vocabulary.of(text, "word")
    assert {word: k + 1 for word, k in known.ids.items()} == tokenizer.word_index
    (ids,) = tokenizer.texts_to_sequences([split_words(text)])
    assert (known.encode(text) + 1).tolist() == ids
    assert known.decode(known.encode("A rat's hat")) == "a rat's hat"
    assert known.encode(" .\n").dtype == np.int32


def test_unknown_is_the_first():
    known = Vocabulary.of("abcab\ufffd", unknown="\ufffd")
    assert known.symbols == ("\ufffd", "a", "b", "c")
    assert known.encode("xcay\ud800").tolist() == [0, 3, 1, 0, 0]
    words = Vocabulary.of("to be or not to be", "word", size=3, unknown="<unk>")
    assert words.symbols == ("<unk>", "to", "be")
    assert words.encode("to be, or to see").tolist() == [1, 2, 0, 1, 0]
    assert words.decode([1, 0, 2]) == "to <unk> be"


def test_size_keeps_the_most_frequent():
    text = "ddccccbbba"
    assert Vocabulary.of(text, size=2).symbols == ("b", "c")
    assert Vocabulary.of(text, size=3, unknown="?").symbols == ("?", "b", "c")
    assert Vocabulary.of(text, size=1, unknown="?").symbols == ("?",)
    assert Vocabulary.of(text, size=99).symbols == ("a", "b", "c", "d")
    # Of equals, the first to occur.
    assert Vocabulary.of("zyx", size=2).symbols == ("y", "z")
    assert Vocabulary.of("z y x y", "word", size=2).symbols == ("y", "z")
    # The unknown one takes no second place, however often it occurs.
    assert Vocabulary.of("???ab", size=3, unknown="?").symbols == ("?", "a", "b")


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_decoding_undoes_encoding(text):
    known = Vocabulary.of(text)
    assert known.decode(known.encode(text)) == text
    assert known.encode(text).tolist() == [sorted(set(text)).index(c) for c in text]


@given(st.text(max_size=20))
def test_encoding_finds_exactly_what_is_not_known(text):
    known = Vocabulary("ab\U0010ffff")
    missing = [c for c in dict.fromkeys(text) if c not in "ab\U0010ffff"]
    if not missing:
        assert known.decode(known.encode(text)) == text
        return
    with pytest.raises(InputError) as caught:
        known.encode(text)
    assert str(caught.value).encode()
    listed = ", ".join(map(repr, missing[:10]))
    more = f" and {len(missing) - 10} more" if len(missing) > 10 else ""
    assert f"got {listed}{more}. Leave" in str(caught.value)


@pytest.mark.parametrize("character", ["c", "d", chr(100 + 97), "\ud800", "\U0010ffff"])
def test_characters_above_the_highest_known_are_unknown(character):
    with pytest.raises(InputError, match="got"):
        Vocabulary("ab").encode("ab" + character)
    assert Vocabulary("ab", unknown="a").encode("b" + character).tolist() == [1, 0]


def test_unknown_words_are_named():
    with pytest.raises(InputError, match=r"known ones, got 'cat', .'s.\. Leave"):
        Vocabulary(["the", "dog"], "word").encode("The cat's dog")


def test_nietzsches_characters(shared_file):
    text, _ = read_texts(shared_file("nietzsche.txt"))
    assert len(text) == 600_893
    assert len(Vocabulary.of(text)) == 84
    assert len(Vocabulary.of(text.lower())) == 57
    latin, _ = read_texts(shared_file("nietzsche.txt"), encoding="latin-1")
    assert len(Vocabulary.of(latin.lower())) == 59
    known = Vocabulary.of(text)
    assert known.decode(known.encode(text)) == text


@pytest.mark.parametrize(
    "known",
    [
        Vocabulary.of('né\n"\\🙂\u2028'),
        Vocabulary.of("abc", unknown="\ufffd"),
        Vocabulary.of("The cat's hat", "word", unknown="<unk>"),
        Vocabulary("a"),
    ],
    ids=repr,
)
def test_saved_and_loaded_is_equal(known, tmp_path):
    path = known.save(tmp_path / "new" / "vocabulary.json")
    loaded = Vocabulary.load(path)
    assert loaded == known
    assert hash(loaded) == hash(known)
    assert loaded.unknown == known.unknown
    assert loaded.unit == known.unit
    assert loaded.symbols == known.symbols


def test_equal_means_equal_in_everything():
    known = Vocabulary("ab")
    assert known == Vocabulary(["a", "b"])
    for other in (
        Vocabulary("ba"),
        Vocabulary("abc"),
        Vocabulary("ab", "word"),
        Vocabulary("ab", unknown="a"),
        ("a", "b"),
    ):
        assert known != other
    assert repr(Vocabulary("abcd")) == "<Vocabulary of 4 chars: 'a', 'b', 'c', …>"
    with pytest.raises(TypeError):
        known.ids["c"] = 2  # type: ignore[index]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([],), "at least one symbol, got none"),
        ((["ab"],), "to be a character that UTF-8 can write, got 'ab'"),
        ((["a", ""],), "to be a character .* got ''"),
        (([1],), "to be a character .* got 1"),
        (([""], "word"), "to be a word .* got ''"),
        (("a\ud800",), r"got '\\ud800'"),
        ((["ok", "x\udfff"], "word"), r"got 'x\\udfff'"),
        (("aba",), "once, got 'a' 2 times"),
        (("ab", "chars"), "unit to be 'char' or 'word', got 'chars'"),
        (("ab", ["char"]), "unit to be"),
        (("ab", "char", "b"), "unknown symbol to be the first, 'a', got 'b'"),
        (("ab", "char", "c"), "unknown symbol to be the first, 'a', got 'c'"),
    ],
)
def test_what_can_be_no_vocabulary(arguments, message):
    with pytest.raises(InputError, match=message):
        Vocabulary(*arguments)


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        (("",), DataError, "at least one char, got ''"),
        ((" .,", "word"), DataError, r"at least one word, got ' \.,'"),
        (("???", "char", None, ""), InputError, "got ''"),
        (("", "char", 1, "?"), DataError, "at least one char"),
        (("a\ud800b",), InputError, r"got '\\ud800'. Leave it out, or read"),
        (("ab", "char", 0), InputError, "size to be a positive integer, got 0"),
        (("ab", "line"), InputError, "unit"),
        (("ab", "char", None, "??"), InputError, r"a character .* got '\?\?'"),
        ((["a"],), InputError, "text to be a string, got list"),
    ],
)
def test_texts_without_a_vocabulary(arguments, kind, message):
    with pytest.raises(kind, match=message):
        Vocabulary.of(*arguments)


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([0, 3], "ids from 0 to 2, got 3"),
        (np.array([-1]), "got -1"),
        ([0.0], "whole numbers in one dimension, got float64"),
        ([[0]], r"shape \(1, 1\)"),
        ([True], "got bool"),
        (["a"], "array of numbers"),
        (1, r"shape \(\)"),
    ],
)
def test_ids_that_stand_for_nothing(ids, message):
    with pytest.raises(InputError, match=message):
        Vocabulary("abc").decode(ids)


def test_only_text_is_encoded():
    with pytest.raises(InputError, match="got int"):
        Vocabulary("abc").encode(5)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"symbols": "ab"}, "a list of symbols, got str"),
        ({"symbols": None}, "a list of symbols, got NoneType"),
        ({"symbols": []}, "at least one symbol"),
        ({"symbols": ["a", "a"]}, "'a' 2 times"),
        ({"symbols": ["a", ["b"]]}, "a character"),
        ({"symbols": ["a", "\ud800"]}, "a character"),
        ({"symbols": ["a"], "unit": None}, "unit to be"),
        ({"symbols": ["a"], "unknown": 7}, "unknown symbol"),
        ({"symbols": ["a"], "format": "scratchnet vocabulary 2"}, "vocabulary 1 in JSON"),
    ],
)
def test_files_that_hold_no_vocabulary(tmp_path, content, message):
    path = tmp_path / "vocabulary.json"
    path.write_text(json.dumps({"format": vocabulary.KIND, "unit": "char"} | content))
    with pytest.raises(DataError, match=message) as caught:
        Vocabulary.load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
