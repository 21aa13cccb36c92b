r"""Two questions that learners ask of a recurrent network, answered in numbers.

Where does :math:`\partial L / \partial h_t` come from?  Read off the recording itself.  And why do
gradients vanish?  Three layers on the same data, and a deep network with two activations.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from scratchnet.stepper.gradient_flow import depth_gradients
from scratchnet.stepper.vanishing import DEPTH, LONG, OPEN, B, D, H, through_time

if TYPE_CHECKING:
    from scratchnet.stepper.recording import Recording


def where_from(recording: Recording) -> list[dict[str, Any]] | None:
    r"""Return, for every step back in the order of the recording, the two parts of dL/dh_t.

    ``later`` is the ``dh_prev`` that step t + 1 handed back; ``output`` is the rest of what arrived
    as ``dh``, so that the two add up to ``total``; at the last step ``later`` is zero, and a
    gradient given for the final state counts as output.  None where the recording has no backward,
    or where masks hold gradients back between the steps.
    """
    network = recording.network
    if network is None or network["kind"] not in ("simple_rnn", "lstm", "gru"):
        return None
    backward = f"{network['function']}_backward"
    steps: list[dict[str, Any]] = []
    later = None
    for frame in recording.frames:
        if "held[0]" in frame.changed:
            return None
        if recording.functions[frame.function].name != backward:
            continue
        if frame.event == "call" and "dh" in frame.changed:
            total = recording.values[frame.changed["dh"]].array
            part = 0 * total if later is None else later
            steps.append(
                {
                    "t": frame.t or 0,
                    "frame": frame.i,
                    "total": total.tolist(),
                    "later": part.tolist(),
                    "output": (total - part).tolist(),
                }
            )
        if "dh_prev" in frame.changed:
            later = recording.values[frame.changed["dh_prev"]].array
    return steps or None


@functools.cache
def vanishing() -> dict[str, Any]:
    """Return the norm of dL/dh_t for three layers, and each layer's share in a deep network."""
    return {
        "sizes": {"T": LONG, "B": B, "D": D, "H": H, "depth": DEPTH, "open": OPEN},
        "time": {
            name: flow.norms()["total"].tolist()
            for name, flow in through_time(LONG, every_step=False).items()
        },
        "depth": {
            name: depth_gradients(name, DEPTH).shares.tolist() for name in ("sigmoid", "relu")
        },
    }
