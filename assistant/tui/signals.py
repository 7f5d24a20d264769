"""What a closed window (SIGHUP) or a kill (SIGTERM) does to the chat."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_ENDING = (signal.SIGTERM, signal.SIGHUP)


def handle(end: Callable[[], object]) -> None:
    """Ends the chat in good order, which puts the terminal back. To be called in the app's event loop."""
    loop = asyncio.get_running_loop()
    for number in _ENDING:
        with suppress(ValueError, RuntimeError, NotImplementedError):
            loop.add_signal_handler(number, end)


@contextmanager
def not_handled(end: Callable[[], object]) -> Iterator[None]:
    """They end the program at once, as is right while an editor has the terminal and the event loop waits for it."""
    loop = asyncio.get_running_loop()
    for number in _ENDING:
        with suppress(ValueError, RuntimeError, NotImplementedError):
            loop.remove_signal_handler(number)
    try:
        yield
    finally:
        handle(end)
