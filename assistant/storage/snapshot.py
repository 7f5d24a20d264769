"""A committed state of the index, held open."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Self

from assistant.storage import vector_file
from assistant.storage.database import DATABASE, Database, is_complete
from assistant.storage.errors import DiskFull, IndexMissing, IndexOutdated, ReadOnly, StoreError
from assistant.storage.schema import State, check_version, read_state


class Snapshot:
    """One committed state, pinned until it is closed, and the vector file that belongs to it."""

    def __init__(self, folder: Path, identity: str | None, *, immutable: bool) -> None:
        self._folder = folder
        self._database = Database(folder, immutable=immutable)
        self._inode = _inode(folder)
        self._watch: _Watch | None = None
        self._vector_file: int | None = None
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
        self.report_vector_file()

    def rows(self, sql: str, *values: object) -> list[Any]:
        """All rows of a query."""
        return self._database.rows(sql, *values)

    def each(self, sql: str, *values: object) -> Iterator[Any]:
        """The rows of a query, one by one."""
        return self._database.each(sql, *values)

    def take_vector_file(self) -> int | None:
        """Its descriptor, which the caller closes from now on; None where there is none or it was taken before."""
        descriptor, self._vector_file = self._vector_file, None
        return descriptor

    def report_vector_file(self) -> None:
        """Adds a warning that the vector file cannot be used."""
        self._warnings.append(
            f"{self.state.file.name} in the index is missing or corrupt; the vectors were read from"
            f" {DATABASE} instead. `assistant index` rewrites it."
        )

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
        descriptor = self.take_vector_file()
        if descriptor is not None:
            os.close(descriptor)
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
