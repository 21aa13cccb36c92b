"""A rule where the arrays are on a device: one kernel for each, and nothing the host waits for."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Hashable, Sequence
from typing import TYPE_CHECKING, Any

from scratchnet.backend import Array, array_module
from scratchnet.kernels.device.rules import RuleKernel, number
from scratchnet.kernels.device.tracing.expressions import UntraceableError
from scratchnet.queued import changing, each_time, recording

if TYPE_CHECKING:
    from scratchnet.optimizers.base import Optimizer

BOOKKEEPING = {
    *("slots", "_learning_rate", "_scalars_before"),
    *("_shapes", "_kind", "_on_host", "_packs", "_alone", "_device_rule"),
}
"""Attributes of an optimizer that change without its rule becoming another."""

CLIPPING = ("clipnorm", "clipvalue", "global_clipnorm")
"""Attributes that no kernel is told anew each time."""

MOST = 4
"""Kernels made of one optimizer's rule; one that becomes another and another runs as it is."""


def step_on_device(
    optimizer: Optimizer,
    gradients: Sequence[Array],
    variables: Sequence[Array],
    live: Array | None,
) -> None:
    """Make a step, unless ``live`` is false; the host's part is done each time it is taken."""

    def begin() -> None:
        optimizer._scalars_before = optimizer.scalars()
        optimizer._begin_step()

    def end() -> None:
        optimizer.iterations += 1

    each_time(begin)
    xp, withheld, rule = array_module(variables[0]), live is not None, optimizer._device_rule
    if rule is None or not rule.still_holds(optimizer, xp, withheld):
        rule = optimizer._device_rule = DeviceRule(optimizer, xp, withheld, before=rule)
    rule.update(optimizer, gradients, variables, live)
    each_time(end)


class DeviceRule:
    """The rule of an optimizer as it is set now, whatever its numbers are.

    Attributes that are floats are numbers that the kernel is told each time, like the learning
    rate, so that one that is changed makes no other kernel.

    Parameters
    ----------
    optimizer : Optimizer
        In a step: the step's numbers are known.
    xp : module
        Of the arrays.
    withheld : bool
        Whether the steps have a flag that says if they are taken.
    before : DeviceRule, optional
        What no longer holds.

    Attributes
    ----------
    constants : frozenset of str
        The floats that the rule looks at, and which are therefore a part of the kernel.
    kernel : RuleKernel or None
        None where the module has no kernels, or the rule cannot be one: it then runs as it is.
    """

    def __init__(
        self, optimizer: Optimizer, xp: Any, withheld: bool, before: DeviceRule | None = None
    ) -> None:
        self._where = xp, withheld
        self.constants: frozenset[str] = frozenset()
        self.kernel: RuleKernel | None = None
        self._made = 1
        if before is not None:
            changed = before._made_from != _made_from(optimizer, before.constants)
            self._made = before._made + changed
        if hasattr(xp, "ElementwiseKernel") and self._made <= MOST:
            self.kernel, self.constants = _traced(optimizer, withheld)
        self._made_from: Hashable = _made_from(optimizer, self.constants)
        # so that no identity is another's meanwhile
        self._kept = [v for name, v in vars(optimizer).items() if name not in BOOKKEEPING]

    def still_holds(self, optimizer: Optimizer, xp: Any, withheld: bool) -> bool:
        """Whether nothing that the rule was made from has changed, or it runs as it is for good."""
        if self._where != (xp, withheld):
            return False
        return self._made > MOST or self._made_from == _made_from(optimizer, self.constants)

    def update(
        self,
        optimizer: Optimizer,
        gradients: Sequence[Array],
        variables: Sequence[Array],
        live: Array | None,
    ) -> None:
        """Update all weight arrays and slots in place, if ``live`` is true or None."""
        if self.kernel is None:
            _update_as_it_is(optimizer, gradients, variables, live)
            return
        numbers = {
            name: changing(functools.partial(getattr, optimizer, name))
            for name in self.kernel.numbers
        }
        self.kernel(gradients, variables, optimizer.slots, numbers, live)


def settings(optimizer: Optimizer) -> Hashable:
    """Return what a step is made from that is not a number it is told anew each time."""
    rule = optimizer._device_rule
    constants = rule.constants if rule is not None else frozenset()
    clipping = tuple(getattr(optimizer, name) for name in CLIPPING)
    return _made_from(optimizer, constants), clipping


def _made_from(optimizer: Optimizer, constants: Collection[str]) -> Hashable:
    """Return which attributes are numbers, the others' values, and the identity of what is none."""
    changes = BOOKKEEPING | optimizer.scalars().keys()
    attributes = {name: value for name, value in vars(optimizer).items() if name not in changes}
    told = _floats(optimizer).difference(constants)
    plain = int | float | str
    return tuple(
        (name, float if name in told else value if isinstance(value, plain) else id(value))
        for name, value in attributes.items()
    )


def _floats(optimizer: Optimizer) -> set[str]:
    """Return the names of the attributes that can be numbers of the step."""
    floats = (name for name, value in vars(optimizer).items() if isinstance(value, float))
    return {name for name in floats if name not in BOOKKEEPING and name.isascii()}


def _update_as_it_is(
    optimizer: Optimizer,
    gradients: Sequence[Array],
    variables: Sequence[Array],
    live: Array | None,
) -> None:
    """Run the rule array by array; what a step that is not taken has written is put back."""
    if recording():
        raise UntraceableError(
            f"the rule of {type(optimizer).__name__} is no kernel, which is told numbers anew"
        )
    rule, learning_rate = optimizer.rule, optimizer.learning_rate
    for gradient, variable, kept in zip(gradients, variables, optimizer.slots, strict=True):
        written = (variable, *kept.values())
        before = [] if live is None else [array.copy() for array in written]
        rule(gradient, variable, learning_rate, **kept)
        for array, old in zip(written, before, strict=live is not None):
            array[...] = array_module(array).where(live, array, old)


def _traced(optimizer: Optimizer, withheld: bool) -> tuple[RuleKernel | None, frozenset[str]]:
    """Return the kernel, and the floats that are constants in it."""
    floats = _floats(optimizer)
    kernel = _with_numbers(optimizer, withheld, floats)
    if kernel is not None:
        return kernel, frozenset()
    looked_at = {name for name in floats if _with_numbers(optimizer, withheld, {name}) is None}
    if looked_at.isdisjoint(optimizer.step_numbers(optimizer.learning_rate)):
        kernel = _with_numbers(optimizer, withheld, floats - looked_at)
    return kernel, frozenset(looked_at if kernel is not None else ())


def _with_numbers(optimizer: Optimizer, withheld: bool, floats: set[str]) -> RuleKernel | None:
    """Return the kernel, which is told these attributes and all that counts steps, if it can be."""
    kind = type(optimizer)
    names = floats | optimizer.scalars().keys() | {"learning_rate"}
    attributes = {name: property(_symbol_of(name)) for name in names}
    twin: Optimizer = object.__new__(type(kind.__name__, (kind,), attributes))
    vars(twin).update(vars(optimizer))
    try:
        return RuleKernel(kind.__name__, twin.rule, optimizer.slot_values(), withheld)
    except (UntraceableError, TypeError, AttributeError):  # symbols have no lengths, no values
        return None


def _symbol_of(name: str) -> Callable[[object], Any]:
    return lambda _: number(name)
