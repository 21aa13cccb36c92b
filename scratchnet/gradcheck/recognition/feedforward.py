"""Recognising dense layers, softmax, losses and lookups by trying."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from scratchnet.backend import Array
from scratchnet.gradcheck import references
from scratchnet.gradcheck.recognition.arrangement import Arrangement, Block, View
from scratchnet.gradcheck.recognition.outputs import Samples, matched
from scratchnet.gradcheck.subject import Subject

ACTIVATIONS = ("linear", "sigmoid", "tanh", "relu")


def recognise_dense(subject: Subject, samples: Samples) -> Arrangement | None:
    """Return how the subject's forward pass is up to three dense layers, or None.

    A softmax may be the last activation, and a loss may follow.
    """
    arrays, outputs = samples[0]
    if not subject.wrt:
        return None
    x, others = subject.wrt[0], subject.wrt[1:]
    scalar = all(np.size(output) == 1 for output in outputs.values())
    targets: list[str] = [n for n in arrays if n not in subject.wrt]
    if scalar and not targets:  # floats that are no parameters
        targets = [n for n in others if n not in subject.parameters and arrays[n].ndim == 2]
    for flipped, chain, target in itertools.product(
        (False, True), _chains(arrays, others, targets), targets if scalar else [""]
    ):
        names = [n for n in others if n != target]
        if {n for n, _ in chain} != set(names):
            continue
        views = {n: [block] for n, block in chain}
        views[x] = [Block("x", _rows(flipped))]
        if target:
            flip_target = flipped and arrays[target].ndim == 2
            views[target] = [Block("target", _rows(flip_target) if flip_target else _flat_labels)]
        layers = max(1, sum(block.slot.startswith("W") for _, block in chain))
        for activations, loss in _endings(layers, scalar, bare=not chain):
            build = functools.partial(references.dense_chain, activations=activations, loss=loss)
            arrangement = Arrangement("dense", build, views)
            found = matched_rows(arrangement, samples, subject.dtype, flipped)
            if found:
                arrangement.outputs = found
                words = ", ".join(activations) + (f", then {loss}" if loss else "")
                arrangement.notes = [f"dense layers with {words}" if chain else words]
                if flipped:
                    arrangement.notes.append("input (features, batch)")
                return arrangement
    return None


def recognise_embedding(subject: Subject, samples: Samples) -> Arrangement | None:
    """Return how the subject's forward pass looks rows of a matrix up, or None."""
    ids = [n for n, a in subject.arrays.items() if a.dtype.kind in "iu"]
    matrices = [n for n in subject.wrt if subject.arrays[n].ndim == 2]
    for ids_name, W in itertools.product(ids, matrices):
        for flipped in (False, True):
            view: View = (lambda a: a.T) if flipped else (lambda a: a)
            blocks = {ids_name: [Block("ids", lambda a: a)], W: [Block("W", view)]}
            arrangement = Arrangement("embedding", references.embedding, blocks)
            found = matched(arrangement, samples, subject.dtype)
            if found:
                arrangement.outputs = found
                arrangement.notes = [f"rows of {W} looked up by {ids_name}"]
                return arrangement
    return None


def matched_rows(
    arrangement: Arrangement, samples: Samples, dtype: str, flipped: bool
) -> dict[str, Block] | None:
    """Return what each output is, its leading axes taken together as rows."""
    as_rows = _rows(flipped)

    def flat(outputs: Mapping[str, Array]) -> dict[str, Array]:
        return {
            n: as_rows(np.asarray(a)) if np.ndim(a) > 1 else np.asarray(a)
            for n, a in outputs.items()
        }

    found = matched(arrangement, [(arrays, flat(outputs)) for arrays, outputs in samples], dtype)
    if found is None:
        return None
    outputs = samples[0][1]
    return {
        name: Block(block.slot, as_rows if np.ndim(outputs[name]) > 1 else block.view)
        for name, block in found.items()
    }


def _rows(flipped: bool) -> View:
    """Return the view (rows, features) of (…, features), or of (features, rows)."""
    if flipped:
        return lambda a: a.T
    return lambda a: a.reshape(-1, a.shape[-1]) if a.ndim != 2 else a


def _flat_labels(a: Array) -> Array:
    return a.reshape(-1) if a.dtype.kind in "iu" else (a if a.ndim == 2 else a.reshape(len(a), -1))


def _endings(layers: int, scalar: bool, bare: bool) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield activations for every layer, and a loss where the output is one."""
    last = ("softmax",) if bare else (*ACTIVATIONS, "softmax")
    if bare and not scalar:
        last = (*ACTIVATIONS, "softmax")
    for hidden in itertools.product(ACTIVATIONS, repeat=layers - 1):
        for end in last:
            for loss in references.LOSSES if scalar else [""]:
                if not loss or (end == "softmax") == loss.endswith("cross-entropy"):
                    yield (*hidden, end), loss


def _chains(
    arrays: Mapping[str, Array], names: Sequence[str], targets: Sequence[str]
) -> Iterator[list[tuple[str, Block]]]:
    """Yield what the parameters are as weights and biases of layers in a row."""
    yield []
    for target in {"", *(t for t in targets if t in names)}:
        given = [n for n in names if n != target]
        biases = [n for n in given if arrays[n].ndim == 1 or 1 in arrays[n].shape]
        for as_bias in ([n for n in biases if arrays[n].ndim == 1], biases):
            weights = [n for n in given if n not in as_bias]
            if 1 <= len(weights) <= 3 and all(arrays[n].ndim == 2 for n in weights):
                for out_in in (False, True):
                    for order in itertools.permutations(as_bias):
                        yield _chain(arrays, weights, order, out_in)


def _chain(
    arrays: Mapping[str, Array], weights: Sequence[str], biases: Sequence[str], out_in: bool
) -> list[tuple[str, Block]]:
    found = []
    left = list(biases)
    for k, W in enumerate(weights, start=1):
        found.append((W, Block(f"W{k}", (lambda a: a.T) if out_in else (lambda a: a))))
        outputs = arrays[W].shape[0 if out_in else 1]
        fitting = [b for b in left if arrays[b].size == outputs]
        if fitting:
            left.remove(fitting[0])
            found.append((fitting[0], Block(f"b{k}", _flat_bias)))
    return found


def _flat_bias(a: Array) -> Array:
    if a.ndim == 1:
        return a
    return a[:, 0] if a.shape[1] == 1 else a[0]
