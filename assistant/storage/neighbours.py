"""Passages, or chunks, whose texts come nearest to a question's: exact, and in an order of their own where they tie."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Mapping
from dataclasses import replace
from itertools import chain
from operator import itemgetter
from typing import NamedTuple

import numpy as np

from assistant.storage import codec, nearest
from assistant.storage.backend import IN_LIST, Snapshot, Users
from assistant.storage.errors import IndexDamaged
from assistant.storage.nearest import Matrix, Nearest
from assistant.storage.read_cache import ReadCache
from assistant.storage.state import SEARCHED
from assistant.storage.text_vectors import CACHED, TextVectors

_Place = tuple[str, int, int]
"""Path, line and id of a passage or chunk."""


class Owners(NamedTuple):
    """What is looked for: rows of a table that stand for a text each."""

    users: Users
    """The column of `texts` that counts them."""
    texts_of: str
    """The SQL of the texts of some owners, a list of ids."""
    places_of: str
    """The SQL of the places of all owners of some texts, a list of ids."""


PASSAGES = Owners(
    "uses",
    f"SELECT DISTINCT text FROM passages WHERE id {IN_LIST}",
    f"SELECT o.text, n.path, o.start, o.id FROM passages o JOIN notes n ON n.id = o.note WHERE o.text {IN_LIST}",
)
CHUNKS = Owners(
    "chunks",
    f"SELECT DISTINCT text FROM chunks WHERE id {IN_LIST}",
    f"SELECT o.text, n.path, o.start, o.id FROM chunks o JOIN notes n ON n.id = o.note WHERE o.text {IN_LIST}",
)


class Neighbours:
    """Search among the passages or the chunks of one committed state."""

    def __init__(self, snapshot: Snapshot, vectors: TextVectors, owners: Owners) -> None:
        self._snapshot = snapshot
        self._vectors = vectors
        self._owners = owners
        self._nearest: Nearest | None = None
        self._places = ReadCache(self._read_places, CACHED)

    def lent_changed(self) -> None:
        """Has vectors that were lent since searched too."""
        if self._nearest is not None:
            self._nearest = replace(self._nearest, tail=self._tail(self._nearest.filed is not None))

    def near(self, queries: Matrix, limit: int, only: Collection[int] | None) -> list[dict[int, float]]:
        """For each of `queries` (q, d) the cosines of the about `limit` nearest owners (of `only`) by id, best first,
        then by path and line."""
        index = self._searchable()
        if index.size == 0 or limit < 1 or len(queries) == 0 or (only is not None and not only):
            return [{} for _ in queries]
        queries = np.ascontiguousarray(queries, dtype=np.float32)
        if {*index.dimensions, self._vectors.dimension or queries.shape[1]} != {queries.shape[1]}:
            raise IndexDamaged("a vector")
        texts = None if only is None else self._texts_of(only)
        k = limit + 8
        while True:
            scores, floor = index.search(queries, k, texts)
            scores = [_leading(each, limit) for each in scores]
            places = self._places_of({text for each in scores for text in each}, only)
            results = [_best(each, places, limit) for each in scores]
            complete = (
                len(each) >= limit and min(each.values()) > missing + 2e-6
                for each, missing in zip(results, floor.tolist(), strict=True)
            )
            if k >= index.size or all(complete):
                return results
            k *= 4

    def _texts_of(self, only: Collection[int]) -> list[int]:
        rows = self._snapshot.rows(self._owners.texts_of, sorted(only))
        return [text for (text,) in codec.typed("a text", rows, int)]

    def _places_of(self, texts: set[int], only: Collection[int] | None) -> Mapping[int, list[_Place]]:
        """The places of the owners (of `only`) of each text."""
        places = self._places.of(texts)
        if only is None:
            return places
        allowed = frozenset(only)
        return {text: [place for place in of_text if place[2] in allowed] for text, of_text in places.items()}

    def _read_places(self, texts: list[int]) -> dict[int, list[_Place]]:
        rows = self._snapshot.rows(self._owners.places_of, texts)
        places: dict[int, list[_Place]] = {text: [] for text in texts}
        for text, *place in codec.typed("a place", rows, int, str, int, int):
            places[text].append((place[0], place[1], place[2]))
        return places

    def _searchable(self) -> Nearest:
        if self._nearest is None:
            filed = self._snapshot.filed(self._owners.users)
            tail = self._tail(filed.part is not None)
            self._nearest = Nearest(filed.part, tail, filed.dead, self._vectors.stored, filed.members)
        return self._nearest

    def _tail(self, filed: bool) -> nearest.Flat | None:
        """What was not filed, or everything where there is none."""
        count = self._owners.users
        stored = self._vectors.where(f"{SEARCHED} AND {count} > 0" + (" AND filed = 0" if filed else ""))
        lent = self._vectors.lent.by_text
        sql = f"SELECT id FROM texts WHERE {count} > 0 AND id {IN_LIST} ORDER BY id"
        owned = self._snapshot.rows(sql, list(lent)) if lent else []
        return nearest.flat(chain(stored, ((number, lent[number]) for (number,) in owned)))


def _leading(scores: dict[int, float], limit: int) -> dict[int, float]:
    """The `limit` best texts and those that tie with the last (every text that is searched has an owner); all of them
    where they are not many more, which costs less than to leave some out."""
    if len(scores) <= 2 * limit:
        return scores
    cut = round(sorted(scores.values(), reverse=True)[limit - 1], 6)
    return {text: score for text, score in scores.items() if round(score, 6) >= cut}


def _best(scores: dict[int, float], places: Mapping[int, list[_Place]], limit: int) -> dict[int, float]:
    """The about `limit` best owners, those of equal score by path and line."""
    rounded = np.round(np.fromiter(scores.values(), dtype=np.float64, count=len(scores)), 6).tolist()
    ordered = [(-score, at) for text, score in zip(scores, rounded, strict=True) for at in places.get(text, ())]
    ordered.sort(key=itemgetter(0))
    ordered.sort()  # in order but for ties, so that next to no places are compared
    count = len(ordered)
    if count > limit:
        count = bisect_right(ordered, ordered[limit - 1][0], key=itemgetter(0))
    return {place[2]: -score for score, place in ordered[:count]}
