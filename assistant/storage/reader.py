"""One committed generation of the index, read only."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from assistant.records import LineNumber, Passage, PassageId
from assistant.storage import codec
from assistant.storage.codec import StoredMention, StoredNote
from assistant.storage.vectors import Vectors

_IN = "IN (SELECT value FROM json_each(?))"
_UNPACKED = 64
"""Notes whose lines are kept unpacked at most."""
_ALONE = ("", 0, 0)
_PASSAGE_ORDER = "ORDER BY n.path, p.start, p.id"


class Store(Vectors):
    """A reader of one committed state, which no later commit changes; close it, or use it as a context manager.

    Every method that reads may raise IndexDamaged. Order is never left to SQLite: lists are sorted as each method says.
    """

    _known: dict[str, StoredNote] | None = None

    def note_files(self) -> dict[str, StoredNote]:
        """What was indexed of each note, by path; read once."""
        if self._known is None:
            self._known = codec.stored_notes(self._all(codec.NOTE_FILES))
        return self._known

    def refused(self) -> list[tuple[str, str]]:
        """Path and reason of each note that could not be read, by path."""
        return [(path, reason) for path, reason in self._all("SELECT path, reason FROM refused ORDER BY path")]

    def lines(self, path: str, start: int, end: int) -> tuple[str, ...]:
        """Lines `start` to `end` (1-based, inclusive) as they were indexed; none where there is no such note."""
        if path not in self._unpacked:
            found = self._all("SELECT count, lines FROM notes WHERE path = ?", path)
            if len(self._unpacked) >= _UNPACKED:
                self._unpacked.clear()
            self._unpacked[path] = codec.unpack_lines(*found[0]) if found else ()
        return self._unpacked[path][max(start, 1) - 1 : max(end, 0)]

    def passages(self, ids: Sequence[PassageId]) -> dict[PassageId, Passage]:
        """Those of `ids` that exist, in that order."""
        found = self._all(f"SELECT id, body, crc FROM passages WHERE id {_IN}", json.dumps(list(ids)))
        read = {number: codec.unpack_passage(body, crc) for number, body, crc in found}
        return {number: read[number] for number in ids if number in read}

    def passage_ids(self) -> list[PassageId]:
        """All of them, by path and line."""
        return _ids(self._all(f"SELECT p.id FROM passages p JOIN notes n ON n.id = p.note {_PASSAGE_ORDER}"))

    def section_passages(self, path: str, anchor: str) -> list[PassageId]:
        """Those of one section, by line."""
        return _ids(
            self._all(
                "SELECT p.id FROM notes n JOIN sections s ON s.note = n.id JOIN passages p ON p.section = s.id"
                f" WHERE n.path = ? AND s.anchor = ? {_PASSAGE_ORDER}",
                *(path, anchor),
            )
        )

    def headings(self) -> list[tuple[str, ...]]:
        """Every heading path, sorted, once."""
        found = self._all("SELECT DISTINCT heading_path FROM sections")
        return sorted(tuple(codec.unpacked(path)) for (path,) in found)

    def places(self) -> list[tuple[str, LineNumber, tuple[str, ...]]]:
        """(path, first line, heading path) of every section with a heading, by path and line."""
        found = self._all(
            "SELECT n.path, s.start, s.heading_path FROM sections s JOIN notes n ON n.id = s.note"
            " WHERE s.anchor <> '' ORDER BY n.path, s.start, s.id"
        )
        return [(path, LineNumber(line), tuple(codec.unpacked(headings))) for path, line, headings in found]

    def under(self, heading: Sequence[str]) -> set[PassageId]:
        """Passages below a heading whose path ends with `heading`, case and spacing aside; where none does, with its
        first part as the last words of a heading."""
        wanted = [_folded(part) for part in heading]
        found = [(number, [_folded(h) for h in codec.unpacked(path)]) for number, path in self._all(_SECTIONS)]
        chosen = [number for number, path in found if _within(wanted, path, exact=True)]
        chosen = chosen or [number for number, path in found if _within(wanted, path, exact=False)]
        return set(_ids(self._all(f"SELECT id FROM passages WHERE section {_IN}", json.dumps(chosen))))

    def tagged(self, tag: str) -> set[PassageId]:
        """Passages of the notes that carry the tag, case aside."""
        found = self._all("SELECT id, tags FROM notes WHERE tags <> '[]'")
        notes = [number for number, tags in found if _folded(tag) in map(_folded, codec.unpacked(tags))]
        return set(_ids(self._all(f"SELECT id FROM passages WHERE note {_IN}", json.dumps(notes))))

    def mentions(self, ids: Sequence[PassageId]) -> list[StoredMention]:
        """What these passages speak for, by passage, name and kind."""
        return codec.unpack_mentions(
            self._all(
                f"SELECT key, name, kind, passage, crc FROM mentions WHERE passage {_IN} ORDER BY passage, name, kind",
                json.dumps(list(ids)),
            )
        )

    def topic(self, keys: Sequence[str], first: int = -1) -> dict[str, list[StoredMention]]:
        """Every mention of these topics, or the `first` of each, by path, line and name; keys that nothing mentions are
        left out."""
        sql = _MENTIONS.format("WHERE m.key = ?") + " LIMIT ?"
        found = {key: codec.unpack_mentions(self._all(sql, key, first)) for key in sorted(set(keys))}
        return {key: mentions for key, mentions in found.items() if mentions}

    def topics(self) -> list[StoredMention]:
        """All mentions, by path, line and name."""
        return codec.unpack_mentions(self._all(_MENTIONS.format("")))

    def spelled_out(self, initials: str) -> str | None:
        """The name of the notes whose words begin with these letters, as it is written first; of several the one that
        most passages use, then by the alphabet; None where there is none."""
        pattern = " ".join(f"{letter}*" for letter in initials)
        found = self._all(
            "SELECT k.key, (SELECT name FROM mentions m WHERE m.key = k.key ORDER BY m.id LIMIT 1) FROM keys k"
            " WHERE k.key GLOB ? AND k.uses > 0 ORDER BY k.uses DESC, k.key",
            pattern,
        )
        return next((name for key, name in found if len(key.split()) == len(initials)), None)

    def bm25_candidates(
        self, terms: Sequence[str], limit: int, only: Collection[PassageId] | None = None
    ) -> list[PassageId]:
        """Passages with any of the terms in their text, label or headings (the title does not count), best bm25 first,
        then by path and line; about `limit` of them: those that tie with the last are in too."""
        if not terms or limit < 1 or (only is not None and not only):
            return []
        values: list[object] = [f"{{words headings}} : ({_any_of(terms)})"]
        restriction = ""
        if only is not None:
            restriction = f" AND rowid {_IN}"
            values.append(json.dumps(sorted(only)))
        ranked = (
            f"SELECT rowid, bm25(contents, 1.0, 0.5, 0.0) AS score FROM contents WHERE contents MATCH ? {restriction}"
        )
        found = self._all(f"{ranked} ORDER BY score LIMIT ?", *values, 2 * limit)
        if len(found) > limit:
            cut = found[limit - 1][1]
            if found[-1][1] > cut or len(found) < 2 * limit:
                found = [row for row in found if row[1] <= cut]
            else:  # so many tie that it takes a second search
                found = self._all(f"SELECT * FROM ({ranked}) WHERE score <= ?", *values, cut)
        tied = {score for score, many in Counter(score for _, score in found).items() if many > 1}
        places = self._places([number for number, score in found if score in tied]) if tied else {}
        found.sort(key=lambda row: (row[1], places.get(row[0], _ALONE)))
        return [PassageId(number) for number, _ in found]

    def _places(self, ids: list[int]) -> dict[int, tuple[str, int, int]]:
        found = self._all(
            f"SELECT p.id, n.path, p.start FROM passages p JOIN notes n ON n.id = p.note WHERE p.id {_IN}",
            json.dumps(ids),
        )
        return {number: (path, start, number) for number, path, start in found}

    def frequencies(self, terms: Sequence[str]) -> dict[str, int]:
        """In how many passages each term stands, as `bm25_candidates` looks for it; 0 where it stands in none."""
        found = self._all(f"SELECT term, n, crc FROM frequencies WHERE term {_IN}", json.dumps(list(terms)))
        counted = codec.unpack_frequencies(found)
        return {term: counted.get(term, 0) for term in terms}


_SECTIONS = "SELECT id, heading_path FROM sections"
_MENTIONS = """
    SELECT m.key, m.name, m.kind, m.passage, m.crc FROM mentions m JOIN passages p ON p.id = m.passage
    JOIN notes n ON n.id = p.note {} ORDER BY n.path, p.start, p.id, m.name, m.kind
"""


def _ids(found: Iterable[Any]) -> list[PassageId]:
    return [PassageId(number) for (number,) in found]


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


def _any_of(terms: Sequence[str]) -> str:
    quoted = ('"' + term.replace('"', '""') + '"' for term in dict.fromkeys(terms))
    return " OR ".join(quoted)
