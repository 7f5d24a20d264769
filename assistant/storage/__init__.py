"""The index, in a folder or a database: open a committed generation, or write the next one.

Names that only a writer needs are loaded on first use: most questions find the index up to date.
"""

from typing import TYPE_CHECKING

from assistant.storage.backend import Health
from assistant.storage.errors import (
    Busy,
    DiskFull,
    IndexDamaged,
    IndexMissing,
    IndexOutdated,
    ReadOnly,
    StoreError,
    Superseded,
    Unreachable,
)
from assistant.storage.nearest import Matrix
from assistant.storage.reader import Store
from assistant.storage.state import TextId
from assistant.storage.status import abandoned, being_written, health, problems
from assistant.storage.stored import Concepts, StoredChunk, StoredMention, StoredNote, StoredSection

if TYPE_CHECKING:
    from assistant.storage.note_writer import IndexedNote
    from assistant.storage.writer import Writer

__all__ = [
    "Busy",
    "Concepts",
    "DiskFull",
    "Health",
    "IndexDamaged",
    "IndexMissing",
    "IndexOutdated",
    "IndexedNote",
    "Matrix",
    "ReadOnly",
    "Store",
    "StoreError",
    "StoredChunk",
    "StoredMention",
    "StoredNote",
    "StoredSection",
    "Superseded",
    "TextId",
    "Unreachable",
    "Writer",
    "abandoned",
    "being_written",
    "health",
    "problems",
]


def __getattr__(name: str) -> object:
    if name == "problems":
        return problems
    if name == "IndexedNote":
        from assistant.storage.note_writer import IndexedNote

        return IndexedNote
    if name == "Writer":
        from assistant.storage.writer import Writer

        return Writer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
