"""Why an index cannot be read or written."""

from __future__ import annotations


class StoreError(Exception):
    """A committed generation cannot be read, or a new one not written; the caller decides what follows."""


class IndexMissing(StoreError):
    """Nothing was ever published in the folder."""


class IndexDamaged(StoreError):
    """The index is corrupt: its content is not what was written."""


class IndexOutdated(StoreError):
    """Made by another model or by an older version."""


class Busy(StoreError):
    """Another process writes to this index."""


class ReadOnly(StoreError):
    """The folder takes no files."""


class DiskFull(StoreError):
    """There is no room for the index."""


class Unreachable(StoreError):
    """The database server cannot be reached; the text says why."""


class Superseded(StoreError):
    """The state that was being read can no longer be read, since a newer one was committed meanwhile: open that."""
