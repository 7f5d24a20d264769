"""Notes, headings, passages, chunks and topics of one committed state."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from functools import cached_property
from typing import Any

from assistant.records import ChunkId, LineNumber, Passage, PassageId
from assistant.storage import codec
from assistant.storage.backend import IN_LIST, NO_LIMIT, Snapshot
from assistant.storage.errors import IndexDamaged
from assistant.storage.stored import StoredChunk, StoredMention, StoredNote, StoredSection

_UNPACKED = 64
"""Notes whose lines are kept unpacked at most."""
_PASSAGE_ORDER = "ORDER BY n.path, p.start, p.id"
_MENTIONS = """
    SELECT m.key, m.name, m.kind, m.passage, m.crc FROM mentions m JOIN passages p ON p.id = m.passage
    JOIN notes n ON n.id = p.note {} ORDER BY n.path, p.start, p.id, m.name, m.kind
"""

_FIRST_OF_CHUNKS = f"""
    SELECT chunk, id FROM (
        SELECT chunk, id, row_number() OVER (PARTITION BY chunk ORDER BY start, id) AS place
        FROM passages WHERE chunk {IN_LIST}
    ) AS placed WHERE place <= ? ORDER BY chunk, place
"""


class TextReader:
    """The contracts are those of `Store`."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._unpacked: dict[str, tuple[str, ...]] = {}

    @cached_property
    def note_files(self) -> dict[str, StoredNote]:
        return codec.unpack_notes(self._snapshot.rows(codec.NOTE_FILES))

    def refused(self) -> list[tuple[str, str]]:
        return codec.typed("a note", self._snapshot.rows(codec.REFUSED), str, str)

    def lines(self, path: str, start: int, end: int) -> tuple[str, ...]:
        if path not in self._unpacked:
            rows = self._snapshot.rows("SELECT count, lines FROM notes WHERE path = ?", path)
            if len(self._unpacked) >= _UNPACKED:
                self._unpacked.clear()
            self._unpacked[path] = codec.unpack_lines(*rows[0]) if rows else ()
        return self._unpacked[path][max(start, 1) - 1 : max(end, 0)]

    def passages(self, ids: Sequence[PassageId]) -> dict[PassageId, Passage]:
        rows = self._snapshot.rows(f"SELECT id, body, crc FROM passages WHERE id {IN_LIST}", list(ids))
        passages = {number: codec.unpack_passage(body, crc) for number, body, crc in rows}
        if not passages.keys() >= set(ids):
            raise IndexDamaged("a passage is missing")
        return {number: passages[number] for number in ids}

    def passage_ids(self) -> list[PassageId]:
        return self._ids(f"SELECT p.id FROM passages p JOIN notes n ON n.id = p.note {_PASSAGE_ORDER}")

    def section_passages(self, path: str, anchor: str) -> list[PassageId]:
        return self._ids(
            "SELECT p.id FROM notes n JOIN sections s ON s.note = n.id JOIN passages p ON p.section = s.id"
            f" WHERE n.path = ? AND s.anchor = ? {_PASSAGE_ORDER}",
            *(path, anchor),
        )

    def headings(self) -> list[tuple[str, ...]]:
        rows = self._snapshot.rows("SELECT DISTINCT heading_path FROM sections")
        return sorted(codec.unpack_heading_path(path) for (path,) in rows)

    def sections(self) -> list[StoredSection]:
        rows = self._snapshot.rows(
            "SELECT n.path, s.start, s.heading_path, s.anchor, COUNT(p.id) FROM sections s"
            " JOIN notes n ON n.id = s.note LEFT JOIN passages p ON p.section = s.id"
            " WHERE s.anchor <> '' GROUP BY s.id, n.path ORDER BY n.path, s.start, s.id"
        )
        return [
            StoredSection(path, LineNumber(line), codec.unpack_heading_path(headings), anchor, passages)
            for path, line, headings, anchor, passages in codec.typed("a heading", rows, str, int, str, str, int)
        ]

    def under(self, heading: Sequence[str]) -> set[PassageId]:
        wanted = [_folded(part) for part in heading]
        sections = [
            (number, [_folded(part) for part in codec.unpack_heading_path(path)])
            for number, path in self._snapshot.rows("SELECT id, heading_path FROM sections")
        ]
        below = [number for number, path in sections if _within(wanted, path, exact=True)]
        below = below or [number for number, path in sections if _within(wanted, path, exact=False)]
        return set(self._ids(f"SELECT id FROM passages WHERE section {IN_LIST}", below))

    def passages_of(self, paths: Collection[str]) -> set[PassageId]:
        notes = f"SELECT id FROM notes WHERE path {IN_LIST}"
        return set(self._ids(f"SELECT id FROM passages WHERE note IN ({notes})", list(paths)))

    def tagged(self, tag: str) -> set[PassageId]:
        rows = self._snapshot.rows("SELECT id, tags FROM notes WHERE tags <> '[]'")
        notes = [number for number, tags in rows if _folded(tag) in map(_folded, codec.unpack_strings(tags))]
        return set(self._ids(f"SELECT id FROM passages WHERE note {IN_LIST}", notes))

    def chunks(self, ids: Sequence[PassageId]) -> dict[PassageId, ChunkId]:
        rows = self._snapshot.rows(f"SELECT id, chunk FROM passages WHERE id {IN_LIST}", list(ids))
        return {PassageId(number): ChunkId(chunk) for number, chunk in codec.typed("a passage", rows, int, int)}

    def stored_chunks(self, ids: Sequence[ChunkId]) -> dict[ChunkId, StoredChunk]:
        rows = self._snapshot.rows(f"SELECT id, body, words, crc FROM chunks WHERE id {IN_LIST}", list(ids))
        chunks = {number: codec.unpack_chunk(*row) for number, *row in rows}
        if not chunks.keys() >= set(ids):
            raise IndexDamaged("a chunk is missing")
        return {number: chunks[number] for number in ids}

    def chunk_passages(self, ids: Sequence[ChunkId], first: int) -> list[PassageId]:
        rows = self._snapshot.rows(_FIRST_OF_CHUNKS, list(ids), first)
        by_chunk: dict[int, list[PassageId]] = {}
        for chunk, number in codec.typed("a passage", rows, int, int):
            by_chunk.setdefault(chunk, []).append(PassageId(number))
        return [number for chunk in ids for number in by_chunk.get(chunk, ())]

    def mentions(self, ids: Sequence[PassageId]) -> list[StoredMention]:
        sql = f"SELECT key, name, kind, passage, crc FROM mentions WHERE passage {IN_LIST} ORDER BY passage, name, kind"
        return codec.unpack_mentions(self._snapshot.rows(sql, list(ids)))

    def topic(self, keys: Sequence[str], first: int) -> dict[str, list[StoredMention]]:
        sql = _MENTIONS.format("WHERE m.key = ?") + " LIMIT ?"
        mentions = {
            key: codec.unpack_mentions(self._snapshot.rows(sql, key, NO_LIMIT if first < 0 else first))
            for key in sorted(set(keys))
        }
        return {key: of_key for key, of_key in mentions.items() if of_key}

    def topics(self) -> list[StoredMention]:
        return codec.unpack_mentions(self._snapshot.rows(_MENTIONS.format("")))

    def spelled_out(self, initials: str) -> str | None:
        rows = self._snapshot.rows(
            "SELECT key FROM keys WHERE key >= ? AND key < ? AND uses > 0 ORDER BY uses DESC, key",
            *(initials[:1], initials[:1] + chr(sys.maxunicode)),
        )
        keys = (key for (key,) in codec.typed("a topic", rows, str))
        spelled = next((key for key in keys if [word[0] for word in key.split()] == list(initials)), None)
        if spelled is None:
            return None
        rows = self._snapshot.rows("SELECT name FROM mentions WHERE key = ? ORDER BY id LIMIT 1", spelled)
        return next((str(name) for (name,) in codec.typed("a topic", rows, str)), None)

    def _ids(self, sql: str, *values: Any) -> list[PassageId]:
        return [PassageId(number) for (number,) in self._snapshot.rows(sql, *values)]


def _folded(heading: str) -> str:
    return " ".join(heading.casefold().split())


def _within(wanted: Sequence[str], path: Sequence[str], *, exact: bool) -> bool:
    """Whether some heading on the path, with those above it, ends with `wanted`."""
    width = len(wanted)
    for end in range(width, len(path) + 1):
        part = path[end - width : end]
        if list(part[1:]) == list(wanted[1:]) and (
            part[0] == wanted[0] if exact else f" {part[0]}".endswith(f" {wanted[0]}")
        ):
            return True
    return False
