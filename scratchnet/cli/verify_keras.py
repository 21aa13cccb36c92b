"""What ``scratchnet verify`` checks of a user's own Keras model."""

from __future__ import annotations

import numpy as np
from rich.progress import Progress

from scratchnet.backend import Array
from scratchnet.cli import console, their_model
from scratchnet.cli.shapes import listed, sizes
from scratchnet.cli.their_model import TheirModel
from scratchnet.cli.verified import Checked
from scratchnet.cli.verify_code import command, refuse
from scratchnet.errors import InputError
from scratchnet.gradcheck.check import check
from scratchnet.gradcheck.subject import Subject
from scratchnet.gradcheck.subjects import own_inputs
from scratchnet.gradcheck.subjects.own_layer import LayerSubject
from scratchnet.gradcheck.subjects.own_shared import copied, in_float64
from scratchnet.gradcheck.subjects.own_stack import StackSubject, inputs_of
from scratchnet.layers import Bidirectional, OneHot
from scratchnet.layers.recurrent import Recurrent
from scratchnet.model import Sequential

MOST_PARAMETERS = 1_000_000
"""Of a layer that is checked: its derivatives take that many numbers times a thousand calls."""


def check_model(
    path: str, input_shape: str | None, seed: int, keras: bool | None
) -> tuple[list[Checked], str]:
    """Check every layer of ``their.keras``, then the whole; return what was found, and a remark.

    All is computed in float64, with the model's own weights.

    Raises
    ------
    InputError, CheckpointError
        If the file cannot be read, a layer is too big, or the model cannot have this input.
    """
    theirs = their_model.read(path)
    model = _in_float64(theirs.model)
    _check_size(path, model)
    rng = np.random.default_rng(seed)
    x = _input(path, model, input_shape, rng)
    words = [path] if input_shape is None else [path, "--input-shape", listed(x.shape)]
    replay = command(*words, seed=seed, keras=keras)
    subjects = _subjects(model, theirs, x, seed, keras is not False)
    checked = []
    screen = console.progress()
    with Progress(console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task("", total=len(subjects))
        for name, label, subject in subjects:
            bar.update(task, description=name)
            report = check(subject, seed=seed, keras=keras is not False, replay=replay)
            report.name = f"{name} ({label})"
            checked.append(Checked(name, label, report))
            bar.advance(task)
    return checked, _remark(theirs, x)


def _subjects(
    model: Sequential, theirs: TheirModel, x: Array, seed: int, keras: bool
) -> list[tuple[str, str, Subject]]:
    """Return what there is to check, each with its name and its kind."""
    found: list[tuple[str, str, Subject]] = []
    for layer, shape, mask in inputs_of(model, x):
        if isinstance(layer, OneHot):  # neither parameters nor an input with a gradient
            continue
        takes_mask = isinstance(layer, Bidirectional | Recurrent)
        subject = LayerSubject(
            layer, shape, seed=seed, mask=mask if takes_mask else None, keep=True
        )
        found.append((layer.name, type(layer).__name__, subject))
    twin = None
    if keras:
        from keras_impl.parity.stack import float64_twin

        twin = float64_twin(theirs.twins)
    found.append(("all layers", "one after the other", StackSubject(model, x, twin)))
    return found


def _in_float64(model: Sequential) -> Sequential:
    """Return a copy of a built model that computes in float64."""
    exact = copied(model)
    exact.layers = [in_float64(layer) for layer in exact.layers]
    return exact


def _check_size(path: str, model: Sequential) -> None:
    big = [layer for layer in model.layers if layer.count_params() > MOST_PARAMETERS]
    if big:
        got = ", ".join(f"{layer.count_params():,} (layer {layer.name!r})" for layer in big)
        raise InputError(
            f"{path}: expected layers of at most {MOST_PARAMETERS:,} parameters, got {got}. Check "
            "a model of the same layers with fewer units, or a smaller vocabulary."
        )


def _input(path: str, model: Sequential, said: str | None, rng: np.random.Generator) -> Array:
    if said is None:
        return own_inputs.random_input(path, model, rng, option="--input-shape")
    shape = sizes("--input-shape", said)
    try:
        x = own_inputs.filled(model, shape, rng)
        model.forward(x)
    except (InputError, ValueError) as error:
        refuse("--input-shape", f"{path} does not take {said}: {str(error).removesuffix('.')}")
    own_inputs.forget_states(model)
    return x


def _remark(theirs: TheirModel, x: Array) -> str:
    said = f"Input: random, of shape {listed(x.shape)}; the model's own weights, in float64."
    if theirs.left_out:
        said += f" Left out, as gradients do not depend on it: {'; '.join(theirs.left_out)}."
    return said
