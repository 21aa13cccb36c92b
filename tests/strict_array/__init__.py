"""An array that refuses to meet NumPy, to prove without a device that code would run on one.

It stands for CuPy's where there is no GPU.  What a device allows it allows: arithmetic with arrays
of its own kind and with Python numbers, functions of its own namespace, kernels, streams and
graphs, reading one number with ``float``, ``int`` or ``bool``.  What would be a copy between host
and device, or an error there, is an error here: a NumPy function, operand, scalar, index or value;
a function or keyword that CuPy has not; waiting for the device while a stream captures.  The two
explicit ways across are those `scratchnet.backend` uses, ``namespace.asarray(host_array)`` and
``array.get()``::

    from tests.strict_array import StrictArray, to_strict

    x = to_strict(host_x)
    y = sigmoid(x)                      # a StrictArray, or a TypeError that names the culprit
    assert_agrees(to_host(y), sigmoid(host_x), 0)

The fixture ``strict_cupy`` puts it where ``import cupy`` finds it.
"""

from tests.strict_array.array import StrictArray
from tests.strict_array.namespace import NAMESPACE, to_strict
from tests.strict_array.performing import crossings

__all__ = ["NAMESPACE", "StrictArray", "crossings", "to_strict"]
