"""What may happen around epochs and batches, with Keras's names and arguments."""

from scratchnet.callbacks.base import Callback, CallbackList, LambdaCallback, Logs
from scratchnet.callbacks.default import History, ProgressBar, TerminateOnNaN, default_callbacks
from scratchnet.callbacks.logging import CSVLogger
from scratchnet.callbacks.monitoring import EarlyStopping, ModelCheckpoint

__all__ = [
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "Logs",
    "ModelCheckpoint",
    "ProgressBar",
    "TerminateOnNaN",
    "default_callbacks",
]
