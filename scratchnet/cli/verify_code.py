"""What ``scratchnet verify`` is asked to check in a user's file."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from typing import Any, NoReturn

from scratchnet import gradcheck
from scratchnet.cli.shapes import Shape, listed, named_ids, named_sizes, sizes
from scratchnet.cli.verified import Checked
from scratchnet.errors import InputError
from scratchnet.gradcheck.loading import load

SHAPES: dict[str, Shape] = {"dense": (5, 4), "embedding": (3, 6)}
"""Inputs that differ from `SEQUENCES`."""

SEQUENCES = (3, 6, 4)
"""Batch, time and features, all different."""

IDS = 10
"""How many ids an embedding is tried with."""


def names_file(target: str) -> bool:
    """Whether a target means code of the user's, rather than a layer or loss of scratchnet's."""
    return re.search(r":|\.py$|[/\\]", target) is not None


def check_code(
    target: str,
    like: str | None,
    input_shape: str | None,
    shapes: list[str],
    ids: list[str],
    seed: int,
) -> list[Checked]:
    """Check ``mine.py:MyLSTM`` or ``mine.py:forward,backward``.

    Raises
    ------
    InputError
        If an option is malformed, missing, or belongs to another kind of target.
    """
    try:
        code = read(target, like, input_shape, shapes, ids)
    except InputError:
        load(target)  # a file that is not there matters more than the options
        raise
    report = gradcheck.check_file(target, seed=seed, **code.arguments)
    report.notes[:0] = code.assumed
    report.replay = command(target, *code.words, seed=seed)
    return [Checked(report.name, report.name, report)]


@dataclass(frozen=True)
class Code:
    """What `scratchnet.gradcheck.check_file` is given besides the target.

    Attributes
    ----------
    arguments : dict
    words : list of str
        The options that give these arguments.
    assumed : list of str
        What was taken because nothing was given, in sentences.
    """

    arguments: dict[str, Any]
    words: list[str]
    assumed: list[str] = field(default_factory=list)


def read(
    target: str, like: str | None, input_shape: str | None, shapes: list[str], ids: list[str]
) -> Code:
    """Return what the options ask for.

    Raises
    ------
    InputError
        If one is malformed, missing, or belongs to another kind of target.
    """
    file, _, names = target.rpartition(":")
    parts = names.split(",")
    if not (file and len(parts) <= 2 and all(part.isidentifier() for part in parts)):
        raise InputError(
            "verify: expected FILE.py:CLASS or FILE.py:FORWARD,BACKWARD, such as mine.py:MyLSTM, "
            f"got {target}. Name what to check in the file."
        )
    if len(parts) == 1:
        return _class(target, like, input_shape, shapes, ids)
    return _functions(target, parts[0], like, input_shape, shapes, ids)


def _class(
    target: str, like: str | None, input_shape: str | None, shapes: list[str], ids: list[str]
) -> Code:
    if shapes:
        refuse("--shape", f"is for two functions, and {target} is a class: give --input-shape")
    assumed = []
    below = _ids_of_class(ids)
    if input_shape is not None:
        shape = sizes("--input-shape", input_shape)
    elif like is None and not isinstance(below, int):
        raise InputError(
            f"--input-shape: expected the shape of an input of {target}, such as "
            "--input-shape 3,6,4 (batch, time, features), got none. Add it, or --like LSTM."
        )
    else:
        shape = default_shape(like or "embedding")
        assumed.append(f"No --input-shape was given: {listed(shape)} was taken.")
    if below is None and like is not None and spelling(like) == "embedding":
        below = IDS
        assumed.append(f"No --ids were given: ids below {IDS} were taken.")
    arguments = {"like": like, "input_shape": shape, "ids": below}
    words = ["--like", like] if like is not None else []
    words += ["--input-shape", listed(shape)]
    words += [word for one in ids or [str(below)] * bool(below) for word in ("--ids", one)]
    return Code(_given(arguments), words, assumed)


def _ids_of_class(ids: list[str]) -> int | dict[str, tuple[Shape, int]] | None:
    """Return what the input's ids are below, or the labels of a class that is a loss."""
    if any("=" in one for one in ids):
        return dict(map(named_ids, ids))
    if len(ids) > 1 or not all(re.fullmatch("[1-9][0-9]*", one) for one in ids):
        raise InputError(
            "--ids: expected for a class one number above its largest id, such as --ids 10, got "
            f"{' '.join(ids) or 'nothing'}. The shape is --input-shape's."
        )
    return int(ids[0]) if ids else None


def _functions(
    target: str,
    forward: str,
    like: str | None,
    input_shape: str | None,
    shapes: list[str],
    ids: list[str],
) -> Code:
    if input_shape is not None:
        because = f"is for a class, and {target} is two functions: give --shape x=3,6,4"
        refuse("--input-shape", because)
    if not shapes and not ids:
        raise InputError(
            f"--shape: expected the shape of every argument of {forward}, such as "
            "--shape x=3,6,4 --shape h0=3,5, got none. Add them; integers are --ids labels=3,6:10."
        )
    floats, integers = [named_sizes(one) for one in shapes], [named_ids(one) for one in ids]
    names = [name for name, _ in (*floats, *integers)]
    for name in names:
        if names.count(name) > 1:
            raise InputError(
                f"--shape: expected each argument once, got {name} more than once. Leave one."
            )
    words = ["--like", like] if like is not None else []
    words += [word for one in shapes for word in ("--shape", one)]
    words += [word for one in ids for word in ("--ids", one)]
    return Code(_given({"like": like, "shapes": dict(floats), "ids": dict(integers)}), words)


def default_shape(like: str) -> Shape:
    """Return the input that a kind of layer is tried with."""
    return SHAPES.get(spelling(like), SEQUENCES)


def command(*words: str, seed: int, keras: bool | None = None) -> str:
    """Return the command that checks this case again."""
    options = [] if keras is None else ["--keras" if keras else "--no-keras"]
    return shlex.join(["scratchnet", "verify", *words, *options, "--seed", str(seed)])


def refuse_for_code(target: str, options: dict[str, object]) -> None:
    """Raise if an option of scratchnet's own layers was given for a file."""
    for option, value in options.items():
        if value is not None:
            refuse(option, f"is for scratchnet's own layers, not for {target}: leave it out")


def refuse_for_own(target: str | None, options: dict[str, object]) -> None:
    """Raise if an option of a user's file was given for something of scratchnet's."""
    for option, value in options.items():
        if value:
            what = f"{target} is scratchnet's own" if target else "no file is named"
            refuse(option, f"is for code of yours, and {what}: name yours, as in mine.py:MyLSTM")


def refuse(option: str, because: str) -> NoReturn:
    """Raise for an option that does not go with the rest."""
    raise InputError(f"{option}: {because}.")


def spelling(name: str) -> str:
    """Return a name as it is compared: ``simple_rnn`` and ``SimpleRNN`` are one."""
    return name.replace("_", "").lower()


def _given(arguments: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value not in (None, {})}
