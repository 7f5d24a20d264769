"""Found passages → the topics that may be the verdict, ranked, each with a calibrated confidence.

A verdict is a topic, not a passage: a name the notes use, with every found passage that speaks for it. Topics are ranked by
a listwise linear model over a dozen features that a person can name; `scripts/fit` writes its weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from assistant.questions import Query
from assistant.records import Passage
from assistant.search import Found, Searcher
from assistant.terms import key, terms
from assistant.vocabulary import bare

Floats = NDArray[np.float32]

_TOP = 30
"""Passages a text of the question that may bring topics."""
_CONCEPTS = 24
"""Topics a text of the question that the vocabulary alone may bring."""
_TRAILING = frozenset(key(w) for w in "service services deployment deployments strategy policy policies pattern approach".split())

SPEAKS: Mapping[str, float] = {
    "heading": 1.0, "label": 1.0, "definition": 1.0, "target": 1.0, "resource": 0.9, "comment": 0.95, "identifier": 0.85, "phrase": 0.85, "body": 0.9,
}  # fmt: skip
"""How much a passage counts for a name, by where in it the name stands; `body` is a passage under a heading or label of that name."""
_SHOWN = ("heading", "label", "definition", "target", "resource", "comment", "phrase", "identifier", "body")

FEATURES = (
    "passage", "demands", "against", "concept", "concept_demands", "concept_words", "has_concept", "name", "named", "wanted", "often",
    "heading", "label", "definition", "target", "coded", "phrase", "detail_coded", "words",
)  # fmt: skip


@dataclass(slots=True)
class Topic:
    """A name with what speaks for it in the passages found."""

    key: str
    names: dict[str, str] = field(default_factory=dict)
    """Kind → the name as first met there."""
    speakers: dict[int, float] = field(default_factory=dict)
    """Position in `Found.hits` → how much that passage counts."""
    kinds: set[str] = field(default_factory=set)
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
    """Every topic that a well-ranked passage or the vocabulary speaks for, with its features, by key."""
    store = searcher.store
    position = {hit.id: n for n, hit in enumerate(found.hits)}
    best = _best(found)
    by_concept = _concepts(found, searcher)
    grouped: dict[str, Topic] = {}
    for mention in store.mentions([found.hits[n].id for n in best]):
        _add(grouped, mention.key, mention.name, mention.kind, position[mention.passage])
    for n in best:
        passage = found.hits[n].passage
        for name, kind in ((passage.heading_path[-1], "heading"), (passage.label, "label")):
            if name and len(name.split()) <= 6:
                _add(grouped, key(name), name, "body", n)
                grouped[merged(key(name))].kinds.add(kind)
    missing = [k for k in by_concept if merged(k) not in grouped]
    for topic_key, mentions in store.topic(missing).items():
        for mention in mentions[:40]:
            if mention.passage in position:
                _add(grouped, topic_key, mention.name, mention.kind, position[mention.passage])
    everywhere = sorted(grouped)
    _describe([grouped[k] for k in everywhere], found, searcher, by_concept)
    return [grouped[k] for k in everywhere]


def _add(grouped: dict[str, Topic], topic_key: str, name: str, kind: str, position: int) -> None:
    if not topic_key:
        return
    topic = grouped.setdefault(merged(topic_key), Topic(merged(topic_key)))
    topic.names.setdefault(kind, name)
    topic.kinds.add(kind)
    topic.speakers[position] = max(topic.speakers.get(position, 0.0), SPEAKS[kind])


def _best(found: Found) -> list[int]:
    """Positions of the passages that rank well for any text of the question."""
    chosen: set[int] = set(range(min(_TOP, len(found.hits))))
    for column in range(found.fused.shape[1]):
        order = np.argsort(-found.fused[:, column], kind="stable")
        chosen.update(int(n) for n in order[:_TOP])
    return sorted(chosen)


@dataclass(slots=True)
class _Concept:
    """What the vocabulary says of one topic key: best cosine a text, and the words of its sentences."""

    cosines: Floats
    words: set[str] = field(default_factory=set)


def _concepts(found: Found, searcher: Searcher) -> dict[str, _Concept]:
    """The topic keys whose sentences come nearest to any text of the question."""
    concepts = searcher.store.concepts()
    if not len(concepts.rows):
        return {}
    cosines = concepts.matrix @ found.vectors.T
    keys = [row[0] for row in concepts.rows]
    starts = [n for n in range(len(keys)) if n == 0 or keys[n] != keys[n - 1]]
    best = np.maximum.reduceat(cosines, starts, axis=0)
    chosen: set[int] = set()
    for column in range(best.shape[1]):
        chosen.update(int(n) for n in np.argsort(-best[:, column], kind="stable")[:_CONCEPTS])
    ends = [*starts[1:], len(keys)]
    return {
        keys[starts[n]]: _Concept(best[n], {t for row in concepts.rows[starts[n] : ends[n]] for t in terms(row[2])}) for n in sorted(chosen)
    }


def _describe(found_topics: Sequence[Topic], found: Found, searcher: Searcher, by_concept: Mapping[str, _Concept]) -> None:
    by_merged: dict[str, _Concept] = {}
    for topic_key, concept in by_concept.items():
        known = by_merged.get(merged(topic_key))
        if known is None or concept.cosines[0] > known.cosines[0]:
            by_merged[merged(topic_key)] = concept
    vectors = searcher.store.text_vectors([t.name for t in found_topics])
    weights = np.array([d.weight for d in found.demands], dtype=np.float32)
    for topic in found_topics:
        topic.features = _features(topic, found, weights, by_merged.get(topic.key), vectors.get(topic.name))


def _features(topic: Topic, found: Found, weights: Floats, concept: _Concept | None, vector: Floats | None) -> Floats:
    rows = np.array(list(topic.speakers), dtype=np.intp)
    counts = np.array(list(topic.speakers.values()), dtype=np.float32)
    per_text = (found.fused[rows] * counts[:, None]).max(axis=0) if len(rows) else np.zeros(found.fused.shape[1], dtype=np.float32)
    query = found.query
    asked = set(query.terms)
    own = set(terms(topic.name))
    near = concept.cosines if concept is not None else np.zeros(found.fused.shape[1], dtype=np.float32)
    coded = bool(topic.kinds & {"resource", "comment", "identifier"})
    row = {
        "passage": per_text[0],
        "demands": _positive(per_text, weights),
        "against": _negative(per_text, weights),
        "concept": near[0],
        "concept_demands": _positive(near, weights),
        "concept_words": _overlap(found, concept.words) if concept is not None else 0.0,
        "has_concept": float(concept is not None),
        "name": float(np.ravel(vector) @ found.vectors[0]) if vector is not None else 0.0,
        "named": len(own & asked) / max(1, len(own)),
        "wanted": _wanted(query, topic, found),
        "often": float(np.log1p(len(rows))),
        **{kind: float(kind in topic.kinds) for kind in ("heading", "label", "definition", "target")},
        "coded": float(coded and not topic.kinds & {"heading", "label", "definition", "target"}),
        "phrase": float(topic.kinds <= {"phrase"}),
        "detail_coded": float(query.ask in ("detail", "tool") and coded),
        "words": float(len(topic.name.split())),
    }
    return np.array([row[f] for f in FEATURES], dtype=np.float32)


def _positive(per_text: Floats, weights: Floats) -> float:
    kept = np.maximum(weights, 0)
    return float((per_text[1:] * kept).sum() / kept.sum()) if kept.sum() > 0 else float(per_text[0])


def _negative(per_text: Floats, weights: Floats) -> float:
    kept = np.maximum(-weights, 0)
    return float((per_text[1:] * kept).max()) if kept.sum() > 0 else 0.0


def _overlap(found: Found, words: set[str]) -> float:
    shared = sum(found.idf.get(t, 0.0) for t in found.query.terms if t in words)
    return shared / (shared + 10.0)


def _wanted(query: Query, topic: Topic, found: Found) -> float:
    """How much of the asked-for noun ("storage class") stands in the headings and labels over the topic's passages."""
    if not query.wanted or not topic.speakers:
        return 0.0
    def share(passage: Passage) -> float:
        over = {t for h in (*passage.heading_path, passage.label) for t in terms(h)}
        return sum(t in over for t in query.wanted) / len(query.wanted)
    return max(share(found.hits[n].passage) for n in topic.speakers)


def rank(found_topics: Sequence[Topic], weights: Mapping[str, float], ask: str) -> list[Topic]:
    """The topics by score, best first, then by key; confidences by a softmax over all of them."""
    vector = np.array([weights.get(f, 0.0) for f in FEATURES], dtype=np.float64)
    for topic in found_topics:
        topic.score = round(float(topic.features.astype(np.float64) @ vector), 6)
    ranked = sorted((t for t in found_topics if t.speakers), key=lambda t: (-t.score, t.key))
    if ranked:
        scores = np.array([t.score for t in ranked])
        shares = np.exp(scores - scores.max())
        for topic, share in zip(ranked, shares / shares.sum(), strict=True):
            topic.confidence = float(share)
    return ranked


__all__ = ["FEATURES", "Topic", "bare", "merged", "rank", "topics"]
