"""How a recurrent step of the page is divided into kernels and products."""

import pytest

from scratchnet.equations import activations
from scratchnet.equations.activations import Pair
from scratchnet.equations.gru import (
    gru_reset_before_step,
    gru_reset_before_step_backward,
    gru_step,
    gru_step_backward,
)
from scratchnet.equations.lstm import lstm_step, lstm_step_backward
from scratchnet.equations.simple_rnn import simple_rnn_step, simple_rnn_step_backward
from scratchnet.kernels.device.recurrent.cell import planned
from scratchnet.kernels.device.tracing.expressions import UntraceableError

CELLS = {
    "lstm": (lstm_step, lstm_step_backward, (4, 4, -4), 2),
    "gru": (gru_step, gru_step_backward, (3, 3, -3, -3), 1),
    "gru_reset_before": (
        gru_reset_before_step,
        gru_reset_before_step_backward,
        (3, 3, -3),
        1,
    ),
    "simple_rnn": (simple_rnn_step, simple_rnn_step_backward, (1, 1, -1), 1),
}
NAMES = ("kernel", "recurrent_kernel", "bias", "second_bias")


def plan_of(cell, masked=False, dy=False, training=True, **settings):
    step, step_backward, gates, states = CELLS[cell]
    kinds = tuple(zip(NAMES, gates, strict=False))
    how = (tuple(settings.items()), kinds, states, masked, dy, training)
    return planned(step, step_backward, *how)


def kernels(stages):
    return [stage.kernel for stage in stages if stage.kernel is not None]


def products(stages):
    return [(p.left, p.matrix.name, len(p.names)) for stage in stages for p in stage.products]


@pytest.mark.parametrize(
    ("cell", "saved", "forward", "backward"),
    [("lstm", 5, 1, 1), ("gru", 4, 1, 1), ("gru_reset_before", 4, 2, 2), ("simple_rnn", 0, 1, 1)],
)
@pytest.mark.parametrize("masked", [False, True])
def test_one_kernel_each_way_and_no_array_too_many(cell, saved, forward, backward, masked):
    plan = plan_of(cell, masked)
    assert len(plan.saved) == saved
    assert len(kernels(plan.forward)) == forward
    assert len(kernels(plan.back.stages)) == backward
    read = {name for kernel in kernels(plan.back.stages) for name in kernel.inputs}
    assert {name for name in read if name.startswith("saved")} <= set(plan.saved)
    assert [len(product.names) for product in plan.before] == [CELLS[cell][2][0]]


@pytest.mark.parametrize("cell", CELLS)
def test_inference_saves_only_what_products_wait_for(cell):
    plan = plan_of(cell, training=False)
    assert plan.back is None
    assert len(plan.saved) == (cell == "gru_reset_before")


def test_products_of_a_step_with_the_reset_before():
    plan = plan_of("gru_reset_before")
    (first, second), (name,) = (
        products(plan.forward),
        plan_of("gru_reset_before", training=False).saved,
    )
    assert first == ("before0", "recurrent_kernel", 2)
    assert second[1:] == ("recurrent_kernel", 1)
    assert second[0] in plan.saved
    assert name.startswith("saved")
    assert products(plan.back.stages) == [
        ("da0", "recurrent_kernel", 1),
        ("da1", "recurrent_kernel", 1),
    ]


def test_gradients_that_are_products_alone_need_no_room_of_their_own():
    assert plan_of("lstm").back.resting == [False, True]
    assert plan_of("lstm", masked=True).back.resting == [True, True]
    assert plan_of("gru").back.resting == [True]
    assert plan_of("simple_rnn").back.resting == [False]
    assert [len(names) for names in plan_of("lstm").back.arriving] == [1, 0]


def test_an_upstream_gradient_is_read_where_every_step_has_one():
    for cell in CELLS:
        with_dy = {n for k in kernels(plan_of(cell, dy=True).back.stages) for n in k.inputs}
        without = {n for k in kernels(plan_of(cell).back.stages) for n in k.inputs}
        assert "dy" in with_dy
        assert "dy" not in without


def test_plans_are_made_once():
    assert plan_of("lstm") is plan_of("lstm")
    assert plan_of("lstm") is not plan_of("lstm", masked=True)


def test_a_softmax_in_a_cell_is_left_to_the_page():
    softmax = Pair(activations.softmax, activations.softmax_backward)
    with pytest.raises(UntraceableError):
        plan_of("lstm", activation=softmax)


def test_kernels_bear_the_name_of_the_page_s_function():
    plan = plan_of("gru_reset_before")
    assert [k.name for k in kernels(plan.forward)] == [
        "gru_reset_before_step",
        "gru_reset_before_step_1",
    ]
    assert kernels(plan.back.stages)[0].name == "gru_reset_before_step_backward"
