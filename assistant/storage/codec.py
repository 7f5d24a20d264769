"""Records ↔ what stands in a row; whatever is read is checked against the sum it was written with."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np

from assistant.records import LineNumber, NoteFile, Passage, PassageId, Problem
from assistant.storage.nearest import Matrix
from assistant.storage.schema import IndexDamaged

NOTE_FILES = """
    SELECT path, size, mtime_ns, inode, digest, looked, '' FROM notes
    UNION ALL SELECT path, size, mtime_ns, inode, '', looked, reason FROM refused
"""
SENTENCES = """
    SELECT s.concept, s.position, s.text, v.rows, v.data, v.crc FROM sentences s
    LEFT JOIN vectors v ON v.text = s.text ORDER BY s.concept, s.position
"""
COARSEST_NS = 2_000_000_000
"""The coarsest step in which a file system counts time (FAT)."""


@dataclass(frozen=True, slots=True)
class StoredNote:
    """What the index knows of a note's file."""

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


class StoredMention(NamedTuple):
    """A name that a topic goes by, and the passage that speaks for it; a tuple, since a question reads thousands."""

    key: str
    """`terms.key(name)`: what makes two names one topic."""
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


def stored_notes(found: Iterable[Any]) -> dict[str, StoredNote]:
    """From rows of NOTE_FILES."""
    return {
        path: StoredNote(NoteFile(path, size, mtime_ns, inode % 2**64), digest, looked, reason)
        for path, size, mtime_ns, inode, digest, looked, reason in found
    }


def centre(matrix: Matrix) -> Matrix:
    """One unit vector (d,) for the rows of one text."""
    if len(matrix) == 1:
        return np.asarray(matrix[0], dtype=np.float32)
    mean = matrix.mean(axis=0, dtype=np.float32)
    return np.asarray(mean / np.linalg.norm(mean), dtype=np.float32)


def complete_concepts(found: Iterable[Any], lent: Mapping[int, Matrix]) -> Iterator[tuple[str, Matrix]]:
    """From rows of SENTENCES: each concept all of whose texts have a vector, and (1 + k, d): its name's, then those of
    its sentences."""
    for concept, group in groupby(found, key=lambda row: str(row[0])):
        parts = [row[2:] for row in group]
        if len(parts) > 1 and all(text in lent or count is not None for text, count, _, _ in parts):
            yield (
                concept,
                np.stack([centre(unpack_matrix(*row) if row[0] is not None else lent[text]) for text, *row in parts]),
            )


def signed(inode: int) -> int:
    """An inode as SQLite can hold it: some file systems use all 64 bits."""
    return (inode + 2**63) % 2**64 - 2**63


def pack_lines(lines: Sequence[str]) -> bytes:
    return zlib.compress("\n".join(lines).encode(), 1)


def unpack_lines(count: int, data: bytes) -> tuple[str, ...]:
    """The lines again; zlib's own checksum tells whether they are the same."""
    try:
        lines = tuple(zlib.decompress(data).decode().split("\n"))
    except (zlib.error, UnicodeDecodeError) as error:
        raise IndexDamaged("a note's lines") from error
    if count == 0:
        return ()
    if len(lines) != count:
        raise IndexDamaged("a note's lines")
    return lines


def pack_passage(passage: Passage) -> str:
    problems = None if passage.problems is None else [[p.line, p.message] for p in passage.problems]
    return json.dumps(
        [
            *(passage.path, passage.heading_path, passage.anchor, passage.kind, passage.label, passage.start),
            *(passage.end, passage.text, passage.titled, passage.fence, passage.info, problems),
        ],
        ensure_ascii=False,
    )


def unpack_passage(body: str, crc: int) -> Passage:
    if checksum(body) != crc:
        raise IndexDamaged("a passage")
    path, heading_path, anchor, kind, label, start, end, text, titled, fence, info, problems = json.loads(body)
    return Passage(
        path=path,
        heading_path=tuple(heading_path),
        anchor=anchor,
        kind=kind,
        label=label,
        start=LineNumber(start),
        end=LineNumber(end),
        text=text,
        titled=titled,
        fence=None if fence is None else (LineNumber(fence[0]), LineNumber(fence[1])),
        info=info,
        problems=None if problems is None else tuple(Problem(LineNumber(line), message) for line, message in problems),
    )


def unpacked(text: str) -> Any:
    """The value of a JSON column; IndexDamaged where it is none."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise IndexDamaged("a list in a row") from error


def match_sum(key: str, concept: str, whole: int) -> int:
    return checksum(f"{key}\0{concept}\0{whole}")


def word_sum(term: str, concept: str, weight: float, named: float) -> int:
    return checksum(f"{term}\0{concept}\0{weight!r}\0{named!r}")


def frequency_sum(term: str, n: int) -> int:
    return checksum(f"{term}\0{n}")


def unpack_frequencies(found: Iterable[tuple[str, int, int]]) -> dict[str, int]:
    """From rows of term, n, crc."""
    counted = {}
    for term, n, crc in found:
        if frequency_sum(term, n) != crc:
            raise IndexDamaged("the count of a term")
        counted[term] = n
    return counted


def mention_sum(key: str, name: str, kind: str, passage: int) -> int:
    return checksum(f"{key}\0{name}\0{kind}\0{passage}")


def unpack_mentions(found: Iterable[tuple[str, str, str, PassageId, int]]) -> list[StoredMention]:
    """From rows of key, name, kind, passage, crc."""
    read = list(found)
    if any(mention_sum(key, name, kind, passage) != crc for key, name, kind, passage, crc in read):
        raise IndexDamaged("a topic")
    return [StoredMention(key, name, kind, passage) for key, name, kind, passage, _ in read]


def pack_matrix(matrix: Matrix) -> tuple[int, bytes, int]:
    """Its rows, their bytes, and the sum of these."""
    data = np.ascontiguousarray(matrix, dtype="<f4").tobytes()
    return len(matrix), data, zlib.crc32(data)


def unpack_matrix(count: int, data: bytes, crc: int) -> Matrix:
    """(count, d)."""
    if zlib.crc32(data) != crc or count < 1 or len(data) % (4 * count):
        raise IndexDamaged("a vector")
    return np.frombuffer(data, dtype="<f4").reshape(count, -1)


def checksum(text: str) -> int:
    return zlib.crc32(text.encode())
