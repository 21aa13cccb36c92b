"""Code as learners write it, right and wrong, for proving that a checker finds what is wrong.

``CODES`` holds the correct files with how each is called, ``BUGS`` what to get wrong in them::

    from tests.planted_bugs.learners.library import BUGS, CODES

    for code in CODES.values():
        check_file(code.target, **code.arguments)                 # right
    for bug in BUGS.values():
        check_file(bug.target(tmp_path), **bug.code.arguments)    # wrong: bug.id, in bug.arrays
"""

from __future__ import annotations

from itertools import chain

from tests.planted_bugs.learners.dense_bugs import dense_bugs
from tests.planted_bugs.learners.embedding_bugs import embedding_bugs
from tests.planted_bugs.learners.gru_bugs import gru_bugs
from tests.planted_bugs.learners.learner_code import LearnerBug, LearnerCode
from tests.planted_bugs.learners.loss_bugs import loss_bugs
from tests.planted_bugs.learners.lstm_cell_bugs import lstm_cell_bugs
from tests.planted_bugs.learners.lstm_class_bugs import lstm_class_bugs
from tests.planted_bugs.learners.lstm_pair_bugs import lstm_pair_bugs
from tests.planted_bugs.learners.rnn_bugs import rnn_bugs
from tests.planted_bugs.learners.specs import CODES

__all__ = ["BUGS", "CODES", "LearnerBug", "LearnerCode"]

BUGS: dict[str, LearnerBug] = {}
"""Every bug by its name."""
for _bug in chain(
    dense_bugs(),
    loss_bugs(),
    embedding_bugs(),
    rnn_bugs(),
    lstm_class_bugs(),
    lstm_pair_bugs(),
    lstm_cell_bugs(),
    gru_bugs(),
):
    assert _bug.name not in BUGS, f"two bugs are called {_bug.name}"
    BUGS[_bug.name] = _bug
