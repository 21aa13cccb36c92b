"""Reviews as numbers: the ids, the order and the words of Keras's own data set."""

import numpy as np
import pytest

from scratchnet.errors import InputError
from scratchnet.experiments.imdb_archive import Ragged, read_reviews
from scratchnet.experiments.imdb_data import (
    MARKERS,
    START,
    UNKNOWN,
    in_kerass_order,
    load,
    numbered,
    review_ids,
    split_review,
    vocabulary_of,
    word_ranks,
)
from scratchnet.text import Vocabulary


@pytest.fixture(scope="module")
def reviews(shared_file):
    shared_file("imdb_flat.npz")
    shared_file("imdb_word_index.json")
    return load()


SMALL = Vocabulary([*MARKERS, "the", "film", "was", "br", "it's", "Ángela"], unit="word")


def test_rare_words_are_unknown_and_reviews_begin_with_1():
    ranks = Ragged(np.array([1, 2, 6, 7, 1]), np.array([0, 4, 5]), np.array([1, 0]))
    ids = numbered(ranks, 10)
    assert ids[0].tolist() == [START, 4, 5, 9, UNKNOWN]
    assert ids[1].tolist() == [START, 4]
    assert ranks.tokens.tolist() == [1, 2, 6, 7, 1]  # not written to


@pytest.mark.shared_data
class TestReal:
    def test_how_many(self, reviews):
        for part in reviews:
            assert len(part) == 25_000
            assert part.labels.sum() == 12_500
            assert part.tokens.max() == 4999
            assert (part.tokens[part.offsets[:-1]] == START).all()
            assert np.count_nonzero(part.tokens == START) == 25_000
            assert not np.isin(part.tokens, [0, 3]).any()
        assert [part.lengths.max() for part in reviews] == [2494, 2315]

    def test_the_first_ones(self, reviews):
        """As every introduction to Keras's data set shows them."""
        train, test = reviews
        first = [1, 14, 22, 16, 43, 530, 973, 1622, 1385, 65, 458, 4468, 66, 3941, 4, 173, 36, 256]
        assert train[0][: len(first)].tolist() == first
        assert test[0][:13].tolist() == [1, 591, 202, 14, 31, 6, 717, 10, 10, 2, 2, 5, 4]
        assert train.labels[:10].tolist() == [1, 0, 0, 1, 0, 0, 1, 0, 1, 0]
        assert test.labels[:10].tolist() == [0, 1, 1, 0, 1, 1, 1, 0, 0, 1]
        symbols = vocabulary_of(5000).symbols
        assert " ".join(symbols[k] for k in train[0][:12]) == (
            "<start> this film was just brilliant casting location scenery story direction "
            "everyone's"
        )
        assert len(train[0]) == 218

    def test_the_file_is_in_the_order_it_was_made_in(self, shared_file):
        """It is Keras's archive before Keras shuffles: ranks, no start marker, good ones first."""
        train, test = (shared_file("imdb_flat.npz"), read_reviews())[1]
        for part in (train, test):
            assert (np.diff(part.labels) <= 0).all()
        words = [*word_ranks()]
        assert " ".join(words[rank - 1] for rank in train[0][:8]) == (
            "bromwell high is a cartoon comedy it ran"
        )
        assert np.array_equal(np.unique(train.tokens), np.arange(1, 88_585))
        assert np.isin(test.tokens, train.tokens).all()

    def test_reviews_in_words_become_their_ids_again(self, reviews, shared_file):
        """Decoded with all words, encoded with 5,000 of them."""
        words, vocabulary = [*word_ranks()], vocabulary_of(5000)
        for kept, ids in zip(in_kerass_order(*read_reviews()), reviews, strict=True):
            for n in range(0, 25_000, 250):
                text = " ".join(words[rank - 1] for rank in kept[n])
                assert review_ids(text, vocabulary) == ids[n].tolist()

    def test_every_word_is_one_word(self, shared_file):
        """The data set's makers split as we do: no word of theirs falls apart or changes."""
        shared_file("imdb_word_index.json")
        assert len(word_ranks()) == 88_584
        assert [*word_ranks().values()] == [*range(1, 88_585)]
        assert [word for word in word_ranks() if split_review(word) != [word]] == []

    def test_the_vocabulary(self, shared_file, tmp_path):
        shared_file("imdb_word_index.json")
        vocabulary = vocabulary_of(5000)
        assert len(vocabulary) == 5000
        assert vocabulary.symbols[:8] == (*MARKERS, "the", "and", "a", "of")
        vocabulary.save(tmp_path / "words.json")
        assert Vocabulary.load(tmp_path / "words.json") == vocabulary
        assert len(vocabulary_of(88_588)) == 88_588

    @pytest.mark.parametrize("size", [0, 4, 88_589, -1, 2.5, True, "5000", None])
    def test_sizes_that_cannot_be(self, shared_file, size):
        shared_file("imdb_word_index.json")
        with pytest.raises(InputError, match=r"^imdb: expected (a )?vocabulary .*, got "):
            load(size)


class TestWords:
    def test_ids(self):
        text = "The FILM<br />was... (the) film; it's Ángela, zzz: THE"
        assert review_ids(text, SMALL) == [1, 4, 5, 7, 6, 4, 5, 8, 9, 2, 4]

    def test_markers_are_no_words(self):
        with pytest.raises(InputError):
            review_ids("<padding> <start> <unknown> <unused>", SMALL)

    @pytest.mark.parametrize("text", ["", "   ", "?!", "nothing known here", "\x00"])
    def test_no_word_known(self, text):
        with pytest.raises(InputError) as caught:
            review_ids(text, SMALL)
        assert str(caught.value) == (
            "review: expected at least one of the 6 words that the network knows, got "
            f"{text!r}. Write it in English, in whole words."
        )

    @pytest.mark.parametrize("text", [None, 3, b"the film", ["the"]])
    def test_no_text(self, text):
        with pytest.raises(InputError, match=r"^review: expected text, got "):
            review_ids(text, SMALL)
