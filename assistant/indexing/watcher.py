"""A folder of notes → batches of changed paths, as they happen; the only module that loads watchfiles."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from threading import Event

import watchfiles

GATHERED_MS = 1000
"""How long changes that follow one another are gathered at the most."""
QUIET_MS = 100
"""How long it must be quiet before a batch is handed on."""
LOOK_MS = 2500
"""After how long without a change an empty batch comes. It is longer than a file system's coarsest step of time, so
that a look then settles what was saved in the same step as the look before."""
SELDOM = 4
"""Every how many of these an empty batch comes while nothing changes: not every folder tells of its changes."""


def batches(folder: Path, skip: Collection[Path] = (), stop: Event | None = None) -> Iterator[frozenset[str]]:
    """Paths that changed below the folder, without end or until `stop`. An empty batch asks for a look all the same:
    once after each change, then now and then, since links that lead elsewhere and network drives may not be heard. A
    folder that is gone is waited for. KeyboardInterrupt ends it within a step of QUIET_MS."""
    watched = WatchedFolder(folder, skip)
    polling: bool | None = None  # watchfiles decides
    while stop is None or not stop.is_set():
        identity = _identity(folder)
        if identity is None:
            time.sleep(LOOK_MS / 1000)
            yield frozenset()
            continue
        try:
            for paths in _heard(watched, polling, stop):
                yield paths
                if _identity(folder) != identity:
                    break  # another folder stands under the name, and the one that is watched does not
        except FileNotFoundError:
            continue
        except OSError:  # the system watches no more folders
            if polling:
                raise
            polling = True


def _heard(watched: WatchedFolder, polling: bool | None, stop: Event | None) -> Iterator[frozenset[str]]:
    silent = 0
    for changes in watchfiles.watch(
        watched.folder,
        watch_filter=watched.concerns,
        debounce=GATHERED_MS,
        step=QUIET_MS,
        rust_timeout=LOOK_MS,
        yield_on_timeout=True,
        force_polling=polling,
        ignore_permission_denied=True,
        stop_event=stop,
        raise_interrupt=stop is None,
    ):
        silent = 0 if changes else silent + 1
        if changes or silent % SELDOM == 1:
            yield frozenset(path for _, path in changes)


class WatchedFolder:
    """A folder, and which changes below it may concern its notes."""

    def __init__(self, folder: Path, skip: Collection[Path]) -> None:
        self.folder = folder
        self._roots = {str(folder), os.path.realpath(folder)}
        self._skip = tuple(f"{root}{os.sep}" for path in skip for root in {str(path), os.path.realpath(path)})

    def concerns(self, change: watchfiles.Change, path: str) -> bool:
        """Hidden files and folders hold no notes, and the index's own changes are no news."""
        if f"{path}{os.sep}".startswith(self._skip):
            return False
        root = next((root for root in self._roots if path.startswith(f"{root}{os.sep}")), "")
        return not any(part.startswith(".") for part in Path(path[len(root) :].lstrip(os.sep)).parts)


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        found = folder.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
