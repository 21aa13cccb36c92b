"""The page: what every part of the engine computes, as pure functions of arrays.

Each forward function has its backward right below it.  No state, no buffers, no layout: those are
the business of `scratchnet.kernels` and `scratchnet.layers`.

Naming (section 4 of the design): ``dfoo`` is the gradient of the loss with respect to ``foo`` and
has ``foo``'s shape; nothing else starts with ``d``.  Local derivatives are written out.
"""
