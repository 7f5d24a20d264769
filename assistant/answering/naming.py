"""RetrievalResult passages → the topics that may be the verdict, ranked, each with a calibrated confidence.

A verdict is a topic, not a passage: a name the notes use, with every found passage that speaks for it. Topics are
ranked by
a listwise linear model over a dozen features that a person can name; `scripts/fit` writes its weights.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from assistant.records import PassageId
from assistant.retrieval.query_expansion import ConceptMatches
from assistant.retrieval.retriever import HybridRetriever, RetrievalResult
from assistant.storage import Store, StoredMention
from assistant.text import word_frequency
from assistant.topics.extraction import TELLING
from assistant.topics.names import merged

Floats = NDArray[np.float32]

_TOP = 40
"""Passages a text of the question that may bring topics."""
_FLOOR = -0.4
"""How far behind the best topic a topic's passages count at most."""
_BELOW = TELLING.index("body")
_CODED = frozenset(("resource", "comment", "identifier"))
_SHARP = 0.03
"""How far behind the likeliest concept a concept still counts (the temperature of the softmax)."""
_INSIDE = 0.7
"""What a concept counts for a name that holds the concept's name and more."""

FEATURES = (
    "passage", "demands", "several", "called", "hinted", "meant",
    "named", "often", "rarity", "one_word", "long", "capital", "target", "definition", "code_asked",
)  # fmt: skip
"""By what a topic is ranked. Of its passages, behind the best topic's: the best one for the whole question, the mean
over the demands of the best for each, the mean of its best three, and how near one comes to what things of the likely
concepts are called (by meaning and by words); the share of the likeliest concept of its name; what kind of name it is.
"""


_UNKNOWN = np.zeros(0, dtype=np.float32)


@dataclass(slots=True)
class Topic:
    """A name with what speaks for it in the passages found."""

    key: str
    name: str
    """As the most telling place writes it, first."""
    rank: int
    """Of that place in `topics.TELLING`."""
    speakers: dict[int, float] = field(default_factory=dict)
    """Position in `RetrievalResult.hits` → how much that passage counts; those that give the name come first, then
    those that only stand below it, each by position."""
    kinds: set[str] = field(default_factory=set)
    """Of all places that give the name."""
    features: Floats = field(default_factory=lambda: _UNKNOWN)
    score: float = 0.0
    confidence: float = 0.0


def topics(found: RetrievalResult, retriever: HybridRetriever) -> list[Topic]:
    """Every topic that a well-ranked passage, or one that names a near concept, speaks for; with its features, by
    key.
    """
    position = {hit.id: n for n, hit in enumerate(found.hits)}
    best = _best(found, position)
    grouped: dict[str, Topic] = {}
    below: dict[str, dict[int, float]] = {}
    for n, named in zip(best, retriever.namings([found.hits[n].id for n in best]), strict=True):
        for topic_key, name, rank, kinds, worth in named:
            topic = grouped.get(topic_key)
            if topic is None:
                topic = grouped[topic_key] = Topic(topic_key, name, rank)
            elif rank < topic.rank:
                topic.name, topic.rank = name, rank
            topic.kinds |= kinds
            (topic.speakers if rank != _BELOW else below.setdefault(topic_key, {}))[n] = worth
    for topic_key, speakers in below.items():
        grouped[topic_key].speakers |= speakers
    everywhere = [grouped[k] for k in sorted(grouped)]
    if everywhere:
        _describe(everywhere, found)
    return everywhere


def _best(found: RetrievalResult, position: Mapping[PassageId, int]) -> list[int]:
    """Positions of the passages that rank well for any text of the question, and of those that name a near concept."""
    chosen: set[int] = set(range(min(_TOP, len(found.hits))))
    for column in range(found.fused.shape[1]):
        order = np.argsort(-found.fused[:, column], kind="stable")
        chosen.update(int(n) for n in order[:_TOP])
    chosen.update(position[i] for i in found.concepts.speakers if i in position)
    return sorted(chosen)


def _describe(found_topics: Sequence[Topic], found: RetrievalResult) -> None:
    """Sets every topic's features."""
    rows = np.array([n for t in found_topics for n in t.speakers], dtype=np.intp)
    scale = np.array([v for t in found_topics for v in t.speakers.values()], dtype=np.float32)
    sizes = np.array([len(t.speakers) for t in found_topics], dtype=np.intp)
    starts = np.cumsum(sizes) - sizes
    scored = found.fused[rows] * scale[:, None]
    passage = np.maximum.reduceat(scored, starts, axis=0)
    several = _best_three(scored[:, 0], sizes, starts)
    asked = frozenset(found.query.terms)
    detailed = found.query.ask in ("detail", "tool")
    meant = _meant(found_topics, found.concepts)
    keys = [t.key.split() for t in found_topics]
    rarest, one_word, long, capital = np.array([_shape(t.key, t.name) for t in found_topics]).T
    columns: dict[str, Floats | list[float]] = {
        "passage": _behind(passage[:, 0]),
        "demands": _behind(_mean(passage, [d.weight for d in found.requirements])),
        "several": _behind(several),
        "called": _behind(np.maximum.reduceat(found.called[rows], starts)),
        "hinted": np.maximum.reduceat(found.hinted[rows], starts),
        "meant": [meant.get(t.key, 0.0) for t in found_topics],
        "named": [0.0 if asked.isdisjoint(own) else sum(t in asked for t in own) / len(own) for own in keys],
        "often": np.log1p(sizes),
        "rarity": rarest,
        "one_word": one_word,
        "long": long,
        "capital": capital,
        "target": ["target" in t.kinds for t in found_topics],
        "definition": ["definition" in t.kinds for t in found_topics],
        "code_asked": [detailed and not _CODED.isdisjoint(t.kinds) for t in found_topics],
    }
    table = np.empty((len(found_topics), len(FEATURES)), dtype=np.float32)
    for n, feature in enumerate(FEATURES):
        table[:, n] = columns[feature]
    for topic, features in zip(found_topics, table, strict=True):
        topic.features = features


@lru_cache(maxsize=50_000)
def _shape(topic_key: str, name: str) -> tuple[float, float, float, float]:
    """What kind of name it is: its rarest word, whether it is one word, words beyond three, whether it is written with
    a capital."""
    spoken = len(name.split())
    rarest = max(map(word_frequency.rarity, topic_key.split()), default=0.0)
    return rarest, float(spoken == 1), max(0.0, spoken - 3.0), float(name[:1].isupper())


def _best_three(values: Floats, sizes: NDArray[np.intp], starts: NDArray[np.intp]) -> Floats:
    """(topics,): the mean of each topic's three best of `values`, or of as many as it has."""
    order = np.lexsort((-values, np.repeat(np.arange(len(sizes)), sizes)))
    place = np.arange(len(values)) - np.repeat(starts, sizes)
    kept = np.where(place < 3, values[order], 0)
    return np.asarray(np.add.reduceat(kept, starts) / np.minimum(sizes, 3), dtype=np.float32)


def _meant(found_topics: Sequence[Topic], concepts: ConceptMatches) -> dict[str, float]:
    """Topic key → the share of the likeliest concept of its name, among the concepts of all these topics' names."""
    wanted = {t.key for t in found_topics}
    held: dict[str, list[tuple[str, float]]] = {}
    for concept, keys in concepts.topics.items():
        if not wanted.isdisjoint(keys):
            held[concept] = [(k, 1.0 if whole else _INSIDE) for k, whole in keys.items() if k in wanted]
    if not held:
        return {}
    best = max(concepts.near[c] for c in held)
    shares = {c: math.exp((concepts.near[c] - best) / _SHARP) for c in held}
    total = sum(shares.values())
    found: dict[str, float] = {}
    for concept, links in held.items():
        for topic_key, value in links:
            found[topic_key] = max(found.get(topic_key, 0.0), value * shares[concept] / total)
    return found


def _behind(column: Floats) -> Floats:
    """How far each topic is behind the best, at most `_FLOOR`."""
    return np.asarray(np.maximum(column - column.max(), _FLOOR))


def _mean(table: Floats, weights: Sequence[float]) -> Floats:
    """(topics,): over the demands, by their weights; the whole question where it is one demand."""
    kept = np.maximum(np.array(weights, dtype=np.float32), 0)
    return np.asarray(table[:, 1:] @ kept / kept.sum() if kept.sum() > 0 else table[:, 0])


def rank(found_topics: Sequence[Topic], weights: Mapping[str, float], temperature: float) -> list[Topic]:
    """The topics by score, best first, then by key; confidences by a softmax over all of them."""
    vector = np.array([weights.get(f, 0.0) for f in FEATURES], dtype=np.float64)
    if not found_topics:
        return []
    table = np.concatenate([t.features for t in found_topics]).reshape(len(found_topics), -1)
    scored = table.astype(np.float64) @ vector
    for topic, score in zip(found_topics, np.round(scored, 6).tolist(), strict=True):
        topic.score = score
    ranked = sorted((t for t in found_topics if t.speakers), key=lambda t: (-t.score, t.key))
    if ranked:
        scores = np.array([t.score for t in ranked])
        shares = np.exp((scores - scores.max()) / temperature)
        for topic, share in zip(ranked, shares / shares.sum(), strict=True):
            topic.confidence = float(share)
    return ranked


@dataclass(frozen=True, slots=True)
class Nameable:
    """A topic, and the place that most makes it a name."""

    name: str
    path: str
    line: int
    heading_path: tuple[str, ...]
    kind: str
    """heading, label, definition, target, resource, comment, phrase or identifier."""


def nameable(store: Store) -> tuple[Nameable, ...]:
    """Every topic once, by path, line and name."""
    best: dict[str, StoredMention] = {}
    for mention in store.topics():
        if mention.kind in TELLING:
            topic_key = merged(mention.key)
            known = best.get(topic_key)
            if topic_key and (known is None or TELLING.index(mention.kind) < TELLING.index(known.kind)):
                best[topic_key] = mention
    passages = store.passages(sorted({m.passage for m in best.values()}))
    found = []
    for mention in best.values():
        at = passages[mention.passage]
        found.append(Nameable(mention.name, at.path, at.start, at.heading_path, mention.kind))
    return tuple(sorted(found, key=lambda t: (t.path, t.line, t.name)))
