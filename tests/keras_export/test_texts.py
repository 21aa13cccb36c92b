"""Text inside the model: the very ids of scratchnet's readers, whatever the text."""

import functools

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow", reason="needs the extra keras")

from hypothesis import example, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from keras_impl.preprocessing import code_points  # noqa: E402
from keras_impl.preprocessing import texts as text_layers  # noqa: E402
from keras_impl.preprocessing.texts import LatestIds, ReviewIds  # noqa: E402
from scratchnet.errors import InputError  # noqa: E402
from scratchnet.experiments import imdb_data  # noqa: E402
from scratchnet.experiments.readers import Language, Reviews  # noqa: E402
from scratchnet.text import Vocabulary, split_words  # noqa: E402

REVIEW_WORDS = ("film", "good", "it's", "br", "Ángela", "ΣΑΣ", "naïve", "a\rb", "x\u00a0y", "'")
REVIEW_SYMBOLS = (*imdb_data.MARKERS, *REVIEW_WORDS)
LENGTH = 8

# Letters whose cases are not one to one, marks, signs of all kinds, all lengths of UTF-8.
NASTY = (
    "aAzZnst'’_ΣσςİıIiẞßΑά\u0307\u0345.ǅﬀＡ字٣²Ⅷ\u00ad\u200d\ufeff\U00010400\U0001f600\x00\x01"
    "\r\n\t -\u00a0\u0085"
)
CHARACTERS = tuple(sorted(set(NASTY.lower()) | set("abc")))
WORDS = ("<unknown>", "don", "do", "n't", "'s", "'ve", "i", "o'er", "s", "σας", "i\u0307")

any_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
nasty_text = st.text(st.sampled_from(NASTY), max_size=25)
endings = st.lists(
    st.sampled_from(["n't", "'ll", "'s", "'d", "’ve", "'", "n", "t", "s", "Σ", " ", "a"])
).map("".join)
reviews = st.lists(
    st.sampled_from([*REVIEW_WORDS, "Film", "GOOD", "ÁNGELA", "?", "<br />", " ", "\n", "\u2003"]),
    max_size=12,
)
texts = st.lists(st.one_of(any_text, nasty_text, endings), min_size=1, max_size=5)


@functools.cache
def graph(make, *arguments, **settings):
    """A layer as an exported model runs it: compiled once."""
    return tf.function(make(*arguments, **settings), [tf.TensorSpec((None,), tf.string)])


split_in_graph = tf.function(text_layers.split_words, [tf.TensorSpec((None,), tf.string)])


def of(function, texts):
    return tf.nest.map_structure(lambda t: t.numpy(), function(tf.constant(texts)))


@given(
    st.lists(
        st.one_of(reviews.map(" ".join), reviews.map("".join), any_text), min_size=1, max_size=5
    )
)
@example(["good " * 20, "good", "GOOD,film", ""])
def test_ids_of_reviews(reviews):
    reader = Reviews(Vocabulary(REVIEW_SYMBOLS, unit="word"), LENGTH)
    ids = of(graph(ReviewIds, REVIEW_SYMBOLS, LENGTH), reviews)
    assert ids.dtype == "int32"
    for review, row in zip(reviews, ids, strict=True):
        try:
            (expected,) = reader.inputs([review])
        except InputError:  # no word is known: here they are unknown ones
            words = imdb_data.split_review(review)
            found = [imdb_data.START, *[imdb_data.UNKNOWN] * len(words)]
            expected = ([0] * LENGTH + found)[-LENGTH:]
        np.testing.assert_array_equal(row, expected)


def test_each_id_of_a_review_comes_up():
    ids = of(graph(ReviewIds, REVIEW_SYMBOLS, 16), [" ".join([*REVIEW_WORDS, "no"])])
    assert set(ids.ravel().tolist()) == {0, 1, 2, *range(4, 14)}


@given(texts, st.booleans())
@example(["ΑΣ", "ΑΣΑ", "Σ", "ΑΣ\u0307", "ΑΣ'Α", "İΣ", "Σ", "a\0b", ""], True)
def test_ids_of_characters(texts, lower):
    reader = Language(Vocabulary(CHARACTERS), LENGTH, lower, (), 0, ())
    ids, mask = of(graph(LatestIds, CHARACTERS, LENGTH, lower_case=lower), texts)
    assert ids.dtype == "int32"
    for text, row, seen in zip(texts, ids, mask, strict=True):
        read = text.lower() if lower else text
        known = "".join(one for one in read if one in reader.vocabulary)
        expected = reader.vocabulary.encode(known)[-LENGTH:]
        np.testing.assert_array_equal(row[seen], expected)
        np.testing.assert_array_equal(seen, np.arange(LENGTH) < len(expected))


def test_an_unknown_character_has_an_id_where_the_vocabulary_has_one():
    ids, mask = of(graph(LatestIds, "?ab", 4, unknown=True), ["xAb", "b"])
    assert ids.tolist() == [[0, 1, 2, 0], [2, 0, 0, 0]]
    assert mask.sum(axis=1).tolist() == [3, 1]


def test_every_character_there_is_is_lower_cased_as_python_does_it():
    """Behind a Σ, before one, and between letters."""
    every = [chr(code) for code in range(code_points.CODES) if not 0xD800 <= code < 0xE000]
    text = "\n".join(f"{one}Σ Α{one}Σ{one}α" for one in every)
    codes = code_points.lowered(tf.constant([text])).flat_values
    np.testing.assert_array_equal(codes, np.frombuffer(text.lower().encode("utf-32-le"), "<u4"))


@given(texts)
@example(["I'd've don't, o'er 'tis n't a'n't 's'n't a'n't's can't've", "ΣΑΣ’s İ", ""])
def test_ids_of_words(texts):
    reader = Language(Vocabulary(WORDS, "word", WORDS[0]), LENGTH, True, (), 0, ())
    ids, mask = of(graph(LatestIds, WORDS, LENGTH, unit="word", unknown=True), texts)
    for text, row, seen in zip(texts, ids, mask, strict=True):
        np.testing.assert_array_equal(row[seen], reader.inputs(text)[-LENGTH:])


@settings(max_examples=200)
@given(texts)
@example(["I'd've don't, o'er 'tis n't a'n't 's'n't a'n't's can't've a''s", "ΣΑΣ’s İ", ""])
def test_words_are_split_as_scratchnet_splits_them(texts):
    found = split_in_graph(tf.constant(texts)).to_list()
    for text, words in zip(texts, found, strict=True):
        assert [word.decode() for word in words] == split_words(text)
