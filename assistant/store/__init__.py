"""The index on disk: open a committed generation, or write the next one."""

from assistant.store.check import problems
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
from assistant.store.texts import IndexedNote
from assistant.store.transaction import TextId
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
