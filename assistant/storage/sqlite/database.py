"""The SQLite database of an index: one connection whose errors are StoreErrors."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from assistant.storage.backend import IN_LIST
from assistant.storage.sqlite.errors import translated, translation
from assistant.system import permissions

DATABASE = "notes.sqlite"
_BUSY_SECONDS = 20


class Database:
    """One connection in autocommit mode; every method raises StoreErrors."""

    def __init__(self, folder: Path, *, write: bool = False, immutable: bool = False) -> None:
        """A reader's connection cannot write; an `immutable` one takes no lock and makes no file."""
        if write:
            with suppress(OSError):  # SQLite says what is wrong with it, in words we know
                permissions.touch(folder / DATABASE)  # its logs get the modes of the database
        mode = "mode=rwc" if write else "mode=ro&immutable=1" if immutable else "mode=ro"
        with translated():
            self._connection = sqlite3.connect(
                f"{(folder / DATABASE).absolute().as_uri()}?{mode}",
                uri=True,
                timeout=_BUSY_SECONDS,
                isolation_level=None,
                check_same_thread=False,
            )
            if not write:
                self._connection.execute("PRAGMA query_only = 1")

    def rows(self, sql: str, *values: object) -> list[Any]:
        """All rows of a query."""
        try:
            return self._connection.execute(_dialect(sql), _packed(values)).fetchall()
        except sqlite3.DatabaseError as error:
            raise translation(error) from error

    def each(self, sql: str, *values: object) -> Iterator[Any]:
        """The rows of a query, one by one."""
        with translated():
            yield from self._connection.execute(_dialect(sql), _packed(values))

    def change(self, sql: str, *values: object) -> None:
        """Runs a statement in a transaction, begun here where none is open."""
        try:
            if not self._connection.in_transaction:
                self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute(_dialect(sql), _packed(values))
        except sqlite3.DatabaseError as error:
            raise translation(error) from error

    def change_many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """As `change`, for many rows, in a fraction of the time."""
        try:
            if not self._connection.in_transaction:
                self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany(_dialect(sql), rows)
        except sqlite3.DatabaseError as error:
            raise translation(error) from error

    def script(self, sql: str) -> None:
        """Runs several statements, with no transaction but their own."""
        with translated():
            self._connection.executescript(sql)

    def commit(self) -> None:
        """Ends the open transaction, a reader's too; StoreError where none is open."""
        with translated():
            self._connection.execute("COMMIT")

    def rollback(self) -> None:
        """Nothing happens where no transaction is open."""
        if self._connection.in_transaction:
            with translated():
                self._connection.execute("ROLLBACK")

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction was begun and has neither been committed nor rolled back."""
        return self._connection.in_transaction

    @property
    def total_changes(self) -> int:
        """Rows that this connection has inserted, updated or deleted."""
        return self._connection.total_changes

    def close(self) -> None:
        """Takes back what was not committed; may be called twice."""
        self._connection.close()


def is_complete(folder: Path) -> bool:
    """Whether all that was committed is in the database file itself, and nothing in a log beside it."""
    log = folder / f"{DATABASE}-wal"
    return not log.exists() or log.stat().st_size == 0


@cache
def _dialect(sql: str) -> str:
    return sql.replace(IN_LIST, "IN (SELECT value FROM json_each(?))")


def _packed(values: tuple[object, ...]) -> tuple[object, ...]:
    """With a list as SQLite takes it."""
    return tuple(json.dumps(value) if isinstance(value, list) else value for value in values)
