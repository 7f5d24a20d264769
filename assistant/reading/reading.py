"""Candidates → the same candidates in the order in which the reader finds that they answer.

The reader looks at the question and one passage together, token by token, so it is asked about the first candidates
only. It pays beside the score of retrieval, never in its place (DECISIONS.md), so the two are blended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from assistant.models.cross_encoder import ReadText
from assistant.reading import layout
from assistant.reading.spans import Spans
from assistant.records import NAMING_KINDS, Passage
from assistant.retrieval import scoring
from assistant.retrieval.index_reader import IndexReader
from assistant.retrieval.result import RetrievalResult
from assistant.text.stop_words import content

CANDIDATES = 6
"""Candidates that are read, the first."""
SHARE = 0.1
"""The reader's share of a candidate's score; retrieval has the rest."""
_SECTION = 200
"""Passages of a section among which neighbours are looked for."""


class Reader(Protocol):
    """A cross-encoder; the same texts always give the same bits."""

    def read(self, question: str, texts: Sequence[str]) -> Sequence[ReadText]:
        """What is found in each text, in order."""

    def ahead(self) -> None:
        """May begin to load beside the caller's own work."""

    def load(self) -> object:
        """Does what the first text would have to wait for; ModelUnusable."""


def read(result: RetrievalResult, reader: Reader, index: IndexReader) -> RetrievalResult:
    """The result with what the reader makes of its first candidates, headings and labels aside, ordered by both.
    ModelUnusable, IndexDamaged."""
    chosen = [n for n, hit in enumerate(result.hits) if hit.passage.kind not in NAMING_KINDS][:CANDIDATES]
    if not chosen:
        return result
    wanted = frozenset(content(result.query.searched_text))
    texts = [_text(result.hits[n].passage, index, wanted) for n in chosen]
    logits = np.full(len(result.hits), -np.inf)
    found: dict[int, ReadText] = dict(zip(chosen, reader.read(result.query.searched_text, texts), strict=True))
    logits[chosen] = np.round([one.logit for one in found.values()], 6)
    scores = np.array([hit.score for hit in result.hits])
    blended = np.round((1 - SHARE) * scores + SHARE / (1 + np.exp(-logits)), 6).tolist()
    order = scoring.ranked(blended, result.passages)
    return replace(
        result,
        hits=tuple(result.hits[n]._replace(score=blended[n]) for n in order),
        passages=tuple(result.passages[n] for n in order),
        scores=result.scores.take(order),
        answers=logits[order].astype(np.float32),
        spans=Spans([found.get(n) for n in order]),
    )


def _text(passage: Passage, index: IndexReader, wanted: frozenset[str]) -> str:
    ids = index.store.section_passages(passage.path, passage.anchor)
    near = index.passages(ids).values() if len(ids) <= _SECTION else ()
    return layout.of_passage(passage, (p.passage for p in near), wanted)
