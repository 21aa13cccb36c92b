"""The film reviews as numbers, ordered and numbered as ``keras.datasets.imdb.load_data`` does it.

Id 0 is padding, 1 begins a review, 2 is a word outside the vocabulary, 3 is not used, and the word
of rank r has id r + 3.  A vocabulary of V ids therefore has the V - 4 most frequent words.
"""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING

import numpy as np

from scratchnet import datasets
from scratchnet.arguments import positive_integer
from scratchnet.errors import InputError
from scratchnet.experiments.imdb_archive import Ragged, read_reviews

if TYPE_CHECKING:
    from scratchnet.text import Vocabulary

PADDING, START, UNKNOWN, UNUSED = range(4)
MARKERS = ("<padding>", "<start>", "<unknown>", "<unused>")
"""What the ids below 4 are called; no word has such signs in it."""
INDEX_FROM = 3
"""What is added to a word's rank."""

SHUFFLING_SEED = 113
"""Keras's default: it shuffles the reviews, once, before anyone trains on them."""

SEPARATORS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
"""Signs that stand between words, as for Keras's Tokenizer; the apostrophe belongs to its word."""
_PREPARED = str.maketrans(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ" + SEPARATORS,
    "abcdefghijklmnopqrstuvwxyz" + " " * len(SEPARATORS),
)


def load(vocabulary: int = 5000) -> tuple[Ragged, Ragged]:
    """Return 25,000 reviews to learn from and 25,000 to test on, as ids below ``vocabulary``.

    Equal to Keras's ``load_data(num_words=vocabulary)``, in its order.

    Raises
    ------
    InputError
        ``vocabulary`` is not a whole number that leaves room for a word and has words for all ids.
    DataError
        The reviews are nowhere and cannot be downloaded, or are not what they should be.
    """
    size = checked_size(vocabulary)
    train, test = in_kerass_order(*read_reviews())
    return numbered(train, size), numbered(test, size)


def in_kerass_order(train: Ragged, test: Ragged) -> tuple[Ragged, Ragged]:
    """Return the reviews as kept in the order in which Keras hands them out."""
    generator = np.random.RandomState(SHUFFLING_SEED)
    shuffled = []
    for reviews in (train, test):
        order = np.arange(len(reviews))
        generator.shuffle(order)
        shuffled.append(reviews.ordered(order))
    return shuffled[0], shuffled[1]


def numbered(reviews: Ragged, vocabulary: int) -> Ragged:
    """Return reviews as ids, given the ranks of their words: each begins with 1, rare words are 2.

    Raises
    ------
    InputError
        As `load`.
    """
    ids = reviews.tokens + INDEX_FROM
    ids[ids >= vocabulary] = UNKNOWN
    with_start = np.insert(ids, reviews.offsets[:-1], START)
    return Ragged(with_start, reviews.offsets + np.arange(len(reviews) + 1), reviews.labels)


def checked_size(vocabulary: int) -> int:
    """Return the size of a vocabulary once it is known to have words, and words for all its ids."""
    size, most = (
        positive_integer("imdb", "vocabulary", vocabulary),
        len(word_ranks()) + len(MARKERS),
    )
    if not len(MARKERS) < size <= most:
        raise InputError(
            f"imdb: expected a vocabulary of {len(MARKERS) + 1} to {most:,} ids, got {size:,}. "
            f"The first {len(MARKERS)} are no words; 5000 is what was published."
        )
    return size


def vocabulary_of(size: int) -> Vocabulary:
    """Return the symbols of the ids 0 to ``size`` - 1: four markers and the most frequent words.

    Raises
    ------
    InputError, DataError
        As `load`.
    """
    from scratchnet.text import Vocabulary

    words = list(word_ranks())[: checked_size(size) - len(MARKERS)]
    return Vocabulary([*MARKERS, *words], unit="word")


def split_review(text: str) -> list[str]:
    """Return a review's words as the data set's makers split them.

    ASCII letters are lower-cased and no others (the data set knows "Ángela" and "À"), the
    `SEPARATORS` stand between words, "it's" is one word.  The reviews were web pages: the tags for
    a new line, ``<br />``, became the word "br".
    """
    return [word for word in text.translate(_PREPARED).split(" ") if word]


def review_ids(text: str, vocabulary: Vocabulary) -> list[int]:
    """Return the ids of a review in words, the start marker first.

    Words that are not in the vocabulary have the id 2.  (The data set's own test reviews lack the
    few words that no training review has; a vocabulary of V ids cannot tell those from rare ones.)

    Raises
    ------
    InputError
        If it is not text, or no word of it is in the vocabulary.
    """
    if not isinstance(text, str):
        raise InputError(
            f"review: expected text, got {type(text).__name__}. Pass a review in words."
        )
    words, ids = split_review(text), vocabulary.ids
    found = [ids.get(word, UNKNOWN) for word in words]
    if set(found) <= {UNKNOWN}:
        raise InputError(
            f"review: expected at least one of the {len(vocabulary) - len(MARKERS):,} words that "
            f"the network knows, got {text[:40]!r}. Write it in English, in whole words."
        )
    return [START, *found]


@functools.cache
def word_ranks() -> dict[str, int]:
    """Return the rank of each word that the training reviews have, the most frequent first.

    Raises
    ------
    DataError
        The list is nowhere and cannot be downloaded, or is not what it should be.
    """
    ranks = json.loads(datasets.path("imdb-words").read_bytes())
    return dict(sorted(ranks.items(), key=lambda item: item[1]))
