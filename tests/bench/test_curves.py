"""How cost grows: which points are raced, and the power that is fitted to them."""

import json

import pytest

from keras_impl.bench import curves, race
from keras_impl.bench.floor import flops, training_products
from keras_impl.bench.works.engines import KERAS_STEP
from scratchnet.experiments import language

SMALL = {"T": 3, "B": 4, "H": 5, "V": 7}


def measured(**options):
    return curves.measure(1, base=SMALL, rounds=1, units=1, seconds=0.0, **options)


@pytest.fixture(scope="module")
def found():
    return measured(values={"T": (3, 6), "V": (7, 9)})


def test_a_curve_has_every_value_with_the_other_sizes_as_they_were(found):
    by_time, by_vocabulary = found
    assert (by_time["axis"], by_time["values"]) == ("T", [3, 6])
    assert by_time["base"] == {"B": 4, "H": 5, "V": 7}
    assert (by_vocabulary["axis"], by_vocabulary["base"]) == ("V", {"T": 3, "B": 4, "H": 5})
    assert all(curve["threads"] == 1 for curve in found)


def test_the_point_that_curves_share_is_raced_once(found):
    assert found[0]["seconds"]["Keras"][0] == found[1]["seconds"]["Keras"][0]


def test_seconds_are_those_of_the_timings(found):
    for curve in found:
        for engine, name in (("scratchnet", "scratchnet"), ("Keras", KERAS_STEP)):
            timings = [
                next(one for one in point["timings"] if one["name"] == name)
                for point in curve["points"]
            ]
            assert curve["seconds"][engine] == [one["seconds"] for one in timings]
            assert all(seconds > 0 for seconds in curve["seconds"][engine])


@pytest.mark.parametrize(("curve", "value", "steps", "vocabulary"), [(0, 6, 6, 7), (1, 9, 3, 9)])
def test_a_point_has_the_operations_of_its_own_sizes(found, curve, value, steps, vocabulary):
    model = language.build_model(vocabulary, steps, units=5)
    point = found[curve]["points"][1]
    assert (point["value"], point["flops"]) == (value, flops(training_products(model, 4)))


def test_curves_are_json(found):
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_exponent_is_the_slope_of_the_logarithms():
    assert curves.exponent([10, 20, 40], [0.5, 2.0, 8.0]) == pytest.approx(2)
    assert curves.exponent([16, 32, 64], [3.0, 3.0, 3.0]) == pytest.approx(0)
    assert 0 < curves.exponent([10, 20, 40], [11, 21, 41]) < 1  # a part that does not grow


def test_the_last_exponent_is_that_of_the_two_largest_values():
    timings = [
        [{"engine": engine, "seconds": seconds} for engine in ("scratchnet", "Keras")]
        for seconds in (1.0, 1.0, 4.0)
    ]
    points = [{"value": n, "timings": one} for n, one in zip((1, 2, 4), timings, strict=True)]
    curve = curves._curve("B", points, {}, 1)
    assert curve["last_exponents"]["Keras"] == pytest.approx(2)
    assert curve["exponents"]["Keras"] == pytest.approx(1)


def test_engines_that_disagree_are_not_timed(monkeypatch):
    monkeypatch.setattr(curves.ScratchSteps, "step", lambda self, x, y: 1.0)
    monkeypatch.setattr(race, "race", None)
    with pytest.raises(RuntimeError, match=r"'T': 3.*first losses"):
        measured(values={"T": (3,)})


def test_progress_counts_the_points(monkeypatch):
    told = []
    point = {
        "flops": 1,
        "timings": [{"engine": e, "seconds": 1.0} for e in ("scratchnet", "Keras")],
    }
    monkeypatch.setattr(curves, "_point", lambda *_: point)
    measured(values={"T": (3, 6), "V": (7, 9)}, progress=lambda *said: told.append(said))
    assert [said[1:] for said in told] == [(0, 3), (1, 3), (2, 3)]
    assert told[0][0] == "how cost grows: T = 3, B = 4, H = 5, V = 7"


@pytest.mark.parametrize(("raced", "values"), [(1, []), (3, [[3, 6, 9]]), (4, [[3, 6, 9], [7, 9]])])
def test_curves_of_two_points_are_kept_when_the_user_stops_it(monkeypatch, raced, values):
    points = []

    def point(*_):
        if len(points) == raced:
            raise KeyboardInterrupt
        points.append(1)
        timings = [{"engine": e, "seconds": 1.0} for e in ("scratchnet", "Keras")]
        return {"flops": 1, "timings": timings}

    monkeypatch.setattr(curves, "_point", point)
    with pytest.raises(race.Stopped) as caught:
        measured(values={"T": (3, 6, 9), "V": (7, 9, 11)})
    assert [curve["values"] for curve in caught.value.found] == values
