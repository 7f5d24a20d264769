"""Records ↔ rows of the database. Whatever is decoded is checked: IndexDamaged where a row cannot be what was written.

Rows are tuples as the database gives them; each function says which columns it expects.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import Any

import numpy as np

from assistant.records import Chunk, LineNumber, NoteFile, Passage, Problem
from assistant.storage.errors import IndexDamaged
from assistant.storage.nearest import Matrix
from assistant.storage.stored import StoredChunk, StoredMention, StoredNote

_UNIT = 1e-3
"""More than rounding moves the length of a unit row."""
NOTE_FILES = """
    SELECT path, size, mtime_ns, inode, digest, looked, '' FROM notes
    UNION ALL SELECT path, size, mtime_ns, inode, '', looked, reason FROM refused
"""
REFUSED = "SELECT path, reason FROM refused ORDER BY path"
SENTENCES = """
    SELECT s.concept, s.position, s.text, v.rows, v.data, v.crc FROM sentences s
    LEFT JOIN vectors v ON v.text = s.text ORDER BY s.concept, s.position
"""


@contextmanager
def decoding(what: str) -> Iterator[None]:
    """Any failure to decode becomes IndexDamaged: within, nothing but the content of the index can be the cause."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError, zlib.error) as error:
        raise IndexDamaged(what) from error


def typed(what: str, rows: list[Any], *types: type) -> list[Any]:
    """The rows, after a check that each has values of exactly these types."""
    if any(tuple(map(type, row)) != types for row in rows):
        raise IndexDamaged(what)
    return rows


def unpack_notes(rows: list[Any]) -> dict[str, StoredNote]:
    """By path, from rows of NOTE_FILES."""
    return {
        path: StoredNote(NoteFile(path, size, mtime_ns, inode % 2**64), digest, looked, reason)
        for path, size, mtime_ns, inode, digest, looked, reason in typed(
            "a note", rows, str, int, int, int, str, int, str
        )
    }


def signed(inode: int) -> int:
    """An inode as a database can hold it: some file systems use all 64 bits."""
    return (inode + 2**63) % 2**64 - 2**63


def pack_lines(lines: Sequence[str]) -> bytes:
    """UTF-8 joined with line feeds, compressed; no lines and one empty line look the same, hence the column `count`."""
    return zlib.compress("\n".join(lines).encode(), 1)


def unpack_lines(count: int, data: bytes) -> tuple[str, ...]:
    """The lines of a note; zlib's own checksum tells whether they are what was written."""
    with decoding("a note's lines"):
        lines = tuple(zlib.decompress(data).decode().split("\n"))
    if count == 0:
        return ()
    if len(lines) != count:
        raise IndexDamaged("a note's lines")
    return lines


def pack_strings(strings: Sequence[str]) -> str:
    """A JSON list, for `unpack_strings`."""
    return json.dumps(strings, ensure_ascii=False)


def unpack_strings(text: str) -> tuple[str, ...]:
    """The strings of a JSON column: a heading path, tags, names."""
    with decoding("a list in a row"):
        strings = json.loads(text)
        if not isinstance(strings, list) or not all(isinstance(each, str) for each in strings):
            raise IndexDamaged("a list in a row")
    return tuple(strings)


def unpack_heading_path(text: str) -> tuple[str, ...]:
    """Never empty."""
    path = unpack_strings(text)
    if not path:
        raise IndexDamaged("a heading")
    return path


def pack_passage(passage: Passage) -> str:
    """A JSON list of the fields in the order that `unpack_passage` reads; its checksum is a column of its own."""
    problems = None if passage.problems is None else [[p.line, p.message] for p in passage.problems]
    return json.dumps(
        [
            *(passage.path, passage.heading_path, passage.anchor, passage.kind, passage.label, passage.start),
            *(passage.end, passage.text, passage.titled, passage.fence, passage.info, problems),
        ],
        ensure_ascii=False,
    )


def unpack_passage(body: str, crc: int) -> Passage:
    """The columns `body` and `crc`; IndexDamaged where the one is not the sum of the other."""
    with decoding("a passage"):
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
            problems=None if problems is None else tuple(Problem(LineNumber(line), text) for line, text in problems),
        )


def pack_chunk(chunk: Chunk, terms: Sequence[str]) -> tuple[str, str, int]:
    """body, words, crc."""
    fields = [chunk.path, chunk.heading_path, chunk.anchor, chunk.start, chunk.end, chunk.text, chunk.titled]
    body, words = json.dumps(fields, ensure_ascii=False), " ".join(terms)
    return body, words, checksum(f"{body}\0{words}")


def unpack_chunk(body: str, words: str, crc: int) -> StoredChunk:
    """IndexDamaged where the last column is not the sum of the others."""
    with decoding("a chunk"):
        if checksum(f"{body}\0{words}") != crc:
            raise IndexDamaged("a chunk")
        path, heading_path, anchor, start, end, text, titled = json.loads(body)
        chunk = Chunk(path, tuple(heading_path), anchor, LineNumber(start), LineNumber(end), text, titled)
        return StoredChunk(chunk, tuple(words.split()))


def pack_match(key: str, concept: str, whole: int) -> tuple[str, str, int, int]:
    """A row of `matches`."""
    return key, concept, whole, checksum(f"{key}\0{concept}\0{whole}")


def unpack_matches(rows: Iterable[Any]) -> list[tuple[str, str, bool]]:
    """(concept, topic key, whether the concept's name is the whole of the topic's), sorted, from rows of `matches`."""
    with decoding("a concept"):
        return sorted((concept, key, bool(whole)) for key, concept, whole, _ in _checked(rows, pack_match, "a concept"))


def pack_word(term: str, concept: str, weight: float, named: float) -> tuple[str, str, float, float, int]:
    """A row of `concept_words`."""
    return term, concept, weight, named, checksum(f"{term}\0{concept}\0{weight!r}\0{named!r}")


def unpack_words(rows: Iterable[Any]) -> list[tuple[str, str, float, float]]:
    """(term, concept, weight, share of names), from rows of `concept_words`."""
    return [row[:-1] for row in _checked(rows, pack_word, "a word of a concept")]


def pack_frequency(term: str, n: int) -> tuple[str, int, int]:
    """A row of `frequencies`."""
    return term, n, checksum(f"{term}\0{n}")


def unpack_frequencies(rows: Iterable[Any]) -> dict[str, int]:
    """Passages by term, from rows of `frequencies`."""
    return {term: n for term, n, _ in _checked(rows, pack_frequency, "the count of a term")}


def pack_mention(key: str, name: str, kind: str, passage: int) -> tuple[str, str, str, int, int]:
    """key, name, kind, passage, crc."""
    return key, name, kind, passage, checksum(f"{key}\0{name}\0{kind}\0{passage}")


def unpack_mentions(rows: Iterable[Any]) -> list[StoredMention]:
    """From rows of key, name, kind, passage, crc."""
    return [StoredMention(*row[:-1]) for row in _checked(rows, pack_mention, "a topic")]


def _checked(rows: Iterable[Any], pack: Callable[..., tuple[Any, ...]], what: str) -> list[Any]:
    """The rows, after a check that each is what `pack` makes of its values: the last is their sum."""
    checked = list(rows)
    if any(pack(*row[:-1]) != row for row in checked):
        raise IndexDamaged(what)
    return checked


def pack_matrix(matrix: Matrix) -> tuple[int, bytes, int]:
    """Its rows, their bytes, and the sum of these."""
    data = np.ascontiguousarray(matrix, dtype="<f4").tobytes()
    return len(matrix), data, zlib.crc32(data)


def unpack_matrix(count: int, data: bytes, crc: int, *, dimension: int | None = None) -> Matrix:
    """(count, d); `dimension` is the d that is expected, since the sum does not cover `count`."""
    with decoding("a vector"):
        if zlib.crc32(data) != crc or count < 1 or len(data) % (4 * count):
            raise IndexDamaged("a vector")
        matrix = np.frombuffer(data, dtype="<f4").reshape(count, -1)
    if dimension not in (None, matrix.shape[1]):
        raise IndexDamaged("a vector")
    return matrix


def is_unit(count: int, data: bytes, crc: int) -> bool:
    """Whether the sum is right, and the number of rows, which it does not cover: only then each has length one."""
    try:
        lengths = np.linalg.norm(unpack_matrix(count, data, crc), axis=1)
    except IndexDamaged:
        return False
    return bool(np.abs(lengths - 1).max() < _UNIT)


def centre(matrix: Matrix) -> Matrix:
    """One unit vector (d,) for the rows of one text."""
    if len(matrix) == 1:
        return np.asarray(matrix[0], dtype=np.float32)
    mean = matrix.mean(axis=0, dtype=np.float32)
    return np.asarray(mean / np.linalg.norm(mean), dtype=np.float32)


def complete_concepts(rows: Iterable[Any], lent: Mapping[int, Matrix]) -> Iterator[tuple[str, Matrix]]:
    """From rows of SENTENCES: each concept all of whose texts have a vector, there or in `lent`, with (1 + k, d): its
    name's, then those of its sentences."""
    with decoding("a concept"):
        for concept, group in groupby(rows, key=lambda row: str(row[0])):
            parts = [row[2:] for row in group]
            if len(parts) > 1 and all(text in lent or count is not None for text, count, _, _ in parts):
                vectors = (unpack_matrix(*row) if row[0] is not None else lent[text] for text, *row in parts)
                yield concept, np.stack([centre(each) for each in vectors])


def checksum(text: str) -> int:
    """CRC-32 of the text in UTF-8, unsigned."""
    return zlib.crc32(text.encode())
