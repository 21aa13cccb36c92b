"""Views are known as parts of their owners."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet.stepper import step
from scratchnet.stepper.replay import _part
from scratchnet.stepper.tracing.views import place

OWNER = np.arange(60.0).reshape(3, 4, 5)


@pytest.mark.parametrize(
    ("view", "said"),
    [
        (OWNER[1], "[1]"),
        (OWNER[:, 2], "[:, 2]"),
        (OWNER[:, 1:3, ::2], "[:, 1:3, 0:5:2]"),
        (OWNER[2, :, 0:1], "[2, :, 0:1]"),
        (OWNER.swapaxes(0, 1), ".swapaxes(0, 1)"),
        (OWNER.swapaxes(0, 1)[3], "[:, 3]"),
        (OWNER[0].T, "[0].T"),
        (OWNER.transpose(2, 0, 1), ".transpose(2, 0, 1)"),
        (OWNER.reshape(12, 5), ".reshape(12, 5)"),
        (OWNER[::-1], None),
    ],
)
def test_places(view, said):
    assert place(view, OWNER) == said


indices = st.one_of(
    st.integers(0, 2), st.builds(slice, st.integers(0, 2), st.integers(3, 5), st.integers(1, 3))
)


@given(
    parts=st.lists(indices, max_size=3),
    order=st.none() | st.permutations(range(3)),
    shape=st.sampled_from([(3, 4, 5), (3, 3, 3), (3, 1 + 2, 5)]),
    data=st.data(),
)
def test_a_place_leads_to_the_view(parts, order, shape, data):
    owner = np.arange(float(np.prod(shape))).reshape(shape)
    if data.draw(st.booleans()):
        owner = np.asfortranarray(owner)
    view = owner[tuple(parts)]
    if not isinstance(view, np.ndarray):
        return
    if order is not None and view.ndim == 3:
        view = view.transpose(order)
    where = place(view, owner)
    if view.size == 0:
        return
    assert where is not None
    found = _part(owner, where)
    assert found.shape == view.shape
    np.testing.assert_array_equal(found, view)
    assert np.shares_memory(found, view)


def test_the_nearest_owner_is_named():
    def inner(a):
        row = a[1]
        head = row[:2]
        return head[0] + row[0]

    recording = step(inner, np.arange(12.0).reshape(3, 4).copy())
    shown = {name: recording.values[k].view_of for name, k in recording.frames[-1].locals.items()}
    assert shown["row"][::2] == ("a", "[1]")
    assert shown["head"][::2] == ("row", "[0:2]")


def test_owners_here_and_in_callers():
    def inner(row):
        head = row[:2]
        head[0] = 100
        return head

    def outer(a):
        b = a.T
        c = inner(a[1])
        other = a * 2
        return b, c, other[0]

    recording = step(outer, np.arange(12.0).reshape(3, 4))

    def view(frame, name):
        return recording.values[frame.locals[name]].view_of

    (entered,) = recording.at(function="inner", event="call")
    assert view(entered, "row")[::2] == ("outer.a", "[1]")
    head = recording.at(function="inner", event="line")[0]
    assert view(head, "head")[::2] == ("row", "[0:2]")
    last = recording.frames[-1]
    assert view(last, "b")[::2] == ("a", ".T")
    assert view(last, "c")[::2] == ("a", "[1, 0:2]")
    assert view(last, "a") is view(last, "other") is None
    written = recording.at(function="inner", event="line")[1]
    assert set(written.changed) == {"head", "row"}
    called = recording.frames[-3]
    assert set(called.changed) == {"c", "a", "b"}  # the caller's array was written into
    owner = recording.values[view(last, "c").value]
    np.testing.assert_array_equal(owner.array[1, 0:2], recording.array(last, "c"))
