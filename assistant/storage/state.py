"""The row that says which state of an index was committed last, and what texts are called; common to both databases."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NewType

from assistant.storage.errors import IndexDamaged

SEARCHED = "ready = 1 AND uses + chunks > 0"
"""An SQL condition: a text is searched by its vector."""
COLUMNS = (
    "generation, change, identity, versions, notes, passages, pending,"
    " file, file_size, file_total, file_texts, file_error, previous"
)
"""Of the table `state`, in the order of `pack_state`."""
INSERT_STATE = f"INSERT INTO state(one, {COLUMNS}, crc) VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

TextId = NewType("TextId", int)
"""Row id of a text that is embedded."""


@dataclass(frozen=True, slots=True)
class VectorFile:
    """The FAISS file that belongs to a state; no name while there is none."""

    name: str = ""
    size: int = 0
    total: int = 0
    """`vector_file.total` of its bytes."""
    texts: int = 0
    """Texts in it."""
    error: float = 0.0
    """The largest distance of a row from its code in the file; 0 where the file holds the rows themselves."""


@dataclass(frozen=True, slots=True)
class State:
    """The row that every commit replaces; the table `state` describes its columns."""

    generation: int = 0
    change: int = 0
    identity: str = ""
    versions: str = ""
    notes: int = 0
    passages: int = 0
    pending: int = 0
    file: VectorFile = VectorFile()
    previous: str = ""


def text_key(identity: str, text: str) -> str:
    """The key of a text's vector: SHA-256 of encoder and text, hex."""
    return hashlib.sha256(f"{identity}\0{text}".encode()).hexdigest()


def unpack_state(row: Sequence[object]) -> State:
    """From the columns COLUMNS and `crc`; IndexDamaged where the last is not the sum of the others."""
    *values, crc = row
    if _checksum(values) != crc:
        raise IndexDamaged("the state")
    generation, change, identity, versions, notes, passages, pending, *file, previous = values
    return State(generation, change, identity, versions, notes, passages, pending, VectorFile(*file), previous)  # type: ignore[arg-type]


def pack_state(state: State) -> tuple[object, ...]:
    """The columns COLUMNS and `crc`."""
    file = state.file
    values = (
        *(state.generation, state.change, state.identity, state.versions),
        *(state.notes, state.passages, state.pending),
        *(file.name, file.size, file.total, file.texts, file.error, state.previous),
    )
    return (*values, _checksum(values))


def _checksum(values: Sequence[object]) -> int:
    return zlib.crc32(repr(tuple(values)).encode("utf-8", "replace"))
