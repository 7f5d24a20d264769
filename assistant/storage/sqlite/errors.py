"""What sqlite3's errors mean among those of this package."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from assistant.storage.errors import Busy, DiskFull, IndexDamaged, ReadOnly, StoreError


@contextmanager
def translated() -> Iterator[None]:
    """Turns an error of sqlite3 into the StoreError it stands for."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise translation(error) from error


def translation(error: sqlite3.DatabaseError) -> StoreError:
    """The StoreError that an error of sqlite3 stands for."""
    full = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
    code = sqlite3.SQLITE_CORRUPT if full in _UNREADABLE_PAGE else full & 0xFF
    return _TRANSLATIONS.get(code, StoreError)(str(error))


_UNREADABLE_PAGE = (sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_CORRUPTFS)
"""Damage, where other input and output errors mean a full disk."""
_TRANSLATIONS: dict[int, type[StoreError]] = {
    sqlite3.SQLITE_BUSY: Busy,
    sqlite3.SQLITE_LOCKED: Busy,
    sqlite3.SQLITE_READONLY: ReadOnly,
    sqlite3.SQLITE_CANTOPEN: ReadOnly,
    sqlite3.SQLITE_PERM: ReadOnly,
    sqlite3.SQLITE_FULL: DiskFull,
    sqlite3.SQLITE_IOERR: DiskFull,
    sqlite3.SQLITE_CORRUPT: IndexDamaged,
    sqlite3.SQLITE_NOTADB: IndexDamaged,
    # A missing table or column: the statements are the same for every index of this version.
    sqlite3.SQLITE_ERROR: IndexDamaged,
    sqlite3.SQLITE_CONSTRAINT: IndexDamaged,
}
