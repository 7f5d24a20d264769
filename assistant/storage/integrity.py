"""The whole of an index read and compared with its own sums: for `doctor`, and where something cannot be explained."""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from assistant.errors import IndexUnusable
from assistant.storage import codec, vector_file
from assistant.storage.schema import (
    DATABASE,
    IndexDamaged,
    Lock,
    StoreError,
    check_version,
    connect,
    read_state,
    translated,
)


def problems(folder: Path) -> tuple[str, ...]:
    """What is wrong with the index in the folder, one phrase each; reads all of it, which takes a second for each few
    hundred MB. Nothing where there is no index."""
    if not (folder / DATABASE).is_file():
        return ()
    try:
        with translated(), _held(folder) as writable:
            connection = connect(folder, write=writable, immutable=not writable and not os.access(folder, os.W_OK))
            try:
                return tuple(_of_database(folder, connection, writable))
            finally:
                connection.close()
    except (StoreError, IndexUnusable) as error:
        return (str(error),)


@contextmanager
def _held(folder: Path) -> Iterator[bool]:
    """Holds the writer's lock, or not, where another has it or there can be none."""
    try:
        lock = Lock(folder)
    except StoreError:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def _of_database(folder: Path, connection: sqlite3.Connection, writable: bool) -> list[str]:
    if not check_version(connection, folder):
        return []
    state = read_state(connection)
    found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(5)") if row[0] != "ok"]
    if found:
        return found
    for table, fits in _SUMS.items():
        if not all(_fits(fits, row) for row in connection.execute(f"SELECT * FROM {table}")):
            found.append(f"a row of {table} is not what was written")
    if writable:  # for the statement's form: it changes nothing
        try:
            connection.execute("INSERT INTO contents(contents, rank) VALUES ('integrity-check', 1)")
        except sqlite3.DatabaseError:
            found.append("the full text does not fit its index")
    counted: Counter[str] = Counter()
    for words, headings in connection.execute("SELECT words, headings FROM contents"):
        counted.update({*words.split(), *headings.split()})
    if counted != dict(connection.execute("SELECT term, n FROM frequencies")):
        found.append("the counts of terms are not those of the text")
    missing = "SELECT count(*) FROM texts WHERE ready = 1 AND id NOT IN (SELECT text FROM vectors)"
    if connection.execute(missing).fetchone() != (0,):
        found.append("vectors are missing")
    if not vector_file.sound(folder, state.file):
        found.append(f"{state.file.name} is missing or damaged")
    return found


def _fits(check: Callable[[Any], object], row: Any) -> bool:
    try:
        return check(row) is not False
    except (IndexDamaged, TypeError, ValueError):
        return False


_SUMS: dict[str, Callable[[Any], object]] = {
    "vectors": lambda row: codec.unpack_matrix(*row[1:]),
    "passages": lambda row: codec.unpack_passage(*row[-2:]),
    "concepts": lambda row: codec.unpack_matrix(*row[2:]),
    "mentions": lambda row: codec.mention_sum(row[2], row[3], row[4], row[1]) == row[5],
    "matches": lambda row: codec.match_sum(*row[:3]) == row[3],
    "concept_words": lambda row: codec.word_sum(*row[:4]) == row[4],
    "frequencies": lambda row: codec.frequency_sum(row[0], row[1]) == row[2],
    "notes": lambda row: codec.unpack_lines(*row[-2:]),
}
