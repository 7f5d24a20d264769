"""The vectors of one committed generation, read only, and those that a reader computed for itself."""

from __future__ import annotations

import json
import sqlite3
from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from operator import itemgetter
from pathlib import Path

import numpy as np

from assistant.records import PassageId
from assistant.storage import codec, nearest, vector_file
from assistant.storage.codec import Concepts
from assistant.storage.nearest import Matrix, Nearest
from assistant.storage.schema import IndexDamaged, translated
from assistant.storage.snapshot import Snapshot
from assistant.storage.transaction import TextId

_IN = "IN (SELECT value FROM json_each(?))"
_Place = tuple[str, int, int]
"""Path, line and id of a passage."""
_KEPT = 20_000
"""Texts whose rows and passages, and words whose concepts are kept at most; about 30 MB of rows."""


class Vectors(Snapshot):
    """What of a store is found by meaning."""

    def __init__(self, folder: Path, connection: sqlite3.Connection) -> None:
        super().__init__(folder, connection)
        self._nearest: Nearest | None = None
        self._reading: vector_file.Reading | None = None
        self._concepts: Concepts | None = None
        self._kept: dict[int, Matrix] = {}
        self._users_kept: dict[int, list[_Place]] = {}
        self._words_kept: dict[str, list[tuple[str, float]]] = {}
        self._lent: dict[int, Matrix] = {}
        self._lent_tail: dict[int, Matrix] = {}  # those of passages
        self._lent_concepts: dict[str, Matrix] = {}
        self._lent_passages = 0
        self._unpacked: dict[str, tuple[str, ...]] = {}

    @property
    def pending(self) -> int:
        """Passages that have no vector yet, neither here nor lent."""
        return self._state.pending - self._lent_passages

    def lacking(self, ids: Sequence[PassageId], concepts: Sequence[str]) -> list[tuple[TextId, str]]:
        """Texts of these passages and of these concepts' sentences that have no vector yet, each once, in that
        order."""
        of_passages = self._all(
            "SELECT DISTINCT t.id, t.text FROM passages p JOIN texts t ON t.id = p.text WHERE t.ready = 0"
            f" AND p.id {_IN} ORDER BY t.id",
            json.dumps(list(ids)),
        )
        of_concepts = self._all(
            "SELECT DISTINCT t.id, t.text FROM sentences s JOIN texts t ON t.id = s.text WHERE t.ready = 0"
            f" AND s.concept {_IN} ORDER BY t.id",
            json.dumps(list(concepts)),
        )
        found = {TextId(number): text for number, text in (*of_passages, *of_concepts)}
        return [(number, text) for number, text in found.items() if number not in self._lent]

    def lend(self, vectors: Mapping[TextId, Matrix]) -> None:
        """Lets the reader search vectors that are in no index yet; those of texts that have one are passed over."""
        wanted = json.dumps([number for number in vectors if number not in self._lent])
        taken = self._all(f"SELECT id, uses FROM texts WHERE ready = 0 AND id {_IN}", wanted)
        self._lent |= {number: vectors[TextId(number)] for number, _ in taken}
        self._lent_tail |= {number: vectors[TextId(number)] for number, uses in taken if uses}
        self._lent_passages += sum(uses for _, uses in taken)
        if self._nearest is not None:
            self._nearest = replace(self._nearest, tail=self._tail(self._nearest.filed is not None))
        if any(not uses for _, uses in taken):
            self._lent_concepts, self._concepts = self._complete(), None

    def _complete(self) -> dict[str, Matrix]:
        """(1 + k, d) of each concept that has all its vectors and would lack some without the lent ones: the name's,
        then the sentences'."""
        found = self._all(codec.SENTENCES)
        lacked = {str(row[0]) for row in found if row[3] is None}
        read = codec.complete_concepts(found, self._lent)
        return {concept: matrix for concept, matrix in read if concept in lacked}

    def nearest_passages(
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
            scores = [_leading(each, limit) for each in scores]
            users = self._users({text for each in scores for text in each}, only)
            results = [_best(each, users, limit) for each in scores]
            whole = (
                len(each) >= limit and min(each.values()) > missing + 2e-6
                for each, missing in zip(results, floor.tolist(), strict=True)
            )
            if k >= index.size or all(whole):
                return results
            k *= 4

    def _users(self, texts: set[int], only: Collection[PassageId] | None) -> Mapping[int, list[_Place]]:
        """(path, line, passage) of those that have a text, by text."""
        if len(self._users_kept) > _KEPT:
            self._users_kept.clear()
        missing = [text for text in texts if text not in self._users_kept]
        if missing:
            found = self._all(
                "SELECT p.text, n.path, p.start, p.id FROM passages p JOIN notes n ON n.id = p.note"
                f" WHERE p.text {_IN}",
                json.dumps(missing),
            )
            self._users_kept |= {text: [] for text in missing}
            for text, *place in found:
                self._users_kept[text].append(tuple(place))
        if only is None:
            return self._users_kept
        allowed = frozenset(only)
        return {text: [place for place in self._users_kept[text] if place[2] in allowed] for text in texts}

    def read_ahead(self) -> None:
        """Starts to read the vector file beside the caller's own work, which `near` would wait for."""
        if self._file is not None:
            self._reading, self._file = vector_file.Reading(self._file, self._state.file), None
            self._reading.start()

    def close(self) -> None:
        if self._reading is not None:
            self._reading.join()
        super().close()

    def _searchable(self) -> Nearest:
        if self._nearest is None:
            filed = self._filed()
            dead = [] if filed is None else self._all("SELECT id FROM texts WHERE filed = 1 AND uses = 0")
            self._nearest = Nearest(
                filed,
                self._tail(filed is not None),
                np.array([number for (number,) in dead], dtype=np.int64),
                self._rows,
            )
        return self._nearest

    def _tail(self, filed: bool) -> nearest.Flat | None:
        """What the vector file does not hold, or everything where there is none."""
        where = "t.uses > 0 AND t.ready = 1" + (" AND t.filed = 0" if filed else "")
        return nearest.flat(chain(self._vectors(where), sorted(self._lent_tail.items(), key=lambda pair: pair[0])))

    def _filed(self) -> nearest.Flat | nearest.Coded | None:
        self.read_ahead()
        if self._reading is None:
            return None
        try:
            return self._reading.searchable()
        except vector_file.FileDamaged:
            self._warn_of_file()
            return None

    def _vectors(self, where: str) -> Iterator[tuple[int, Matrix]]:
        with translated():
            cursor = self._connection.execute(
                "SELECT t.id, v.rows, v.data, v.crc FROM texts t JOIN vectors v ON v.text = t.id"
                f" WHERE {where} ORDER BY t.id"
            )
            for number, count, data, crc in cursor:
                yield number, codec.unpack_matrix(count, data, crc)

    def vectors(self, ids: Sequence[PassageId]) -> dict[PassageId, Matrix]:
        """The unit rows (k, d) of each passage that has a vector, in the order of `ids`."""
        texts = dict(self._all(f"SELECT id, text FROM passages WHERE id {_IN}", json.dumps(list(ids))))
        held = self._rows(texts.values())
        read = {PassageId(number): held[text] for number, text in texts.items() if text in held}
        if self._lent:
            lent = self._lent
            read |= {PassageId(i): lent[t] for i, t in texts.items() if i not in read and t in lent}
        return {number: read[number] for number in ids if number in read}

    def _rows(self, texts: Collection[int]) -> dict[int, Matrix]:
        """The unit rows (k, d) of each text that has a vector; kept, since what was near once often is again."""
        if len(self._kept) > _KEPT:
            self._kept.clear()
        missing = [text for text in texts if text not in self._kept]
        if missing:
            found = self._all(f"SELECT text, rows, data, crc FROM vectors WHERE text {_IN}", json.dumps(missing))
            self._kept |= {text: codec.unpack_matrix(*row) for text, *row in found}
        return {text: self._kept[text] for text in texts if text in self._kept}

    def concepts(self) -> Concepts:
        """The vocabulary's concepts that these notes name; read once."""
        if self._concepts is None:
            self._concepts = self._read_concepts()
        return self._concepts

    def _read_concepts(self) -> Concepts:
        found = self._all("SELECT names, data, crc FROM centres")
        both: dict[str, tuple[Matrix, Matrix]] = {}
        if found:
            listed, data, crc = found[0]
            names: list[str] = codec.unpacked(listed)
            matrix = codec.unpack_matrix(2 * len(names), data, crc ^ codec.checksum(listed))
            if not self._lent_concepts:
                return Concepts(tuple(names), matrix[: len(names)], matrix[len(names) :])
            both = {name: (matrix[n], matrix[len(names) + n]) for n, name in enumerate(names)}
        both |= {name: (matrix[0], codec.centre(matrix[1:])) for name, matrix in self._lent_concepts.items()}
        if not both:
            nothing = np.zeros((0, 0), dtype=np.float32)
            return Concepts((), nothing, nothing)
        named, middles = zip(*(both[name] for name in sorted(both)), strict=True)
        return Concepts(tuple(sorted(both)), np.stack(named), np.stack(middles))

    def concept_rows(self, names: Sequence[str]) -> dict[str, Matrix]:
        """The unit rows (k, d) of each concept's sentences."""
        found = self._all(f"SELECT concept, rows, data, crc FROM concepts WHERE concept {_IN}", json.dumps(list(names)))
        read = {name: codec.unpack_matrix(count, data, crc) for name, count, data, crc in found}
        return read | {name: self._lent_concepts[name][1:] for name in names if name in self._lent_concepts}

    def likely_concepts(self, terms: Sequence[str], limit: int) -> list[str]:
        """The concepts whose sentences say most of these terms, by summed BM25, whether or not they have vectors."""
        weights = self._weights(terms)
        return sorted(weights, key=lambda concept: (-weights[concept], concept))[:limit]

    def concept_weights(self, terms: Sequence[str]) -> dict[str, float]:
        """Concept → the summed BM25 of these terms in its sentences; those that hold none are left out."""
        known = self.concepts().place
        return {concept: weight for concept, weight in self._weights(terms).items() if concept in known}

    def _weights(self, terms: Sequence[str]) -> dict[str, float]:
        if len(self._words_kept) > _KEPT:
            self._words_kept.clear()
        missing = [term for term in terms if term not in self._words_kept]
        if missing:
            self._words_kept |= {term: [] for term in missing}
            for term, concept, weight, _ in self._words(f"term {_IN}", json.dumps(missing)):
                self._words_kept[term].append((concept, weight))
        weights: dict[str, float] = {}
        for term in sorted(set(terms)):
            for concept, weight in self._words_kept[term]:
                weights[concept] = weights.get(concept, 0.0) + weight
        return weights

    def concept_names(self, names: Sequence[str]) -> list[tuple[str, str, float]]:
        """(concept, term, share of the concept's names that hold the term), by concept and term."""
        found = self._words(f"concept {_IN} AND named > 0", json.dumps(list(names)))
        return sorted((concept, term, named) for term, concept, _, named in found)

    def _words(self, where: str, value: str) -> list[tuple[str, str, float, float]]:
        found = self._all(f"SELECT term, concept, weight, named, crc FROM concept_words WHERE {where}", value)
        if any(codec.word_sum(*row) != crc for *row, crc in found):
            raise IndexDamaged("a word of a concept")
        return [(term, concept, weight, named) for term, concept, weight, named, _ in found]

    def concept_topics(self, names: Sequence[str]) -> list[tuple[str, str, bool]]:
        """(concept, topic key, whether the concept's name is the whole of the topic's), by concept and key."""
        found = self._all(f"SELECT key, concept, whole, crc FROM matches WHERE concept {_IN}", json.dumps(list(names)))
        if any(codec.match_sum(key, concept, whole) != crc for key, concept, whole, crc in found):
            raise IndexDamaged("a concept")
        return sorted((concept, key, bool(whole)) for key, concept, whole, _ in found)


def _leading(scores: dict[int, float], limit: int) -> dict[int, float]:
    """The `limit` best texts and what ties with the last, every text that is searched has a passage; all where they are
    not many more, which costs less than to leave some out."""
    if len(scores) <= 2 * limit:
        return scores
    cut = round(sorted(scores.values(), reverse=True)[limit - 1], 6)
    return {text: score for text, score in scores.items() if round(score, 6) >= cut}


def _best(scores: dict[int, float], users: Mapping[int, list[_Place]], limit: int) -> dict[PassageId, float]:
    """The about `limit` best passages, those of equal score by path and line."""
    rounded = np.round(np.fromiter(scores.values(), dtype=np.float64, count=len(scores)), 6).tolist()
    ordered = [(-score, at) for text, score in zip(scores, rounded, strict=True) for at in users.get(text, ())]
    ordered.sort(key=itemgetter(0))
    ordered.sort()  # in order but for ties, so that next to no places are compared
    whole = len(ordered)
    if whole > limit:
        whole = bisect_right(ordered, ordered[limit - 1][0], key=itemgetter(0))
    return {PassageId(place[2]): -score for score, place in ordered[:whole]}
