"""The whole of an index read and compared with its own sums, for `doctor`."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from assistant.errors import IndexUnusable
from assistant.storage import codec
from assistant.storage.errors import IndexDamaged, StoreError
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


_IN_ANOTHER_CHUNK = """
    SELECT 1 FROM passages p WHERE p.chunk IS NOT (
        SELECT id FROM chunks c WHERE c.note = p.note AND c.start <= p.start ORDER BY c.start DESC LIMIT 1
    ) LIMIT 1
"""


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
    faults = [
        f"a row of {table} is corrupt"
        for table, check in _CHECKS.items()
        if not all(_passes(check, row) for row in database.each(f"SELECT * FROM {table}"))
    ]
    if writable and not _full_text_fits(database):
        faults.append("the full-text index does not fit its text")
    terms: Counter[str] = Counter()
    with codec.decoding("the full text"):
        for words, headings in database.each("SELECT words, headings FROM contents"):
            terms.update({*words.split(), *headings.split()})
    if terms != dict(database.rows("SELECT term, n FROM frequencies")):
        faults.append("the term counts do not fit the text")
    if database.rows("SELECT 1 FROM texts WHERE ready = 1 AND id NOT IN (SELECT text FROM vectors) LIMIT 1"):
        faults.append("vectors are missing")
    if database.rows(_IN_ANOTHER_CHUNK):
        faults.append("passages stand in other chunks than their lines do")
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


def _passes(check: Callable[[Any], object], row: Any) -> bool:
    try:
        return check(row) is not False
    except IndexDamaged:
        return False


_CHECKS: dict[str, Callable[[Any], object]] = {
    "vectors": lambda row: codec.unpack_matrix(*row[1:]),
    "passages": lambda row: codec.unpack_passage(*row[-2:]),
    "chunks": lambda row: codec.unpack_chunk(*row[-3:]),
    "concepts": lambda row: codec.unpack_matrix(*row[2:]),
    "mentions": lambda row: codec.pack_mention(row[2], row[3], row[4], row[1])[-1] == row[5],
    "matches": lambda row: codec.pack_match(*row[:-1]) == row,
    "concept_words": lambda row: codec.pack_word(*row[:-1]) == row,
    "frequencies": lambda row: codec.pack_frequency(*row[:-1]) == row,
    "notes": lambda row: codec.unpack_lines(*row[-2:]),
}
"""By table, what fails for a row that is not what was written: False or an exception."""
