"""The vectors of one committed state and those a reader computed for itself: search, and the rows of passages."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from operator import itemgetter
from typing import Any

import numpy as np

from assistant.records import PassageId
from assistant.storage import codec, nearest, vector_file
from assistant.storage.database import IN_LIST
from assistant.storage.errors import IndexDamaged
from assistant.storage.nearest import Matrix, Nearest
from assistant.storage.read_cache import ReadCache
from assistant.storage.schema import TextId
from assistant.storage.snapshot import Snapshot

CACHED = 20_000
"""Texts whose rows and passages are cached at most; about 30 MB of rows."""
_Place = tuple[str, int, int]
"""Path, line and id of a passage."""


@dataclass(slots=True)
class LentVectors:
    """Vectors computed by a reader for texts that have none in the index."""

    by_text: dict[int, Matrix] = field(default_factory=dict)
    """The unit rows (k, d) of each text."""
    of_passages: dict[int, Matrix] = field(default_factory=dict)
    """Those of texts that passages use."""
    passages: int = 0
    """Passages that use one of these texts."""

    def add(self, text: int, matrix: Matrix, uses: int) -> None:
        """`uses`: by how many passages; 0 for a text of the vocabulary alone."""
        self.by_text[text] = matrix
        if uses:
            self.of_passages[text] = matrix
        self.passages += uses


class VectorReader:
    """Reads vectors when they are first asked for; the contracts are those of `Store`."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.lent = LentVectors()
        self._snapshot = snapshot
        self._nearest: Nearest | None = None
        self._loading: vector_file.Loading | None = None
        self._dimension: int | None = None
        """Of all vectors; None before the first was read."""
        self._rows = ReadCache(self._read_rows, CACHED)
        self._users = ReadCache(self._read_users, CACHED)

    @property
    def pending(self) -> int:
        return self._snapshot.state.pending - self.lent.passages

    def lacking(self, ids: Sequence[PassageId], concepts: Sequence[str]) -> list[tuple[TextId, str]]:
        of_passages = self._snapshot.rows(
            "SELECT DISTINCT t.id, t.text FROM passages p JOIN texts t ON t.id = p.text WHERE t.ready = 0"
            f" AND p.id {IN_LIST} ORDER BY t.id",
            json.dumps(list(ids)),
        )
        of_concepts = self._snapshot.rows(
            "SELECT DISTINCT t.id, t.text FROM sentences s JOIN texts t ON t.id = s.text WHERE t.ready = 0"
            f" AND s.concept {IN_LIST} ORDER BY t.id",
            json.dumps(list(concepts)),
        )
        texts = dict(codec.typed("a text", [*of_passages, *of_concepts], int, str))
        return [(TextId(number), text) for number, text in texts.items() if number not in self.lent.by_text]

    def lend(self, vectors: Mapping[TextId, Matrix]) -> bool:
        """As `Store.lend`; whether any of the texts is used by the vocabulary alone."""
        new = json.dumps([number for number in vectors if number not in self.lent.by_text])
        rows = self._snapshot.rows(f"SELECT id, uses FROM texts WHERE ready = 0 AND id {IN_LIST}", new)
        uses = dict(codec.typed("a text", rows, int, int))
        for number, count in uses.items():
            self.lent.add(number, vectors[TextId(number)], count)
        if self._nearest is not None:
            self._nearest = replace(self._nearest, tail=self._tail(self._nearest.filed is not None))
        return not all(uses.values())

    def nearest_passages(
        self, queries: Matrix, limit: int, only: Collection[PassageId] | None
    ) -> list[dict[PassageId, float]]:
        index = self._searchable()
        if index.size == 0 or limit < 1 or len(queries) == 0 or (only is not None and not only):
            return [{} for _ in queries]
        queries = np.ascontiguousarray(queries, dtype=np.float32)
        if {*index.dimensions, self._dimension or queries.shape[1]} != {queries.shape[1]}:
            raise IndexDamaged("a vector")
        texts = None
        if only is not None:
            rows = self._snapshot.rows(
                f"SELECT DISTINCT text FROM passages WHERE id {IN_LIST}", json.dumps(sorted(only))
            )
            texts = [text for (text,) in codec.typed("a passage", rows, int)]
        k = limit + 8
        while True:
            scores, floor = index.search(queries, k, texts)
            scores = [_leading(each, limit) for each in scores]
            users = self._users_of({text for each in scores for text in each}, only)
            results = [_best(each, users, limit) for each in scores]
            complete = (
                len(each) >= limit and min(each.values()) > missing + 2e-6
                for each, missing in zip(results, floor.tolist(), strict=True)
            )
            if k >= index.size or all(complete):
                return results
            k *= 4

    def _users_of(self, texts: set[int], only: Collection[PassageId] | None) -> Mapping[int, list[_Place]]:
        """The places of the passages (of `only`) that use each text."""
        users = self._users.of(texts)
        if only is None:
            return users
        allowed = frozenset(only)
        return {text: [place for place in places if place[2] in allowed] for text, places in users.items()}

    def _read_users(self, texts: list[int]) -> dict[int, list[_Place]]:
        rows = self._snapshot.rows(
            "SELECT p.text, n.path, p.start, p.id FROM passages p JOIN notes n ON n.id = p.note"
            f" WHERE p.text {IN_LIST}",
            json.dumps(texts),
        )
        users: dict[int, list[_Place]] = {text: [] for text in texts}
        for text, *place in codec.typed("a passage", rows, int, str, int, int):
            users[text].append((place[0], place[1], place[2]))
        return users

    def read_ahead(self) -> None:
        descriptor = self._snapshot.take_vector_file()
        if descriptor is not None:
            self._loading = vector_file.Loading(descriptor, self._snapshot.state.file)
            self._loading.start()

    def close(self) -> None:
        """Waits for the vector file where it is being read."""
        if self._loading is not None:
            self._loading.join()

    def _searchable(self) -> Nearest:
        if self._nearest is None:
            filed = self._filed()
            dead = [] if filed is None else self._snapshot.rows("SELECT id FROM texts WHERE filed = 1 AND uses = 0")
            self._nearest = Nearest(
                filed,
                self._tail(filed is not None),
                np.array([number for (number,) in dead], dtype=np.int64),
                self._rows.of,
            )
        return self._nearest

    def _tail(self, filed: bool) -> nearest.Flat | None:
        """What the vector file does not hold, or everything where there is none."""
        where = "t.uses > 0 AND t.ready = 1" + (" AND t.filed = 0" if filed else "")
        stored = self._snapshot.each(
            "SELECT t.id, v.rows, v.data, v.crc FROM texts t JOIN vectors v ON v.text = t.id"
            f" WHERE {where} ORDER BY t.id"
        )
        return nearest.flat(chain(self._unpacked(stored), sorted(self.lent.of_passages.items(), key=itemgetter(0))))

    def _filed(self) -> nearest.Flat | nearest.Coded | None:
        """What the vector file holds; None where there is none or it is damaged, which is reported."""
        self.read_ahead()
        if self._loading is None:
            return None
        try:
            return self._loading.searchable()
        except vector_file.FileDamaged:
            self._snapshot.report_vector_file()
            return None

    def vectors(self, ids: Sequence[PassageId]) -> dict[PassageId, Matrix]:
        rows = self._snapshot.rows(f"SELECT id, text FROM passages WHERE id {IN_LIST}", json.dumps(list(ids)))
        texts = dict(codec.typed("a passage", rows, int, int))
        matrices = {**self.lent.by_text, **self._rows.of(texts.values())}
        return {number: matrices[texts[number]] for number in ids if texts.get(number) in matrices}

    def _read_rows(self, texts: list[int]) -> dict[int, Matrix]:
        sql = f"SELECT text, rows, data, crc FROM vectors WHERE text {IN_LIST}"
        return dict(self._unpacked(self._snapshot.rows(sql, json.dumps(texts))))

    def _unpacked(self, rows: Iterable[Any]) -> Iterator[tuple[int, Matrix]]:
        """Text and unit rows (k, d), from rows of text, rows, data, crc."""
        for text, *matrix in rows:
            unpacked = codec.unpack_matrix(*matrix, dimension=self._dimension)
            self._dimension = unpacked.shape[1]
            yield text, unpacked


def _leading(scores: dict[int, float], limit: int) -> dict[int, float]:
    """The `limit` best texts and those that tie with the last (every text that is searched has a passage); all of them
    where they are not many more, which costs less than to leave some out."""
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
    count = len(ordered)
    if count > limit:
        count = bisect_right(ordered, ordered[limit - 1][0], key=itemgetter(0))
    return {PassageId(place[2]): -score for score, place in ordered[:count]}
