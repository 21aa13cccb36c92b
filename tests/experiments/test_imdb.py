"""The network that reads reviews: what both engines are given, and what it says of a text."""

import numpy as np
import pytest

from scratchnet import datasets
from scratchnet.contributions import contributions
from scratchnet.errors import DataError, InputError
from scratchnet.experiments import imdb, imdb_archive, imdb_data
from scratchnet.experiments.imdb_data import load
from scratchnet.experiments.readers import Reviews
from scratchnet.text import Vocabulary
from tests.experiments.test_imdb_data import SMALL


@pytest.fixture(scope="module")
def plain(shared_file):
    """The published problem; the file is read once for all tests."""
    shared_file("imdb_flat.npz")
    shared_file("imdb_word_index.json")
    kept = imdb_data.read_reviews()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(imdb_data, "read_reviews", lambda: kept)
        yield imdb.problem()


@pytest.fixture(scope="module")
def masked(plain):
    return imdb.problem(seed=4, masked=True, vocabulary=900, length=70, embedding=5, units=6)


@pytest.mark.shared_data
class TestProblem:
    def test_as_published(self, plain):
        assert plain.experiment == "imdb"
        assert plain.x_train.shape == plain.x_test.shape == (25_000, 500)
        assert plain.y_train.shape == plain.y_test.shape == (25_000, 1)
        assert plain.y_train.mean() == plain.y_test.mean() == 0.5
        assert (plain.batch_size, plain.epochs, plain.validation) == (64, 3, None)
        assert plain.x_train.max() == 4999
        assert plain.held_out
        model = plain.build_model()
        assert [layer.count_params() for layer in model.layers] == [160_000, 53_200, 101]
        assert model.optimizer.get_config()["learning_rate"] == pytest.approx(0.001)
        assert not model.layers[0].mask_zero

    def test_rows_are_the_reviews_ends(self, plain):
        train, _ = load()
        for n in range(0, 2000, 83):
            review = train[n][-500:]
            np.testing.assert_array_equal(plain.x_train[n, 500 - len(review) :], review)
            assert not plain.x_train[n, : 500 - len(review)].any()
        np.testing.assert_array_equal(plain.y_train[:, 0], train.labels)

    def test_masked(self, masked, plain):
        assert masked.epochs == 6
        x, y = masked.validation
        assert (len(masked.x_train), len(x), len(masked.x_test)) == (22_500, 2500, 25_000)
        assert 0.47 < y.mean() < 0.53
        whole = imdb.problem(masked=True, validation=0.0, vocabulary=900, length=70)
        assert whole.validation is None
        np.testing.assert_array_equal(np.concatenate([masked.x_train, x]), whole.x_train)
        assert masked.build_model().layers[0].mask_zero

    def test_made_again_from_its_settings(self, plain):
        first = imdb.problem(
            seed=4, masked=True, validation=0.2, vocabulary=900, length=70, embedding=5, units=6
        )
        again = imdb.problem(seed=4, epochs=first.epochs, **first.settings)
        assert again.settings == first.settings
        assert again.architecture == first.architecture
        assert again.reader == first.reader
        np.testing.assert_array_equal(again.validation[0], first.validation[0])
        for one, other in zip(
            again.build_model().get_weights(), first.build_model().get_weights(), strict=True
        ):
            np.testing.assert_array_equal(one, other)

    def test_architecture_builds_the_model(self, masked):
        assert masked.architecture == {
            **{"vocabulary": 900, "length": 70, "embedding": 5, "units": 6},
            "masked": True,
        }
        model = imdb.build_model(**masked.architecture, seed=4)
        np.testing.assert_array_equal(model.get_weights()[0], masked.build_model().get_weights()[0])

    def test_the_seed_decides_the_weights_and_the_dtype_is_kept(self, plain):
        first, other = imdb.build_model(seed=0), imdb.build_model(seed=1)
        np.testing.assert_array_equal(plain.build_model().get_weights()[0], first.get_weights()[0])
        assert not np.array_equal(first.get_weights()[0], other.get_weights()[0])
        assert imdb.build_model(dtype="float64").dtype == "float64"

    def test_notes(self, plain, masked):
        text = " ".join(plain.notes)
        assert "25,000 reviews to learn from (12,500 of good films), 25,000 to test on" in text
        assert "123 of the test reviews also stand, word for word" in text
        assert "9.9% of the words are unknown" in text
        assert "(8.4% are longer)" in text
        assert "the padding read" in text
        assert "the padding is masked" in " ".join(masked.notes)
        assert masked.notes[-1].startswith("2,500 more reviews are not learned from")

    def test_what_the_reader_reads_is_what_it_learned_from(self, plain):
        shown = [plain.x_train[n] for n in (0, 7)]
        symbols = np.array(plain.reader.vocabulary.symbols)
        texts = [" ".join(symbols[row[row > 3]]) for row in shown]
        for text, row in zip(texts, plain.reader.inputs(texts), strict=True):
            assert row.shape == (500,)
            assert " ".join(symbols[row[row > 3]]) == text

    @pytest.mark.parametrize(
        ("arguments", "expected"),
        [
            ({"validation": 1.0}, "validation to be a number from 0 to below 1"),
            ({"validation": -0.1}, "validation to be a number"),
            ({"validation": float("nan")}, "validation to be a number"),
            ({"validation": 1e-6}, "leaves both sides a review"),
            ({"validation": 0.999999}, "leaves both sides a review"),
            ({"length": 0}, "length to be a positive integer"),
            ({"vocabulary": 3}, "a vocabulary of 5 to 88,588 ids, got 3"),
            ({"embedding": 0}, "embedding to be a positive integer"),
            ({"units": -1}, "units to be a positive integer"),
        ],
    )
    def test_arguments_out_of_range(self, plain, arguments, expected):
        with pytest.raises(InputError, match=expected) as caught:
            imdb.problem(**arguments)
        assert str(caught.value).startswith("imdb: expected ")


def test_without_data(monkeypatch, tmp_path):
    """Neither file is there and the address does not answer."""
    monkeypatch.setenv("SCRATCHNET_DATA", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setattr(datasets, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.setattr(imdb_data, "read_reviews", imdb_archive.read_reviews)
    monkeypatch.setattr(imdb_data, "word_ranks", lambda: dict.fromkeys(map(str, range(9000))))
    with pytest.raises(DataError, match=r"^imdb\.npz: could not be downloaded from https://"):
        imdb.problem()


class TestExplain:
    @pytest.fixture
    def model(self):
        model = imdb.build_model(len(SMALL), 7, 4, 5, masked=False, seed=1, dtype="float64")
        rng = np.random.default_rng(2)
        model.set_weights([rng.standard_normal(w.shape) for w in model.get_weights()])
        return model

    @pytest.fixture
    def reader(self):
        return Reviews(SMALL, 7)

    def test_each_word_with_its_contribution(self, model, reader):
        text = "The film, zzz: was... it's"
        found = imdb.explain(model, reader, text)
        ids = np.array([0, 1, 4, 5, 2, 6, 8])
        parts = contributions(model, ids)
        assert [word for word, _ in found.words] == ["the", "film", "zzz", "was", "it's"]
        assert [part for _, part in found.words] == parts[2:].tolist()
        assert len({part for _, part in found.words}) == 5
        assert found.probability == float(model.predict(ids[None])[0, 0])
        assert 0 < found.probability < 1

    def test_of_a_long_review_the_end(self, model, reader):
        text = "was was was it's it's the film the film br"
        found = imdb.explain(model, reader, text)
        assert [word for word, _ in found.words] == text.split()[-7:]
        ids = reader.inputs([text])[0]
        assert [part for _, part in found.words] == contributions(model, ids).tolist()

    def test_exactly_as_long(self, model, reader):
        found = imdb.explain(model, reader, "the film was the film was br")
        assert len(found.words) == 7

    def test_no_word_known(self, model, reader):
        with pytest.raises(InputError, match=r"^review: expected at least one of the 6 words"):
            imdb.explain(model, reader, "zzz")

    def test_a_reader_with_more_words_than_the_model(self, model):
        wide = Reviews(Vocabulary([*SMALL.symbols, "more"], unit="word"), 7)
        with pytest.raises(InputError, match="input_dim"):
            imdb.explain(model, wide, "the more the better")
