"""Scores of passages against the texts of a question: each part on bounds that are the same for every question.

- dense: the cosine of the text's vector with the passage's (best window of a long one), from `FLOOR` to 1 as 0 to 1;
- lexical: BM25 over the text's terms with an IDF that stays positive, b, as b / (b + `HALF`);
- a question of several requirements counts a passage by the question as a whole and by its best requirement.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from assistant.retrieval.feature_cache import FeatureBatch, IndexedPassage
from assistant.retrieval.query_expansion import ConceptMatches
from assistant.text import word_frequency

Floats = NDArray[np.float32]

RAREST = 12
"""Terms of a question that full text is asked for."""
DENSE = 0.55
"""Weight of the dense part; the lexical one has the rest."""
OF_A_NEED = 0.75
"""The same where a need is told: in other words than the notes', mostly."""
FLOOR = 0.05
"""Cosines below it count as none: unrelated short texts lie about there."""
HALF = 6.0
"""The BM25 that counts as a half."""
_K1, _B = 1.2, 0.5


def rarest(frequencies: Mapping[str, int]) -> list[str]:
    """The terms that full text is asked for: at most RAREST of those that occur, rarest first, ties by the alphabet."""
    return sorted((term for term, n in frequencies.items() if n), key=lambda term: (frequencies[term], term))[:RAREST]


def inverse_frequencies(frequencies: Mapping[str, int], passages: int) -> dict[str, float]:
    """Term → its IDF among so many passages, which stays positive however many of them hold the term."""
    return {t: math.log(1 + (passages + 1) / (n + 0.5)) for t, n in frequencies.items()}


def fused_scores(
    vectors: Floats,
    bags: Sequence[Sequence[str]],
    batch: FeatureBatch,
    idf: Mapping[str, float],
    numbers: Mapping[str, int],
    weight: float = DENSE,
) -> tuple[Floats, Floats, Floats]:
    """(passages, texts) of cosines, lexical scores and both fused; a passage without a vector is fused by its words
    alone. `bags` are the terms of each text, `numbers` those of all terms, `weight` the share of the dense part.
    """
    dense = cosines(batch, vectors)
    lexical = bm25(batch, bags, {t: w * (0.3 + word_frequency.rarity(t)) for t, w in idf.items()}, numbers)
    lexical = lexical / (lexical + HALF)
    bounded = np.clip((dense - FLOOR) / (1 - FLOOR), 0, 1)
    both = weight * bounded + (1 - weight) * lexical
    return dense, lexical, np.where(np.isnan(dense), lexical, both).astype(np.float32)


def cosines(batch: FeatureBatch, vectors: Floats) -> Floats:
    """(passages, texts) of cosines, the best row of each passage; nan where a passage has no vector."""
    dense = np.full((batch.size, len(vectors)), np.nan, dtype=np.float32)
    if batch.matrix is not None:
        dense[batch.held] = np.maximum.reduceat(batch.matrix @ vectors.T, batch.starts, axis=0)
    return np.round(dense, 6)


def bm25(
    batch: FeatureBatch, bags: Sequence[Sequence[str]], weights: Mapping[str, float], numbers: Mapping[str, int]
) -> Floats:
    """(passages, texts): the BM25 of each text's terms, by their weights; `numbers` are those of all terms."""
    wanted = list(dict.fromkeys(t for bag in bags for t in bag))
    columns = np.full(len(numbers), -1)
    for n, t in enumerate(wanted):
        if t in numbers:
            columns[numbers[t]] = n
    column = columns[batch.numbers]
    met = column >= 0
    counts = np.zeros((batch.size, len(wanted)), dtype=np.float32)
    counts[batch.owners[met], column[met]] = batch.counts[met]
    norm = (_K1 * (1 - _B + _B * batch.lengths)).astype(np.float32).reshape(-1, 1)
    scored = counts * (_K1 + 1) / (counts + norm) * np.array([weights.get(t, 0.0) for t in wanted], dtype=np.float32)
    members = [frozenset(bag) for bag in bags]
    held = np.array([[t in bag for bag in members] for t in wanted], dtype=np.float32)
    return np.asarray(scored @ held.reshape(len(wanted), len(bags)))


def blended(fused: Floats, weights: Sequence[float]) -> Floats:
    """(passages,) scores: half the whole question, half the best requirement; what must not be takes a little off."""
    if fused.shape[1] < 2 or not weights:
        return fused[:, 0]
    parts = fused[:, 1:] * np.array([max(w, 0.0) for w in weights], dtype=np.float32)
    against = fused[:, 1:] * np.array([max(-w, 0.0) for w in weights], dtype=np.float32)
    return np.asarray(0.5 * fused[:, 0] + 0.5 * parts.max(axis=1) - 0.1 * against.max(axis=1), dtype=np.float32)


def suggested(batch: FeatureBatch, concepts: ConceptMatches, numbers: Mapping[str, int]) -> tuple[Floats, Floats]:
    """(passages,) twice: how near each comes to what a thing of the likely concepts is called, by its vector and by its
    words; `numbers` are those of all terms.
    """
    if concepts.expected is None or not batch.size:
        return np.zeros(batch.size, dtype=np.float32), np.zeros(batch.size, dtype=np.float32)
    by_vector = np.nan_to_num(cosines(batch, concepts.expected[None, :])[:, 0])
    weights = np.zeros(len(numbers))
    for t, weight in concepts.hinted.items():
        if t in numbers:
            # Whole multiples of a small power of two: their sum is exact, and so the same in any order.
            weights[numbers[t]] = round(weight * 2**32) / 2**32
    said = (batch.counts >= 1) + batch.counts % 1  # once, however often; a heading's half
    by_words = np.bincount(batch.owners, weights[batch.numbers] * said, batch.size)
    return np.clip((by_vector - FLOOR) / (1 - FLOOR), 0, 1), by_words.astype(np.float32)


def ranked(scores: Sequence[float], passages: Sequence[IndexedPassage]) -> list[int]:
    """Places, the best score first, then by path and lines; these are looked up only for scores that tie."""
    tied = {score for score, many in Counter(scores).items() if many > 1}
    places = [p.passage for p in passages]
    keys = [
        (-score, (at.path, at.start, at.end) if score in tied else _ALONE)
        for score, at in zip(scores, places, strict=True)
    ]
    return sorted(range(len(keys)), key=keys.__getitem__)


_ALONE = ("", 0, 0)
