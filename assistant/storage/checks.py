"""What is checked of the rows of an index by reading all of them; common to both databases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from assistant.storage import codec
from assistant.storage.backend import Rows
from assistant.storage.errors import IndexDamaged

_IN_ANOTHER_CHUNK = """
    SELECT 1 FROM passages p WHERE coalesce(p.chunk, -1) <> coalesce((
        SELECT id FROM chunks c WHERE c.note = p.note AND c.start <= p.start ORDER BY c.start DESC LIMIT 1
    ), -2) LIMIT 1
"""


def corrupt_tables(database: Rows) -> list[str]:
    """A phrase for each table with a row that is not what was written."""
    return [
        f"a row of {table} is corrupt"
        for table, check in _CHECKS.items()
        if not all(_passes(check, row) for row in database.each(f"SELECT * FROM {table}"))
    ]


def loose_rows(database: Rows) -> list[str]:
    """A phrase for each kind of row that is there and does not fit others."""
    faults = []
    if database.rows("SELECT 1 FROM texts WHERE ready = 1 AND id NOT IN (SELECT text FROM vectors) LIMIT 1"):
        faults.append("vectors are missing")
    if database.rows(_IN_ANOTHER_CHUNK):
        faults.append("passages stand in other chunks than their lines do")
    return faults


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
