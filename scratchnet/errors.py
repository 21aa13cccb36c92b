"""The errors this package raises on purpose.

Every message names the argument, what was expected, what came, and what to do.  The command line
prints them as one line and exits with status 2; anything else that is raised is a bug.
"""


class ScratchnetError(Exception):
    """Base of every error raised on purpose."""


class InputError(ScratchnetError, ValueError):
    """An argument has the wrong shape, type or value."""


class DataError(InputError):
    """A data file is missing, empty, ragged or not numeric."""


class CheckpointError(ScratchnetError, ValueError):
    """A saved model is truncated, foreign or hostile."""


class BackwardError(ScratchnetError, RuntimeError):
    """``backward`` was called without a training forward to go back through."""


class NonFiniteError(ScratchnetError, FloatingPointError):
    """A loss became NaN or infinite; names the epoch, the batch and the layer."""


class MissingExtraError(ScratchnetError, ImportError):
    """An optional dependency is not installed; names the extra to install."""


class DeviceError(ScratchnetError, RuntimeError):
    """There is no GPU to use, too little memory on it, or it failed; says what to do about it."""
