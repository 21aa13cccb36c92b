"""Holding records out: none on both sides, whatever is missing; both classes in their share."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet.errors import DataError
from scratchnet.splitting import same_record, split

FEATURES = ["a", "b", "c"]
CELLS = st.sampled_from([1.0, 2.0, 3.0, np.nan])


def frame_of(rows) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=[*FEATURES, "label"], dtype="float64")


@st.composite
def frames(draw) -> pd.DataFrame:
    rows = draw(
        st.lists(st.tuples(CELLS, CELLS, CELLS, st.sampled_from([0, 1])), min_size=1, max_size=25)
    )
    return frame_of(rows)


def compatible(one, other) -> bool:
    """Whether filling can make two records the same."""
    return bool(np.all((one == other) | np.isnan(one) | np.isnan(other)))


@pytest.mark.slow
@given(frame=frames())
def test_what_can_become_the_same_has_the_same_number(frame):
    number = same_record(frame[FEATURES])
    records = frame[FEATURES].to_numpy()
    for i, one in enumerate(records):
        for j, other in enumerate(records):
            if compatible(one, other):
                assert number[i] == number[j], (one, other)


@given(frame=frames())
def test_complete_records_share_a_number_only_if_they_are_the_same(frame):
    complete = frame.dropna()
    number = same_record(complete[FEATURES])
    records = [tuple(record) for record in complete[FEATURES].to_numpy()]
    assert len(set(number)) == len(set(records))
    assert len(set(zip(number, records, strict=True))) == len(set(records))


def test_a_missing_value_links_what_it_could_be():
    rows = [[1, 1, 1], [1, 2, 1], [1, np.nan, 1], [1, 2, 2], [2, 2, 2]]
    number = same_record(pd.DataFrame(rows, columns=FEATURES))
    assert number[0] == number[1] == number[2]
    assert len(set(number)) == 3


@pytest.mark.slow
@given(frame=frames(), seed=st.integers(0, 1000), fill=st.sampled_from([1.0, 2.0, 3.0]))
def test_no_record_is_on_both_sides_once_filled(frame, seed, fill):
    try:
        trained, held_out = split(frame, FEATURES, "label", 0.25, seed)
    except DataError:
        return
    assert sorted([*trained, *held_out]) == list(range(len(frame)))
    records = [tuple(record) for record in frame[FEATURES].fillna(fill).to_numpy()]
    assert not {records[i] for i in trained} & {records[i] for i in held_out}
    assert len(held_out) <= 0.25 * len(frame) + 1


def test_distinct_records_are_held_out_in_their_share_of_each_class():
    rows = [[i, 1, 1, i % 4 == 0] for i in range(400)]
    trained, held_out = split(frame_of(rows), FEATURES, "label", 0.25, 7)
    assert (len(trained), len(held_out)) == (300, 100)
    assert sum(rows[i][-1] for i in held_out) == 25
    assert list(held_out) == sorted(held_out)


def test_the_seed_decides():
    frame = frame_of([[i, 1, 1, i % 2] for i in range(60)])
    one, same, other = (split(frame, FEATURES, "label", 0.25, seed)[1] for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize(
    "rows", [[[1, 1, 1, 0]] * 40, [[1, 1, 1, 0], [2, 1, 1, 1]]], ids=["all the same", "two"]
)
def test_too_few_distinct_records(rows):
    with pytest.raises(DataError, match="expected enough distinct records to hold some out, got"):
        split(frame_of(rows), FEATURES, "label", 0.25, 0)
