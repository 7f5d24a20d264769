"""The vectors of passages and chunks of one committed state: search, their rows, and what lacks them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeVar, cast

from assistant.records import ChunkId, PassageId
from assistant.storage import codec
from assistant.storage.backend import IN_LIST, Snapshot
from assistant.storage.nearest import Matrix
from assistant.storage.neighbours import CHUNKS, PASSAGES, Neighbours
from assistant.storage.state import TextId
from assistant.storage.text_vectors import TextVectors

Id = TypeVar("Id", PassageId, ChunkId)


class VectorReader:
    """The contracts are those of `Store`."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._vectors = TextVectors(snapshot)
        self.lent = self._vectors.lent
        self._near_passages = Neighbours(snapshot, self._vectors, PASSAGES)
        self._near_chunks = Neighbours(snapshot, self._vectors, CHUNKS)

    @property
    def pending(self) -> int:
        return self._snapshot.state.pending - self.lent.passages

    def lacking(self, ids: Sequence[PassageId], concepts: Sequence[str]) -> list[tuple[TextId, str]]:
        of_passages = self._snapshot.rows(
            "SELECT DISTINCT t.id, t.text FROM passages p JOIN texts t ON t.id = p.text WHERE t.ready = 0"
            f" AND p.id {IN_LIST} ORDER BY t.id",
            list(ids),
        )
        of_concepts = self._snapshot.rows(
            "SELECT DISTINCT t.id, t.text FROM sentences s JOIN texts t ON t.id = s.text WHERE t.ready = 0"
            f" AND s.concept {IN_LIST} ORDER BY t.id",
            list(concepts),
        )
        texts = dict(codec.typed("a text", [*of_passages, *of_concepts], int, str))
        return [(TextId(number), text) for number, text in texts.items() if number not in self.lent.by_text]

    def lend(self, vectors: Mapping[TextId, Matrix]) -> bool:
        """As `Store.lend`; whether any of the texts is not of a passage."""
        new = [number for number in vectors if number not in self.lent.by_text]
        rows = self._snapshot.rows(f"SELECT id, uses FROM texts WHERE ready = 0 AND id {IN_LIST}", new)
        uses = dict(codec.typed("a text", rows, int, int))
        for number, count in uses.items():
            self.lent.add(number, vectors[TextId(number)], count)
        self._near_passages.lent_changed()
        self._near_chunks.lent_changed()
        return not all(uses.values())

    def nearest_passages(
        self, queries: Matrix, limit: int, only: Collection[PassageId] | None
    ) -> list[dict[PassageId, float]]:
        return cast("list[dict[PassageId, float]]", self._near_passages.near(queries, limit, only))

    def nearest_chunks(
        self, queries: Matrix, limit: int, only: Collection[PassageId] | None
    ) -> list[dict[ChunkId, float]]:
        around: list[int] | None = None
        if only is not None:
            sql = f"SELECT DISTINCT chunk FROM passages WHERE id {IN_LIST}"
            rows = self._snapshot.rows(sql, sorted(only))
            around = [chunk for (chunk,) in codec.typed("a passage", rows, int)]
        return cast("list[dict[ChunkId, float]]", self._near_chunks.near(queries, limit, around))

    def read_ahead(self) -> None:
        self._snapshot.read_ahead()

    def vectors(self, ids: Sequence[PassageId]) -> dict[PassageId, Matrix]:
        rows = self._snapshot.rows(f"SELECT id, text FROM passages WHERE id {IN_LIST}", list(ids))
        return self._of(rows, ids)

    def chunk_vectors(self, ids: Sequence[ChunkId]) -> dict[ChunkId, Matrix]:
        rows = self._snapshot.rows(f"SELECT id, text FROM chunks WHERE id {IN_LIST}", list(ids))
        return self._of(rows, ids)

    def _of(self, rows: list[Any], ids: Sequence[Id]) -> dict[Id, Matrix]:
        texts = dict(codec.typed("a text", rows, int, int))
        matrices = self._vectors.of(texts.values())
        return {number: matrices[texts[number]] for number in ids if texts.get(number) in matrices}
