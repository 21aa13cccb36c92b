"""What the engine does not have, said of all layers at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from scratchnet.errors import InputError

PREPROCESSING = (
    *("Discretization", "Hashing", "IntegerLookup", "Normalization", "Rescaling", "StringLookup"),
    *("TextVectorization", "CategoryEncoding", "HashedCrossing"),
)

REMEDIES = {
    "Lambda": "Use a layer of Keras's own in place of Lambda, which holds code.",
    "RNN": "Use keras.layers.LSTM, GRU or SimpleRNN in place of RNN around a cell; its weights "
    "fit as they are.",
    "Softmax": "Use keras.layers.Activation('softmax') in place of Softmax.",
    **dict.fromkeys(
        PREPROCESSING, "Save the model without its preprocessing, and give it what that makes."
    ),
    **dict.fromkeys(
        ("Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply", "Subtract"),
        "Rebuild it as one line of layers, without branches.",
    ),
}
"""What to do about a layer, where there is something better than leaving it out."""


class Unsupported(NamedTuple):
    """A layer that one side has and the other has not."""

    class_name: str
    layer: str
    wrapper: str = ""
    """The layer that it is inside of."""

    def __str__(self) -> str:
        inside = f" in {self.wrapper!r}" if self.wrapper else ""
        return f"{self.class_name} (layer {self.layer!r}{inside})"


class UnsupportedError(InputError):
    """Layers that the other side does not have."""

    def __init__(self, caller: str, supported: Sequence[str], found: Sequence[Unsupported]) -> None:
        self.found = list(found)
        super().__init__(f"{caller}: {_sentence(supported, self.found)}")


def refuse_all(caller: str, supported: Sequence[str], errors: Iterable[InputError]) -> None:
    """Raise one error that says what every one of these does; nothing if there are none."""
    errors = list(errors)
    found = [one for e in errors if isinstance(e, UnsupportedError) for one in e.found]
    said = [_sentence(supported, found)] if found else []
    said += [
        str(error).removeprefix(f"{caller}: ")
        for error in errors
        if not isinstance(error, UnsupportedError)
    ]
    if said:
        cause = errors[0] if len(errors) == 1 else None
        raise InputError(f"{caller}: {' '.join(said)}") from cause


def _sentence(supported: Sequence[str], found: Sequence[Unsupported]) -> str:
    advice = list(dict.fromkeys(REMEDIES.get(one.class_name, "") for one in found))
    if "" in advice:
        advice.remove("")
        which = "it" if len(found) == 1 else "the others" if advice else "them"
        advice.append(f"Leave {which} out.")
    return (
        f"expected layers that both sides have, {', '.join(supported)}, got "
        f"{', '.join(map(str, found))}. {' '.join(advice)}"
    )
