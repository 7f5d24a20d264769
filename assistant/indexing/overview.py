"""A store → an overview of its notes: counts and headings."""

from __future__ import annotations

from dataclasses import dataclass

from assistant.records import LineNumber
from assistant.storage import Store


@dataclass(frozen=True, slots=True)
class Heading:
    """Where a section begins."""

    path: str
    line: LineNumber
    heading_path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Overview:
    """What is indexed."""

    notes: int
    passages: int
    pending: int
    """Passages that have no vector yet."""
    refused: tuple[str, ...]
    """Notes that could not be read, a sentence each, by path."""


def of(store: Store) -> Overview:
    """Counts, and the notes that could not be read."""
    refused = tuple(f"{path} {note.reason}" for path, note in sorted(store.note_files().items()) if note.reason)
    return Overview(store.notes_count, store.passages_count, store.pending, refused)


def headings(store: Store) -> tuple[Heading, ...]:
    """All of them, by note and line."""
    return tuple(Heading(section.path, section.line, section.heading_path) for section in store.sections())
