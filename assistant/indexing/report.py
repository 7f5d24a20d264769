"""What a build did, counted, and what it reports while it runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

_LISTED = 5


class Progress(Protocol):
    """Called with the step a build is at and, where it counts, how far it is."""

    def __call__(self, what: str, done: int = 0, of: int = 0) -> None:
        """`done` of `of` parts of the step `what`; `of` is 0 where it does not count."""


@dataclass(slots=True)
class BuildReport:
    """What a build did, counted."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0
    embedded: int = 0
    """Passages that got a vector."""
    reused: int = 0
    """Passages of added and changed notes whose vector was in the index already."""
    salvaged: int = 0
    """Vectors taken over from a corrupt database."""
    pending: int = 0
    """Passages still without one."""
    generation: int = 0
    seconds: float = 0.0
    reason: str = ""
    """Why notes that did not change were indexed again, one sentence; "" where they were not."""
    warnings: list[str] = field(default_factory=list)
    """Notes that were passed over and what had to be repaired, one sentence each."""


def listed(reasons: Sequence[str]) -> str:
    """At most a few of them in one line."""
    more = f"; and {len(reasons) - _LISTED} more" if len(reasons) > _LISTED else ""
    return "; ".join(reasons[:_LISTED]) + more
