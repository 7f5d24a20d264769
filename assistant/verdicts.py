"""Found passages → the topics that may be the verdict, ranked, each with a calibrated confidence.

A verdict is a topic, not a passage: a name the notes use, with every found passage that speaks for it. Topics are
ranked by
a listwise linear model over a dozen features that a person can name; `scripts/fit` writes its weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from assistant import english
from assistant.records import PassageId
from assistant.search import DENSE, FLOOR, Found, Searcher
from assistant.terms import key
from assistant.topics import CONCEPT, DESCRIBED

Floats = NDArray[np.float32]

_TOP = 40
"""Passages a text of the question that may bring topics."""
_TRAILING = frozenset(
    key(w)
    for w in [
        "service",
        "services",
        "deployment",
        "deployments",
        "strategy",
        "policy",
        "policies",
        "pattern",
        "approach",
    ]
)
_SHOWN = ("heading", "label", "definition", "target", "resource", "comment", "phrase", "identifier", "body")
_FLOOR = -0.4
"""How far behind the best topic a topic's support counts at most."""

_EVIDENCE: Mapping[str, tuple[float, float, float]] = {
    "own": (1.0, 1.15, 1.0),
    "body": (0.95, 0.0, 0.0),
    "phrase": (0.9, 0.8, 0.8),
}
"""How much counts, by where the name stands to the passage (it is its own, over it, or only in it): what the
passage says, what the
vocabulary says of a concept the passage is named for, and of one it only names."""
_PLACE = {"body": "body", "phrase": "phrase"}

FEATURES = (
    "support", "support_demands", "support_best", "support_half", "passage",
    "demands", "against", "concept_words", "described", "named",
    "often", "rarity", "one_word", "capital", "target",
    "definition", "titled", "phrase_only", "code_only", "code_asked", "part",
)  # fmt: skip


@dataclass(slots=True)
class Topic:
    """A name with what speaks for it in the passages found."""

    key: str
    names: dict[str, str] = field(default_factory=dict)
    """Kind → the name as first met there."""
    speakers: dict[int, float] = field(default_factory=dict)
    """Position in `Found.hits` → how much that passage counts."""
    places: dict[int, str] = field(default_factory=dict)
    """Position → own, body or phrase: the strongest there."""
    kinds: set[str] = field(default_factory=set)
    known: bool = False
    """Whether the vocabulary has a concept of that name."""
    features: Floats = field(default_factory=lambda: np.zeros(0, dtype=np.float32))
    score: float = 0.0
    confidence: float = 0.0

    @property
    def name(self) -> str:
        """The name as the most telling place writes it."""
        return next(self.names[kind] for kind in _SHOWN if kind in self.names)


def merged(topic_key: str) -> str:
    """A key without the type word at its end: the queue service is the queue."""
    words = topic_key.split()
    while len(words) > 1 and words[-1] in _TRAILING:
        words.pop()
    return " ".join(words)


def topics(found: Found, searcher: Searcher) -> list[Topic]:
    """Every topic that a well-ranked passage, or one that names a near concept, speaks for; with its features, by
    key.
    """
    position = {hit.id: n for n, hit in enumerate(found.hits)}
    best = _best(found, position)
    grouped: dict[str, Topic] = {}
    told: set[int] = set()
    for mention in searcher.store.mentions([found.hits[n].id for n in best]):
        if mention.kind == CONCEPT:
            told.add(position[mention.passage])
        elif mention.kind != DESCRIBED:
            _add(grouped, merged(mention.key), mention.name, mention.kind, position[mention.passage])
    for n in best:
        passage = found.hits[n].passage
        for name in (passage.heading_path[-1], passage.label.split(", ")[0]):
            if name and len(name.split()) <= 6:
                _add(grouped, merged(key(name)), name, "body", n)
    for topic in grouped.values():
        topic.known = any(place == "own" and n in told for n, place in topic.places.items())
    everywhere = [grouped[k] for k in sorted(grouped)]
    if everywhere:
        _describe(everywhere, found, position)
    return everywhere


def _add(grouped: dict[str, Topic], topic_key: str, name: str, kind: str, position: int) -> None:
    if not topic_key:
        return
    topic = grouped.setdefault(topic_key, Topic(topic_key))
    topic.names.setdefault(kind, name)
    topic.kinds.add(kind)
    place = _PLACE.get(kind, "own")
    value = _EVIDENCE[place][0]
    if value > topic.speakers.get(position, 0.0):
        topic.speakers[position], topic.places[position] = value, place


def _best(found: Found, position: Mapping[PassageId, int]) -> list[int]:
    """Positions of the passages that rank well for any text of the question, and of those that name a near concept."""
    chosen: set[int] = set(range(min(_TOP, len(found.hits))))
    for column in range(found.fused.shape[1]):
        order = np.argsort(-found.fused[:, column], kind="stable")
        chosen.update(int(n) for n in order[:_TOP])
    for concept in found.concepts.values():
        chosen.update(position[i] for i in concept.speakers if i in position)
    return sorted(chosen)


@dataclass(frozen=True, slots=True)
class _Tables:
    """What each found passage brings for each text of the question."""

    passage: Floats
    """(hits, texts): the fused scores."""
    concept: Floats
    """(hits, texts): of the nearest concept that the passage is named for, on the same bounds."""
    described: Floats
    """(hits, texts): of the nearest concept it only names."""
    words: Floats
    """(hits,): how many of the question's words stand in the sentences of a concept it is named for."""


def _tables(found: Found, position: Mapping[PassageId, int]) -> _Tables:
    shape = found.fused.shape
    concept, described = np.zeros(shape, dtype=np.float32), np.zeros(shape, dtype=np.float32)
    words = np.zeros(shape[0], dtype=np.float32)
    for each in found.concepts.values():
        overlap = _overlap(found, each.words)
        value = DENSE * np.clip((each.cosines - FLOOR) / (1 - FLOOR), 0, 1) + (1 - DENSE) * overlap
        for i, kind in each.speakers.items():
            n = position.get(i)
            if n is not None:
                table = concept if kind == CONCEPT else described
                np.maximum(table[n], value, out=table[n])
                words[n] = max(words[n], overlap if kind == CONCEPT else 0.0)
    return _Tables(found.fused, concept, described, words)


def _describe(found_topics: Sequence[Topic], found: Found, position: Mapping[PassageId, int]) -> None:
    """Sets every topic's features; support is measured against the best topic's, so that it means the same for
    every question.
    """
    tables = _tables(found, position)
    rows = np.array([n for t in found_topics for n in t.speakers], dtype=np.intp)
    scale = np.array([_EVIDENCE[t.places[n]] for t in found_topics for n in t.speakers], dtype=np.float32)
    starts = np.cumsum([0, *(len(t.speakers) for t in found_topics[:-1])])
    of_passage = tables.passage[rows]
    evidence = np.maximum(
        of_passage * scale[:, :1],
        np.maximum(tables.concept[rows] * scale[:, 1:2], tables.described[rows] * scale[:, 2:]),
    )
    support = np.maximum.reduceat(evidence, starts, axis=0)
    passage = np.maximum.reduceat(of_passage, starts, axis=0)
    named = np.maximum.reduceat(np.maximum(tables.concept, tables.described)[rows], starts, axis=0)
    own_words = np.maximum.reduceat(tables.words[rows] * (scale[:, 1] > 1), starts)
    weights = np.array([d.weight for d in found.demands], dtype=np.float32)
    table = {
        "support": _behind(support[:, 0]),
        "support_demands": _behind(_mean(support, weights)),
        "support_best": _behind(_half(support, weights, 1)),
        "support_half": _behind(_half(support, weights, max(1, int((weights > 0).sum()) // 2))),
        "passage": _behind(passage[:, 0]),
        "demands": _behind(_mean(passage, weights)),
        "against": _against(passage, weights),
        "concept_words": own_words,
        "described": _behind(named[:, 0]),
    }
    query, asked = found.query, set(found.query.terms)
    for n, topic in enumerate(found_topics):
        own = topic.key.split()
        coded = bool(topic.kinds & {"resource", "comment", "identifier"})
        row = {
            **{name: float(column[n]) for name, column in table.items()},
            "named": sum(t in asked for t in own) / max(1, len(own)),
            "often": float(np.log1p(len(topic.speakers))),
            "rarity": max((english.rarity(t) for t in own), default=0.0),
            "one_word": float(len(topic.name.split()) == 1),
            "capital": float(topic.name[:1].isupper()),
            "target": float("target" in topic.kinds),
            "definition": float("definition" in topic.kinds),
            "titled": float(bool(topic.kinds & {"heading", "label"})),
            "phrase_only": float(topic.kinds <= {"phrase"}),
            "code_only": float(coded and not topic.kinds & {"heading", "label", "definition", "target"}),
            "part": float(topic.kinds <= {"label", "body"} and not topic.known),
            "code_asked": float(query.ask in ("detail", "tool") and coded),
        }
        topic.features = np.array([row[f] for f in FEATURES], dtype=np.float32)


def _behind(column: Floats) -> Floats:
    """How far each topic is behind the best, at most `_FLOOR`."""
    return np.asarray(np.maximum(column - column.max(), _FLOOR))


def _mean(table: Floats, weights: Floats) -> Floats:
    """(topics,): over the demands, by their weights; the whole question where it is one demand."""
    kept = np.maximum(weights, 0)
    return np.asarray((table[:, 1:] * kept).sum(axis=1) / kept.sum() if kept.sum() > 0 else table[:, 0])


def _half(table: Floats, weights: Floats, count: int) -> Floats:
    """(topics,): over the `count` demands that a topic meets best."""
    kept = np.maximum(weights, 0)
    if not kept.sum() > 0:
        return table[:, 0]
    return np.asarray(np.sort(table[:, 1:] * kept, axis=1)[:, ::-1][:, :count].mean(axis=1))


def _against(table: Floats, weights: Floats) -> Floats:
    """(topics,): the strongest support for what must not be."""
    kept = np.maximum(-weights, 0)
    return np.asarray((table[:, 1:] * kept).max(axis=1) if kept.sum() > 0 else np.zeros(len(table), dtype=np.float32))


def _overlap(found: Found, words: Set[str]) -> float:
    shared = sum(found.idf.get(t, 0.0) for t in found.query.terms if t in words)
    return shared / (shared + 8.0)


def rank(found_topics: Sequence[Topic], weights: Mapping[str, float], temperature: float) -> list[Topic]:
    """The topics by score, best first, then by key; confidences by a softmax over all of them."""
    vector = np.array([weights.get(f, 0.0) for f in FEATURES], dtype=np.float64)
    for topic in found_topics:
        topic.score = round(float(topic.features.astype(np.float64) @ vector), 6)
    ranked = sorted((t for t in found_topics if t.speakers), key=lambda t: (-t.score, t.key))
    if ranked:
        scores = np.array([t.score for t in ranked])
        shares = np.exp((scores - scores.max()) / temperature)
        for topic, share in zip(ranked, shares / shares.sum(), strict=True):
            topic.confidence = float(share)
    return ranked
