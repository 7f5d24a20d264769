"""How tests wait for something to happen: for the event, and so long that beside other load they never give up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

PATIENCE = 120.0
"""Seconds after which what did not happen never will; nothing needs more than a few on a quiet machine."""
_STEP_SECONDS = 0.02


def until(true: Callable[[], object], what: Callable[[], object] = lambda: "") -> None:
    """Waits until it is so; fails with `what` where it does not come to be."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, what()
        time.sleep(_STEP_SECONDS)


async def comes(
    true: Callable[[], object], step: Callable[[], Awaitable[object]], what: Callable[[], object] = lambda: ""
) -> None:
    """The same beside an app that goes on with each `step`."""
    end = time.monotonic() + PATIENCE
    while True:
        await step()
        if true():
            return
        assert time.monotonic() < end, what()
        await asyncio.sleep(_STEP_SECONDS / 2)
