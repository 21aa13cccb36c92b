"""The surface and the paths are those of the real model and the real optimizers."""

import numpy as np
import pytest

from scratchnet import figures, losses
from scratchnet.figures import optimizer_paths
from scratchnet.layers import Dense
from scratchnet.model import Sequential
from scratchnet.optimizers import SGD
from tests.figures.reading import caption, panels, remark
from tests.helpers import assert_agrees


def model_at(w: float, b: float) -> Sequential:
    model = Sequential([Dense(1, activation="sigmoid")], dtype="float64")
    model.build((1, 1))
    model.set_weights([[[w]], [b]])
    model.compile(optimizer="sgd", loss=losses.BinaryCrossentropy())
    return model


@pytest.mark.parametrize(("w", "b"), [(-6.0, 3.5), (2.0, -1.0), (15.0, -5.0)])
def test_the_surface_is_the_models_loss(w, b):
    x, y = optimizer_paths.records()
    loss, _ = model_at(w, b).gradients(x, y)
    assert_agrees(optimizer_paths.surface(np.array([w]), np.array([b])), [loss], 1e-12)


def test_a_path_is_training():
    x, y = optimizer_paths.records()
    w, b = optimizer_paths.START
    points = optimizer_paths.path(SGD(2.0), steps=3)
    assert len(points) == 4
    for point in points:
        np.testing.assert_allclose(point, (w, b), rtol=1e-12)
        _, (gradients,) = model_at(w, b).gradients(x, y)
        w, b = w - 2 * gradients["kernel"].item(), b - 2 * gradients["bias"].item()


def test_each_optimizer_has_its_panel_and_all_end_lower():
    figure = figures.descent()
    drawn = panels(figure)
    titles = [axes.get_title(loc="left") for axes in drawn]
    assert titles == ["SGD", "SGD with momentum 0.9", "RMSprop", "Adam"]
    start = optimizer_paths.surface(*np.array([optimizer_paths.START]).T).item()
    for axes, optimizer in zip(drawn, optimizer_paths.optimizers().values(), strict=True):
        points = optimizer_paths.path(optimizer)
        assert any(np.array_equal(line.get_xydata(), points) for line in axes.lines)
        end = optimizer_paths.surface(*points[-1:].T).item()
        assert end < start / 2
        assert f"loss {end:.3f} after" in remark(axes)
    x, _ = optimizer_paths.records()
    assert f"all {len(x)} of" in caption(figure)


def test_every_path_stays_in_the_picture():
    for optimizer in optimizer_paths.optimizers().values():
        w, b = optimizer_paths.path(optimizer).T
        for values, (low, high) in (
            (w, optimizer_paths.W_LIMITS),
            (b, optimizer_paths.B_LIMITS),
        ):
            assert low < values.min()
            assert values.max() < high
