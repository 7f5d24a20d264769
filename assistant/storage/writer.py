"""The one process that may change an index: what it puts in is seen by readers once it is published."""

from __future__ import annotations

from dataclasses import replace
from types import TracebackType
from typing import Self

from assistant.storage.concept_writer import ConceptWriter
from assistant.storage.note_writer import NoteWriter
from assistant.storage.state import State
from assistant.storage.stored import StoredNote
from assistant.storage.text_writer import TextWriter
from assistant.storage.transaction import Transaction
from assistant.system.collection import Collection, IndexPlace


class Writer:
    """Holds the index's lock until closed; use it as a context manager: what is not published by then is gone.

    Busy where another process holds the lock, ReadOnly where nothing may be written; IndexDamaged, IndexOutdated and
    DiskFull may come from any method of it and of its parts.
    """

    def __init__(self, place: IndexPlace, *, salvage: bool = False) -> None:
        """`salvage` puts the database aside, for `texts.salvage`, and begins a new one."""
        self.transaction = _transaction(place, salvage)
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
            state = self.transaction.forget_filed(state)
        self.transaction.state = replace(state, identity=identity, versions=versions)

    def start_over(self) -> None:
        """Forgets everything that was ever put in; readers have the last generation until the next is published. Ids
        go on counting, so that none stands for another text."""
        self.transaction.start_over()

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
        """Whether what was filed, if anything was, is there and, where it is read `whole`, byte for byte what was
        written."""
        return self.transaction.sound(whole=whole)

    def file_vectors(self, *, finished: bool = True, insist: bool = False) -> bool:
        """Prepares the vectors for search where too much has changed since that was done; whether it did so.
        `finished`: no more are being computed; `insist`: what was prepared is not sound. DiskFull leaves the old in
        force."""
        return self.transaction.file_vectors(finished=finished, insist=insist)


def _transaction(place: IndexPlace, salvage: bool) -> Transaction:
    if isinstance(place, Collection):
        from assistant.storage.postgres.transaction import PostgresTransaction

        return PostgresTransaction(place, salvage=salvage)
    from assistant.storage.sqlite.transaction import SqliteTransaction

    return SqliteTransaction(place, salvage=salvage)
