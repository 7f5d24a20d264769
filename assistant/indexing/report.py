"""What a build did, counted, and what it tells while it is at it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol


class Progress(Protocol):
    """Told what a build is doing and, where it counts, how far it is."""

    def __call__(self, what: str, done: int = 0, of: int = 0) -> None: ...


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
    """Passages of added and changed notes whose vector was there already."""
    salvaged: int = 0
    """Vectors taken over from a damaged database."""
    pending: int = 0
    """Passages still without one."""
    generation: int = 0
    seconds: float = 0.0
    reason: str = ""
    """Why notes that did not change were taken in again, one sentence; "" where they were not."""
    warnings: list[str] = field(default_factory=list)
    """Notes that were passed over and what had to be mended, one sentence each."""
