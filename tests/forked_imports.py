"""What the server of `tests.forked` imports before it forks."""

from importlib import import_module

from scratchnet.cli.quiet import import_tensorflow

import_tensorflow()
for name in (
    "keras_impl.cli", "keras_impl.distribution.loop", "keras_impl.generation",
    "keras_impl.training", "scratchnet.cli.display", "scratchnet.cli.trained", "scratchnet.runs",
):  # fmt: skip
    import_module(name)
