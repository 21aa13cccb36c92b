"""Watch gradient code run: its source lines, their equations, and the arrays that they touch."""

from scratchnet.stepper.frame import Frame
from scratchnet.stepper.record import step
from scratchnet.stepper.recording import Recording

__all__ = ["Frame", "Recording", "step"]
