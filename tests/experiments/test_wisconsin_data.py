"""The Wisconsin records: what they are, how they are split, filled and described."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scratchnet.errors import DataError, InputError
from scratchnet.experiments import wisconsin_data as wisconsin
from scratchnet.experiments.wisconsin_analysis import analyse

RECORDS = (
    "5,1,1,1,2,1,3,1,1,0\n"
    "8,10,10,8,7,10,9,7,1,1\n"
    "5,1,1,1,2,1,3,1,1,0\n"
    "4,2,1,1,2,?,2,1,1,0\n"
    "6,1,1,1,2,3,3,1,1,0\n"
)


@pytest.fixture
def csv(tmp_path):
    def write(content: str, name: str = "rows.csv"):
        path = tmp_path / name
        path.write_text(content)
        return path

    return write


def rows_of(x) -> list[tuple]:
    return [tuple(row) for row in x]


class TestSplitOfTheShippedFile:
    @given(seed=st.integers(0, 2**32 - 1))
    @settings(max_examples=40)
    def test_no_record_is_on_both_sides_whatever_the_seed(self, seed):
        data = wisconsin.load(seed=seed)
        assert not set(rows_of(data.x_train)) & set(rows_of(data.x_test))
        assert data.preparation.shared == 0
        assert len(data.x_train) + len(data.x_test) == 699
        assert abs(len(data.x_test) / 699 - 0.25) < 0.005
        for y in (data.y_train, data.y_test):
            assert abs(y.mean() - 241 / 699) < 0.005

    def test_every_record_is_there_once(self):
        data = wisconsin.load(seed=5)
        whole = data.columns.inputs(wisconsin.read())
        split = np.concatenate([data.x_train, data.x_test])
        np.testing.assert_array_equal(np.sort(whole, axis=0), np.sort(split, axis=0))
        assert sorted(rows_of(whole)) == sorted(rows_of(split))

    def test_the_seed_decides(self):
        one, same, other = (wisconsin.load(seed=seed) for seed in (1, 1, 2))
        np.testing.assert_array_equal(one.x_test, same.x_test)
        np.testing.assert_array_equal(one.y_test, same.y_test)
        assert not np.array_equal(one.x_test, other.x_test)

    def test_arrays(self):
        data = wisconsin.load()
        assert data.x_train.shape == (525, 9)
        assert data.y_train.shape == (525, 1)
        assert data.x_test.shape == (174, 9)
        assert data.y_test.shape == (174, 1)
        for array in (data.x_train, data.y_train, data.x_test, data.y_test):
            assert array.dtype == np.float64
            assert array.flags.writeable
        assert set(np.unique(data.y_train)) == {0, 1}
        assert data.x_train.min() == 0.1
        assert data.x_train.max() == 1.0

    def test_preparation(self):
        preparation = wisconsin.load().preparation
        assert preparation.files == ("wisconsin.csv",)
        assert preparation.rows == preparation.rows_in_files == (525, 174)
        assert preparation.malignant == (181, 60)
        assert sum(preparation.incomplete) == 16
        assert preparation.filled == {"bare_nuclei": 1.0}
        assert preparation.repeated == 236
        assert preparation.outside == 0


class TestOwnFiles:
    def test_filled_with_the_median_of_the_training_rows(self, csv):
        train = csv(
            "1,1,1,1,1,2,1,1,1,0\n2,1,1,1,1,9,1,1,1,1\n3,1,1,1,1,4,1,1,1,0\n4,1,1,1,1,?,1,1,1,0\n"
        )
        test = csv("?,1,1,1,1,8,1,1,1,0\n9,1,1,1,1,8,1,1,1,1\n", "test.csv")
        data = wisconsin.load(train, test)
        np.testing.assert_array_equal(data.x_train[:, 5], 0.1 * np.array([2, 9, 4, 4]))
        np.testing.assert_array_equal(data.x_test[:, 0], 0.1 * np.array([2.5, 9]))
        assert data.preparation.filled == {"clump_thickness": 2.5, "bare_nuclei": 4.0}
        assert data.preparation.incomplete == (1, 1)
        assert data.columns.fill["mitoses"] == 1.0
        assert set(data.columns.fill) == set(wisconsin.FEATURES)

    def test_both_are_taken_as_they_are(self, csv):
        train = csv(RECORDS)
        test = csv("6,1,1,1,2,3,3,1,1,0\n9,9,9,9,9,9,9,9,9,1\n4,2,1,1,2,?,2,1,1,1\n", "test.csv")
        data = wisconsin.load(train, test)
        preparation = data.preparation
        assert preparation.files == (str(train), str(test))
        assert preparation.rows == (5, 3)
        assert preparation.malignant == (1, 2)
        assert preparation.shared == 2
        assert preparation.repeated == 3
        np.testing.assert_array_equal(data.y_test, [[0], [1], [1]])
        np.testing.assert_allclose(data.x_test[1], 0.9)

    def test_one_alone_is_split(self, csv):
        lines = [f"{i % 10 + 1},{i // 10 + 1},1,1,1,1,1,1,1,{i % 2}\n" for i in range(40)]
        data = wisconsin.load(csv("".join(lines)))
        assert data.preparation.rows == (30, 10)
        assert data.preparation.malignant == (15, 5)

    def test_values_that_are_no_grade_are_counted(self, csv):
        path = csv("0,1,1,1,1,1,1,1,1,0\n5.5,11,1,1,1,1,1,1,1,1\n")
        assert wisconsin.load(path, path).preparation.outside == 6

    def test_too_small_to_split(self, csv):
        path = csv("1,1,1,1,1,1,1,1,1,0\n2,1,1,1,1,1,1,1,1,1\n")
        with pytest.raises(DataError) as caught:
            wisconsin.load(path)
        assert str(caught.value) == (
            f"{path}: expected enough distinct records to hold some out, got 2 among 2 rows. "
            "Name a test file with --test-csv."
        )

    def test_a_feature_that_is_never_known(self, csv):
        path = csv("1,1,1,1,1,?,1,1,1,0\n2,1,1,1,1,?,1,1,1,1\n")
        with pytest.raises(DataError) as caught:
            wisconsin.load(path, path)
        assert str(caught.value) == (
            f"{path}: bare_nuclei is missing in every row to train on, so it cannot be filled "
            "with their median. Give the column some values."
        )

    def test_test_file_alone(self, csv):
        with pytest.raises(InputError, match="test_csv: expected a train_csv beside it, got none"):
            wisconsin.load(test_csv=csv(RECORDS))

    def test_to_predict_no_class_is_needed(self, csv):
        frame = wisconsin.read(csv("5,1,1,1,2,?,3,1,1\n"), label_required=False)
        assert list(frame.columns) == list(wisconsin.FEATURES)
        x = wisconsin.columns({"bare_nuclei": 7.0}).inputs(frame)
        np.testing.assert_array_equal(x, 0.1 * np.array([[5.0, 1, 1, 1, 2, 7, 3, 1, 1]]))

    def test_class_is_needed_otherwise(self, csv):
        with pytest.raises(DataError, match=r"got 9\. Add the missing column"):
            wisconsin.read(csv("5,1,1,1,2,?,3,1,1\n"))


class TestPublishedRows:
    def test_first_ten_of_each_and_no_more(self, csv):
        train = csv("".join(f"{i % 10 + 1},1,1,1,1,1,1,1,1,{i % 2}\n" for i in range(13)))
        test = csv("".join(f"{i % 10 + 1},2,1,1,1,1,1,1,1,0\n" for i in range(25)), "test.csv")
        data = wisconsin.published_rows(train, test)
        np.testing.assert_array_equal(data.x_train[:, 0], 0.1 * np.arange(1, 11))
        np.testing.assert_array_equal(data.x_test[:, 1], [0.2] * 10)
        assert data.preparation.rows == (10, 10)
        assert data.preparation.rows_in_files == (13, 25)
        assert data.preparation.files == ("rows.csv", "test.csv")

    @pytest.mark.shared_data
    def test_the_tutorials_own(self, shared_file):
        shared_file("wisconsin/train.csv")
        shared_file("wisconsin/test.csv")
        data = wisconsin.published_rows()
        assert data.preparation.rows_in_files == (497, 151)
        assert data.preparation.malignant == (6, 6)
        np.testing.assert_array_equal(
            data.x_train[0], 0.1 * np.array([10, 10, 10, 8, 6, 1, 8, 9, 1])
        )
        np.testing.assert_array_equal(data.y_test[:, 0], [1, 1, 1, 1, 0, 0, 1, 0, 0, 1])

    @pytest.mark.shared_data
    def test_in_the_tutorials_split_61_of_151_were_trained_on(self, shared_file):
        files = shared_file("wisconsin/train.csv"), shared_file("wisconsin/test.csv")
        preparation = wisconsin.load(*files).preparation
        assert preparation.rows == (497, 151)
        assert preparation.shared == 61

    def test_without_them_says_where_to_put_them(self, monkeypatch):
        monkeypatch.delenv("SCRATCHNET_DATA", raising=False)
        with pytest.raises(DataError, match=r"^wisconsin/train\.csv: .* SCRATCHNET_DATA to"):
            wisconsin.published_rows()


class TestAnalysis:
    def test_what_is_not_finite_is_not_defined(self):
        frame = wisconsin.read()
        frame.loc[3, "mitoses"] = 1e200
        found = analyse(frame).statistics["mitoses"]
        assert found.std is None
        assert found.max == 1e200

    def test_of_the_shipped_file(self):
        analysis = analyse(wisconsin.read())
        assert analysis.rows == 699
        assert analysis.balance == (458, 241)
        assert analysis.incomplete == 16
        assert analysis.repeated == 236
        assert analysis.contradictory == 0
        assert analysis.outside == 0
        missing = {name: one.missing for name, one in analysis.statistics.items()}
        assert missing == dict.fromkeys(wisconsin.FEATURES, 0) | {"bare_nuclei": 16}
        clump = analysis.statistics["clump_thickness"]
        assert round(clump.mean, 3) == 4.418
        assert (clump.min, clump.lower_quartile, clump.median) == (1, 2, 4)
        assert (clump.upper_quartile, clump.max) == (6, 10)
        assert all(one.mean > one.median and one.skew > 0 for one in analysis.statistics.values())

    def test_histograms_count_every_value_once(self):
        analysis = analyse(wisconsin.read())
        for name, (benign, malignant) in analysis.histograms.items():
            assert len(benign) == len(malignant) == 10
            assert sum(benign) + sum(malignant) == analysis.statistics[name].count
        assert analysis.histograms["clump_thickness"][1][9] == 69

    def test_by_hand(self, csv):
        path = csv(RECORDS + "6,1,1,1,2,3,3,1,1,1\n11,1,1,1,1,1,1,1,1,0\n")
        analysis = analyse(wisconsin.read(path))
        assert analysis.rows == 7
        assert analysis.balance == (5, 2)
        assert analysis.incomplete == 1
        assert analysis.repeated == 2
        assert analysis.contradictory == 1
        assert analysis.outside == 1
        bare = analysis.statistics["bare_nuclei"]
        values = np.array([1, 10, 1, 3, 3, 1])
        assert (bare.count, bare.missing) == (6, 1)
        assert bare.mean == pytest.approx(values.mean())
        assert bare.std == pytest.approx(values.std(ddof=1))
        assert bare.median == np.median(values)
        third = np.mean((values - values.mean()) ** 3) / values.std() ** 3
        assert bare.skew == pytest.approx(third * np.sqrt(6 * 5) / 4)
        benign, malignant = analysis.histograms["clump_thickness"]
        assert benign == (0, 0, 0, 1, 2, 1, 0, 0, 0, 0)  # the 11 is no grade
        assert malignant == (0, 0, 0, 0, 0, 1, 0, 1, 0, 0)

    def test_records_that_lack_the_same_value_can_contradict_each_other(self, csv):
        lines = "1,1,1,1,1,?,1,1,1,0\n1,1,1,1,1,?,1,1,1,1\n1,1,1,1,1,2,1,1,1,1\n"
        analysis = analyse(wisconsin.read(csv(lines)))
        assert (analysis.contradictory, analysis.repeated) == (1, 1)

    def test_what_is_not_defined_is_none(self, csv):
        analysis = analyse(wisconsin.read(csv("1,1,1,1,1,?,1,1,1,0\n")))
        assert analysis.statistics["bare_nuclei"].mean is None
        assert analysis.statistics["mitoses"].std is None

    @given(
        rows=st.lists(
            st.tuples(*[st.integers(1, 10) | st.just(np.nan)] * 9, st.integers(0, 1)),
            min_size=1,
            max_size=20,
        )
    )
    @settings(max_examples=30)
    def test_counts_add_up(self, rows):
        frame = pd.DataFrame(rows, columns=list(wisconsin.COLUMNS))
        analysis = analyse(frame)
        assert sum(analysis.balance) == analysis.rows == len(rows)
        for name, one in analysis.statistics.items():
            assert one.count + one.missing == analysis.rows
            assert sum(map(sum, analysis.histograms[name])) == one.count
