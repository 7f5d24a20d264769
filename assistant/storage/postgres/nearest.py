"""Search for the nearest texts in the database: by half-precision codes, and by the texts' own rows where it counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from assistant.storage.backend import Users
from assistant.storage.nearest import SLIP, Exact, Ids, Matrix, by_codes, scored

HNSW_FROM = 50_000
"""Rows from which an HNSW index finds the nearest; below, all codes are compared, and nothing is missed."""
HNSW_LONGEST = 4000
"""Numbers of a vector at most that pgvector makes an HNSW index of."""
HNSW_MOST = 1000
"""The longest list that pgvector's HNSW keeps (`hnsw.ef_search`)."""
_EF_SEARCH = 40
"""The shortest, which is pgvector's own default."""
_WIDER = 2
"""How many times as many codes HNSW is asked for as rows are wanted: what it misses is mostly at the end."""
_ORDERED: dict[Users, str] = {
    "uses": "SELECT text, code <#> ?::halfvec FROM passage_codes ORDER BY 2 LIMIT ?",
    "chunks": "SELECT text, code <#> ?::halfvec FROM chunk_codes ORDER BY 2 LIMIT ?",
}
_ORDERED_OF: dict[Users, str] = {
    "uses": "SELECT text, code <#> ?::halfvec FROM passage_codes WHERE text = ANY(?) ORDER BY 2 LIMIT ?",
    "chunks": "SELECT text, code <#> ?::halfvec FROM chunk_codes WHERE text = ANY(?) ORDER BY 2 LIMIT ?",
}
# One statement, since a connection may be lost between two: the list's length is set before the index is searched, as
# the search waits for a value of it. The index is on an expression with the vectors' length in it, which no parameter
# can stand for.
_BY_INDEX = """
    SELECT near.text FROM (SELECT set_config('hnsw.ef_search', ?, true) AS length) AS list CROSS JOIN LATERAL (
        SELECT text FROM {}_codes WHERE list.length <> '' ORDER BY code::halfvec(DIMENSION) <#> ?::halfvec LIMIT ?
    ) AS near
"""
_IN_INDEX: dict[Users, str] = {"uses": _BY_INDEX.format("passage"), "chunks": _BY_INDEX.format("chunk")}

Run = Callable[..., list[Any]]


class Filing(NamedTuple):
    """The row that describes the codes; the table `filing` describes its columns."""

    dimension: int
    passages: int
    chunks: int
    passages_indexed: bool
    chunks_indexed: bool
    error: float


class Codes:
    """The codes of passages or of chunks of one committed state; a `Part`."""

    def __init__(self, rows: Run, users: Users, filing: Filing) -> None:
        """`rows` runs a query of the state."""
        self._rows = rows
        self._users: Users = users
        self._filing = filing
        self._by_index = filing.passages_indexed if users == "uses" else filing.chunks_indexed

    @property
    def size(self) -> int:
        """Rows."""
        return self._filing.passages if self._users == "uses" else self._filing.chunks

    @property
    def dimension(self) -> int:
        """Length of a row."""
        return self._filing.dimension

    def search(
        self, queries: Matrix, k: int, only: Ids | None, dead: Ids, exact: Exact
    ) -> tuple[list[dict[int, float]], Matrix]:
        """As `Part.search`; where HNSW searches, rows may be missing all the same. Nothing is ever `dead` here."""
        results, floors = [], []
        for query in queries:
            if self._by_index and only is None and _WIDER * k <= HNSW_MOST:
                best, floor = scored(query, exact(set(self._by_hnsw(query, _WIDER * k)))), -np.inf
            else:
                best, floor = self._by_all(query, k, only, exact)
            results.append(best)
            floors.append(floor)
        return results, np.array(floors, dtype=np.float32)

    def _by_all(self, query: Matrix, k: int, only: Ids | None, exact: Exact) -> tuple[dict[int, float], float]:
        half = query.astype(np.float16)
        error = self._filing.error + float(np.linalg.norm(query - half.astype(np.float32))) + 2 * SLIP
        packed = _literal(half)
        of = None if only is None else only.tolist()

        def leading(width: int) -> tuple[Matrix, Ids]:
            if of is None:
                rows = self._rows(_ORDERED[self._users], packed, width)
            else:
                rows = self._rows(_ORDERED_OF[self._users], packed, of, width)
            scores = np.array([-score for _, score in rows], dtype=np.float32)
            return scores, np.array([text for text, _ in rows], dtype=np.int64)

        return by_codes(query, k, self.size, error, leading, exact)

    def _by_hnsw(self, query: Matrix, width: int) -> list[int]:
        statement = _IN_INDEX[self._users].replace("DIMENSION", str(self.dimension))
        rows = self._rows(statement, str(max(width, _EF_SEARCH)), _literal(query.astype(np.float16)), width)
        return [text for (text,) in rows]


def _literal(half: Any) -> str:
    """A vector as pgvector reads it."""
    return "[" + ",".join(map(str, half.tolist())) + "]"


def halves(matrix: Matrix) -> tuple[Sequence[Any], float]:
    """The codes of rows (k, d), half-precision, and the largest distance of a row from its code."""
    half = matrix.astype(np.float16)
    return list(half), float(np.linalg.norm(matrix - half.astype(np.float32), axis=1).max())
