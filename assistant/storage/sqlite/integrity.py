"""The whole of an index read and compared with its own sums, for `doctor`."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from assistant.errors import IndexUnusable
from assistant.storage import checks, codec
from assistant.storage.errors import StoreError
from assistant.storage.sqlite import vector_file
from assistant.storage.sqlite.database import DATABASE, Database
from assistant.storage.sqlite.lock import Lock
from assistant.storage.sqlite.schema import check_version, read_state


def problems(folder: Path) -> tuple[str, ...]:
    """What is wrong with the index in the folder, one phrase each; reads all of it, which takes a second for each few
    hundred MB. Nothing where there is no index."""
    if not (folder / DATABASE).is_file():
        return ()
    try:
        with _lock_where_possible(folder) as writable:
            database = Database(folder, write=writable, immutable=not writable and not os.access(folder, os.W_OK))
            with closing(database):
                return tuple(_of_database(folder, database, writable))
    except (StoreError, IndexUnusable) as error:
        return (str(error),)


@contextmanager
def _lock_where_possible(folder: Path) -> Iterator[bool]:
    """Holds the writer's lock; whether it does: another process may hold it, or the folder take no files."""
    try:
        lock = Lock(folder)
    except StoreError:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def _of_database(folder: Path, database: Database, writable: bool) -> list[str]:
    if not check_version(database, folder):
        return []
    state = read_state(database)
    broken = [str(message) for (message,) in database.rows("PRAGMA integrity_check(5)") if message != "ok"]
    if broken:
        return broken
    faults = checks.corrupt_tables(database)
    if writable and not _full_text_fits(database):
        faults.append("the full-text index does not fit its text")
    terms: Counter[str] = Counter()
    with codec.decoding("the full text"):
        for words, headings in database.each("SELECT words, headings FROM contents"):
            terms.update({*words.split(), *headings.split()})
    if terms != dict(database.rows("SELECT term, n FROM frequencies")):
        faults.append("the term counts do not fit the text")
    faults += checks.loose_rows(database)
    if not vector_file.sound(folder, state.file):
        faults.append(f"{state.file.name} is missing or corrupt")
    return faults


def _full_text_fits(database: Database) -> bool:
    """An insert is the form of FTS5's check; it changes nothing."""
    try:
        database.change("INSERT INTO contents(contents, rank) VALUES ('integrity-check', 1)")
    except StoreError:
        return False
    finally:
        database.rollback()
    return True
