"""Full text of one committed state: candidates by BM25, and in how many passages a term occurs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from assistant.records import PassageId
from assistant.storage import codec
from assistant.storage.backend import IN_LIST, Snapshot

_NO_TIE = ("", 0, 0)


class FullText:
    """The contracts are those of `Store`."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def bm25_candidates(self, terms: Sequence[str], limit: int, only: Collection[PassageId] | None) -> list[PassageId]:
        if not terms or limit < 1 or (only is not None and not only):
            return []
        terms = list(dict.fromkeys(terms))
        rows = self._snapshot.ranked(terms, only, limit=2 * limit)
        if len(rows) > limit:
            cut = rows[limit - 1][1]
            if rows[-1][1] > cut or len(rows) < 2 * limit:
                rows = [row for row in rows if row[1] <= cut]
            else:  # so many tie that it takes a second search
                rows = self._snapshot.ranked(terms, only, worst=cut)
        ties = {score for score, many in Counter(score for _, score in rows).items() if many > 1}
        places = self._places([number for number, score in rows if score in ties]) if ties else {}
        rows.sort(key=lambda row: (row[1], places.get(row[0], _NO_TIE)))
        return [PassageId(number) for number, _ in rows]

    def _places(self, ids: list[int]) -> dict[int, tuple[str, int, int]]:
        """Path, line and id of each passage."""
        rows = self._snapshot.rows(
            f"SELECT p.id, n.path, p.start FROM passages p JOIN notes n ON n.id = p.note WHERE p.id {IN_LIST}",
            ids,
        )
        return {number: (path, start, number) for number, path, start in codec.typed("a passage", rows, int, str, int)}

    def frequencies(self, terms: Sequence[str]) -> dict[str, int]:
        rows = self._snapshot.rows(f"SELECT term, n, crc FROM frequencies WHERE term {IN_LIST}", list(terms))
        counts = codec.unpack_frequencies(rows)
        return {term: counts.get(term, 0) for term in terms}
