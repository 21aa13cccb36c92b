"""The colours are the gates of the trained layer."""

import numpy as np

from scratchnet import figures
from scratchnet.figures import gate_maps
from tests.figures.reading import caption, panels
from tests.helpers import assert_agrees


def test_the_gates_make_the_layers_output():
    found = gate_maps.gate_activations()
    lstm, vocabulary, _ = gate_maps.train()
    ids = [vocabulary.index(character) for character in gate_maps.SENTENCE]
    (y,) = lstm.forward(np.eye(len(vocabulary))[ids][np.newaxis])
    order = [int(np.abs(y - column[:, None]).sum(axis=0).argmin()) for column in found["h"].T]
    assert sorted(order) == list(range(gate_maps.UNITS))
    assert_agrees(found["h"], y[:, order], 1e-12)
    c_prev = np.vstack([np.zeros(gate_maps.UNITS), found["c"][:-1]])
    assert_agrees(found["f"] * c_prev + found["i"] * found["g"], found["c"], 1e-12)
    assert_agrees(found["o"] * np.tanh(found["c"]), found["h"], 1e-12)


def test_units_that_keep_most_come_first():
    kept = gate_maps.gate_activations()["f"].mean(axis=0)
    assert (np.diff(kept) <= 0).all()


def test_the_model_has_learned_something():
    assert gate_maps.train().loss < 1.0 < np.log(len(gate_maps.train().vocabulary))
    assert gate_maps.SENTENCE in gate_maps.TEXT


def test_a_map_a_gate_with_the_sentence_below():
    figure = figures.gates()
    found = gate_maps.gate_activations()
    maps = [axes for axes in panels(figure) if axes.get_title(loc="left")]
    assert [axes.get_title(loc="left")[0] for axes in maps] == ["i", "f", "g", "o"]
    for axes, name in zip(maps, "ifgo", strict=True):
        (image,) = axes.images
        np.testing.assert_array_equal(image.get_array(), found[name].T)
        written = "".join(label.get_text() for label in axes.get_xticklabels())
        assert written.replace("␣", " ") == gate_maps.SENTENCE
    assert f"loss {gate_maps.train().loss:.2f}" in caption(figure)
