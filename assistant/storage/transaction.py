"""A writer's hold on the index folder: the lock, the database behind it, and what a commit does."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from assistant.storage import codec
from assistant.storage.database import DATABASE, IN_LIST, Database
from assistant.storage.errors import IndexDamaged
from assistant.storage.lock import Lock
from assistant.storage.schema import State, TextId, check_version, create, read_state, write_state

_MOST = 2**62
"""Ids beyond it were never given."""
_LAST_ID = "SELECT seq FROM sqlite_sequence WHERE name = ? AND typeof(seq) = 'integer'"

ASIDE = "damaged.sqlite"
"""Name of a damaged database until another one has replaced it."""


@dataclass(slots=True)
class Uncommitted:
    """What is known of an open transaction besides its rows; a commit or a rollback ends it."""

    notes: int = 0
    """Notes put in less those taken out."""
    passages: int = 0
    """Passages put in less those taken out."""
    terms: Counter[str] = field(default_factory=Counter)
    """Term → passages with it put in less those taken out."""
    text_ids: dict[str, tuple[TextId, bool]] = field(default_factory=dict)
    """Text → its row and whether it has a vector, of the texts looked up so far."""
    last_ids: dict[str, int] = field(default_factory=dict)
    """By table the greatest id that was ever given."""


class Transaction:
    """Holds the folder's lock until closed; what is not committed by then is gone."""

    def __init__(self, folder: Path, *, salvage: bool = False) -> None:
        """`salvage` puts the database aside, for `salvage`, and begins a new one. Busy, ReadOnly, IndexDamaged,
        IndexOutdated, DiskFull."""
        self.folder = folder
        self.state = State()
        """As of the last commit, with what later parts of the transaction replaced in it."""
        self.uncommitted = Uncommitted()
        self._lock = Lock(folder)
        self._database: Database | None = None
        try:
            if salvage:
                _set_aside(folder)
            self._database = Database(folder, write=True)
            self._prepare(self._database)
        except BaseException:
            self.close()
            raise

    def _prepare(self, database: Database) -> None:
        database.rows("PRAGMA journal_mode = WAL")
        database.rows("PRAGMA synchronous = FULL")
        database.rows("PRAGMA cache_size = -65536")
        database.rows(f"PRAGMA journal_size_limit = {64 * 1024 * 1024}")
        if not check_version(database, self.folder):
            create(database)
        self.state = read_state(database)
        self.remove_leftovers()

    @property
    def abandoned(self) -> bool:
        """Whether the previous writer was killed."""
        return self._lock.abandoned

    @property
    def database(self) -> Database:
        """The connection that writes; AssertionError once it is closed."""
        assert self._database is not None, "the writer is closed"
        return self._database

    def rows(self, sql: str, *values: object) -> list[Any]:
        """All rows of a query."""
        return self.database.rows(sql, *values)

    def change(self, sql: str, *values: object) -> int:
        """Runs a statement in this transaction; the id of the row it inserted."""
        return self.database.change(sql, *values)

    def change_many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """As `change`, for many rows, in a fraction of the time."""
        self.database.change_many(sql, rows)

    def new_ids(self, table: str, count: int) -> range:
        """Ids for so many new rows of a table whose ids are never given twice, as SQLite itself would give them: rows
        whose ids are known before can be inserted together. IndexDamaged where there can be no more."""
        last_ids = self.uncommitted.last_ids
        if table not in last_ids:
            rows = self.rows(f"{_LAST_ID} UNION ALL SELECT coalesce(max(id), 0) FROM {table}", table)
            last_ids[table] = max(int(number) for (number,) in rows)
            if not 0 <= last_ids[table] < _MOST:
                raise IndexDamaged("the counter of ids")
        first = last_ids[table] + 1
        last_ids[table] += count
        return range(first, first + count)

    def keep(self) -> None:
        """Commits where anything changed at all; the generation stays."""
        if self.database.in_transaction:
            self.commit()

    def commit(self, pending: int | None = None) -> None:
        """Makes the transaction what readers see; `pending` passages have no vector, as many as before if None."""
        self._count_terms()
        state, uncommitted = self.state, self.uncommitted
        self.state = replace(
            state,
            change=state.change + 1,
            notes=state.notes + uncommitted.notes,
            passages=state.passages + uncommitted.passages,
            pending=state.pending if pending is None else pending,
        )
        self.forget()
        write_state(self.database, self.state)
        self.database.commit()

    def _count_terms(self) -> None:
        """Brings the table of term frequencies up to date."""
        more = {term: n for term, n in sorted(self.uncommitted.terms.items()) if n}
        if not more:
            return
        rows = self.rows(f"SELECT term, n, crc FROM frequencies WHERE term {IN_LIST}", json.dumps(list(more)))
        before = codec.unpack_frequencies(rows)
        after = {term: before.get(term, 0) + n for term, n in more.items()}
        self.change_many("DELETE FROM frequencies WHERE term = ?", [(term,) for term in before if after[term] <= 0])
        self.change_many(
            "INSERT OR REPLACE INTO frequencies VALUES (?, ?, ?)",
            [codec.pack_frequency(term, n) for term, n in after.items() if n > 0],
        )

    def forget(self) -> None:
        """Forgets what is known of the transaction besides its rows."""
        self.uncommitted = Uncommitted()

    def rollback(self) -> None:
        """Takes back what was not committed."""
        self.forget()
        self.database.rollback()
        self.state = read_state(self.database)

    def remove_leftovers(self) -> None:
        """Deletes files that a killed writer left and vector files that no reader looks for any more."""
        if self.state.generation > 0:
            for name in (ASIDE, f"{ASIDE}-wal", f"{ASIDE}-shm"):
                (self.folder / name).unlink(missing_ok=True)
        needed = {self.state.file.name, self.state.previous}
        for path in (*self.folder.glob("vectors-*.faiss"), *self.folder.glob("vectors-*.tmp")):
            if path.name not in needed:
                path.unlink(missing_ok=True)

    def close(self) -> None:
        """Takes back what was not committed and lets the next writer in."""
        if self._database is not None:
            self._database.close()
            self._database = None
        self._lock.release()


def _set_aside(folder: Path) -> None:
    """Under the lock. The log first: without it the database is an older one, with another's it would be neither."""
    for suffix in ("-wal", "-shm", ""):
        if (folder / f"{DATABASE}{suffix}").exists():
            (folder / f"{DATABASE}{suffix}").replace(folder / f"{ASIDE}{suffix}")
