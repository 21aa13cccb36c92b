"""Recognising a SimpleRNN, LSTM or GRU by trying: layouts, gate orders, variants."""

from __future__ import annotations

import functools
import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from scratchnet.backend import Array
from scratchnet.gradcheck import references
from scratchnet.gradcheck.recognition.arrangement import Arrangement, Block, View
from scratchnet.gradcheck.recognition.outputs import Samples, matched
from scratchnet.gradcheck.recognition.roles import Layout, Role, Sizes, roles
from scratchnet.gradcheck.subject import Subject

MOST = 20_000
"""Arrangements tried before giving up."""


class Variant(NamedTuple):
    """One kind of recurrent layer, in one of the ways in which it is written."""

    kind: str
    gates: str
    states: str
    build: Callable[[Mapping[str, Array]], references.Built]
    words: str


def _variants() -> Iterator[Variant]:
    for activation in ("tanh", "relu", "sigmoid", "linear"):
        build: Any = functools.partial(references.simple_rnn, activation=activation)
        yield Variant("simple_rnn", "", "h", build, f"a simple RNN with {activation}")
    yield Variant("lstm", "ifgo", "hc", references.lstm, "an LSTM")
    for after, keeps in itertools.product((True, False), repeat=2):
        build = functools.partial(references.gru, reset_after=after, z_keeps=keeps)
        words = f"a GRU with the reset {'after' if after else 'before'} the product"
        update = "z * h_prev + (1 - z) * n" if keeps else "(1 - z) * h_prev + z * n"
        yield Variant("gru", "zrn", "h", build, f"{words} and h = {update}")


VARIANTS = tuple(_variants())
"""Every kind that can be recognised."""


class Reading(NamedTuple):
    """A way to read the input as (B, T, D)."""

    view: View
    words: str
    backwards: bool = False


def readings(rank: int) -> Iterator[Reading]:
    """Yield the ways to read an input of this rank, the commonest first."""
    if rank == 3:
        names = {
            (0, 1, 2): "batch-major input (B, T, D)",
            (1, 0, 2): "time-major input (T, B, D)",
            (1, 2, 0): "input (D, B, T)",
            (2, 0, 1): "input (T, D, B)",
            (0, 2, 1): "input (B, D, T)",
            (2, 1, 0): "input (D, T, B)",
        }
        for axes, words in names.items():
            yield Reading(lambda x, axes=axes: x.transpose(axes), words)  # type: ignore[misc]
        backwards = "read from the last step to the first"
        yield Reading(lambda x: x[:, ::-1], f"batch-major input (B, T, D), {backwards}", True)
        yield Reading(lambda x: x[::-1].transpose(1, 0, 2), f"time-major input, {backwards}", True)
    elif rank == 2:
        yield Reading(lambda x: x[:, None, :], "one step, input (B, D)")
        yield Reading(lambda x: x.T[:, None, :], "one step, input (D, B)")
        yield Reading(lambda x: x[None], "one sequence, input (T, D)")
        yield Reading(lambda x: x.T[None], "one sequence, input (D, T)")
    elif rank == 1:
        yield Reading(lambda x: x[None, None], "one step, input (D,)")


def recognise_recurrent(subject: Subject, samples: Samples, like: str) -> Arrangement | None:
    """Return how the subject's forward pass is a recurrent layer, or None if it is none of them."""
    if not subject.wrt:
        return None
    arrays, wrt = subject.arrays, subject.wrt
    x, others = wrt[0], wrt[1:]
    masks = [n for n, a in arrays.items() if a.dtype == bool and a.ndim == 2]
    tried = 0
    for reading in readings(arrays[x].ndim):
        B, T, D = reading.view(arrays[x]).shape
        for variant in VARIANTS:
            if like and variant.kind != like:
                continue
            for candidate in _candidates(subject, others, (B, T, D), variant):
                blocks = {x: [Block("x", reading.view)], **candidate.blocks}
                for name in masks:
                    blocks[name] = [Block("mask", _mask_view(arrays[name].shape, B, T, reading))]
                arrangement = Arrangement(variant.kind, variant.build, blocks)
                tried += 1
                if tried > MOST:
                    return None
                found = matched(arrangement, samples, subject.dtype)
                if found:
                    arrangement.outputs = found
                    arrangement.notes = [variant.words, reading.words, *candidate.words]
                    return arrangement
    return None


def _mask_view(shape: tuple[int, ...], B: int, T: int, reading: Reading) -> View:
    def view(mask: Array) -> Array:
        mask = mask if shape == (B, T) else mask.T
        return mask[:, ::-1] if reading.backwards else mask

    return view


class Candidate(NamedTuple):
    """The blocks of all arrays but the input, in one arrangement."""

    blocks: dict[str, list[Block]]
    words: list[str]


def _candidates(
    subject: Subject, names: Sequence[str], x_sizes: tuple[int, int, int], variant: Variant
) -> Iterator[Candidate]:
    G = max(len(variant.gates), 1)
    shapes = {name: subject.arrays[name].shape for name in names}
    lengths = sorted({n for shape in shapes.values() for n in shape})
    for H in sorted({*lengths, *(n // G for n in lengths if n % G == 0)}):
        if not any({H, G * H} & {*shape} for shape in shapes.values() if len(shape) > 1):
            continue
        projections = [
            0,
            *(n for n in lengths if any(sorted(s) == sorted((H, n)) for s in shapes.values())),
        ]
        for O in projections:  # noqa: E741
            sizes = Sizes(*x_sizes, H, O, G)
            for layout in (Layout(o, h) for o in (False, True) for h in (True, False)):
                options = [
                    list(dict.fromkeys(roles(shapes[n], sizes, layout, n in subject.parameters)))
                    for n in names
                ]
                if not all(options):
                    continue
                for combination in itertools.product(*options):
                    if _complete(combination, sizes, variant):
                        chosen = dict(zip(names, combination, strict=True))
                        joint = any(role.kind == "W" for role in combination)
                        if not joint and not layout.h_first:
                            continue  # the order of the halves says nothing here
                        yield from _arranged(chosen, sizes, layout, variant, layout.words(joint))


def _complete(combination: Sequence[Role], s: Sizes, variant: Variant) -> bool:
    """Return whether these roles make up a layer: every gate once, states as many as there are."""
    held: Counter[str] = Counter()
    number: Counter[str] = Counter()
    for role in combination:
        held[role.kind] += role.gates
        number[role.kind] += 1
    biases = held["b"] + held["bb"]
    return (
        held["Wx"] + held["W"] == s.G
        and held["Wh"] + held["W"] == s.G
        and biases in {0, s.G, 2 * s.G}
        and (not held["bb"] or variant.kind == "gru")
        and number["state"] <= len(variant.states)
        and number["Wy"] == (1 if s.O else 0)
        and number["by"] <= number["Wy"]
    )


def _arranged(
    chosen: Mapping[str, Role], s: Sizes, layout: Layout, variant: Variant, words: list[str]
) -> Iterator[Candidate]:
    """Yield every order of gates and states, and of two biases where that matters."""
    states = [name for name, role in chosen.items() if role.kind == "state"]
    two_biases = sum(role.gates for role in chosen.values() if role.kind == "b") == 2 * s.G
    biases = [("b", "b")]
    if variant.kind == "gru":
        biases = [("bx", "bh"), ("bh", "bx")] if two_biases else [("bx", "bx"), ("bh", "bh")]
    orders = itertools.permutations(variant.gates) if variant.gates else iter([("",)])
    for order in orders:
        for named in itertools.permutations(variant.states, len(states)):
            for pair in biases:
                blocks: dict[str, list[Block]] = {}
                seen: Counter[str] = Counter()
                for name, role in chosen.items():
                    if role.kind == "state":
                        blocks[name] = [
                            Block(f"{named[states.index(name)]}0", _state_view(s, name))
                        ]
                        continue
                    first = seen[role.kind]
                    seen[role.kind] += role.gates
                    held = tuple(order[(first + k) % s.G] for k in range(min(role.gates, s.G)))
                    bias = pair[first // s.G] if role.kind == "b" else ""
                    blocks[name] = role.blocks(held, s, layout, bias)
                found = list(words)
                if len(order) > 1:
                    found.append(f"gates in the order {', '.join(order)}")
                yield Candidate(blocks, found)


def _state_view(s: Sizes, name: str) -> View:
    def view(array: Array) -> Array:
        if array.ndim == 1:
            return array[None]
        if array.shape == (s.B, s.H) or array.ndim > 2:
            return array if array.ndim == 2 else array[0]
        return array.T

    return view
