"""Records of what an index holds about notes, topics and concepts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from assistant.records import Chunk, LineNumber, NoteFile, PassageId
from assistant.storage.nearest import Matrix

COARSEST_NS = 2_000_000_000
"""The coarsest step in which a file system counts time (FAT)."""


@dataclass(frozen=True, slots=True)
class StoredNote:
    """What the index holds about a note's file."""

    file: NoteFile
    digest: str
    looked: int
    """When the stat was taken, in nanoseconds since the epoch."""
    reason: str = ""
    """Why it could not be read; such a note has no passages and no digest."""

    def same(self, file: NoteFile) -> bool:
        """Whether it cannot have changed: its stat is the same, and was taken so long after the last change that
        another one would show."""
        return file == self.file and file.mtime_ns < self.looked - COARSEST_NS


class StoredChunk(NamedTuple):
    """A chunk and the terms of its text, in order."""

    chunk: Chunk
    terms: tuple[str, ...]


class StoredSection(NamedTuple):
    """A section with a heading."""

    path: str
    line: LineNumber
    """Of its heading."""
    heading_path: tuple[str, ...]
    anchor: str
    passages: int
    """That stand in it, sections below aside."""


class StoredMention(NamedTuple):
    """A name of a topic and the passage that speaks for it; a tuple, since a question reads thousands."""

    key: str
    """`tokenizer.key(name)`: two names with the same key are one topic."""
    name: str
    kind: str
    passage: PassageId


@dataclass(frozen=True, slots=True)
class Concepts:
    """The vocabulary's concepts that these notes name."""

    names: tuple[str, ...]
    """Sorted; a concept one of whose texts has no vector yet is left out."""
    named: Matrix
    """(len(names), d): unit rows of the names."""
    centres: Matrix
    """(len(names), d): unit rows, the middle of each concept's sentences."""
    place: dict[str, int] = field(init=False)
    """Name → its position."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "place", {name: n for n, name in enumerate(self.names)})
