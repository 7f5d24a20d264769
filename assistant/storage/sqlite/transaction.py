"""A writer's hold on the index folder: the lock, the database behind it, and the FAISS file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from assistant.storage import codec
from assistant.storage.backend import Contents, StoredVector
from assistant.storage.errors import DiskFull
from assistant.storage.nearest import Matrix
from assistant.storage.sqlite import vector_file
from assistant.storage.sqlite.database import DATABASE, Database
from assistant.storage.sqlite.lock import Lock
from assistant.storage.sqlite.schema import TABLES, check_version, create, read_state, statements, write_state
from assistant.storage.state import SEARCHED, State, VectorFile, text_key
from assistant.storage.transaction import Transaction

TAIL_AT_MOST = 2000
"""Texts beside the vector file from which it is written anew, where it is small."""
TAIL_SHARE = 10
"""The same as the divisor of its texts, where it is large."""
ASIDE = "damaged.sqlite"
"""Name of a damaged database until another one has replaced it."""
_LAST_ID = "SELECT seq FROM sqlite_sequence WHERE name = ? AND typeof(seq) = 'integer'"
_SEARCHED = f"FROM texts t JOIN vectors v ON v.text = t.id WHERE {SEARCHED}"
# In the order of the index texts_waiting, so that nothing is sorted and no other row is looked at.
_WAITING = "SELECT id, text FROM texts INDEXED BY texts_waiting WHERE ready = 0 AND"
_FIRST_WAITING = (
    f"{_WAITING} uses > 0 ORDER BY uses, others, chunks, id LIMIT ?",
    f"{_WAITING} uses = 0 AND others > 0 ORDER BY others, chunks, id LIMIT ?",
    f"{_WAITING} uses = 0 AND others = 0 AND chunks > 0 ORDER BY chunks, id LIMIT ?",
)


class SqliteTransaction(Transaction):
    """Holds the folder's lock until closed."""

    def __init__(self, folder: Path, *, salvage: bool = False) -> None:
        """`salvage` puts the database aside, for `salvageable`, and begins a new one. Busy, ReadOnly, IndexDamaged,
        IndexOutdated, DiskFull."""
        super().__init__()
        self._folder = folder
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
        if not check_version(database, self._folder):
            create(database)
        self.state = read_state(database)
        self.remove_leftovers()

    @property
    def abandoned(self) -> bool:
        return self._lock.abandoned

    @property
    def database(self) -> Database:
        assert self._database is not None, "the writer is closed"
        return self._database

    def read_state(self) -> State:
        return read_state(self.database)

    def write_state(self, state: State) -> None:
        write_state(self.database, state)

    def last_id(self, table: str) -> int:
        """As SQLite itself would count."""
        rows = self.rows(f"{_LAST_ID} UNION ALL SELECT coalesce(max(id), 0) FROM {table}", table)
        return max(int(number) for (number,) in rows)

    def first_waiting(self) -> tuple[str, str, str]:
        return _FIRST_WAITING

    def put_contents(self, note: int, contents: Sequence[Contents]) -> None:
        rows = [(one.passage, *map(" ".join, (one.words, one.headings, one.title))) for one in contents]
        self.change_many("INSERT INTO contents(rowid, words, headings, title) VALUES (?, ?, ?, ?)", rows)

    def drop_contents(self, note: int, passages: Sequence[int]) -> None:
        for passage in passages:
            contents = self.rows("SELECT words, headings FROM contents WHERE rowid = ?", passage)
            for words, headings in codec.typed("the full text", contents, str, str):
                self.uncommitted.terms.subtract({*words.split(), *headings.split()})
            self.change("DELETE FROM contents WHERE rowid = ?", passage)

    def count_topics(self) -> None:
        pass  # triggers do

    def start_over(self) -> None:
        counters = self.rows("SELECT name, seq FROM sqlite_sequence")
        for (table,) in self.rows("SELECT name FROM sqlite_schema WHERE type = 'table' AND sql LIKE '%STRICT%'"):
            self.change(f"DROP TABLE {table}")
        self.change("DROP TABLE contents")
        for statement in statements(TABLES):
            self.change(statement)
        for table, last in counters:
            self.change("INSERT INTO sqlite_sequence(name, seq) VALUES (?, ?)", table, last)
        self.forget()
        self.state = self._without_file(replace(self.state, notes=0, passages=0, pending=0))

    def salvageable(self) -> Iterator[StoredVector]:
        """Up to where the database that was put aside cannot be read."""
        path = self._folder / ASIDE
        if not path.is_file():
            return
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            try:
                for key, text, count, data, crc in connection.execute(
                    "SELECT t.key, t.text, v.rows, v.data, v.crc FROM vectors v JOIN texts t ON t.id = v.text"
                ):
                    if text_key(self.state.identity, text) == key and codec.is_unit(count, data, crc):
                        yield text, count, data, crc
            except (sqlite3.DatabaseError, TypeError, ValueError, AttributeError):
                return  # what is left is computed again

    def forget_filed(self, state: State) -> State:
        self.change("UPDATE texts SET filed = 0 WHERE filed = 1")
        return self._without_file(state)

    def _without_file(self, state: State) -> State:
        return replace(state, file=VectorFile(), previous=state.file.name)

    def sound(self, *, whole: bool) -> bool:
        return vector_file.sound(self._folder, self.state.file, whole=whole)

    def file_vectors(self, *, finished: bool, insist: bool) -> bool:
        """Writes the FAISS file anew where too much has changed since it was written. While vectors are still being
        computed it is written each time it has doubled. DiskFull leaves the old one in force."""
        tail = self._count(f"{SEARCHED} AND filed = 0")
        dead = self._count("filed = 1 AND uses = 0 AND chunks = 0")
        file = self.state.file
        bound = max(TAIL_AT_MOST, file.texts // TAIL_SHARE) if finished else max(10 * TAIL_AT_MOST, file.texts)
        if not (insist or tail + dead > bound or (finished and tail > 0 and not file.name)):
            return False
        texts = self._count(SEARCHED)
        stamp = self._write_file(texts) if texts else VectorFile()
        self.change(f"UPDATE texts SET filed = 1 WHERE {SEARCHED} AND filed = 0")
        self.change("UPDATE texts SET filed = 0 WHERE filed = 1 AND uses = 0 AND chunks = 0")
        previous = self.state.previous if stamp.name == file.name else file.name
        self.state = replace(self.state, file=stamp, previous=previous)
        self.commit()
        self.remove_leftovers()
        return True

    def _count(self, where: str) -> int:
        ((count,),) = self.rows(f"SELECT count(*) FROM texts WHERE {where}")
        return int(count)

    def _write_file(self, texts: int) -> VectorFile:
        """Without room for it the vectors stay in the database alone, which is slower and no less right."""
        with codec.decoding("a vector"):  # a text may be marked as ready and have none
            (row,) = self.rows(f"SELECT v.rows, v.data, v.crc {_SEARCHED} LIMIT 1")
            dimension = codec.unpack_matrix(*row).shape[1]
        try:
            return vector_file.write(self._folder, dimension, lambda: self._vectors(dimension), texts)
        except (OSError, RuntimeError) as error:
            raise DiskFull(f"{self._folder}: {error}") from error

    def _vectors(self, dimension: int) -> Iterator[tuple[int, Matrix]]:
        rows: Iterator[Any] = self.database.each(f"SELECT t.id, v.rows, v.data, v.crc {_SEARCHED} ORDER BY t.id")
        for number, *matrix in rows:
            yield number, codec.unpack_matrix(*matrix, dimension=dimension)

    def remove_leftovers(self) -> None:
        """Files that a killed writer left and vector files that no reader looks for any more."""
        if self.state.generation > 0:
            for name in (ASIDE, f"{ASIDE}-wal", f"{ASIDE}-shm"):
                (self._folder / name).unlink(missing_ok=True)
        needed = {self.state.file.name, self.state.previous}
        for path in (*self._folder.glob("vectors-*.faiss"), *self._folder.glob("vectors-*.tmp")):
            if path.name not in needed:
                path.unlink(missing_ok=True)

    def close(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None
        self._lock.release()


def _set_aside(folder: Path) -> None:
    """Under the lock. The log first: without it the database is an older one, with another's it would be neither."""
    for suffix in ("-wal", "-shm", ""):
        if (folder / f"{DATABASE}{suffix}").exists():
            (folder / f"{DATABASE}{suffix}").replace(folder / f"{ASIDE}{suffix}")
