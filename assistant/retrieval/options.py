"""The options of a multiple-choice question → the passage that best supports each, whatever their order and length."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assistant.models.encoder import Encoder
from assistant.retrieval import scoring
from assistant.retrieval.feature_cache import IndexedPassage
from assistant.retrieval.index_reader import IndexReader
from assistant.retrieval.result import Floats, OptionEvidence, RetrievalResult
from assistant.storage import Store
from assistant.text.stop_words import content

_NAMES = ("heading", "label")
_NEAR = 40
"""Passages nearest to an option that are looked at besides those the question found."""
_WEIGHTS = np.array([1, 0.5, 1.5], dtype=np.float32)
"""What the cosines with the question, the option, and both as one text count: what only comes near an option's name
supports it little. Weights near these choose nearly the same."""


def option_evidence(
    result: RetrievalResult, question_terms: Sequence[str], store: Store, encoder: Encoder, reader: IndexReader
) -> tuple[OptionEvidence, ...]:
    """For each option, in order: the highest sum of a passage's cosines and lexical scores with question and option,
    and its cosine with both read as one text. `question_terms` are those that the question itself writes.
    """
    query = result.query
    vectors = np.stack([encoder.question(text) for _, text in query.options])
    bags = [frozenset(content(text)) for _, text in query.options]
    passages = _candidates(result, vectors, bags, store, reader)
    known = store.frequencies(sorted({t for bag in bags for t in bag}))
    idf = scoring.inverse_frequencies(known, store.passages_count) | result.search.idf
    batch = reader.batch(passages)
    evidence = []
    for n, bag in enumerate(bags):
        own = sorted(bag.difference(*(other for m, other in enumerate(bags) if m != n)))
        both = encoder.question(f"{query.searched_text} {query.options[n][1]}")
        texts = np.stack([result.search.vectors[0], vectors[n], both])
        dense, lexical, _ = scoring.fused_scores(texts, [question_terms, own, ()], batch, idf, reader.term_numbers)
        evidence.append(_best(np.nan_to_num(dense) @ _WEIGHTS + lexical.sum(axis=1), passages))
    return tuple(evidence)


def _candidates(
    result: RetrievalResult, vectors: Floats, bags: Sequence[frozenset[str]], store: Store, reader: IndexReader
) -> list[IndexedPassage]:
    """By id; without headings and labels, which name an option and say nothing of it, where anything else is left."""
    ids = {hit.id for hit in result.hits}
    for near in store.nearest_passages(vectors, _NEAR):
        ids.update(near)
    for bag in bags:
        ids.update(store.bm25_candidates(sorted(bag), _NEAR))
    every = [passage for _, passage in sorted(reader.passages(sorted(ids)).items())]
    return [p for p in every if p.passage.kind not in _NAMES] or every


def _best(total: Floats, passages: Sequence[IndexedPassage]) -> OptionEvidence:
    if not len(total):
        return OptionEvidence(0.0, None)
    top = int(np.argmax(np.round(total, 6)))
    return OptionEvidence(float(total[top]), passages[top].passage)
