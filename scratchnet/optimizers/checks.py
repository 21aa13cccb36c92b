"""Whether the arrays an optimizer is given belong together; the messages where they do not."""

from __future__ import annotations

from collections.abc import Sequence

from scratchnet.backend import Array
from scratchnet.device import device_of, expect_beside
from scratchnet.errors import InputError

Shapes = list[tuple[int, ...]]


def paired_shapes(owner: str, gradients: Sequence[Array], variables: Sequence[Array]) -> Shapes:
    """Return the shapes of the weight arrays, each of which its gradient must have.

    Raises
    ------
    InputError
        If something is no array, a gradient is missing, or one has another shape.
    """
    try:
        shapes = [variable.shape for variable in variables]
        gradient_shapes = [gradient.shape for gradient in gradients]
    except AttributeError:
        kinds = sorted({type(x).__name__ for x in (*gradients, *variables)})
        raise InputError(
            f"{owner}: expected gradients and weights to be arrays, got {', '.join(kinds)}. "
            "Convert them first, for instance with np.asarray."
        ) from None
    if gradient_shapes != shapes:
        raise InputError(
            f"{owner}: expected a gradient for each weight array, of its shape, got "
            f"{_difference(gradient_shapes, shapes)}. Pair them in the order of the weights."
        )
    return shapes


def expect_beside_weights(
    owner: str, gradients: Sequence[Array], variables: Sequence[Array]
) -> None:
    """Raise InputError unless each gradient is where its weights are."""
    for i, (gradient, variable) in enumerate(zip(gradients, variables, strict=True)):
        if type(gradient) is not type(variable):
            device, whose = device_of(variable), "its weights are"
            expect_beside(owner, f"gradients[{i}]", gradient, device, whose)


def expect_first_shapes(owner: str, shapes: Shapes, first: Shapes) -> None:
    """Raise InputError unless these are the shapes of the first step."""
    if shapes != first:
        raise InputError(
            f"{owner}: expected the weight arrays of the first step, got "
            f"{_difference(shapes, first)}. Make a new optimizer for another model."
        )


def expect_floats(owner: str, variables: Sequence[Array]) -> None:
    """Raise InputError unless every weight array is of floating point."""
    for i, variable in enumerate(variables):
        if "float" not in str(variable.dtype):
            raise InputError(
                f"{owner}: expected weights of floating point, got {variable.dtype} at position "
                f"{i}. Convert them, for instance with .astype('float32')."
            )


def expect_together(owner: str, variables: Sequence[Array]) -> None:
    """Raise InputError unless all weight arrays are where the first is."""
    device = device_of(variables[0])
    for i, variable in enumerate(variables):
        expect_beside(owner, f"weights[{i}]", variable, device, "weights[0] is")


def _difference(got: Shapes, expected: Shapes) -> str:
    if len(got) != len(expected):
        return f"{len(got)} instead of {len(expected)}"
    i = next(i for i, pair in enumerate(zip(got, expected, strict=True)) if pair[0] != pair[1])
    return f"shape {got[i]} instead of {expected[i]} at position {i}"
