"""A run's model as a file for use elsewhere: ``.keras``, a SavedModel, ONNX.

`planned` says what is to be written where, and refuses what cannot be, before Keras is imported;
`keras_impl.export.writing.write` does it.
"""

from keras_impl.export.plan import FORMATS, Plan, planned

__all__ = ["FORMATS", "Plan", "planned"]
