"""The one process that may change an index: what it puts in is seen only once it is published."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, NewType

import numpy as np

from assistant import terms
from assistant.records import Mention, Note, NoteFile, Outline, Passage, PassageId
from assistant.store import nearest, rows
from assistant.store.nearest import Matrix
from assistant.store.reader import NOTE_FILES, centre, stored_notes
from assistant.store.rows import StoredNote
from assistant.store.schema import (
    APPLICATION,
    DATABASE,
    SCHEMA,
    TABLES,
    DiskFull,
    Lock,
    State,
    VectorFile,
    check_version,
    connect,
    read_state,
    text_key,
    translated,
    write_state,
)

TextId = NewType("TextId", int)
"""Row id of an embedded text."""

ASIDE = "damaged.sqlite"
"""What a damaged database is called until another one has taken its place."""

KEPT_IDLE = 3
"""Generations for which the vector of a text that nothing uses any more is kept."""

TAIL_AT_MOST = 2000
TAIL_SHARE = 10
_SEARCHED = "FROM texts t JOIN vectors v ON v.text = t.id WHERE t.ready = 1 AND t.uses > 0"


@dataclass(frozen=True, slots=True)
class IndexedNote:
    """A note and everything that was found in it."""

    file: NoteFile
    looked: int
    """When `file` was taken, in nanoseconds since the epoch."""
    note: Note
    outline: Outline
    passages: tuple[Passage, ...]
    embedded: tuple[str, ...]
    """For each passage the text its vector stands for."""
    mentions: tuple[Mention, ...]


class Writer:
    """Holds the folder's lock until closed; use it as a context manager: what is not published by then is gone.

    Busy where another process holds the lock, ReadOnly where the folder takes no files; IndexDamaged, IndexOutdated and
    DiskFull may come from any method.
    """

    def __init__(self, folder: Path, *, mend: bool = False) -> None:
        """`mend` puts what is there aside, for `salvage`, and begins a new database."""
        self._folder = folder
        self._lock = Lock(folder)
        self._connection: sqlite3.Connection | None = None
        try:
            if mend:
                _set_aside(folder)
            with translated():
                self._open()
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        self._connection = connection = connect(self._folder, write=True)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA journal_size_limit = {64 * 1024 * 1024}")
        if not check_version(connection, self._folder):
            connection.executescript(
                f"BEGIN; {TABLES} PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {SCHEMA}; COMMIT;"
            )
        self._state = read_state(connection)
        self._frequencies: Counter[str] = Counter()
        self._clean()

    def close(self) -> None:
        """Takes back what was not published and lets the next writer in."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._lock.release()

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def state(self) -> State:
        """As it was last committed."""
        return self._state

    def _db(self) -> sqlite3.Connection:
        assert self._connection is not None, "the writer is closed"
        return self._connection

    def _all(self, sql: str, *values: object) -> list[Any]:
        with translated():
            return self._db().execute(sql, values).fetchall()

    def _change(self, sql: str, *values: object) -> int:
        """Runs it inside a transaction, which it begins where none is open; the id of the row it put in."""
        with translated():
            connection = self._db()
            if not connection.in_transaction:
                connection.execute("BEGIN IMMEDIATE")
            return connection.execute(sql, values).lastrowid or 0

    def rollback(self) -> None:
        """Takes back what was not published."""
        self._frequencies.clear()
        if self._db().in_transaction:
            self._db().execute("ROLLBACK")
        self._state = read_state(self._db())

    # What was found in the notes

    def note_files(self) -> dict[str, StoredNote]:
        """What is indexed of each note, by path."""
        return stored_notes(self._all(NOTE_FILES))

    def begin(self, identity: str, versions: str) -> None:
        """Says who makes what comes next; with another encoder all texts that follow are other texts."""
        if identity != self._state.identity:
            self._change("UPDATE texts SET filed = 0 WHERE filed = 1")
            self._state = replace(self._state, file=VectorFile(), previous=self._state.file.name)
        self._state = replace(self._state, identity=identity, versions=versions)

    def put_note(self, found: IndexedNote) -> int:
        """Puts a note in the place of what stood under its path; how many of its passages have a vector already."""
        self.drop_note(found.file.path)
        file, outline, lines = found.file, found.outline, found.note.lines
        number = self._change(
            "INSERT INTO notes(path, size, mtime_ns, inode, looked, digest, title, titled, tags, count, lines)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *(file.path, file.size, file.mtime_ns, file.inode, found.looked, found.note.digest),
            *(outline.title, outline.titled, json.dumps(outline.tags, ensure_ascii=False)),
            *(len(lines), rows.pack_lines(lines)),
        )
        sections = self._put_sections(number, outline)
        reused = 0
        ids: list[int] = []
        for passage, text in zip(found.passages, found.embedded, strict=True):
            key, ready = self._text(text)
            reused += ready
            ids.append(self._put_passage(number, _section_of(passage, sections), passage, key))
        self._put_mentions(found.mentions, found.passages, ids)
        return reused

    def _put_sections(self, note: int, outline: Outline) -> list[tuple[int, int]]:
        """(first line, id) of each."""
        return [
            (
                section.start,
                self._change(
                    "INSERT INTO sections(note, heading_path, anchor, start) VALUES (?, ?, ?, ?)",
                    *(note, json.dumps(section.heading_path, ensure_ascii=False), section.anchor, section.start),
                ),
            )
            for section in outline.sections
        ]

    def _put_passage(self, note: int, section: int, passage: Passage, text: TextId) -> int:
        body = rows.pack_passage(passage)
        number = self._change(
            "INSERT INTO passages(note, section, start, text, body, crc) VALUES (?, ?, ?, ?, ?, ?)",
            *(note, section, passage.start, text, body, rows.checksum(body)),
        )
        words = terms.terms(f"{passage.text}\n{passage.label}")
        headings = terms.terms("\n".join(passage.heading_path[1:]))
        title = terms.terms(passage.heading_path[0]) if passage.titled else []
        self._frequencies.update({*words, *headings})
        self._change(
            "INSERT INTO contents(rowid, words, headings, title) VALUES (?, ?, ?, ?)",
            *(number, " ".join(words), " ".join(headings), " ".join(title)),
        )
        return number

    def _put_mentions(self, mentions: Sequence[Mention], passages: Sequence[Passage], ids: Sequence[int]) -> None:
        exact: dict[tuple[int, int], int] = {}
        for passage, number in zip(passages, ids, strict=True):
            exact.setdefault((passage.start, passage.end), number)
        for mention in mentions:
            speaks = exact.get((mention.start, mention.end)) or _around(mention, passages, ids)
            key = terms.key(mention.name)
            if speaks is None or not key:
                continue
            text, _ = self._text(mention.name)
            self._change(
                "INSERT INTO mentions(passage, key, name, kind, text, crc) VALUES (?, ?, ?, ?, ?, ?)",
                *(speaks, key, mention.name, mention.kind, text),
                rows.mention_sum(key, mention.name, mention.kind, speaks),
            )

    def _text(self, text: str) -> tuple[TextId, bool]:
        """The row of a text to be embedded, and whether it has a vector."""
        key = text_key(self._state.identity, text)
        found = self._all("SELECT id, ready FROM texts WHERE key = ?", key)
        if found:
            return TextId(found[0][0]), bool(found[0][1])
        return TextId(self._change("INSERT INTO texts(key, text) VALUES (?, ?)", key, text)), False

    def touch(self, file: NoteFile, looked: int) -> None:
        """Keeps the newer look at a note whose content is still the indexed one."""
        self._change(
            "UPDATE notes SET size = ?, mtime_ns = ?, inode = ?, looked = ? WHERE path = ?",
            *(file.size, file.mtime_ns, file.inode, looked, file.path),
        )

    def refuse(self, file: NoteFile, looked: int, reason: str) -> None:
        """Remembers that a note cannot be read, and forgets what stood in it."""
        self.drop_note(file.path)
        self._change(
            "INSERT INTO refused VALUES (?, ?, ?, ?, ?, ?)",
            *(file.path, file.size, file.mtime_ns, file.inode, looked, reason),
        )

    def drop_note(self, path: str) -> None:
        """Forgets a note; nothing happens where there is none."""
        self._change("DELETE FROM refused WHERE path = ?", path)
        for (note,) in self._all("SELECT id FROM notes WHERE path = ?", path):
            for (passage,) in self._all("SELECT id FROM passages WHERE note = ?", note):
                for words, headings in self._all("SELECT words, headings FROM contents WHERE rowid = ?", passage):
                    self._frequencies.subtract({*words.split(), *headings.split()})
                self._change("DELETE FROM contents WHERE rowid = ?", passage)
                self._change("DELETE FROM mentions WHERE passage = ?", passage)
            self._change("DELETE FROM passages WHERE note = ?", note)
            self._change("DELETE FROM sections WHERE note = ?", note)
            self._change("DELETE FROM notes WHERE id = ?", note)

    def forget_vectors(self) -> None:
        """Has every text embedded again."""
        self._change("DELETE FROM vectors")
        self._change("UPDATE texts SET ready = 0, filed = 0")
        self._change("DELETE FROM concepts")
        self._state = replace(self._state, file=VectorFile(), previous=self._state.file.name)

    # The vocabulary

    def forget_matches(self) -> None:
        """Has every topic compared with the vocabulary again."""
        self._change("DELETE FROM matches")
        self._change("UPDATE keys SET matched = 0")

    def unmatched(self) -> list[str]:
        """Topic keys that were not compared with the vocabulary yet, sorted."""
        self._change("DELETE FROM matches WHERE key IN (SELECT key FROM keys WHERE uses = 0)")
        self._change("DELETE FROM keys WHERE uses = 0")
        return [key for (key,) in self._all("SELECT key FROM keys WHERE matched = 0 ORDER BY key")]

    def set_concepts(
        self, keys: Sequence[str], matches: Mapping[str, Iterable[str]], sentences: Mapping[str, Sequence[str]]
    ) -> None:
        """Takes the concepts that match each of `keys` (topic key → concepts) and, of the whole vocabulary, each
        concept's sentences; those of concepts that match no topic are left out."""
        for key in keys:
            self._change("UPDATE keys SET matched = 1 WHERE key = ?", key)
            for concept in sorted(set(matches.get(key, ()))):
                self._change("INSERT OR IGNORE INTO matches VALUES (?, ?)", key, concept)
        used = [concept for (concept,) in self._all("SELECT DISTINCT concept FROM matches ORDER BY concept")]
        wanted = [
            (concept, place, sentence, self._text(sentence)[0])
            for concept in used
            for place, sentence in enumerate(sentences.get(concept, ()))
        ]
        if wanted != self._all("SELECT concept, position, sentence, text FROM sentences ORDER BY concept, position"):
            self._change("DELETE FROM sentences")
            for row in wanted:
                self._change("INSERT INTO sentences VALUES (?, ?, ?, ?)", *row)

    # Vectors

    def waiting(self, ids: Sequence[PassageId] | None = None) -> list[tuple[TextId, str]]:
        """Texts without a vector: those of these passages, or all, passages before names."""
        if ids is None:
            found = self._all(
                "SELECT id, text FROM texts WHERE ready = 0 AND uses + others > 0 ORDER BY uses > 0 DESC, others, id"
            )
        else:
            found = self._all(
                "SELECT DISTINCT t.id, t.text FROM passages p JOIN texts t ON t.id = p.text WHERE t.ready = 0"
                " AND p.id IN (SELECT value FROM json_each(?)) ORDER BY t.id",
                json.dumps(list(ids)),
            )
        return [(TextId(number), text) for number, text in found]

    def put_vectors(self, batch: Iterable[tuple[TextId, Matrix]]) -> int:
        """Commits unit rows (k, d) for texts; how many passages have a vector since."""
        before = self._pending()
        for number, matrix in batch:
            self._change("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?, ?)", number, *rows.pack_matrix(matrix))
            self._change("UPDATE texts SET ready = 1 WHERE id = ?", number)
        self._commit()
        return before - self._state.pending

    def _pending(self) -> int:
        return int(self._all("SELECT coalesce(sum(uses), 0) FROM texts WHERE ready = 0")[0][0])

    def sound(self) -> bool:
        """Whether the vector file, if the index has one, is byte for byte the one that was written."""
        return nearest.sound(self._folder, self._state.file)

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
            return nearest.write(self._folder, size // 4 // count, self._vectors(), texts)
        except (OSError, RuntimeError) as error:
            raise DiskFull(f"{self._folder}: {error}") from error

    def _vectors(self) -> Iterator[tuple[int, Matrix]]:
        with translated():
            for number, count, data, crc in self._db().execute(
                f"SELECT t.id, v.rows, v.data, v.crc {_SEARCHED} ORDER BY t.id"
            ):
                yield number, rows.unpack_matrix(count, data, crc)

    def gather_concepts(self) -> None:
        """Puts the vectors of the vocabulary's sentences side by side."""
        found = self._all(
            "SELECT s.concept, s.sentence, v.rows, v.data, v.crc FROM sentences s JOIN vectors v ON v.text = s.text"
            " ORDER BY s.concept, s.position"
        )
        listed = json.dumps([row[:2] for row in found], ensure_ascii=False)
        matrix = [centre(rows.unpack_matrix(*row[2:])) for row in found]
        count, data, crc = rows.pack_matrix(np.stack(matrix)) if matrix else (0, b"", 0)
        if self._all("SELECT sentences, crc FROM concepts") == ([(listed, crc)] if count else []):
            return
        self._change("DELETE FROM concepts")
        if count:
            self._change("INSERT INTO concepts VALUES (1, ?, ?, ?)", listed, data, crc)
        self._commit()

    def salvage(self) -> int:
        """Takes this encoder's vectors from a database that was put aside, those whose sums are right; how many."""
        count = 0
        for text, size, data, crc in _readable(self._folder / ASIDE, self._state.identity):
            number, ready = self._text(text)
            if not ready:
                self._change("INSERT INTO vectors VALUES (?, ?, ?, ?)", number, size, data, crc)
                self._change("UPDATE texts SET ready = 1 WHERE id = ?", number)
                count += 1
        return count

    # Commits

    def publish(self) -> int:
        """Commits what was put and dropped as the next generation, and returns its number."""
        for term, n in sorted(self._frequencies.items()):
            if n:
                self._change(
                    "INSERT INTO frequencies VALUES (?, ?) ON CONFLICT(term) DO UPDATE SET n = n + excluded.n", term, n
                )
        self._change("DELETE FROM frequencies WHERE n <= 0")
        self._frequencies.clear()
        generation = self._state.generation + 1
        self._change("UPDATE texts SET idle = ? WHERE idle IS NULL AND uses = 0 AND others = 0", generation)
        gone = f"SELECT id FROM texts WHERE uses = 0 AND others = 0 AND filed = 0 AND idle <= {generation - KEPT_IDLE}"
        self._change(f"DELETE FROM vectors WHERE text IN ({gone})")
        self._change(f"DELETE FROM texts WHERE id IN ({gone})")
        self._change("DELETE FROM texts WHERE uses = 0 AND others = 0 AND ready = 0")
        self._state = replace(self._state, generation=generation)
        self._commit()
        self._clean()
        return generation

    def keep(self) -> None:
        """Commits newer looks at notes that did not change, where there are any; the generation stays."""
        if self._db().in_transaction:
            self._commit()

    def _commit(self) -> None:
        counts = self._all("SELECT (SELECT count(*) FROM notes), (SELECT count(*) FROM passages)")[0]
        self._state = replace(
            self._state, change=self._state.change + 1, notes=counts[0], passages=counts[1], pending=self._pending()
        )
        self._change("DELETE FROM state")
        with translated():
            write_state(self._db(), self._state)
            self._db().execute("COMMIT")

    def _clean(self) -> None:
        """Removes what a killed writer left behind and files that no reader looks for any more."""
        if self._state.generation > 0:
            for name in (ASIDE, f"{ASIDE}-wal", f"{ASIDE}-shm"):
                (self._folder / name).unlink(missing_ok=True)
        kept = {self._state.file.name, self._state.previous}
        for path in (*self._folder.glob("vectors-*.faiss"), *self._folder.glob("vectors-*.tmp")):
            if path.name not in kept:
                path.unlink(missing_ok=True)


def _set_aside(folder: Path) -> None:
    """Under the lock. The log first: without it the database is an older one, with another's it would be neither."""
    for suffix in ("-wal", "-shm", ""):
        if (folder / f"{DATABASE}{suffix}").exists():
            (folder / f"{DATABASE}{suffix}").replace(folder / f"{ASIDE}{suffix}")


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


def _section_of(passage: Passage, sections: Sequence[tuple[int, int]]) -> int:
    return max(((start, number) for start, number in sections if start <= passage.start), default=(0, 0))[1]


def _around(mention: Mention, passages: Sequence[Passage], ids: Sequence[int]) -> int | None:
    """The shortest passage around the mention's first line."""
    around = [
        (passage.end - passage.start, number)
        for passage, number in zip(passages, ids, strict=True)
        if passage.start <= mention.start <= passage.end
    ]
    return min(around, default=(0, None))[1]
