"""A committed state of the index, held open."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import numpy as np

from assistant.storage.backend import IN_LIST, NO_LIMIT, Filed, Users
from assistant.storage.errors import DiskFull, IndexMissing, IndexOutdated, ReadOnly, StoreError
from assistant.storage.nearest import Coded, Flat, Ids
from assistant.storage.sqlite import vector_file
from assistant.storage.sqlite.database import DATABASE, Database, is_complete
from assistant.storage.sqlite.schema import check_version, read_state
from assistant.storage.state import State

_FILED_UNUSED = "SELECT id FROM texts WHERE filed = 1 AND uses = 0"
_FILED_CHUNKS = "SELECT id FROM texts WHERE filed = 1 AND chunks > 0"
_RANKED = "SELECT rowid, bm25(contents, 1.0, 0.5, 0.0) AS score FROM contents WHERE contents MATCH ?"


class SqliteSnapshot:
    """One committed state, pinned until it is closed, and the vector file that belongs to it."""

    def __init__(self, folder: Path, identity: str | None, *, immutable: bool) -> None:
        self._folder = folder
        self._database = Database(folder, immutable=immutable)
        self._inode = _inode(folder)
        self._watch: _Watch | None = None
        self._vector_file: int | None = None
        self._loading: vector_file.Loading | None = None
        self._unusable = False
        self._warnings: list[str] = []
        self.state = State()
        try:
            self._pin(identity)
        except BaseException:
            self.close()
            raise

    @classmethod
    def open(cls, folder: Path, identity: str | None = None) -> Self:
        """The newest committed state; IndexMissing, IndexDamaged, or IndexOutdated (not made by encoder `identity`)."""
        if not (folder / DATABASE).is_file():
            raise IndexMissing(f"no index in {folder}")
        if not os.access(folder, os.W_OK) and is_complete(folder):
            return cls(folder, identity, immutable=True)
        try:
            return cls(folder, identity, immutable=False)
        except (ReadOnly, DiskFull):
            # A reader's lock needs a file of its own, and there is no room or leave for it.
            if not is_complete(folder):
                raise
            return cls(folder, identity, immutable=True)

    def _pin(self, identity: str | None) -> None:
        """Pins a state and the vector file it names; tries twice, since a writer may just have replaced that file."""
        for _ in range(2):
            self._database.rows("BEGIN")
            if not check_version(self._database, self._folder):
                raise IndexMissing(f"no index in {self._folder}")
            self.state = read_state(self._database)
            if self.state.generation == 0:
                raise IndexMissing(f"no index in {self._folder}")
            if identity is not None and identity != self.state.identity:
                raise IndexOutdated("made by another model")
            if not self.state.file.name:
                return
            self._vector_file = vector_file.open_file(self._folder, self.state.file)
            if self._vector_file is not None:
                return
            self._database.commit()
        self._database.rows("BEGIN")
        self.state = read_state(self._database)
        self._report_vector_file()

    def rows(self, sql: str, *values: object) -> list[Any]:
        """All rows of a query."""
        return self._database.rows(sql, *values)

    def each(self, sql: str, *values: object) -> Iterator[Any]:
        """The rows of a query, one by one."""
        return self._database.each(sql, *values)

    def ranked(
        self,
        terms: Sequence[str],
        only: Collection[int] | None,
        *,
        limit: int = NO_LIMIT,
        worst: float | None = None,
    ) -> list[tuple[int, float]]:
        """FTS5's BM25; as `Snapshot.ranked`."""
        any_of = " OR ".join('"' + term.replace('"', '""') + '"' for term in terms)
        ranked, values = _RANKED, list[object]([f"{{words headings}} : ({any_of})"])
        if only is not None:
            ranked += f" AND rowid {IN_LIST}"
            values.append(sorted(only))
        if worst is not None:
            ranked = f"SELECT * FROM ({ranked}) WHERE score <= ?"
            values.append(worst)
        return self.rows(f"{ranked} ORDER BY score LIMIT ?", *values, limit)

    def read_ahead(self) -> None:
        """Starts to read the vector file beside the caller's own work."""
        descriptor, self._vector_file = self._vector_file, None
        if descriptor is not None:
            self._loading = vector_file.Loading(descriptor, self.state.file)
            self._loading.start()

    def filed(self, users: Users) -> Filed:
        """What the vector file holds; no part where there is none or it is corrupt, which is reported once."""
        part = self._read_vector_file()
        if users == "uses" or part is None:
            return Filed(part, self._ids(_FILED_UNUSED))
        return Filed(part, np.zeros(0, dtype=np.int64), self._ids(_FILED_CHUNKS))  # passages are most of it

    def _read_vector_file(self) -> Flat | Coded | None:
        self.read_ahead()
        if self._loading is None or self._unusable:
            return None
        try:
            return self._loading.searchable()
        except vector_file.FileDamaged:
            self._unusable = True
            self._report_vector_file()
            return None

    def _ids(self, sql: str) -> Ids:
        return np.array([number for (number,) in self.rows(sql)], dtype=np.int64)

    def _report_vector_file(self) -> None:
        """Adds a warning that the vector file cannot be used."""
        self._warnings.append(
            f"{self.state.file.name} in the index is missing or corrupt; the vectors were read from"
            f" {DATABASE} instead. `assistant index` rewrites it."
        )

    @property
    def committed(self) -> datetime | None:
        """Not recorded: the folder is on the machine of its only writer."""
        return None

    def take_notices(self) -> tuple[str, ...]:
        """None: nothing here waits."""
        return ()

    def rest(self) -> None:
        """Nobody waits for the reader of a folder."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What had to be recovered so far, one sentence each."""
        return tuple(self._warnings)

    def sound(self) -> bool:
        """Whether the vector file, if the state has one, is byte for byte the one that was written."""
        return vector_file.sound(self._folder, self.state.file)

    def current(self) -> bool:
        """Whether nothing was committed since; False also where that cannot be told."""
        try:
            if _inode(self._folder) != self._inode:
                return False  # a rebuilt database has replaced it
            return self._newest_change() == self.state.change
        except (StoreError, OSError):
            return False

    def _newest_change(self) -> int:
        """The change that was committed last. A connection that takes no lock is opened anew each time: it would not
        see later commits."""
        if not os.access(self._folder, os.W_OK) and is_complete(self._folder):
            with closing(Database(self._folder, immutable=True)) as database:
                return read_state(database).change
        if self._watch is None:
            self._watch = _Watch(self._folder)
        return self._watch.change()

    def close(self) -> None:
        """Lets go of the state; may be called twice."""
        if self._vector_file is not None:
            os.close(self._vector_file)
            self._vector_file = None
        if self._loading is not None:
            self._loading.join()
        if self._watch is not None:
            self._watch.close()
            self._watch = None
        self._database.close()


class _Watch:
    """A second connection, which no state pins; it costs a hundredth of opening the database once more."""

    def __init__(self, folder: Path) -> None:
        self._database = Database(folder)
        self._version = -1
        self._change = 0

    def change(self) -> int:
        """The change that was committed last."""
        ((version,),) = self._database.rows("PRAGMA data_version")
        if version != self._version:
            self._change, self._version = read_state(self._database).change, version
        return self._change

    def close(self) -> None:
        self._database.close()


def _inode(folder: Path) -> int:
    """Of the database; 0 where it is gone."""
    try:
        return (folder / DATABASE).stat().st_ino
    except OSError:
        return 0
