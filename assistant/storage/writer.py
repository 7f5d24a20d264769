"""The one process that may change an index: what it puts in is seen only once it is published."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from assistant.storage import codec, vector_file
from assistant.storage.nearest import Matrix
from assistant.storage.schema import TABLES, DiskFull, VectorFile, statements, text_key, translated
from assistant.storage.text_writer import Texts
from assistant.storage.transaction import ASIDE, TextId

TAIL_AT_MOST = 2000
TAIL_SHARE = 10
_COMPLETE = """
    SELECT concept, group_concat(text) FROM (
        SELECT s.concept, s.text, t.ready FROM sentences s JOIN texts t ON t.id = s.text ORDER BY s.concept, s.position
    ) GROUP BY concept HAVING min(ready) = 1 AND count(*) > 1
"""
_SEARCHED = "FROM texts t JOIN vectors v ON v.text = t.id WHERE t.ready = 1 AND t.uses > 0"


class Writer(Texts):
    """Holds the folder's lock until closed; use it as a context manager: what is not published by then is gone.

    Busy where another process holds the lock, ReadOnly where the folder takes no files; IndexDamaged, IndexOutdated and
    DiskFull may come from any method.
    """

    def start_over(self) -> None:
        """Forgets everything that was ever put in; readers have the last generation until the next is published. Ids
        go on counting, so that none stands for another text."""
        counted = self._all("SELECT name, seq FROM sqlite_sequence")
        for (table,) in self._all("SELECT name FROM sqlite_schema WHERE type = 'table' AND sql LIKE '%STRICT%'"):
            self._change(f"DROP TABLE {table}")
        self._change("DROP TABLE contents")
        for statement in statements(TABLES):
            self._change(statement)
        for table, last in counted:
            self._change("INSERT INTO sqlite_sequence(name, seq) VALUES (?, ?)", table, last)
        self._frequencies.clear()
        self._texts.clear()
        self._more.clear()
        self._state = replace(
            self._state, notes=0, passages=0, pending=0, file=VectorFile(), previous=self._state.file.name
        )

    def ids_of(self, texts: Iterable[str]) -> dict[str, TextId]:
        """The rows of those texts that are to be embedded."""
        keys = {text_key(self._state.identity, text): text for text in texts}
        found = self._all(
            "SELECT key, id FROM texts WHERE key IN (SELECT value FROM json_each(?))", json.dumps(list(keys))
        )
        return {keys[key]: TextId(number) for key, number in found}

    def waiting(self, limit: int = -1) -> list[tuple[TextId, str]]:
        """Texts without a vector, or the first `limit` of them; those of passages before those of the vocabulary."""
        # In the order of the index texts_waiting, so that nothing is sorted and no other row is looked at.
        found = self._all(
            "SELECT id, text FROM texts INDEXED BY texts_waiting WHERE ready = 0 AND uses > 0"
            " ORDER BY uses, others, id LIMIT ?",
            limit,
        )
        if len(found) != limit:
            rest = -1 if limit < 0 else limit - len(found)
            found += self._all(
                "SELECT id, text FROM texts INDEXED BY texts_waiting WHERE ready = 0 AND uses = 0 AND others > 0"
                " ORDER BY others, id LIMIT ?",
                rest,
            )
        return [(TextId(number), text) for number, text in found]

    def waiting_count(self, *, passages: bool = False) -> int:
        """Texts without a vector, or those of passages alone."""
        return self._count("ready = 0 AND uses > 0" if passages else "ready = 0 AND uses + others > 0")

    def put_vectors(self, batch: Iterable[tuple[TextId, Matrix]]) -> int:
        """Commits unit rows (k, d) for those texts that still lack them; how many passages have a vector since."""
        gained = 0
        for number, matrix in batch:
            for (uses,) in self._all("SELECT uses FROM texts WHERE id = ? AND ready = 0", number):
                gained += uses
                self._change("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?, ?)", number, *codec.pack_matrix(matrix))
                self._change("UPDATE texts SET ready = 1 WHERE id = ?", number)
        self._commit(self._state.pending - gained)
        return gained

    def sound(self, *, whole: bool = True) -> bool:
        """Whether the vector file, if the index has one, is there with its size and, where it is read `whole`, byte for
        byte the one that was written."""
        return vector_file.sound(self._folder, self._state.file, whole=whole)

    def file_vectors(self, *, finished: bool = True, insist: bool = False) -> bool:
        """Writes the FAISS file anew where too much has changed since it was written; whether it did so. While vectors
        are still being computed it is written each time it has doubled. DiskFull leaves the old one in force."""
        tail = self._count("ready = 1 AND filed = 0 AND uses > 0")
        dead = self._count("filed = 1 AND uses = 0")
        file = self._state.file
        bound = max(TAIL_AT_MOST, file.texts // TAIL_SHARE) if finished else max(10 * TAIL_AT_MOST, file.texts)
        if not (insist or tail + dead > bound or (finished and tail > 0 and not file.name)):
            return False
        texts = self._count("ready = 1 AND uses > 0")
        stamp = self._write_file(texts) if texts else VectorFile()
        self._change("UPDATE texts SET filed = 1 WHERE ready = 1 AND uses > 0 AND filed = 0")
        self._change("UPDATE texts SET filed = 0 WHERE filed = 1 AND uses = 0")
        previous = self._state.previous if stamp.name == file.name else file.name
        self._state = replace(self._state, file=stamp, previous=previous)
        self._commit()
        self._clean()
        return True

    def _count(self, where: str) -> int:
        return int(self._all(f"SELECT count(*) FROM texts WHERE {where}")[0][0])

    def _write_file(self, texts: int) -> VectorFile:
        """Without room for it the vectors stay in the database alone, which is slower and no less right."""
        count, size = self._all(f"SELECT v.rows, length(v.data) {_SEARCHED} LIMIT 1")[0]
        try:
            return vector_file.write(self._folder, size // 4 // count, self._vectors, texts)
        except (OSError, RuntimeError) as error:
            raise DiskFull(f"{self._folder}: {error}") from error

    def _vectors(self) -> Iterator[tuple[int, Matrix]]:
        with translated():
            for number, count, data, crc in self._db().execute(
                f"SELECT t.id, v.rows, v.data, v.crc {_SEARCHED} ORDER BY t.id"
            ):
                yield number, codec.unpack_matrix(count, data, crc)

    def gather_concepts(self) -> None:
        """Puts the vectors of the vocabulary's sentences side by side, each concept's whose texts all have one."""
        made, made_from = dict(self._all("SELECT concept, texts FROM concepts")), dict(self._all(_COMPLETE))
        if made == made_from and len(self._all("SELECT 1 FROM centres")) == bool(made):
            return
        found = self._all(codec.SENTENCES)
        names, named, middles, packed = list[str](), list[Matrix](), list[Matrix](), dict[str, tuple[int, bytes, int]]()
        for concept, matrix in codec.complete_concepts(found, {}):
            names.append(concept)
            named.append(matrix[0])
            middles.append(codec.centre(matrix[1:]))
            packed[concept] = codec.pack_matrix(matrix[1:])
        listed = json.dumps(names, ensure_ascii=False)
        _, data, crc = codec.pack_matrix(np.stack([*named, *middles])) if names else (0, b"", 0)
        crc ^= codec.checksum(listed)
        self._change("DELETE FROM centres")
        for concept in sorted(made.keys() - packed.keys()):
            self._change("DELETE FROM concepts WHERE concept = ?", concept)
        for concept, row in packed.items():
            if made.get(concept) != made_from[concept]:
                self._change(
                    "INSERT OR REPLACE INTO concepts VALUES (?, ?, ?, ?, ?)", concept, made_from[concept], *row
                )
        if names:
            self._change("INSERT INTO centres VALUES (1, ?, ?, ?)", listed, data, crc)
        self._commit()

    def salvage(self) -> int:
        """Takes this encoder's vectors from a database that was put aside, those whose sums are right; how many."""
        count = 0
        for text, size, data, crc in _readable(self._folder / ASIDE, self._state.identity):
            number, ready = self._text_ids([text])[0]
            if not ready:
                self._change("INSERT INTO vectors VALUES (?, ?, ?, ?)", number, size, data, crc)
                self._change("UPDATE texts SET ready = 1 WHERE id = ?", number)
                self._texts[text] = (number, True)
                count += 1
        return count


def _readable(path: Path, identity: str) -> Iterator[tuple[str, int, bytes, int]]:
    """(text, rows, data, crc) of the vectors in a damaged database, up to where it cannot be read."""
    if not path.is_file():
        return
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        for key, text, count, data, crc in connection.execute(
            "SELECT t.key, t.text, v.rows, v.data, v.crc FROM vectors v JOIN texts t ON t.id = v.text"
        ):
            if text_key(identity, text) == key and zlib.crc32(data) == crc and len(data) % (4 * count) == 0:
                yield text, count, data, crc
    except (sqlite3.DatabaseError, TypeError, ValueError, AttributeError):
        return  # what is left is computed again
    finally:
        connection.close()
