"""One committed generation of the index, read only."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from assistant.records import LineNumber, Passage, PassageId
from assistant.store import nearest, rows
from assistant.store.nearest import Matrix, Nearest
from assistant.store.rows import Concepts, StoredMention, StoredNote
from assistant.store.schema import (
    IndexDamaged,
    text_key,
    translated,
)
from assistant.store.snapshot import Snapshot

_IN = "IN (SELECT value FROM json_each(?))"
_PASSAGE_ORDER = "ORDER BY n.path, p.start, p.id"


class Store(Snapshot):
    """A reader of one committed state, which no later commit changes; close it, or use it as a context manager.

    Every method that reads may raise IndexDamaged. Order is never left to SQLite: lists are sorted as each method says.
    """

    def __init__(self, folder: Path, connection: sqlite3.Connection) -> None:
        super().__init__(folder, connection)
        self._nearest: Nearest | None = None
        self._concepts: Concepts | None = None

    def note_files(self) -> dict[str, StoredNote]:
        """What was indexed of each note, by path."""
        return rows.stored_notes(self._all(rows.NOTE_FILES))

    def lines(self, path: str, start: int, end: int) -> tuple[str, ...]:
        """Lines `start` to `end` (1-based, inclusive) as they were indexed; none where there is no such note."""
        found = self._all("SELECT count, lines FROM notes WHERE path = ?", path)
        return rows.unpack_lines(*found[0])[max(start, 1) - 1 : max(end, 0)] if found else ()

    def passages(self, ids: Sequence[PassageId]) -> dict[PassageId, Passage]:
        """Those of `ids` that exist, in that order."""
        found = self._all(f"SELECT id, body, crc FROM passages WHERE id {_IN}", json.dumps(list(ids)))
        read = {number: rows.unpack_passage(body, crc) for number, body, crc in found}
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
        return sorted(tuple(rows.unpacked(path)) for (path,) in found)

    def places(self) -> list[tuple[str, LineNumber, tuple[str, ...]]]:
        """(path, first line, heading path) of every section with a heading, by path and line."""
        found = self._all(
            "SELECT n.path, s.start, s.heading_path FROM sections s JOIN notes n ON n.id = s.note"
            " WHERE s.anchor <> '' ORDER BY n.path, s.start, s.id"
        )
        return [(path, LineNumber(line), tuple(rows.unpacked(headings))) for path, line, headings in found]

    def under(self, heading: Sequence[str]) -> set[PassageId]:
        """Passages below a heading whose path ends with `heading`, case and spacing aside; where none does, with its
        first part as the last words of a heading."""
        wanted = [_folded(part) for part in heading]
        found = [(number, [_folded(h) for h in rows.unpacked(path)]) for number, path in self._all(_SECTIONS)]
        chosen = [number for number, path in found if _within(wanted, path, exact=True)]
        chosen = chosen or [number for number, path in found if _within(wanted, path, exact=False)]
        return set(_ids(self._all(f"SELECT id FROM passages WHERE section {_IN}", json.dumps(chosen))))

    def tagged(self, tag: str) -> set[PassageId]:
        """Passages of the notes that carry the tag, case aside."""
        found = self._all("SELECT id, tags FROM notes WHERE tags <> '[]'")
        notes = [number for number, tags in found if _folded(tag) in map(_folded, rows.unpacked(tags))]
        return set(_ids(self._all(f"SELECT id FROM passages WHERE note {_IN}", json.dumps(notes))))

    def mentions(self, ids: Sequence[PassageId]) -> list[StoredMention]:
        """What these passages speak for, by path, line and name."""
        return rows.unpack_mentions(self._all(_MENTIONS.format(f"WHERE m.passage {_IN}"), json.dumps(list(ids))))

    def topic(self, keys: Sequence[str]) -> dict[str, list[StoredMention]]:
        """Every mention of these topics, by path, line and name; keys that nothing mentions are left out."""
        found = rows.unpack_mentions(self._all(_MENTIONS.format(f"WHERE m.key {_IN}"), json.dumps(list(keys))))
        found.sort(key=lambda mention: mention.key)
        return {key: list(group) for key, group in groupby(found, key=lambda mention: mention.key)}

    def topics(self) -> list[StoredMention]:
        """All mentions, by path, line and name."""
        return rows.unpack_mentions(self._all(_MENTIONS.format("")))

    def containing(
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
        found = self._all(f"{ranked} ORDER BY score LIMIT ?", *values, limit + 1)
        if len(found) > limit:
            cut = found[limit - 1][1]
            if found[limit][1] > cut:
                found = found[:limit]
            else:
                found = self._all(f"SELECT * FROM ({ranked}) WHERE score <= ?", *values, cut)
        places = self._places([number for number, _ in found])
        found.sort(key=lambda row: (row[1], places[row[0]]))
        return [PassageId(number) for number, _ in found]

    def _places(self, ids: list[int]) -> dict[int, tuple[str, int, int]]:
        found = self._all(
            f"SELECT p.id, n.path, p.start FROM passages p JOIN notes n ON n.id = p.note WHERE p.id {_IN}",
            json.dumps(ids),
        )
        return {number: (path, start, number) for number, path, start in found}

    def frequencies(self, terms: Sequence[str]) -> dict[str, int]:
        """In how many passages each term stands, as `containing` looks for it; 0 where it stands in none."""
        found = dict(self._all(f"SELECT term, n FROM frequencies WHERE term {_IN}", json.dumps(list(terms))))
        return {term: int(found.get(term, 0)) for term in terms}

    def near(
        self, queries: Matrix, limit: int, only: Collection[PassageId] | None = None
    ) -> list[dict[PassageId, float]]:
        """For each row of `queries` (q, d) the about `limit` passages with the best cosine (the best of a passage's
        vectors, to 6 places), best first, then by path and line; those that tie with the last are in too."""
        index = self._searchable()
        if index.size == 0 or limit < 1 or len(queries) == 0 or (only is not None and not only):
            return [{} for _ in queries]
        queries = np.ascontiguousarray(queries, dtype=np.float32)
        texts = None
        if only is not None:
            found = self._all(f"SELECT DISTINCT text FROM passages WHERE id {_IN}", json.dumps(sorted(only)))
            texts = [text for (text,) in found]
        k = limit + 8
        while True:
            scores, floor = index.search(queries, k, texts)
            users = self._users({text for each in scores for text in each}, only)
            results = [_best(each, users, limit) for each in scores]
            if k >= index.size or all(len(each) >= limit and min(each.values()) > floor + 2e-6 for each in results):
                return results
            k *= 4

    def _users(self, texts: set[int], only: Collection[PassageId] | None) -> dict[int, list[tuple[str, int, int]]]:
        """(path, line, passage) of those that have a text, by text."""
        found = self._all(
            "SELECT p.text, n.path, p.start, p.id FROM passages p JOIN notes n ON n.id = p.note"
            f" WHERE p.text {_IN} ORDER BY p.text",
            json.dumps(sorted(texts)),
        )
        allowed = None if only is None else frozenset(only)
        return {
            text: [(path, start, number) for _, path, start, number in group if allowed is None or number in allowed]
            for text, group in groupby(found, key=lambda row: int(row[0]))
        }

    def _searchable(self) -> Nearest:
        if self._nearest is None:
            filed = self._filed()
            dead = [] if filed is None else self._all("SELECT id FROM texts WHERE filed = 1 AND uses = 0")
            where = "t.uses > 0 AND t.ready = 1" + ("" if filed is None else " AND t.filed = 0")
            self._nearest = Nearest(
                filed, nearest.flat(self._vectors(where)), np.array([number for (number,) in dead], dtype=np.int64)
            )
        return self._nearest

    def _filed(self) -> nearest.Flat | None:
        if self._file is None:
            return None
        descriptor, self._file = self._file, None
        try:
            return nearest.load(descriptor, self._state.file)
        except nearest.FileDamaged:
            self._warn_of_file()
            return None

    def _vectors(self, where: str) -> Iterator[tuple[int, Matrix]]:
        with translated():
            cursor = self._connection.execute(
                "SELECT t.id, v.rows, v.data, v.crc FROM texts t JOIN vectors v ON v.text = t.id"
                f" WHERE {where} ORDER BY t.id"
            )
            for number, count, data, crc in cursor:
                yield number, rows.unpack_matrix(count, data, crc)

    def vectors(self, ids: Sequence[PassageId]) -> dict[PassageId, Matrix]:
        """The unit rows (k, d) of each passage that has a vector, in the order of `ids`."""
        found = self._all(
            f"SELECT p.id, v.rows, v.data, v.crc FROM passages p JOIN vectors v ON v.text = p.text WHERE p.id {_IN}",
            json.dumps(list(ids)),
        )
        read = {number: rows.unpack_matrix(*row) for number, *row in found}
        return {number: read[number] for number in ids if number in read}

    def text_vectors(self, texts: Sequence[str]) -> dict[str, Matrix]:
        """The unit vector (d,) of each text that has one: names of topics, sentences of the vocabulary."""
        keys = {text_key(self._state.identity, text): text for text in texts}
        found = self._all(
            f"SELECT t.key, v.rows, v.data, v.crc FROM texts t JOIN vectors v ON v.text = t.id WHERE t.key {_IN}",
            json.dumps(list(keys)),
        )
        return {keys[key]: rows.centre(rows.unpack_matrix(count, data, crc)) for key, count, data, crc in found}

    def concepts(self) -> Concepts:
        """The vocabulary's concepts that these notes name; read once."""
        if self._concepts is None:
            self._concepts = self._read_concepts()
        return self._concepts

    def _read_concepts(self) -> Concepts:
        found = self._all("SELECT names, data, crc FROM centres")
        if not found:
            nothing = np.zeros((0, 0), dtype=np.float32)
            return Concepts((), nothing, nothing)
        listed, data, crc = found[0]
        names: tuple[str, ...] = tuple(rows.unpacked(listed))
        matrix = rows.unpack_matrix(2 * len(names), data, crc ^ rows.checksum(listed))
        return Concepts(names, matrix[: len(names)], matrix[len(names) :])

    def concept_rows(self, names: Sequence[str]) -> dict[str, Matrix]:
        """The unit rows (k, d) of each concept's sentences."""
        found = self._all(f"SELECT concept, rows, data, crc FROM concepts WHERE concept {_IN}", json.dumps(list(names)))
        return {name: rows.unpack_matrix(count, data, crc) for name, count, data, crc in found}

    def concept_weights(self, terms: Sequence[str]) -> dict[str, float]:
        """Concept → the summed BM25 of these terms in its sentences; those that hold none are left out."""
        found = self._words(f"term {_IN}", json.dumps(list(terms)))
        weights: dict[str, float] = {}
        known = frozenset(self.concepts().names)
        for _, concept, weight, _ in found:
            if concept in known:
                weights[concept] = weights.get(concept, 0.0) + weight
        return weights

    def concept_names(self, names: Sequence[str]) -> list[tuple[str, str, float]]:
        """(concept, term, share of the concept's names that hold the term), by concept and term."""
        found = self._words(f"concept {_IN} AND named > 0", json.dumps(list(names)))
        return sorted((concept, term, named) for term, concept, _, named in found)

    def _words(self, where: str, value: str) -> list[tuple[str, str, float, float]]:
        found = self._all(f"SELECT term, concept, weight, named, crc FROM concept_words WHERE {where}", value)
        if any(rows.word_sum(*row) != crc for *row, crc in found):
            raise IndexDamaged("a word of a concept")
        return [(term, concept, weight, named) for term, concept, weight, named, _ in found]

    def concept_topics(self, names: Sequence[str]) -> list[tuple[str, str, bool]]:
        """(concept, topic key, whether the concept's name is the whole of the topic's), by concept and key."""
        found = self._all(f"SELECT key, concept, whole, crc FROM matches WHERE concept {_IN}", json.dumps(list(names)))
        if any(rows.match_sum(key, concept, whole) != crc for key, concept, whole, crc in found):
            raise IndexDamaged("a concept")
        return sorted((concept, key, bool(whole)) for key, concept, whole, _ in found)


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


def _best(scores: dict[int, float], users: dict[int, list[tuple[str, int, int]]], limit: int) -> dict[PassageId, float]:
    ranked = sorted((-round(score, 6), place) for text, score in scores.items() for place in users.get(text, ()))
    if len(ranked) > limit:
        cut = ranked[limit - 1][0]
        ranked = [entry for entry in ranked if entry[0] <= cut]
    return {PassageId(place[2]): -score for score, place in ranked}
