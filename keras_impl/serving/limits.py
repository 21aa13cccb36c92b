"""How much a request may ask for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What is refused above it; every limit is part of ``GET /`` and of the OpenAPI schema."""

    body: int = 2**20
    """Bytes of a request's body, declared or not."""
    rows: int = 1_000
    """Rows, or texts, of a prediction."""
    text: int = 20_000
    """Characters of a text or a prompt."""
    length: int = 10_000
    """Characters, or words, to write."""
    concurrency: int = 4
    """Requests that are computed at a time."""
    waiting: int = 16
    """Requests that wait for one of those places; the next is refused."""
    seconds: float = 30.0
    """From the place to the last byte; a text that is being written is cut off then."""
    patience: float = 2.0
    """Seconds that a request waits for a place."""
    arrival: float = 10.0
    """Seconds for a request's head to arrive, and for its body."""

    @property
    def whole(self) -> float:
        """Seconds after which a connection is given up, whoever is slow."""
        return self.arrival + self.patience + 2 * self.seconds
