"""The lock of an index's writer, and what its file says to other processes."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from assistant.storage.errors import Busy, ReadOnly
from assistant.storage.sqlite.database import DATABASE
from assistant.system import permissions

LOCK = "writer.lock"
_HELD = b"+"
"""Content of the file while the lock is held."""
_OTHER_FILES = ("README.md", ".gitignore", "CACHEDIR.TAG", ".DS_Store")
"""Beside the index's own: a checkout describes its index in a page, and systems leave marks."""


class Lock:
    """The writer's lock on the folder: the operating system drops it with the process that held it.

    While it is held its file holds a mark, so that the next writer learns whether this one was killed.
    """

    def __init__(self, folder: Path) -> None:
        """Makes the folder where it is missing; Busy where another process holds the lock, ReadOnly where the folder
        takes no files."""
        try:
            permissions.folder(folder)
            self._descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, permissions.FILE)
        except OSError as error:
            raise ReadOnly(f"{folder}: {error.strerror}") from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._descriptor)
            raise Busy("another process is writing to this index") from error
        permissions.tighten(self._descriptor)
        permissions.tighten_folder(folder, _may_be_in_index_folder)
        self.abandoned = os.pread(self._descriptor, 1, 0) == _HELD
        """Whether the previous writer was killed."""
        with suppress(OSError):  # on a full disk, a killed writer goes unnoticed
            os.pwrite(self._descriptor, _HELD, 0)

    def release(self) -> None:
        """Takes away the mark, then the lock; to be called once."""
        with suppress(OSError):
            os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)


def being_written(folder: Path) -> bool:
    """Whether a process holds the writer's lock at this moment."""
    return _marked(folder) and not _free(folder)


def abandoned(folder: Path) -> bool:
    """Whether the last writer was killed and none has followed it."""
    return _marked(folder) and _free(folder)


def _marked(folder: Path) -> bool:
    """Read without a lock, which would be in the way of a writer."""
    try:
        with (folder / LOCK).open("rb") as file:
            return file.read(1) == _HELD
    except OSError:
        return False


def _free(folder: Path) -> bool:
    try:
        descriptor = os.open(folder / LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def _may_be_in_index_folder(name: str) -> bool:
    return name.startswith((DATABASE, "vectors-", "damaged.sqlite")) or name in (LOCK, *_OTHER_FILES)
