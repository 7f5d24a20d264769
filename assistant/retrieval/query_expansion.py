"""Query expansion: a question → the general concepts of the vocabulary that it may mean, and their names.

A concept is near a question when its sentences are: the best of them and their middle against the question and its
clauses (dense), and the question's words against all its sentences together (BM25 over the vocabulary). Nearness
becomes shares (a softmax), and from the shares come a vector and weighted words of what such a thing is called. Nothing
of it is ever shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from assistant.records import PassageId
from assistant.storage import Store
from assistant.text import word_frequency
from assistant.text.tokenizer import key
from assistant.topics.extraction import CONCEPT, DESCRIBED
from assistant.topics.names import merged

Floats = NDArray[np.float32]

READ = 48
"""Concepts whose sentences are compared one by one: those nearest by their middle and their words."""
BRING = 14
"""Concepts, the nearest first, whose passages become candidates."""
SPEAKERS = 60
"""Passages that are read of those that name a concept."""
LEXICAL = 0.015
"""What a point of BM25 counts beside a cosine."""
SOFT = 0.05
"""How far behind the nearest a concept still has a share (the temperature of the softmax)."""
_NAMED = 0.02
"""Share from which the words of a concept's names are looked for."""


@dataclass(frozen=True, slots=True)
class ConceptMatches:
    """The concepts a question may mean."""

    known: int = 0
    """Concepts that the notes name at all."""
    near: dict[str, float] = field(default_factory=dict)
    """Concept → how near it is, the nearest first; about -0.2 to 1.3."""
    per_text: dict[str, Floats] = field(default_factory=dict)
    """Concept → (1 + clauses,) cosines with each text of the question."""
    expected: Floats | None = None
    """(d,): what a thing of these concepts is called, the names' vectors by their shares; None without concepts."""
    hinted: dict[str, float] = field(default_factory=dict)
    """Term → how much it would tell that a passage names such a thing."""
    speakers: frozenset[PassageId] = frozenset()
    """Passages that name one of the nearest concepts."""
    topics: dict[str, dict[str, bool]] = field(default_factory=dict)
    """Concept → `merged` keys of topics whose name holds its name → whether it is the whole name."""


@dataclass(slots=True)
class QueryExpander:
    """The vocabulary of one open store with what has been read of it."""

    store: Store
    _rows: dict[str, Floats] = field(default_factory=dict)
    _speakers: dict[str, frozenset[PassageId]] = field(default_factory=dict)
    _topics: dict[str, dict[str, bool]] = field(default_factory=dict)
    _names: dict[str, dict[str, float]] = field(default_factory=dict)

    def lexical_weights(self, terms: Sequence[str]) -> Floats:
        """(concepts,): how much these terms speak for each; needs no vector."""
        known = self.store.concepts()
        lexical = np.zeros(len(known.names), dtype=np.float32)
        for name, weight in self.store.concept_weights(terms).items():
            lexical[known.place[name]] = LEXICAL * weight
        return lexical

    def expand(self, vectors: Floats, weights: Sequence[float], lexical: Floats) -> ConceptMatches:
        """From `vectors` (1 + clauses, d), the clauses' weights, and what `lexical_weights` gave for the question."""
        known = self.store.concepts()
        if not known.names:
            return ConceptMatches()
        centres = known.centres @ vectors.T
        rough = _over_clauses(centres, weights) + lexical
        chosen = np.sort(np.argsort(-rough, kind="stable")[:READ])
        names = [known.names[n] for n in chosen]
        cosines = np.asarray((self._best_sentences(names, vectors) + centres[chosen]) / 2, dtype=np.float32)
        values = np.round(_over_clauses(cosines, weights) + lexical[chosen], 6)
        nearness = values.tolist()
        order = sorted(range(len(names)), key=lambda n: (-nearness[n], names[n]))
        shares = np.exp((values - values.max()) / SOFT)
        shares /= shares.sum()
        ranked = [names[n] for n in order]
        nearest = ranked[:BRING]
        self._learn(nearest, ranked)
        return ConceptMatches(
            len(known.names),
            {names[n]: nearness[n] for n in order},
            {names[n]: cosines[n] for n in order},
            np.asarray(shares @ known.named[chosen], dtype=np.float32),
            self._hints(ranked, [shares.tolist()[n] for n in order]),
            frozenset[PassageId]().union(*(self._speakers[name] for name in nearest)),
            {name: self._topics[name] for name in ranked},
        )

    def _best_sentences(self, names: Sequence[str], vectors: Floats) -> Floats:
        """(names, texts): the highest cosine of any sentence of each concept with each text."""
        missing = [name for name in names if name not in self._rows]
        if missing:
            self._rows.update(self.store.concept_rows(missing))
        rows = [self._rows[name] for name in names]
        starts = np.cumsum([0, *map(len, rows[:-1])])
        best: Floats = np.maximum.reduceat(np.concatenate(rows) @ vectors.T, starts, axis=0)
        return best

    def _hints(self, ranked: Sequence[str], shares: Sequence[float]) -> dict[str, float]:
        """Term → how much it tells, of the names of the concepts with a share worth looking for."""
        hints: dict[str, float] = {}
        for name, share in zip(ranked, shares, strict=True):
            if share < _NAMED:
                break
            for term, of_names in self._names[name].items():
                hints[term] = hints.get(term, 0.0) + share * of_names * word_frequency.rarity(term)
        return hints

    def _learn(self, nearest: Sequence[str], names: Sequence[str]) -> None:
        """Reads the topics and the words of new names, and the passages that name the nearest."""
        new = [name for name in names if name not in self._topics]
        if new:
            for name in new:
                self._topics[name], self._names[name] = {}, {}
            for name, topic_key, whole in self.store.concept_topics(new):
                own = self._topics[name]
                own[merged(topic_key)] = whole or own.get(merged(topic_key), False)
            for name, term, share in self.store.concept_names(new):
                self._names[name][term] = share
        missing = {key(name): name for name in nearest if name not in self._speakers}
        if missing:
            mentioned = self.store.topic(list(missing), SPEAKERS)
            for topic_key, name in missing.items():
                mentions = mentioned.get(topic_key, ())
                self._speakers[name] = frozenset(m.passage for m in mentions if m.kind in (CONCEPT, DESCRIBED))


def _over_clauses(table: Floats, weights: Sequence[float]) -> Floats:
    """(concepts,) of (concepts, 1 + clauses): half the whole question, a quarter its best clause, a quarter their
    mean; the whole question alone where no clause asks for anything.
    """
    kept = np.maximum(np.array(weights, dtype=np.float32), 0)
    if not len(kept) or not kept.sum() > 0:
        return table[:, 0]
    clauses = table[:, 1:]
    mean = clauses @ kept / kept.sum()
    return np.asarray(0.5 * table[:, 0] + 0.25 * clauses[:, kept > 0].max(axis=1) + 0.25 * mean)
