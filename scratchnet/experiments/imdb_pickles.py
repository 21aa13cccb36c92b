"""Lists of numbers out of a pickled array, without unpickling it.

The archive that Keras publishes holds its reviews as an array of lists, which NumPy can only keep
as a pickle: a program that calls whatever it names.  Here the program is read as data.  Its
instructions are decoded by the standard library's disassembler and the few that such an array needs
are carried out on plain lists; the three names of NumPy that it mentions stay names, and nothing is
imported or called.
"""

from __future__ import annotations

import pickletools
from dataclasses import dataclass
from typing import Any, NoReturn

from scratchnet.errors import DataError

RECONSTRUCT, ARRAY, DTYPE = "_reconstruct", "ndarray", "dtype"
NAMES = {
    ("numpy.core.multiarray", "_reconstruct"): RECONSTRUCT,
    ("numpy._core.multiarray", "_reconstruct"): RECONSTRUCT,
    ("numpy", "ndarray"): ARRAY,
    ("numpy", "dtype"): DTYPE,
}
"""What a pickled array names, before NumPy 2 and since."""

VALUES = {
    *("BININT", "BININT1", "BININT2", "LONG1"),
    *("BINUNICODE", "SHORT_BINUNICODE", "SHORT_BINSTRING", "SHORT_BINBYTES"),
}
"""Instructions that put the value that follows them on the stack."""
CONSTANTS: dict[str, Any] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


@dataclass(frozen=True)
class Name:
    """One of `NAMES`, in the place of the function or class that it is the name of."""

    name: str


@dataclass
class Made:
    """What calling a name would have made, in its place: the name and what was given to it."""

    name: str
    arguments: Any
    state: Any = None


def read_lists(content: bytes, count: int) -> list[list[int]]:
    """Return the lists of a pickled array of ``count`` lists of whole numbers.

    Raises
    ------
    DataError
        It is a pickle of anything else, is damaged, or refers to lists again and again so that it
        would grow beyond its own size; nothing of it has been run.
    """
    try:
        made = _run(content)
    except DataError:
        raise
    except Exception as error:  # the disassembler answers damage with whatever it runs into
        reason = " ".join(str(error).split())[:100]
        raise DataError(f"expected a whole pickle, got a damaged one ({reason}).") from None
    if not isinstance(made, Made) or made.name != RECONSTRUCT:
        _refuse("an array", type(made).__name__)
    match made.state:
        case (int(), (size,), Made(name="dtype", arguments=("O8" | "O4" | "O", *_)), bool(), lists):
            pass
        case _:
            _refuse("an array of lists with one axis", "another")
    if not isinstance(lists, list) or not size == len(lists) == count:
        _refuse(f"{count} lists", f"{size} announced")
    if not all(type(one) is list for one in lists):
        _refuse("lists alone", "something else among them")
    if sum(map(len, lists)) > len(content):
        _refuse("as many numbers as its bytes can hold", "lists that are referred to repeatedly")
    if not all(type(number) is int for one in lists for number in one):
        _refuse("lists of whole numbers", "something else in them")
    return lists


def _run(content: bytes) -> Any:
    """Carry a pickle's instructions out on lists, tuples, numbers, text and names."""
    stack: list[Any] = []
    marks: list[list[Any]] = []  # what was below each open mark
    memo: dict[int, Any] = {}
    value: Any
    for instruction, value, _ in pickletools.genops(content):
        what = instruction.name
        if what in VALUES:
            stack.append(value)
        elif what == "MARK":
            marks.append(stack)
            stack = []
        elif what == "APPENDS":
            items, stack = stack, marks.pop()
            stack[-1].extend(items)
        elif what == "APPEND":
            item = stack.pop()
            stack[-1].append(item)
        elif what == "EMPTY_LIST":
            stack.append([])
        elif what in ("BINPUT", "LONG_BINPUT"):
            memo[value] = stack[-1]
        elif what == "MEMOIZE":
            memo[len(memo)] = stack[-1]
        elif what in ("BINGET", "LONG_BINGET"):
            stack.append(memo[value])
        elif what in CONSTANTS:
            stack.append(CONSTANTS[what])
        elif what in TUPLES:
            stack[-TUPLES[what] :] = [tuple(stack[-TUPLES[what] :])]
        elif what == "TUPLE":
            items, stack = stack, marks.pop()
            stack.append(tuple(items))
        elif what == "GLOBAL":
            stack.append(_name(*value.split(" ", 1)))
        elif what == "STACK_GLOBAL":
            name, module = stack.pop(), stack.pop()
            stack.append(_name(module, name))
        elif what == "REDUCE":
            arguments, name = stack.pop(), stack.pop()
            stack.append(Made(name.name, arguments))
        elif what == "BUILD":
            state = stack.pop()
            stack[-1].state = state
        elif what == "STOP":
            return stack.pop()
        elif what not in ("PROTO", "FRAME"):
            _refuse("the instructions of an array of lists", what)
    raise ValueError("it does not end")


def _name(module: Any, name: Any) -> Name:
    if (module, name) not in NAMES:
        _refuse("the names of NumPy's arrays", f"{module}.{name}")
    return Name(NAMES[module, name])


def _refuse(expected: str, got: str) -> NoReturn:
    raise DataError(
        f"expected a pickle with {expected}, got {' '.join(got.split())[:80]}; nothing was run. "
        "Download it anew."
    )
