"""Where an array lives, by name: ``"cpu"`` is the host's memory, ``"gpu"`` a CUDA device's."""

from __future__ import annotations

import difflib
from typing import Any

import numpy as np

from scratchnet.arguments import numeric
from scratchnet.backend import Array, array_module, to_host
from scratchnet.device_errors import clearly, reason
from scratchnet.errors import InputError
from scratchnet.gpu import cublas_library, gpu_module, gpu_version

__all__ = [
    "DEVICES",
    "checked_device",
    "clearly",
    "cublas_library",
    "device_of",
    "expect_beside",
    "gpu_module",
    "gpu_version",
    "moved",
    "reason",
    "to_device",
]

DEVICES = ("cpu", "gpu")


def checked_device(owner: str, device: object) -> str:
    """Return the name of a device.

    Raises
    ------
    InputError
        If it is another name, or none; a near match is given.
    """
    if isinstance(device, str) and device in DEVICES:
        return device
    near = difflib.get_close_matches(str(device).lower(), (*DEVICES, "cuda"), n=1, cutoff=0.7)
    meant = {"cuda": "gpu"}.get(near[0], near[0]) if near else None
    raise InputError(
        f"{owner}: expected device to be {' or '.join(DEVICES)}, got {device!r}. "
        + (f"Did you mean {meant}?" if meant else "Use one of those.")
    )


def device_of(array: object) -> str:
    """Return ``"gpu"`` for a device's array and ``"cpu"`` for everything else."""
    return "cpu" if type(array) is np.ndarray or array_module(array) is np else "gpu"


@clearly
def to_device(value: Any, device: str) -> Array:
    """Return an array on a device: the one given where it is there already, else a copy.

    Parameters
    ----------
    value : array
        Of NumPy or of CuPy; lists become NumPy's first.
    device : {"cpu", "gpu"}

    Raises
    ------
    InputError
        If there is no such device, or the value is no array of numbers.
    DeviceError
        If there is no GPU to use, with what to do about it, or too little memory on it.
    """
    device = checked_device("to_device", device)
    if device_of(value) == "gpu":
        return value if device == "gpu" else to_host(value)
    array = numeric("to_device", "value", value)
    if device == "cpu":
        return array
    if array.dtype.char == "g":  # the host alone has it
        raise InputError(
            f"to_device: expected value to be of a dtype that a GPU has, got {array.dtype}. "
            "Convert it to float64 or float32."
        )
    return gpu_module().asarray(array)


def moved(value: Any, device: str) -> Any:
    """Return a value with the arrays in it, deep in tuples, lists and dicts too, on a device."""
    if isinstance(value, dict):
        return {key: moved(item, device) for key, item in value.items()}
    if type(value) in (tuple, list):
        return type(value)(moved(item, device) for item in value)
    is_array = isinstance(value, np.ndarray) or (
        array_module(value) is not np and hasattr(value, "shape")  # CuPy's generators have none
    )
    return to_device(value, device) if is_array else value


def expect_beside(owner: str, argument: str, array: object, device: str, whose: str) -> None:
    """Make sure that an argument is where what it meets is: nothing is moved unasked.

    Raises
    ------
    InputError
        If it is on the other device.
    """
    found = device_of(array)
    if found != device:
        raise InputError(
            f"{owner}: expected {argument} on the {device}, where {whose}, got one on the {found}. "
            f'Pass scratchnet.to_device({argument}, "{device}"), or take the model to the other '
            f'device: model.to("{found}").'
        )
