"""Random cases of one subject: what the code under test gives, and what it should."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from scratchnet.backend import Array
from scratchnet.gradcheck.recognition import Arrangement
from scratchnet.gradcheck.references import Built
from scratchnet.gradcheck.subject import Arrays, Pulled, Subject, random_upstream, resampled


@dataclass(frozen=True)
class Trial:
    """One case, through the code under test and through the reference.

    Attributes
    ----------
    arrays, upstream
        As the user lays them out.
    pulled : Pulled
    built : Built
        The reference's graph.
    seeds : dict of str to array
        The reference's upstream gradients.
    right : dict of str to array
        The right gradients of the user's arrays, in the user's layout.
    """

    arrays: dict[str, Array]
    upstream: dict[str, Array]
    pulled: Pulled
    built: Built
    seeds: dict[str, Array]
    right: dict[str, Array]


def trial(
    subject: Subject, arrangement: Arrangement, arrays: dict[str, Array], upstream: Arrays
) -> Trial:
    """Run one case both ways; outputs that the reference does not have get no gradient."""
    known = arrangement.only_known(upstream)
    built = arrangement.build(arrangement.canonical(arrays))
    seeds = arrangement.upstream(known)
    right = laid_out(arrangement, built.gradients(seeds), arrays, subject.wrt)
    return Trial(arrays, known, subject.pull(arrays, known), built, seeds, right)


def laid_out(
    arrangement: Arrangement, gradients: Mapping[str, Array], arrays: Arrays, wrt: tuple[str, ...]
) -> dict[str, Array]:
    """Return gradients of the reference's arrays as gradients of the user's."""
    return {
        name: arrangement.gradient(gradients, name, arrays[name])
        for name in wrt
        if name in arrangement.blocks and all(b.slot in gradients for b in arrangement.blocks[name])
    }


def trials(
    subject: Subject,
    arrangement: Arrangement,
    upstream: Arrays,
    rng: np.random.Generator,
    count: int = 3,
) -> list[Trial]:
    """Return the case at hand and others with the same shapes."""
    found = [trial(subject, arrangement, dict(subject.arrays), upstream)]
    while len(found) < count:
        fresh = resampled(subject, rng)
        found.append(trial(subject, arrangement, fresh, random_upstream(subject.run(fresh), rng)))
    return found
