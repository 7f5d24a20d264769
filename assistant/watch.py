"""A folder → the batches of notes that were written, renamed or removed in it, as they happen."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from threading import Event

from assistant.notes import SUFFIXES

_GATHER_MS = 200
"""How long a burst may pause and still be one: editors write a note by several steps."""


class Unwatchable(Exception):
    """The system cannot tell of changes in this folder; look at it now and then instead."""


def changes(folder: Path, stop: Event) -> Iterator[set[str]]:
    """Paths relative to the folder, `/` between parts, a set for each burst, until `stop`; Unwatchable."""
    try:
        from watchfiles import watch

        for batch in watch(
            folder,
            watch_filter=lambda _, path: path.lower().endswith(SUFFIXES),
            debounce=_GATHER_MS,
            step=50,
            stop_event=stop,
            raise_interrupt=False,
        ):
            yield {Path(os.path.relpath(path, folder)).as_posix() for _, path in batch}
    except (OSError, RuntimeError, ImportError, ValueError) as error:
        raise Unwatchable(str(error)) from error
