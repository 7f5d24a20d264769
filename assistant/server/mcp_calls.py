"""Blocking calls of the service in worker threads, for requests that can be cancelled and that report progress."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from threading import Event
from typing import TypeVar

from anyio import CapacityLimiter, from_thread, to_thread

from assistant.server.notes_follower import IndexStep

_Made = TypeVar("_Made")
Report = Callable[[float, float | None, str | None], Coroutine[object, None, None]]
"""Sends progress, its total if known, and a message to the client."""


@dataclass(frozen=True, slots=True)
class Call:
    """What the thread that makes a call is given."""

    stopped: Callable[[], bool]
    """Whether the client cancelled the request."""
    indexing: Callable[[IndexStep], None]
    """Tells the client what is being done to an index that the call waits for."""


async def in_thread(make: Callable[[Call], _Made], report: Report, limiter: CapacityLimiter) -> _Made:
    """What `make` returns or raises; when the request is cancelled, `stopped` says so and the thread is left to end by
    itself."""
    cancelled = Event()
    progress = Progress()

    def indexing(step: IndexStep) -> None:
        numbers = progress.after(step)
        if numbers is not None and not cancelled.is_set():
            from_thread.run(report, *numbers)

    call = Call(cancelled.is_set, indexing)
    try:
        return await to_thread.run_sync(lambda: make(call), abandon_on_cancel=True, limiter=limiter)
    finally:
        cancelled.set()


class Progress:
    """The steps of a build, which count anew in each phase → numbers that only rise, as the protocol demands."""

    def __init__(self) -> None:
        self._action = ""
        self._before = 0
        """Done in the phases before this one."""
        self._done = 0
        self._sent = -1

    def after(self, step: IndexStep) -> tuple[float, float | None, str | None] | None:
        """Progress, total and message; None where there is nothing new."""
        if step.action != self._action or step.done < self._done:
            self._before += self._done
            self._action = step.action
        self._done = step.done
        progress = self._before + step.done
        if progress <= self._sent:
            return None
        self._sent = progress
        if not step.total:
            return progress, None, step.action
        return progress, self._before + step.total, f"{step.action}: {step.done:,} of {step.total:,}"
