"""The whole of a collection read and compared with its own sums, for `doctor`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np

from assistant.errors import IndexUnusable
from assistant.storage import checks, codec
from assistant.storage.errors import IndexMissing, StoreError
from assistant.storage.note_writer import contents_of
from assistant.storage.postgres.full_text import Postings, postings_of
from assistant.storage.postgres.nearest import halves
from assistant.storage.postgres.schema import WANTED
from assistant.storage.postgres.snapshot import PostgresSnapshot
from assistant.system.collection import Collection


def problems(collection: Collection) -> tuple[str, ...]:
    """What is wrong with the collection, one phrase each; reads all of it, which takes a second for each few thousand
    passages. Nothing where there is none."""
    try:
        with closing(PostgresSnapshot(collection, None)) as snapshot:
            return tuple(_of_snapshot(snapshot))
    except IndexMissing:
        return ()
    except (StoreError, IndexUnusable) as error:
        return (str(error),)


def _of_snapshot(snapshot: PostgresSnapshot) -> list[str]:
    faults = checks.corrupt_tables(snapshot) + checks.loose_rows(snapshot)
    faults += [phrase for phrase, query in _NONE.items() if snapshot.rows(query)]
    if "a row of passages is corrupt" not in faults:
        faults += _of_full_text(snapshot)
    if "a row of vectors is corrupt" not in faults:
        faults += _of_codes(snapshot)
    return faults


_NONE = {
    "the uses of texts do not fit the passages, chunks and sentences": """
        SELECT 1 FROM texts t
            LEFT JOIN (SELECT text, count(*) AS n FROM passages GROUP BY text) p ON p.text = t.id
            LEFT JOIN (SELECT text, count(*) AS n FROM chunks GROUP BY text) c ON c.text = t.id
            LEFT JOIN (SELECT text, count(*) AS n FROM sentences GROUP BY text) s ON s.text = t.id
        WHERE (t.uses, t.chunks, t.others) <> (coalesce(p.n, 0), coalesce(c.n, 0), coalesce(s.n, 0)) LIMIT 1
    """,
    "texts are missing": """
        SELECT 1 FROM (
            SELECT text FROM passages UNION SELECT text FROM chunks UNION SELECT text FROM sentences
        ) u WHERE NOT EXISTS (SELECT 1 FROM texts t WHERE t.id = u.text) LIMIT 1
    """,
    "notes, sections or passages are missing": """
        SELECT 1 FROM passages p WHERE NOT EXISTS (SELECT 1 FROM notes n WHERE n.id = p.note)
            OR NOT EXISTS (SELECT 1 FROM sections s WHERE s.id = p.section)
        UNION ALL SELECT 1 FROM mentions m WHERE NOT EXISTS (SELECT 1 FROM passages p WHERE p.id = m.passage) LIMIT 1
    """,
    "the uses of topics do not fit their mentions": """
        SELECT 1 FROM (SELECT key, sum(uses) AS n FROM keys GROUP BY key) k
            FULL JOIN (SELECT key, count(*) AS n FROM mentions GROUP BY key) m ON m.key = k.key
        WHERE coalesce(k.n, 0) <> coalesce(m.n, 0) LIMIT 1
    """,
    "the counts of notes and passages do not fit": """
        SELECT 1 FROM state WHERE (notes, passages, pending) <> (
            (SELECT count(*) FROM notes), (SELECT count(*) FROM passages),
            (SELECT coalesce(sum(uses), 0) FROM texts WHERE ready = 0)
        )
    """,
    "the counters of ids do not fit": """
        SELECT 1 FROM (
            SELECT 'notes' AS name, max(id) AS last FROM notes UNION ALL SELECT 'passages', max(id) FROM passages
            UNION ALL SELECT 'chunks', max(id) FROM chunks UNION ALL SELECT 'texts', max(id) FROM texts
        ) i LEFT JOIN counters c ON c.name = i.name WHERE i.last > coalesce(c.last, 0) LIMIT 1
    """,
    "the codes of vectors are not up to date": f"SELECT 1 FROM texts WHERE ready = 1 AND filed <> {WANTED} LIMIT 1",
    "the index of vectors is missing or unusable": """
        SELECT 1 FROM filing f, (VALUES ('passages'), ('chunks')) AS w(name) WHERE
            CASE w.name WHEN 'passages' THEN f.passages_indexed ELSE f.chunks_indexed END <> EXISTS (
                SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(w.name || '_hnsw') AND indisvalid AND indisready
            )
    """,
}
"""By what is wrong, the query that finds nothing in a sound collection."""
_PASSAGES = "SELECT note, id, body, crc FROM passages ORDER BY note, id"
_POSTINGS = "SELECT note, term, passages, frequencies, lengths FROM postings ORDER BY note"
_VECTORS = "SELECT v.text, v.rows, v.data, v.crc FROM vectors v JOIN texts t ON t.id = v.text"


def _of_full_text(snapshot: PostgresSnapshot) -> Iterator[str]:
    """Compares the full text with the passages."""
    terms: Counter[str] = Counter()
    tokens: dict[int, int] = {}
    stored = _Groups(snapshot.each(_POSTINGS))
    fits = True
    for note, rows in groupby(snapshot.each(_PASSAGES), key=itemgetter(0)):
        contents = contents_of((number, codec.unpack_passage(*passage)) for _, number, *passage in rows)
        postings, tokens[note] = postings_of(contents)
        terms.update({term: len(holding) for term, (holding, *_) in postings.items()})
        found: Postings = {term: tuple(columns) for _, term, *columns in stored.of(note)}
        fits = fits and found == postings
    if not fits or stored.skipped():
        yield "the full-text index does not fit its text"
    if terms != dict(snapshot.rows("SELECT term, n FROM frequencies")):
        yield "the term counts do not fit the text"
    lengths = {note: count for note, count in snapshot.rows("SELECT note, tokens FROM lengths") if count}
    if lengths != {note: count for note, count in tokens.items() if count}:
        yield "the lengths of notes do not fit the text"
    if snapshot.rows("SELECT tokens FROM totals") != [(sum(tokens.values()),)]:
        yield "the length of all notes does not fit the text"


def _of_codes(snapshot: PostgresSnapshot) -> Iterator[str]:
    """Compares the codes with the vectors, and the row that describes them with the codes."""
    found = snapshot.rows("SELECT dimension, passages, chunks, error FROM filing")
    if len(found) != 1:
        yield "the description of the codes is missing"
        return
    ((dimension, *counts, error),) = found
    fits, needed = True, 0.0
    of_users = ("passage_codes", "t.uses > 0"), ("chunk_codes", "t.chunks > 0")
    for (table, where), count in zip(of_users, counts, strict=True):
        codes = _Groups(snapshot.each(f"SELECT text, code::real[] FROM {table} ORDER BY text"))
        seen = 0
        for text, *packed in snapshot.each(f"{_VECTORS} WHERE t.ready = 1 AND {where} ORDER BY v.text"):
            rows, off = halves(codec.unpack_matrix(*packed))
            needed = max(needed, off)
            seen += len(rows)
            wanted = sorted(row.astype(np.float32).tolist() for row in rows)
            fits = fits and len(rows[0]) == dimension and wanted == sorted(code for _, code in codes.of(text))
        fits = fits and not codes.skipped() and seen == count
    if not fits or error < needed:
        yield "the codes of vectors do not fit them"


class _Groups:
    """Rows in the order of their first column, asked for by its values in that order."""

    def __init__(self, rows: Iterator[Any]) -> None:
        self._rows = rows
        self._next: Any = next(rows, None)
        self._skipped = False

    def of(self, key: int) -> Iterator[Any]:
        """The rows of this value; those of values before it are skipped."""
        while self._next is not None and self._next[0] <= key:
            if self._next[0] == key:
                yield self._next
            else:
                self._skipped = True
            self._next = next(self._rows, None)

    def skipped(self) -> bool:
        """Whether there were rows of values that were not asked for; reads the rest."""
        while self._next is not None:
            self._skipped = True
            self._next = next(self._rows, None)
        return self._skipped
