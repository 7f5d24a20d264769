"""A writer's hold on the index folder: the lock, the database behind it, and what a commit does."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, NewType, Self

from assistant.storage.schema import (
    APPLICATION,
    DATABASE,
    SCHEMA,
    TABLES,
    IndexDamaged,
    Lock,
    State,
    check_version,
    connect,
    meaning,
    read_state,
    translated,
    write_state,
)

_MOST = 2**62
"""Ids beyond it were never given."""
_COUNTED = "SELECT seq FROM sqlite_sequence WHERE name = ? AND typeof(seq) = 'integer'"
TextId = NewType("TextId", int)
"""Row id of an embedded text."""

ASIDE = "damaged.sqlite"
"""What a damaged database is called until another one has taken its place."""


class Transaction:
    """Holds the folder's lock until closed; what is not committed by then is gone."""

    def __init__(self, folder: Path, *, mend: bool = False) -> None:
        """`mend` puts what is there aside, for `salvage`, and begins a new database."""
        self._folder = folder
        self._lock = Lock(folder)
        self._connection: sqlite3.Connection | None = None
        try:
            if mend:
                _set_aside(folder)
            with translated():
                self._open()
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        self._connection = connection = connect(self._folder, write=True)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA cache_size = -65536")
        connection.execute(f"PRAGMA journal_size_limit = {64 * 1024 * 1024}")
        if not check_version(connection, self._folder):
            connection.executescript(
                f"BEGIN; {TABLES} PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {SCHEMA}; COMMIT;"
            )
        self._state = read_state(connection)
        self._frequencies: Counter[str] = Counter()
        self._more: Counter[str] = Counter()  # notes and passages put in less those taken out
        self._texts: dict[str, tuple[TextId, bool]] = {}
        self._last: dict[str, int] = {}  # by table the greatest id that was ever given
        self._clean()

    @property
    def abandoned(self) -> bool:
        """Whether the writer before was killed."""
        return self._lock.abandoned

    def close(self) -> None:
        """Takes back what was not published and lets the next writer in."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def state(self) -> State:
        """As it was last committed."""
        return self._state

    def _db(self) -> sqlite3.Connection:
        assert self._connection is not None, "the writer is closed"
        return self._connection

    def _all(self, sql: str, *values: object) -> list[Any]:
        try:
            return self._db().execute(sql, values).fetchall()
        except sqlite3.DatabaseError as error:
            raise meaning(error) from error

    def _change(self, sql: str, *values: object) -> int:
        """Runs it inside a transaction, which it begins where none is open; the id of the row it put in."""
        connection = self._db()
        try:
            if not connection.in_transaction:
                connection.execute("BEGIN IMMEDIATE")
            return connection.execute(sql, values).lastrowid or 0
        except sqlite3.DatabaseError as error:
            raise meaning(error) from error

    def _change_many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """The same for many rows, in a fraction of the time."""
        connection = self._db()
        try:
            if not connection.in_transaction:
                connection.execute("BEGIN IMMEDIATE")
            connection.executemany(sql, rows)
        except sqlite3.DatabaseError as error:
            raise meaning(error) from error

    def _new_ids(self, table: str, many: int) -> range:
        """Ids for so many new rows of a table whose ids are never given twice, as SQLite itself would give them; what
        is put in with an id known before need not be put in alone. IndexDamaged where there can be no more."""
        if table not in self._last:
            found = self._all(f"{_COUNTED} UNION ALL SELECT coalesce(max(id), 0) FROM {table}", table)
            self._last[table] = max(int(number) for (number,) in found)
            if not 0 <= self._last[table] < _MOST:
                raise IndexDamaged("the counter of ids")
        first = self._last[table] + 1
        self._last[table] += many
        return range(first, first + many)

    def rollback(self) -> None:
        """Takes back what was not published."""
        self._frequencies.clear()
        self._last.clear()
        self._texts.clear()
        self._more.clear()
        if self._db().in_transaction:
            self._db().execute("ROLLBACK")
        self._state = read_state(self._db())

    def _pending(self) -> int:
        return int(self._all("SELECT coalesce(sum(uses), 0) FROM texts WHERE ready = 0")[0][0])

    def keep(self) -> None:
        """Commits newer looks at notes that did not change, where there are any; the generation stays."""
        if self._db().in_transaction:
            self._commit()

    def _commit(self, pending: int | None = None) -> None:
        """With so many passages without a vector; as many as before where none is said."""
        self._state = replace(
            self._state,
            change=self._state.change + 1,
            notes=self._state.notes + self._more["notes"],
            passages=self._state.passages + self._more["passages"],
            pending=self._state.pending if pending is None else pending,
        )
        self._more.clear()
        self._texts.clear()
        self._change("DELETE FROM state")
        with translated():
            write_state(self._db(), self._state)
            self._db().execute("COMMIT")

    def _clean(self) -> None:
        """Removes what a killed writer left behind and files that no reader looks for any more."""
        if self._state.generation > 0:
            for name in (ASIDE, f"{ASIDE}-wal", f"{ASIDE}-shm"):
                (self._folder / name).unlink(missing_ok=True)
        kept = {self._state.file.name, self._state.previous}
        for path in (*self._folder.glob("vectors-*.faiss"), *self._folder.glob("vectors-*.tmp")):
            if path.name not in kept:
                path.unlink(missing_ok=True)


def _set_aside(folder: Path) -> None:
    """Under the lock. The log first: without it the database is an older one, with another's it would be neither."""
    for suffix in ("-wal", "-shm", ""):
        if (folder / f"{DATABASE}{suffix}").exists():
            (folder / f"{DATABASE}{suffix}").replace(folder / f"{ASIDE}{suffix}")
