"""Exact search for the nearest texts: those of the vector file, those it does not hold yet, and the ids to skip."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from assistant.storage.backend import Part

Matrix = NDArray[np.float32]
Ids = NDArray[np.int64]
Exact = Callable[[Collection[int]], Mapping[int, Matrix]]
"""Ids of texts → the rows (k, d) that each was given."""

_ADDED_AT_ONCE = 4096
_WIDER = 4
"""How many times as many codes are looked at as rows are wanted, and again where that was not enough."""
SLIP = 1e-5
"""More than what single precision adds to a product of unit rows."""


def _faiss() -> Any:
    """Imported where it is first used: much that the store does needs no vectors. The types it ships are wrong."""
    import faiss

    # Its threads wait for each other in steps of 8 ms where another program is busy, however small the index, and the
    # last bits of a score depend on their number.
    faiss.omp_set_num_threads(1)
    return faiss


class _Filed:
    """A FAISS index that can be written to a file."""

    def __init__(self, index: Any, error: float) -> None:
        self.index = index
        self.error = error
        """How far a score by the index may be from a score by the rows."""

    @property
    def size(self) -> int:
        """Rows."""
        return int(self.index.ntotal)

    @property
    def dimension(self) -> int:
        """Length of a row."""
        return int(self.index.d)

    def write(self, path: Path) -> None:
        _faiss().write_index(self.index, str(path))


class Flat(_Filed):
    """One IndexIDMap2 over an IndexFlatIP; an id may occur in it several times."""

    def __init__(self, index: Any) -> None:
        super().__init__(index, 0.0)

    @classmethod
    def of(cls, dimension: int, rows: Iterable[tuple[int, Matrix]]) -> Flat:
        """From (id, rows (k, dimension)), in any order; the rows are copied."""
        faiss = _faiss()
        index = faiss.IndexIDMap2(faiss.IndexFlatIP(dimension))
        for ids, matrix in _gathered(rows):
            index.add_with_ids(matrix, ids)
        return cls(index)

    def search(
        self, queries: Matrix, k: int, only: Ids | None, dead: Ids, exact: Exact
    ) -> tuple[list[dict[int, float]], Matrix]:
        """Per query the best score of each text among its k nearest rows, and the score (queries,) at or below which
        rows may be missing (minus infinity where none are)."""
        scores, ids = self.index.search(queries, min(k, self.size), params=_selected(only, dead))
        floor = scores[:, -1] if k < self.size else np.full(len(queries), -np.inf, dtype=np.float32)
        return [_best(*pair) for pair in zip(scores.tolist(), ids.tolist(), strict=True)], floor


class Coded(_Filed):
    """One IndexIDMap2 over codes of eight bits for each number of a row: they say which texts may be near, and the
    texts' own rows how near they are.

    A row differs from its code by a vector no longer than `error`, and so does its product with a query, of length one,
    from the code's by no more: what falls behind by twice that cannot be among the nearest. Nothing is missed.
    """

    @classmethod
    def of(cls, dimension: int, rows: Callable[[], Iterable[tuple[int, Matrix]]]) -> Coded:
        """`rows` is called twice: for the range of the codes, then to encode them."""
        faiss = _faiss()
        most = max((float(np.abs(matrix).max()) for _, matrix in _gathered(rows())), default=0.0) or 1.0
        kind = faiss.ScalarQuantizer.QT_8bit_uniform
        codes = faiss.IndexScalarQuantizer(dimension, kind, faiss.METRIC_INNER_PRODUCT)
        codes.train(np.array([[-most], [most]], dtype=np.float32).repeat(dimension, axis=1))
        index = faiss.IndexIDMap2(codes)
        error = 0.0
        for ids, matrix in _gathered(rows()):
            index.add_with_ids(matrix, ids)
            off = matrix - codes.sa_decode(codes.sa_encode(matrix))
            error = max(error, float(np.linalg.norm(off, axis=1).max()))
        return cls(index, error + SLIP)

    def search(
        self, queries: Matrix, k: int, only: Ids | None, dead: Ids, exact: Exact
    ) -> tuple[list[dict[int, float]], Matrix]:
        """As `Flat` does; a query may get more than its k nearest rows."""
        results, floors = [], []
        for query in queries:
            leading = partial(self._leading, query[np.newaxis], _selected(only, dead))
            best, floor = by_codes(query, k, self.size, self.error, leading, exact)
            results.append(best)
            floors.append(floor)
        return results, np.array(floors, dtype=np.float32)

    def _leading(self, query: Matrix, selected: Any, width: int) -> tuple[Matrix, Ids]:
        coded, ids = self.index.search(query, width, params=selected)
        return coded[0][ids[0] >= 0], ids[0][ids[0] >= 0]


def by_codes(
    query: Matrix, k: int, size: int, error: float, leading: Callable[[int], tuple[Matrix, Ids]], exact: Exact
) -> tuple[dict[int, float], float]:
    """The best score of each text among the k rows (and more) nearest to the query (d,), and the score at or below
    which rows may be missing, of `size` rows that are known by codes: `leading` gives scores and texts of the so many
    nearest codes, best first, each no further than `error` from the row's score."""
    k = min(k, size)
    width, best = min(_WIDER * k, size), dict[int, float]()
    while True:
        near, texts = leading(width)
        whole = len(texts) < width or width == size
        best = best or scored(query, exact(set(texts[:k].tolist())))
        if whole and len(texts) <= k:
            return best, -np.inf
        # At least k rows come as near as the worst of these, so that no row behind it is among the k nearest.
        floor = min(best.values(), default=-1.0) - SLIP
        if whole or near[-1] < floor - error:
            rest = set(texts[near >= floor - error].tolist()) - best.keys()
            return best | scored(query, exact(rest)), floor
        width = min(_WIDER * width, size)


def read(path: str, error: float) -> Flat | Coded:
    """What was written with that error; RuntimeError where FAISS cannot read it."""
    index = _faiss().read_index(path)
    return Coded(index, error) if error else Flat(index)


def flat(rows: Iterable[tuple[int, Matrix]]) -> Flat | None:
    """An index of the rows; None where there are none."""
    iterator = iter(rows)
    first = next(iterator, None)
    if first is None:
        return None
    return Flat.of(first[1].shape[1], chain([first], iterator))


def _selected(only: Ids | None, dead: Ids) -> Any:
    """What restricts a search to these ids, or to all but these; None where nothing does."""
    faiss = _faiss()
    if only is not None:
        bits = _bits(only)
        return faiss.SearchParameters(sel=faiss.IDSelectorBitmap(bits))
    if len(dead):
        bits = _bits(dead)
        return faiss.SearchParameters(sel=faiss.IDSelectorNot(faiss.IDSelectorBitmap(bits)))
    return None


def _bits(numbers: Ids) -> NDArray[np.uint8]:
    members = np.zeros(int(numbers.max(initial=0)) + 1, dtype=np.bool_)
    members[numbers] = True
    return np.packbits(members, bitorder="little")


def _gathered(rows: Iterable[tuple[int, Matrix]]) -> Iterator[tuple[Ids, Matrix]]:
    ids: list[int] = []
    matrices: list[Matrix] = []
    for number, matrix in rows:
        ids.extend([number] * len(matrix))
        matrices.append(matrix)
        if len(ids) >= _ADDED_AT_ONCE:
            yield np.array(ids, dtype=np.int64), np.concatenate(matrices)
            ids, matrices = [], []
    if ids:
        yield np.array(ids, dtype=np.int64), np.concatenate(matrices)


def scored(query: Matrix, rows: Mapping[int, Matrix]) -> dict[int, float]:
    """The best product of the query (d,) with each text's rows, to the last bit as `Flat` would give it."""
    if not rows:
        return {}
    part = Flat.of(len(query), rows.items())
    scores, ids = part.index.search(query[np.newaxis], part.size)
    return _best(scores[0].tolist(), ids[0].tolist())


def _best(scores: Sequence[float], ids: Sequence[int]) -> dict[int, float]:
    """The best score of each id, where scores come best first; -1 stands for none."""
    best = dict(zip(reversed(ids), reversed(scores), strict=True))
    best.pop(-1, None)
    return best


@dataclass(frozen=True, slots=True)
class Nearest:
    """Everything that is searched: `filed` less `dead` or but its `members`, and the `tail` that came after it."""

    filed: Part | None
    tail: Part | None
    dead: Ids
    exact: Exact
    """Of what `filed` holds."""
    members: Ids | None = None
    """What alone of `filed` is searched; None for all of it but `dead`."""

    @property
    def size(self) -> int:
        """Rows of both parts."""
        return sum(part.size for part in (self.filed, self.tail) if part is not None)

    @property
    def dimensions(self) -> list[int]:
        """The length of a row in each part."""
        return [part.dimension for part in (self.filed, self.tail) if part is not None]

    def search(
        self, queries: Matrix, k: int, only: Collection[int] | None = None
    ) -> tuple[list[dict[int, float]], Matrix]:
        """Per query the best score of each text among its k nearest rows of either part, and the score (queries,) at or
        below which rows may be missing (minus infinity where none are)."""
        results: list[dict[int, float]] = [{} for _ in queries]
        floor = np.full(len(queries), -np.inf, dtype=np.float32)
        chosen = None if only is None else np.fromiter(only, dtype=np.int64)
        of_filed = self.members if chosen is None else chosen
        for part, those, dead in ((self.filed, of_filed, self.dead), (self.tail, chosen, self.dead[:0])):
            if part is None or part.size == 0:
                continue
            scored, missing = part.search(queries, k, those, dead, self.exact)
            floor = np.maximum(floor, missing)
            for place, (best, each) in enumerate(zip(results, scored, strict=True)):
                results[place] = each | {n: s for n, s in best.items() if s > each.get(n, -np.inf)}
        return results, floor
