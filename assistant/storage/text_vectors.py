"""The vectors of one committed state and those a reader computed for itself, by text."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from assistant.storage import codec
from assistant.storage.backend import IN_LIST, Snapshot
from assistant.storage.nearest import Matrix
from assistant.storage.read_cache import ReadCache

CACHED = 20_000
"""Texts whose rows and places are cached at most; about 30 MB of rows."""


@dataclass(slots=True)
class LentVectors:
    """Vectors computed by a reader for texts that have none in the index."""

    by_text: dict[int, Matrix] = field(default_factory=dict)
    """The unit rows (k, d) of each text."""
    passages: int = 0
    """Passages that use one of these texts."""

    def add(self, text: int, matrix: Matrix, uses: int) -> None:
        """`uses`: by how many passages."""
        self.by_text[text] = matrix
        self.passages += uses


class TextVectors:
    """Reads vectors when they are first asked for. IndexDamaged where one is not what was written."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.lent = LentVectors()
        self.dimension: int | None = None
        """Of all vectors; None before the first was read."""
        self._snapshot = snapshot
        self._rows = ReadCache(self._read_rows, CACHED)

    def of(self, texts: Collection[int]) -> dict[int, Matrix]:
        """The unit rows (k, d) of those of these texts that have any, lent ones too."""
        lent = self.lent.by_text
        return {**self._rows.of(texts), **{text: lent[text] for text in texts if text in lent}}

    def stored(self, texts: Collection[int]) -> dict[int, Matrix]:
        """As `of`, without the lent ones."""
        return self._rows.of(texts)

    def where(self, where: str) -> Iterator[tuple[int, Matrix]]:
        """Text and unit rows of the stored vectors of those texts `t` that meet an SQL condition, by id."""
        return self._unpacked(
            self._snapshot.each(
                "SELECT t.id, v.rows, v.data, v.crc FROM texts t JOIN vectors v ON v.text = t.id"
                f" WHERE {where} ORDER BY t.id"
            )
        )

    def _read_rows(self, texts: list[int]) -> dict[int, Matrix]:
        sql = f"SELECT text, rows, data, crc FROM vectors WHERE text {IN_LIST}"
        return dict(self._unpacked(self._snapshot.rows(sql, texts)))

    def _unpacked(self, rows: Iterable[Any]) -> Iterator[tuple[int, Matrix]]:
        """Text and unit rows (k, d), from rows of text, rows, data, crc."""
        for text, *matrix in rows:
            unpacked = codec.unpack_matrix(*matrix, dimension=self.dimension)
            self.dimension = unpacked.shape[1]
            yield text, unpacked
