"""How fast a step that counts goes on, and how long it may still take."""

from __future__ import annotations

import time
from collections.abc import Callable

_LEAST_SECONDS = 1.0
"""Before a pace is told."""


class Pace:
    """Of one step after the other."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._step = ""
        self._began = 0.0
        self._done_before = 0
        """What was done when the step was first heard of."""

    def of(self, step: str, done: int, total: int) -> str:
        """Such as "180/s, 2 min left"; "" at the beginning of a step, and for one that does not count."""
        now = self._clock()
        if step != self._step or done < self._done_before:
            self._step, self._began, self._done_before = step, now, done
        seconds, made = now - self._began, done - self._done_before
        if not total or not made or seconds < _LEAST_SECONDS:
            return ""
        left = seconds / made * max(0, total - done)
        return f"{made / seconds:,.0f}/s, {_duration(left)} left"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
