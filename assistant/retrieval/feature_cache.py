"""Columnar cache of the features by which passages and chunks are scored: unit rows, terms, lengths.

A question scores some two hundred passages. Fetching their features passage by passage takes longer than scoring them,
so each feature is kept in one array that only grows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.records import ChunkId, Passage, PassageId
from assistant.storage import StoredChunk
from assistant.text.tokenizer import terms

Floats = NDArray[np.float32]
Places = NDArray[np.intp]

PASSAGE_TERMS, CHUNK_TERMS = 16.0, 64.0
"""Terms of a middling passage and chunk: fixed, so that scores do not hang on which candidates there are."""
HEADING = 0.5
"""How often a heading's word counts; below 1, by which `scoring.suggested` tells it from a word of the text."""


@dataclass(frozen=True, slots=True)
class IndexedPassage:
    """A passage as it is scored; kept while the store is open."""

    place: int
    """In the columns."""
    passage: Passage
    terms: frozenset[str]
    """The terms of its label and text."""
    heading_terms: frozenset[str]
    """Those of its headings, the title aside."""


@dataclass(frozen=True, slots=True)
class FeatureBatch:
    """The rows and the words of some passages, those of one below those of the other."""

    size: int
    """Of all passages, those without a row too."""
    held: Places
    """(held,): the places of those that have rows."""
    starts: Places
    """(held,): where in `matrix` the rows of each of these begin."""
    matrix: Floats | None
    """(rows, d); None where there are none."""
    owners: Places
    """(words,): the place of the passage that says each."""
    numbers: Places
    """(words,): the numbers of the terms, each once a passage."""
    counts: Floats
    """(words,): how often each stands there; a heading's counts half."""
    lengths: NDArray[np.float64]
    """(passages,): terms of label and text, each as often as it stands there, as a multiple of a middling passage's."""


class FeatureCache:
    """Grows as passages are read; nothing is ever taken out."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        """Term → its number, of all terms read so far."""
        self._spans = _GrowingArray(np.zeros((0, 5), dtype=np.intp))
        """A line a passage: its first row, how many, its first word, how many, its length."""
        self._rows: _GrowingArray | None = None
        """(rows, d) of all passages; None while none has a row."""
        self._words = _GrowingArray(np.zeros(0, dtype=np.intp))
        self._counts = _GrowingArray(np.zeros(0, dtype=np.float32))

    def add(
        self, passages: Mapping[PassageId, Passage], rows: Mapping[PassageId, Floats]
    ) -> dict[PassageId, IndexedPassage]:
        """Takes in new passages, with the unit rows (k, d) of those that have any; each as it is scored, by id."""
        spoken = {i: terms(f"{passage.label} {passage.text}") for i, passage in passages.items()}
        heads = {i: _heading_terms(passage.heading_path[1:]) for i, passage in passages.items()}
        place = count(self._extend([(spoken[i], heads[i], rows.get(i)) for i in passages]))
        return {
            i: IndexedPassage(next(place), passage, frozenset(spoken[i]), heads[i]) for i, passage in passages.items()
        }

    def add_chunks(self, chunks: Mapping[ChunkId, StoredChunk], rows: Mapping[ChunkId, Floats]) -> dict[ChunkId, int]:
        """The same for chunks, whose title counts as a heading; the place of each in the columns."""
        place = count(
            self._extend([(of, _heading_terms(chunk.heading_path), rows.get(i)) for i, (chunk, of) in chunks.items()])
        )
        return {i: next(place) for i in chunks}

    def _extend(self, features: Sequence[tuple[Sequence[str], frozenset[str], Floats | None]]) -> int:
        """Adds terms, heading terms and unit rows of each; the place of the first."""
        numbers, counts, matrices = list[int](), list[float](), list[Floats]()
        spans = list[tuple[int, int, int, int, int]]()
        first, row = self._words.size, self._rows.size if self._rows is not None else 0
        for spoken, heading_terms, matrix in features:
            counted: dict[str, float] = dict(Counter(spoken))
            for t in heading_terms:
                counted[t] = counted.get(t, 0) + HEADING
            numbers += [self.numbers.setdefault(t, len(self.numbers)) for t in counted]
            counts += counted.values()
            spans.append((row, 0 if matrix is None else len(matrix), first, len(counted), len(spoken)))
            first += len(counted)
            if matrix is not None:
                matrices.append(matrix)
                row += len(matrix)
        self._words.extend(numbers)
        self._counts.extend(counts)
        if matrices:
            self._rows = self._rows or _GrowingArray(matrices[0][:0])
            self._rows.extend(np.concatenate(matrices))
        return self._spans.extend(spans)

    def batch(self, places: Sequence[int] | Places, middling: float = PASSAGE_TERMS) -> FeatureBatch:
        """What the passages or chunks at these places are scored by, aligned; `middling` is the length of most."""
        row, rows, word, many, length = self._spans.take(places).T
        starts, rows_at = _within(row, rows)
        held = np.flatnonzero(rows)
        _, words_at = _within(word, many)
        return FeatureBatch(
            len(places),
            held,
            starts[held],
            self._rows.take(rows_at) if self._rows is not None and len(rows_at) else None,
            np.repeat(np.arange(len(places)), many),
            self._words.take(words_at),
            self._counts.take(words_at),
            length / middling,
        )


class _GrowingArray:
    """An array that grows at its end."""

    def __init__(self, empty: NDArray[Any]) -> None:
        self._data = empty
        self.size = 0

    def extend(self, block: Sequence[Any] | NDArray[Any]) -> int:
        """Adds rows; the place of the first."""
        begin, end = self.size, self.size + len(block)
        if end > len(self._data):
            wider = np.empty(
                (max(end, len(self._data) * 3 // 2, _AT_FIRST), *self._data.shape[1:]), dtype=self._data.dtype
            )
            wider[:begin] = self._data[:begin]
            self._data = wider
        if len(block):
            self._data[begin:end] = block
        self.size = end
        return begin

    def take(self, places: Sequence[int] | Places) -> NDArray[Any]:
        """A copy of the rows at these places, in their order."""
        return self._data[np.asarray(places, dtype=np.intp)]


_AT_FIRST = 256


def _within(starts: Places, sizes: Places) -> tuple[Places, Places]:
    """Where each run of so many begins when runs follow one another, and the places of all of them in their source."""
    ends = np.cumsum(sizes)
    begins = ends - sizes
    return begins, np.arange(ends[-1] if len(ends) else 0) + np.repeat(starts - begins, sizes)


@lru_cache(maxsize=4_096)
def _heading_terms(heading_path: tuple[str, ...]) -> frozenset[str]:
    """Kept, as passages of a section come one after the other."""
    return frozenset(t for heading in heading_path for t in terms(heading))
