"""Where notes are read from: a folder, or whatever else holds their lines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from assistant.notes import folder as notes_folder
from assistant.records import Note, NoteFile


class NotesSource(Protocol):
    """The notes as they are now."""

    def files(self) -> Sequence[NoteFile]:
        """All of them, by path; NoNotes where there is nothing to read from."""

    def read(self, path: str) -> Note:
        """One note; raises UnreadableNote."""

    def lines(self, path: str) -> tuple[str, ...]:
        """Its lines without its digest; raises UnreadableNote."""


class FolderNotes:
    """The files of a folder, as they are on disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def files(self) -> Sequence[NoteFile]:
        """By one walk through the folder."""
        return notes_folder.scan(self._folder).files

    def read(self, path: str) -> Note:
        """From one read of the file."""
        return notes_folder.read(self._folder, path)

    def lines(self, path: str) -> tuple[str, ...]:
        """From one read of the file."""
        return notes_folder.lines(self._folder, path)
