"""A run: the folder that a training leaves, and what can be asked of it afterwards.

``run.json`` says what was trained on what; ``model.npz`` is the latest whole model, in the one
format both engines' runs have, and ``best.npz`` that of the best epoch where one is chosen;
``history.csv`` has a line an epoch.  A run of a text has its ``vocabulary.json``, and in
``samples.jsonl`` what was written after each epoch.
"""

from scratchnet.runs.chains import evaluate_chain, load_chain, train_chain
from scratchnet.runs.description import Run, check_files, read, start, write
from scratchnet.runs.evaluation import evaluate, predict
from scratchnet.runs.folder import (
    HISTORY,
    KERAS_MODEL,
    MODEL,
    SAMPLES,
    VOCABULARY,
    has_model,
    is_run,
    latest,
    new_folder,
    newest_first,
    recording,
    remove_drafts,
)
from scratchnet.runs.lock import RunInUseError, locked
from scratchnet.runs.models import check_problem, load_model
from scratchnet.runs.restarting import difference, require_same
from scratchnet.runs.training import (
    callbacks,
    chosen,
    figures,
    require_checkpoint,
    require_epochs_left,
    resumable,
    train,
)

__all__ = [
    "HISTORY",
    "KERAS_MODEL",
    "MODEL",
    "SAMPLES",
    "VOCABULARY",
    "Run",
    "RunInUseError",
    "callbacks",
    "check_files",
    "check_problem",
    "chosen",
    "difference",
    "evaluate",
    "evaluate_chain",
    "figures",
    "has_model",
    "is_run",
    "latest",
    "load_chain",
    "load_model",
    "locked",
    "new_folder",
    "newest_first",
    "predict",
    "read",
    "recording",
    "remove_drafts",
    "require_checkpoint",
    "require_epochs_left",
    "require_same",
    "resumable",
    "start",
    "train",
    "train_chain",
    "write",
]
