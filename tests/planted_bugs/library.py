"""Wrong lines to plant in the engine, for proving that something finds them.

Each bug is one line of one function, as it stands and as a person might have got it wrong::

    from tests.planted_bugs.library import BUGS

    bug = BUGS["lstm page: missing f in the cell's carry"]
    with bug.plant():
        layer = bug.make_layer(units=4, features=3)      # computes a wrong gradient

Planting swaps the function's code object, so that every module that imported the function by name
has the bug too; leaving the block takes it out again.
"""

from __future__ import annotations

from tests.planted_bugs.division_bugs import division_bugs
from tests.planted_bugs.gate_bugs import gate_bugs
from tests.planted_bugs.loop_bugs import loop_bugs
from tests.planted_bugs.planted_bug import PlantedBug
from tests.planted_bugs.recurrent_bugs import recurrent_bugs

BUGS: dict[str, PlantedBug] = {}
"""Every bug by its name."""
for _bug in (*gate_bugs(), *recurrent_bugs(), *loop_bugs(), *division_bugs()):
    assert _bug.name not in BUGS, f"two bugs are called {_bug.name}"
    BUGS[_bug.name] = _bug
