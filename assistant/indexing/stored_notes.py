"""Notes as they were indexed, for a reader who does not have their files."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from assistant.errors import NoNotes
from assistant.notes.folder import UnreadableNote
from assistant.records import Note, NoteFile
from assistant.storage import Store


class StoredNotes:
    """A `NotesSource` of one generation of an index; notes that could not be read are none of it."""

    def __init__(self, store: Store | None) -> None:
        """None where there is no index that can be read. The store's errors come through."""
        self._store = store

    def files(self) -> Sequence[NoteFile]:
        """With the stat that each had when it was indexed."""
        if self._store is None:
            raise NoNotes("No index holds the notes yet.", "Write it with `assistant index`.")
        stored = self._store.note_files()
        return [stored[path].file for path in sorted(stored) if not stored[path].reason]

    def read(self, path: str) -> Note:
        """With the digest of the file that was indexed."""
        stored = self._store.note_files().get(path) if self._store is not None else None
        if self._store is None or stored is None:
            raise UnreadableNote(path, "is not in the index")
        if stored.reason:
            raise UnreadableNote(path, stored.reason)
        return Note(path, self._store.lines(path, 1, sys.maxsize), stored.digest)

    def lines(self, path: str) -> tuple[str, ...]:
        """As `read`."""
        return self.read(path).lines
