"""The index on disk: open a committed generation, or write the next one.

What only a writer needs is loaded when it is asked for: most questions find the index as it should be.
"""

from typing import TYPE_CHECKING

from assistant.store.nearest import Matrix
from assistant.store.reader import Store
from assistant.store.rows import Concepts, StoredMention, StoredNote
from assistant.store.schema import (
    Busy,
    DiskFull,
    IndexDamaged,
    IndexMissing,
    IndexOutdated,
    ReadOnly,
    StoreError,
    abandoned,
    being_written,
)
from assistant.store.transaction import TextId

if TYPE_CHECKING:
    from assistant.store.check import problems
    from assistant.store.texts import IndexedNote
    from assistant.store.writer import Writer

__all__ = [
    "Busy",
    "Concepts",
    "DiskFull",
    "IndexDamaged",
    "IndexMissing",
    "IndexOutdated",
    "IndexedNote",
    "Matrix",
    "ReadOnly",
    "Store",
    "StoreError",
    "StoredMention",
    "StoredNote",
    "TextId",
    "Writer",
    "abandoned",
    "being_written",
    "problems",
]


def __getattr__(name: str) -> object:
    if name == "problems":
        from assistant.store.check import problems

        return problems
    if name == "IndexedNote":
        from assistant.store.texts import IndexedNote

        return IndexedNote
    if name == "Writer":
        from assistant.store.writer import Writer

        return Writer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
