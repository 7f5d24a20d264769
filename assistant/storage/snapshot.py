"""A committed state of the index, held open."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from assistant.storage import vector_file
from assistant.storage.schema import (
    DATABASE,
    DiskFull,
    IndexMissing,
    IndexOutdated,
    ReadOnly,
    State,
    StoreError,
    check_version,
    connect,
    is_complete,
    meaning,
    read_state,
    translated,
)


class Watch:
    """A second look at the database, which no state pins; it costs a hundredth of opening the database once more."""

    def __init__(self, folder: Path) -> None:
        self._connection = connect(folder)
        self._version = -1
        self._change = 0

    def change(self) -> int:
        """What was committed last."""
        (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        if version != self._version:
            self._change, self._version = read_state(self._connection).change, version
        return self._change

    def close(self) -> None:
        self._connection.close()


class Snapshot:
    """One committed state of the index, pinned until it is closed, and the vector file that belongs to it."""

    def __init__(self, folder: Path, connection: sqlite3.Connection) -> None:
        self._folder = folder
        self._connection = connection
        self._inode = 0
        self._state = State()
        self._file: int | None = None
        self._warnings: list[str] = []
        self._watch: Watch | None = None

    @classmethod
    def open(cls, folder: Path, identity: str | None = None) -> Self:
        """The newest committed state; IndexMissing, IndexDamaged, or IndexOutdated (not made by encoder `identity`)."""
        if not (folder / DATABASE).is_file():
            raise IndexMissing(f"no index in {folder}")
        if not os.access(folder, os.W_OK) and is_complete(folder):
            return cls._opened(folder, identity, immutable=True)
        try:
            return cls._opened(folder, identity, immutable=False)
        except (ReadOnly, DiskFull):
            # A reader's lock needs a file of its own, and there is no room or leave for it.
            if not is_complete(folder):
                raise
            return cls._opened(folder, identity, immutable=True)

    @classmethod
    def _opened(cls, folder: Path, identity: str | None, *, immutable: bool) -> Self:
        with translated():
            store = cls(folder, connect(folder, immutable=immutable))
            store._inode = _inode(folder)
            try:
                store._begin(identity)
            except BaseException:
                store.close()
                raise
        return store

    def _begin(self, identity: str | None) -> None:
        """Pins a state and the vector file it names; looks twice, since a writer may just have replaced that file."""
        for _ in range(2):
            self._connection.execute("BEGIN")
            if not check_version(self._connection, self._folder):
                raise IndexMissing(f"no index in {self._folder}")
            self._state = read_state(self._connection)
            if self._state.generation == 0:
                raise IndexMissing(f"no index in {self._folder}")
            if identity is not None and identity != self._state.identity:
                raise IndexOutdated("made by another model")
            if not self._state.file.name:
                return
            self._file = vector_file.open_file(self._folder, self._state.file)
            if self._file is not None:
                return
            self._connection.execute("COMMIT")
        self._connection.execute("BEGIN")
        self._state = read_state(self._connection)
        self._warn_of_file()

    def _warn_of_file(self) -> None:
        self._warnings.append(
            f"{self._state.file.name} in the index is missing or damaged; the vectors were read from"
            f" {DATABASE} instead. `assistant index` writes it anew."
        )

    def close(self) -> None:
        """Lets go of the state; may be called twice."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
        if self._watch is not None:
            self._watch.close()
            self._watch = None
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def generation(self) -> int:
        return self._state.generation

    @property
    def identity(self) -> str:
        return self._state.identity

    @property
    def versions(self) -> str:
        return self._state.versions

    @property
    def notes_count(self) -> int:
        return self._state.notes

    @property
    def passages_count(self) -> int:
        return self._state.passages

    @property
    def warnings(self) -> tuple[str, ...]:
        """What had to be recovered so far."""
        return tuple(self._warnings)

    def current(self) -> bool:
        """Whether nothing was committed since; False also where that cannot be told."""
        try:
            if _inode(self._folder) != self._inode:
                return False  # a mended one has taken its place
            with translated():
                return self._newest() == self._state.change
        except (StoreError, OSError):
            return False

    def _newest(self) -> int:
        """The change that was committed last; what takes no lock can keep nothing between two looks."""
        if not os.access(self._folder, os.W_OK) and is_complete(self._folder):
            with closing(connect(self._folder, immutable=True)) as connection:
                return read_state(connection).change
        if self._watch is None:
            self._watch = Watch(self._folder)
        return self._watch.change()

    def sound(self) -> bool:
        """Whether the vector file, if the index has one, is byte for byte the one that was written."""
        return vector_file.sound(self._folder, self._state.file)

    def waiting(self) -> int:
        """Texts of any kind that have no vector yet."""
        return int(self._all("SELECT count(*) FROM texts WHERE ready = 0 AND uses + others > 0")[0][0])

    def _all(self, sql: str, *values: object) -> list[Any]:
        try:
            return self._connection.execute(sql, values).fetchall()
        except sqlite3.DatabaseError as error:
            raise meaning(error) from error


def _inode(folder: Path) -> int:
    """Of the database; 0 where it is gone."""
    try:
        return (folder / DATABASE).stat().st_ino
    except OSError:
        return 0
