"""Reading CSV files: what is accepted, and what is said of the rest."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet.errors import DataError
from scratchnet.tables import read_csv

FEATURES = ("width", "height")


def written(folder, content: str | bytes, name: str = "rows.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_numbers_and_class(tmp_path):
    frame = read_csv(written(tmp_path, "1,2.5,0\n-3,4e2,1\n"), FEATURES, "tall")
    assert list(frame.columns) == ["width", "height", "tall"]
    assert frame.dtypes.astype(str).to_dict() == {
        "width": "float64",
        "height": "float64",
        "tall": "int64",
    }
    np.testing.assert_array_equal(frame, [[1, 2.5, 0], [-3, 400, 1]])


@pytest.mark.parametrize("cell", ["?", "", "NA", " ? ", " "])
def test_missing_values(tmp_path, cell):
    frame = read_csv(written(tmp_path, f"1,{cell},0\n{cell},4,1\n"), FEATURES, "tall")
    np.testing.assert_array_equal(frame[[*FEATURES]], [[1, np.nan], [np.nan, 4]])


@pytest.mark.parametrize(
    "content",
    [
        "1,2,0\n3,4,1",
        "1,2,0\r\n3,4,1\r\n",
        "\n1,2,0\n\n   \n3,4,1\n\n",
        "\ufeff1,2,0\n3,4,1\n",
        " 1 ,2,0\n3,\t4, 1.0\n",
        '"1","2","0"\n3,4,1\n',
    ],
    ids=["no last newline", "Windows", "blank lines", "byte order mark", "spaces", "quotes"],
)
def test_accepted_forms(tmp_path, content):
    frame = read_csv(written(tmp_path, content), FEATURES, "tall")
    np.testing.assert_array_equal(frame, [[1, 2, 0], [3, 4, 1]])


def test_without_a_label(tmp_path):
    frame = read_csv(written(tmp_path, "1,2\n3,4\n"), FEATURES)
    assert list(frame.columns) == ["width", "height"]


@pytest.mark.parametrize(
    ("content", "columns"),
    [("1,2\n3,4\n", ["width", "height"]), ("1,2,0\n3,4,1\n", ["width", "height", "tall"])],
)
def test_optional_label_is_settled_by_the_first_row(tmp_path, content, columns):
    frame = read_csv(written(tmp_path, content), FEATURES, "tall", label_required=False)
    assert list(frame.columns) == columns


@given(
    rows=st.lists(
        st.tuples(
            st.floats(-1e15, 1e15) | st.none(),
            st.floats(-1e15, 1e15),
            st.sampled_from([0, 1]),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_what_was_written_is_read(rows, tmp_path_factory):
    text = "".join(f"{'?' if a is None else repr(a)},{b!r},{c}\n" for a, b, c in rows)
    path = written(tmp_path_factory.getbasetemp(), text, "property.csv")
    expected = [[math.nan if a is None else a, b, c] for a, b, c in rows]
    np.testing.assert_array_equal(read_csv(path, FEATURES, "tall"), expected)


NUMBER = "expected a number, got {}. Write ? for a missing value."
FINITE = "expected a finite number, got {}. Write ? for a missing value."
SIZE = "expected a number from -1e+15 to 1e+15, got {}. Write ? for a missing value."
CLASS = "expected class 0 or 1, got {}. Write each row's class as 0 or 1."
COLUMNS = "row 1: expected 3 columns (width, height, tall), got {}."
LINES = {
    ", row 2, column 1 (width): " + NUMBER.format("'abc'"): "1,2,0\nabc,4,1\n",
    ", row 2, column 2 (height): " + NUMBER.format("'1_0'"): "1,2,0\n3,1_0,1\n",
    ", row 4, column 2 (height): " + NUMBER.format("'4;5'"): "1,2,0\n\n\n3,4;5,1\n",
    ", row 1, column 2 (height): " + NUMBER.format("'" + "x" * 29 + "…'"): f"1,{'x' * 99},0\n",
    ", row 1, column 1 (width): " + NUMBER.format("'a\\nb'"): '"a\nb",2,0\n',
    ", row 4, column 1 (width): " + NUMBER.format("'abc'"): '"1\n",2,0\n\nabc,4,1\n',
    ", row 2, column 1 (width): " + NUMBER.format("'1\\x002'"): "1,2,0\n1\x002,4,1\n",
    ", row 1, column 1 (width): " + FINITE.format("'inf'"): "inf,2,0\n",
    ", row 2, column 2 (height): " + FINITE.format("'-1e999'"): "1,2,0\n3,-1e999,1\n",
    ", row 1, column 2 (height): " + FINITE.format("'nan'"): "1,nan,0\n",
    ", row 2, column 2 (height): " + SIZE.format("'1e200'"): "1,2,0\n3,1e200,1\n",
    ", row 1, column 1 (width): " + SIZE.format("'-1.1e15'"): "-1.1e15,2,0\n",
    ", row 1, column 2 (height): " + NUMBER.format("'٣'"): "1,٣,0\n",
    ", row 2, column 3 (tall): " + CLASS.format("'１'"): "1,2,0\n3,4,１\n",
    ", row 2, column 3 (tall): " + CLASS.format("'2'"): "1,2,0\n3,4,2\n",
    ", row 1, column 3 (tall): " + CLASS.format("'0.5'"): "1,2,0.5\n",
    ", row 1, column 3 (tall): " + CLASS.format("'?'"): "1,2,?\n",
    ", row 1, column 3 (tall): " + CLASS.format("'nan'"): "1,2,nan\n",
    ", row 2: expected 3 cells like the rows above, got 2. Give every row the same columns.": (
        "1,2,0\n3,4\n"
    ),
    ", row 3: expected 3 cells like the rows above, got 4. Give every row the same columns.": (
        "1,2,0\n3,4,1\n5,6,0,\n"
    ),
    ", " + COLUMNS.format(2) + " Add the missing column.": "1,2\n3,4\n",
    ", " + COLUMNS.format(4) + " Remove the columns that do not belong.": "9,1,2,0\n9,3,4,1\n",
    ", " + COLUMNS.format(1) + " Separate the cells with commas.": "1;2;0\n3;4;1\n",
    ", row 1: expected numbers, got 'width' and other words. Remove the header line.": (
        "width,height,tall\n1,2,0\n"
    ),
    ", row 2: every feature is missing. Remove the row.": "1,2,0\n?,,1\n",
    ": the file is empty. Expected rows of 3 columns: width, height, tall.": "",
    ": expected a CSV file in UTF-8, got other bytes. Save it as CSV UTF-8.": b"1,2,0\n\xff,4,1\n",
    ", row 2: not CSV (field larger than field limit (131072)). "
    "Shorten the cell, or close its quotation mark.": f"1,2,0\n{'1' * 131073},2,0\n",
}


@pytest.mark.parametrize(("line", "content"), LINES.items(), ids=range(len(LINES)))
def test_what_is_wrong_is_said_in_one_line(tmp_path, line, content):
    path = written(tmp_path, content)
    with pytest.raises(DataError) as caught:
        read_csv(path, FEATURES, "tall")
    assert str(caught.value) == f"{path}{line}"


@pytest.mark.parametrize("content", ["\n\n", "   \n\t\n", "\ufeff"])
def test_nothing_but_blanks_is_empty(tmp_path, content):
    with pytest.raises(DataError, match="the file is empty"):
        read_csv(written(tmp_path, content), FEATURES, "tall")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("1\n", "row 1: expected 2 columns, or 3 with the class (width, height, tall), got 1."),
        (
            "1,2,0,4\n",
            "row 1: expected 2 columns, or 3 with the class (width, height, tall), got 4",
        ),
        ("", "Expected rows of 2 columns, or 3 with the class: width, height, tall."),
    ],
)
def test_optional_label_is_said_to_be_optional(tmp_path, content, said):
    with pytest.raises(DataError) as caught:
        read_csv(written(tmp_path, content), FEATURES, "tall", label_required=False)
    assert said in str(caught.value)


def test_optional_label_still_has_to_be_a_class(tmp_path):
    path = written(tmp_path, "1,2,0\n3,4,7\n")
    with pytest.raises(DataError, match=r"row 2, column 3 \(tall\): expected class 0 or 1"):
        read_csv(path, FEATURES, "tall", label_required=False)


def test_optional_label_is_there_for_every_row_or_none(tmp_path):
    path = written(tmp_path, "1,2\n3,4,1\n")
    with pytest.raises(DataError, match="row 2: expected 2 cells like the rows above, got 3"):
        read_csv(path, FEATURES, "tall", label_required=False)


def test_missing_file(tmp_path):
    with pytest.raises(DataError) as caught:
        read_csv(tmp_path / "no.csv", FEATURES)
    assert str(caught.value) == f"{tmp_path / 'no.csv'}: no such file. Check the path."


def test_a_folder_is_left_to_the_system_to_name(tmp_path):
    with pytest.raises(OSError, match="directory"):
        read_csv(tmp_path, FEATURES)
