"""The one process that may change an index: what it puts in is seen by readers once it is published."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import TracebackType
from typing import Self

from assistant.storage import codec, vector_file
from assistant.storage.concept_writer import ConceptWriter
from assistant.storage.errors import DiskFull, folder_of
from assistant.storage.nearest import Matrix
from assistant.storage.note_writer import NoteWriter
from assistant.storage.schema import SEARCHED, TABLES, State, VectorFile, statements
from assistant.storage.stored import StoredNote
from assistant.storage.text_writer import TextWriter
from assistant.storage.transaction import Transaction
from assistant.system.collection import IndexPlace

TAIL_AT_MOST = 2000
"""Texts beside the vector file from which it is written anew, where it is small."""
TAIL_SHARE = 10
"""The same as the divisor of its texts, where it is large."""
_SEARCHED = f"FROM texts t JOIN vectors v ON v.text = t.id WHERE {SEARCHED}"


class Writer:
    """Holds the folder's lock until closed; use it as a context manager: what is not published by then is gone.

    Busy where another process holds the lock, ReadOnly where the folder takes no files; IndexDamaged, IndexOutdated and
    DiskFull may come from any method of it and of its parts.
    """

    def __init__(self, place: IndexPlace, *, salvage: bool = False) -> None:
        """`salvage` puts the database aside, for `texts.salvage`, and begins a new one."""
        self.transaction = Transaction(folder_of(place), salvage=salvage)
        self.texts = TextWriter(self.transaction)
        self.notes = NoteWriter(self.transaction, self.texts)
        self.concepts = ConceptWriter(self.transaction, self.texts)

    def close(self) -> None:
        """Takes back what was not published and lets the next writer in."""
        self.transaction.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def abandoned(self) -> bool:
        """Whether the previous writer was killed."""
        return self.transaction.abandoned

    @property
    def state(self) -> State:
        """As of the last commit, with the encoder and versions given to `begin`."""
        return self.transaction.state

    @property
    def generation(self) -> int:
        """0 where nothing was published yet."""
        return self.state.generation

    @property
    def identity(self) -> str:
        """Of the encoder."""
        return self.state.identity

    @property
    def versions(self) -> str:
        """Of what makes the text of the index."""
        return self.state.versions

    def note_files(self) -> dict[str, StoredNote]:
        """What is indexed of each note, by path."""
        return self.notes.files()

    def begin(self, identity: str, versions: str) -> None:
        """Sets encoder and versions of what comes next; with another encoder all texts that follow are other texts."""
        state = self.state
        if identity != state.identity:
            self.transaction.uncommitted.text_ids.clear()
            self.transaction.change("UPDATE texts SET filed = 0 WHERE filed = 1")
            state = replace(state, file=VectorFile(), previous=state.file.name)
        self.transaction.state = replace(state, identity=identity, versions=versions)

    def start_over(self) -> None:
        """Forgets everything that was ever put in; readers have the last generation until the next is published. Ids
        go on counting, so that none stands for another text."""
        rows, change = self.transaction.rows, self.transaction.change
        counters = rows("SELECT name, seq FROM sqlite_sequence")
        for (table,) in rows("SELECT name FROM sqlite_schema WHERE type = 'table' AND sql LIKE '%STRICT%'"):
            change(f"DROP TABLE {table}")
        change("DROP TABLE contents")
        for statement in statements(TABLES):
            change(statement)
        for table, last in counters:
            change("INSERT INTO sqlite_sequence(name, seq) VALUES (?, ?)", table, last)
        self.transaction.forget()
        self.transaction.state = replace(
            self.state, notes=0, passages=0, pending=0, file=VectorFile(), previous=self.state.file.name
        )

    def publish(self) -> int:
        """Commits what was put in and dropped as the next generation, and returns its number."""
        generation = self.state.generation + 1
        self.texts.discard_idle(generation)
        self.transaction.state = replace(self.state, generation=generation)
        self.transaction.commit(self.texts.pending())
        self.transaction.remove_leftovers()
        return generation

    def keep(self) -> None:
        """Commits newer stats of notes that did not change, where there are any; the generation stays."""
        self.transaction.keep()

    def rollback(self) -> None:
        """Takes back what was not published."""
        self.transaction.rollback()

    def sound(self, *, whole: bool = True) -> bool:
        """Whether the vector file, if the index has one, is there with its size and, where it is read `whole`, byte for
        byte the one that was written."""
        return vector_file.sound(self.transaction.folder, self.state.file, whole=whole)

    def file_vectors(self, *, finished: bool = True, insist: bool = False) -> bool:
        """Writes the FAISS file anew where too much has changed since it was written; whether it did so. While vectors
        are still being computed (not `finished`) it is written each time it has doubled. DiskFull leaves the old one in
        force."""
        tail = self.texts.count(f"{SEARCHED} AND filed = 0")
        dead = self.texts.count("filed = 1 AND uses = 0 AND chunks = 0")
        file = self.state.file
        bound = max(TAIL_AT_MOST, file.texts // TAIL_SHARE) if finished else max(10 * TAIL_AT_MOST, file.texts)
        if not (insist or tail + dead > bound or (finished and tail > 0 and not file.name)):
            return False
        texts = self.texts.count(SEARCHED)
        stamp = self._write_file(texts) if texts else VectorFile()
        self.transaction.change(f"UPDATE texts SET filed = 1 WHERE {SEARCHED} AND filed = 0")
        self.transaction.change("UPDATE texts SET filed = 0 WHERE filed = 1 AND uses = 0 AND chunks = 0")
        previous = self.state.previous if stamp.name == file.name else file.name
        self.transaction.state = replace(self.state, file=stamp, previous=previous)
        self.transaction.commit()
        self.transaction.remove_leftovers()
        return True

    def _write_file(self, texts: int) -> VectorFile:
        """Without room for it the vectors stay in the database alone, which is slower and no less right."""
        with codec.decoding("a vector"):  # a text may be marked as ready and have none
            (row,) = self.transaction.rows(f"SELECT v.rows, v.data, v.crc {_SEARCHED} LIMIT 1")
            dimension = codec.unpack_matrix(*row).shape[1]
        try:
            return vector_file.write(self.transaction.folder, dimension, lambda: self._vectors(dimension), texts)
        except (OSError, RuntimeError) as error:
            raise DiskFull(f"{self.transaction.folder}: {error}") from error

    def _vectors(self, dimension: int) -> Iterator[tuple[int, Matrix]]:
        rows = self.transaction.database.each(f"SELECT t.id, v.rows, v.data, v.crc {_SEARCHED} ORDER BY t.id")
        for number, *matrix in rows:
            yield number, codec.unpack_matrix(*matrix, dimension=dimension)
