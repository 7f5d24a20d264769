"""Options of a multiple-choice question → support for each, whatever their order, labels and length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assistant.answering.naming import Topic
from assistant.question.parser import Query
from assistant.records import Option, Passage
from assistant.retrieval.feature_cache import FeatureBatch
from assistant.retrieval.retriever import Floats, HybridRetriever, RetrievalResult
from assistant.text.stop_words import content
from assistant.text.tokenizer import terms

_NAMES = ("heading", "label")
_NEAR = 40
"""Passages nearest to an option that are looked at besides those the question found."""


@dataclass(frozen=True, slots=True)
class Supported:
    """An option with the one passage that best supports question and option together."""

    label: str
    text: str
    support: float
    best: Passage | None

    def record(self, citations: tuple[int, ...]) -> Option:
        return Option(self.label, self.text, round(self.support, 4), citations)


@dataclass(frozen=True, slots=True)
class Picked:
    options: tuple[Supported, ...]
    choice: str | None
    """Label of the best supported option; None where nothing supports any, or two are supported alike."""


def choose(query: Query, found: RetrievalResult, ranked: Sequence[Topic], retriever: HybridRetriever) -> Picked:
    """Support in the given order: a softmax over the options' best passages and how their names rank as a verdict. Ties
    are broken by nothing: they choose none.
    """
    vectors = np.stack([retriever.encoder.question(text) for _, text in query.options])
    bags = [frozenset(content(text)) for _, text in query.options]
    ids = {h.id for h in found.hits}
    for near in retriever.store.nearest_passages(vectors, _NEAR):
        ids.update(near)
    for bag in bags:
        ids.update(retriever.store.bm25_candidates(sorted(bag), _NEAR))
    known = retriever.store.frequencies(sorted({t for bag in bags for t in bag}))
    idf = {t: float(np.log(1 + (retriever.store.passages_count + 1) / (n + 0.5))) for t, n in known.items()}
    every = [r for _, r in sorted(retriever.read(sorted(ids)).items())]
    # A heading names an option and says nothing of it.
    reads = [r for r in every if r.passage.kind not in _NAMES] or every
    table = retriever.table(reads)
    every_idf = idf | found.idf
    best = []
    for n in range(len(bags)):
        score, place = _best(n, query, found, vectors, bags, table, every_idf, retriever)
        best.append((score, None if place is None else reads[place].passage))
    names = [_named(text, ranked) for _, text in query.options]
    scores = np.array([score + NAMED * name if score else 0.0 for (score, _), name in zip(best, names, strict=True)])
    shares = np.exp(8 * (scores - scores.max())) if len(scores) else scores
    shares = shares / shares.sum()
    options = tuple(
        Supported(label, text, float(share), passage)
        for (label, text), share, (_, passage) in zip(query.options, shares, best, strict=True)
    )
    top = sorted(range(len(options)), key=lambda n: -scores[n])
    clear = (
        bool(top)
        and scores[top[0]] > 0
        and (len(top) == 1 or round(float(scores[top[0]]), 6) > round(float(scores[top[1]]), 6))
    )
    return Picked(options, options[top[0]].label if clear else None)


def _named(option: str, ranked: Sequence[Topic]) -> float:
    """How far the best topic that an option names is behind the best of all, at most `_BEHIND`; that where it names
    none.
    """
    said = frozenset(terms(option))
    if not ranked:
        return _BEHIND
    behind = (t.score - ranked[0].score for t in ranked if said.issuperset(t.key.split()))
    return max(_BEHIND, max(behind, default=_BEHIND))


_WEIGHTS = np.array([1, 0.5, 1.5], dtype=np.float32)
"""What the cosines with the question, the option, and both as one text count: what only comes near an option's name
supports it little. Weights near these choose nearly the same."""
NAMED = 0.05
"""What a point of a topic's score counts beside a cosine."""
_BEHIND = -6.0


def _best(
    n: int,
    query: Query,
    found: RetrievalResult,
    vectors: Floats,
    bags: Sequence[frozenset[str]],
    table: FeatureBatch,
    idf: dict[str, float],
    retriever: HybridRetriever,
) -> tuple[float, int | None]:
    """The highest sum of a passage's cosines and lexical scores with question and option, and its cosine with both read
    as one text, with the passage's place; the option's own words are those no other option has.
    """
    own = sorted(bags[n].difference(*(b for m, b in enumerate(bags) if m != n)))
    joined = retriever.encoder.question(f"{query.core or query.text} {query.options[n][1]}")
    texts = np.stack([found.vectors[0], vectors[n], joined])
    dense, lexical, _ = retriever.scores(texts, [query.terms, own, ()], table, idf)
    total = np.nan_to_num(dense) @ _WEIGHTS + lexical.sum(axis=1)
    if not len(total):
        return 0.0, None
    top = int(np.argmax(np.round(total, 6)))
    return float(total[top]), top
