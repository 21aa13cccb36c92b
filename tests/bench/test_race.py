"""Candidates race by a clock that the tests set: what is counted, and what is compared."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_impl.bench import race as racing
from keras_impl.bench.race import WARM_UP, Candidate, Interrupted, race, repeated, stepwise


class Clock:
    """Time passes when a step says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(racing, "time", made)
    return made


def runner(clock, name, times, log=None):
    """Return a candidate whose blocks take these times, one after the other."""
    left = iter(times)

    def block():
        seconds = next(left)
        clock.now += seconds
        if log is not None:
            log.append(name)
        return seconds

    return Candidate(name, "scratchnet" if name == "ours" else "Keras", block)


def test_the_first_steps_of_a_block_do_not_count(clock):
    costs = iter([100.0, 50.0, 25.0, *[2.0] * 15])

    def step(x, y):
        clock.now += next(costs)

    assert WARM_UP == 3
    assert stepwise(step, [(1, 2)], 15)() == 2.0
    assert next(costs, None) is None  # 3 + 15 and no more


def test_a_counted_step_that_is_slow_counts(clock):
    costs = iter([1.0] * 3 + [7.0, 1.0, 1.0, 1.0])

    def step(x, y):
        clock.now += next(costs)

    assert stepwise(step, [(1, 2)], 4)() == 2.5


def test_a_block_takes_the_batches_in_turn_and_begins_again():
    seen = []
    batches = [(f"x{i}", f"y{i}") for i in range(4)]
    block = stepwise(lambda x, y: seen.append((x, y)), batches, 6)
    block()
    assert seen == [batches[i % 4] for i in range(9)]
    block()
    assert seen[9:] == seen[:9]


def test_a_call_of_several_steps_warms_up_once(clock):
    costs = iter([90.0, 6.0, 4.0])

    def run():
        clock.now += next(costs)

    assert repeated(run, calls=2, units=5)() == 1.0


def test_blocks_alternate_and_the_least_disturbed_is_compared(clock):
    log = []
    keras = runner(clock, "theirs", [4.0, 8.0, 2.0, 5.0], log)
    ours = runner(clock, "ours", [3.0, 1.0, 9.0, 2.0], log)
    timings = race([keras, ours], "theirs", rounds=4)
    assert log == ["theirs", "ours"] * 4
    theirs, mine = timings
    assert (theirs.seconds, mine.seconds) == (2.0, 1.0)
    assert (theirs.median, mine.median) == (4.5, 2.5)
    assert mine.blocks == (3.0, 1.0, 9.0, 2.0)
    assert (theirs.ratio, mine.ratio) == (1.0, 0.5)
    assert (theirs.engine, mine.engine) == ("Keras", "scratchnet")


def test_the_spread_is_of_each_rounds_own_ratio(clock):
    ratios = [0.5, 0.6, 0.7, 0.8, 0.9]
    keras = runner(clock, "theirs", [1.0, 2.0, 3.0, 4.0, 5.0])
    ours = runner(clock, "ours", [r * t for r, t in zip(ratios, range(1, 6), strict=True)])
    mine = race([keras, ours], "theirs", rounds=5)[1]
    assert mine.ratio == 0.5  # 0.5 over 1
    assert mine.spread == pytest.approx((0.5, 0.8))  # quartiles 0.6 and 0.8, and the ratio


def test_the_baseline_need_not_come_first(clock):
    ours, keras = runner(clock, "ours", [3.0] * 3), runner(clock, "theirs", [6.0] * 3)
    assert [one.ratio for one in race([ours, keras], "theirs", rounds=3)] == [0.5, 1.0]


def test_one_round_has_no_spread(clock):
    ours, keras = runner(clock, "ours", [3.0]), runner(clock, "theirs", [6.0])
    assert race([keras, ours], "theirs", rounds=1)[1].spread == (0.5, 0.5)


def test_no_round_begins_when_the_time_is_over(clock):
    ours, keras = runner(clock, "ours", itertools.repeat(3.0)), runner(clock, "theirs", [7.0] * 99)
    timings = race([keras, ours], "theirs", rounds=50, seconds=35.0)
    assert len(timings[0].blocks) == 4  # 40 seconds: the fourth began after 30


def test_there_are_three_rounds_however_long_they_take(clock):
    ours, keras = runner(clock, "ours", [3.0] * 9), runner(clock, "theirs", [7.0] * 9)
    assert len(race([keras, ours], "theirs", seconds=0.0)[0].blocks) == 3


def test_progress_is_told_after_each_block(clock):
    told = []
    ours, keras = runner(clock, "ours", [3.0] * 2), runner(clock, "theirs", [7.0] * 2)
    race([keras, ours], "theirs", rounds=2, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def stopping(clock, after):
    def times():
        yield from after
        raise KeyboardInterrupt

    return runner(clock, "ours", times())


def test_what_whole_rounds_gave_is_kept_when_the_user_stops_it(clock):
    keras = runner(clock, "theirs", [4.0, 2.0, 1.0])
    with pytest.raises(Interrupted) as stopped:
        race([keras, stopping(clock, [3.0, 5.0])], "theirs")
    theirs, mine = stopped.value.timings
    assert theirs.blocks == (4.0, 2.0)  # the third has no partner
    assert mine.ratio == 1.5


def test_nothing_is_kept_of_less_than_a_round(clock):
    with pytest.raises(KeyboardInterrupt) as stopped:
        race([runner(clock, "theirs", [4.0]), stopping(clock, [])], "theirs")
    assert not isinstance(stopped.value, Interrupted)


TIMES = st.lists(st.tuples(st.floats(1e-6, 10.0), st.floats(1e-6, 10.0)), min_size=1, max_size=15)


@given(TIMES)
def test_the_ratio_lies_within_its_spread_and_the_spread_within_the_rounds(rounds):
    theirs, ours = zip(*rounds, strict=True)
    found = racing.timed("ours", "scratchnet", ours, theirs)
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    low, high = found.spread
    assert low <= found.ratio <= high
    assert min(*ratios, found.ratio) <= low * (1 + 1e-12)
    assert high <= max(*ratios, found.ratio) * (1 + 1e-12)
    assert found.seconds <= found.median
