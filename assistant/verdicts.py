"""Found passages → the topics that may be the verdict, ranked, each with a calibrated confidence.

A verdict is a topic, not a passage: a name the notes use, with every found passage that speaks for it. Topics are ranked by
a listwise linear model over a dozen features that a person can name; `scripts/fit` writes its weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from assistant import english
from assistant.questions import Query
from assistant.records import Passage, PassageId
from assistant.search import Found, Searcher
from assistant.terms import key, terms
from assistant.topics import CONCEPT, DESCRIBED

Floats = NDArray[np.float32]

_TOP = 30
"""Passages a text of the question that may bring topics."""
_SHARP = 0.05
"""How much better a topic's passage must fit to take most of a vote."""
_TRAILING = frozenset(
    key(w) for w in ["service", "services", "deployment", "deployments", "strategy", "policy", "policies", "pattern", "approach"]
)

SPEAKS: Mapping[str, float] = {
    "heading": 1.0, "label": 1.0, "definition": 1.0, "target": 1.0, "resource": 0.9, "comment": 0.95, "identifier": 0.85, "phrase": 0.85, "body": 0.9,
}  # fmt: skip
"""How much a passage counts for a name, by where in it the name stands; `body` is a passage under a heading or label of that name."""
_SHOWN = ("heading", "label", "definition", "target", "resource", "comment", "phrase", "identifier", "body")

FEATURES = (
    "passage", "demands", "against", "concept", "concept_demands", "concept_words", "share", "share_demands", "described_share", "described", "described_demands", "vote", "vote_demands", "name", "named", "wanted", "often",
    "sections", "rarity", "capital", "heading", "label", "definition", "target", "coded", "phrase", "detail_coded", "words",
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
    own: dict[int, bool] = field(default_factory=dict)
    """Positions of passages that carry the name itself, not only stand under it; True where it is their own name."""
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
    """Every topic that a well-ranked passage, or one that names a near concept, speaks for; with its features, by key."""
    store = searcher.store
    position = {hit.id: n for n, hit in enumerate(found.hits)}
    best = _best(found, position)
    grouped: dict[str, Topic] = {}
    for mention in store.mentions([found.hits[n].id for n in best]):
        if mention.kind not in (CONCEPT, DESCRIBED):
            _add(grouped, mention.key, mention.name, mention.kind, position[mention.passage])
    for n in best:
        passage = found.hits[n].passage
        for name, kind in ((passage.heading_path[-1], "heading"), (passage.label, "label")):
            if name and len(name.split()) <= 6 and merged(key(name)):
                _add(grouped, key(name), name, "body", n)
                grouped[merged(key(name))].kinds.add(kind)
    everywhere = [grouped[k] for k in sorted(grouped)]
    _describe(everywhere, found, searcher, position)
    return everywhere


def _add(grouped: dict[str, Topic], topic_key: str, name: str, kind: str, position: int) -> None:
    if not topic_key:
        return
    topic = grouped.setdefault(merged(topic_key), Topic(merged(topic_key)))
    topic.names.setdefault(kind, name)
    topic.kinds.add(kind)
    if kind != "body":
        topic.own[position] = topic.own.get(position, False) or kind != "phrase"
    topic.speakers[position] = max(topic.speakers.get(position, 0.0), SPEAKS[kind])


def _best(found: Found, position: Mapping[PassageId, int]) -> list[int]:
    """Positions of the passages that rank well for any text of the question, and of those that name a near concept."""
    chosen: set[int] = set(range(min(_TOP, len(found.hits))))
    for column in range(found.fused.shape[1]):
        order = np.argsort(-found.fused[:, column], kind="stable")
        chosen.update(int(n) for n in order[:_TOP])
    for concept in found.concepts.values():
        chosen.update(position[i] for i in concept.speakers if i in position)
    return sorted(chosen)


def _describe(
    found_topics: Sequence[Topic], found: Found, searcher: Searcher, position: Mapping[PassageId, int]
) -> None:
    texts = found.fused.shape[1]
    strong = np.zeros((len(found.hits), texts), dtype=np.float32)
    weak = np.zeros((len(found.hits), texts), dtype=np.float32)
    shared = np.zeros(len(found.hits), dtype=np.float32)
    parts = np.zeros((len(found.hits), texts), dtype=np.float32)
    for concept in found.concepts.values():
        overlap = _overlap(found, concept.words)
        for i, kind in concept.speakers.items():
            n = position.get(i)
            if n is None:
                continue
            table = strong if kind == CONCEPT else weak
            table[n] = np.maximum(table[n], concept.cosines)
            parts[n] = np.maximum(parts[n], concept.shares * (1.0 if kind == CONCEPT else 0.5))
            if kind == CONCEPT:
                shared[n] = max(shared[n], overlap)
    vectors = searcher.store.text_vectors([t.name for t in found_topics])
    weights = np.array([d.weight for d in found.demands], dtype=np.float32)
    for topic in found_topics:
        topic.features = _features(topic, found, weights, (strong, weak, shared, parts), vectors.get(topic.name))
    if found_topics:
        _votes(found_topics, found, weights)


def _votes(found_topics: Sequence[Topic], found: Found, weights: Floats) -> None:
    """Each text of the question shares one vote among the topics, most of it to the one whose passage fits best."""
    table = np.stack(
        [
            (found.fused[list(t.speakers)] * np.array(list(t.speakers.values()))[:, None]).max(axis=0)
            for t in found_topics
        ]
    )
    shares = np.exp((table - table.max(axis=0)) / _SHARP)
    shares /= shares.sum(axis=0)
    for topic, share in zip(found_topics, shares, strict=True):
        topic.features[FEATURES.index("vote")] = share[0]
        topic.features[FEATURES.index("vote_demands")] = _positive(share, weights)


def _features(
    topic: Topic,
    found: Found,
    weights: Floats,
    by_concept: tuple[Floats, Floats, Floats, Floats],
    vector: Floats | None,
) -> Floats:
    rows = np.array(list(topic.speakers), dtype=np.intp)
    counts = np.array(list(topic.speakers.values()), dtype=np.float32)
    per_text = (found.fused[rows] * counts[:, None]).max(axis=0)
    strong, weak, shared, parts = by_concept
    own_rows = np.array([n for n in topic.speakers if topic.own.get(n)], dtype=np.intp)
    near = strong[own_rows].max(axis=0) if len(own_rows) else np.zeros(len(per_text), dtype=np.float32)
    own_part = parts[own_rows].max(axis=0) if len(own_rows) else np.zeros(len(per_text), dtype=np.float32)
    described = np.maximum(weak[rows], strong[rows]).max(axis=0)
    query = found.query
    asked = set(query.terms)
    own = set(terms(topic.name))
    named = topic.kinds & {"heading", "label", "definition", "target"}
    coded = topic.kinds & {"resource", "comment", "identifier"}
    rare = [english.rarity(t) for t in topic.key.split()]
    row = {
        "passage": per_text[0],
        "demands": _positive(per_text, weights),
        "against": _negative(per_text, weights),
        "concept": near[0],
        "concept_demands": _positive(near, weights),
        "concept_words": float(shared[own_rows].max()) if len(own_rows) else 0.0,
        "share": own_part[0],
        "share_demands": _positive(own_part, weights),
        "described_share": _positive(parts[rows].max(axis=0), weights),
        "described": described[0],
        "described_demands": _positive(described, weights),
        "vote": 0.0,
        "vote_demands": 0.0,
        "name": float(np.ravel(vector) @ found.vectors[0]) if vector is not None else 0.0,
        "named": len(own & asked) / max(1, len(own)),
        "wanted": _wanted(query, topic, found),
        "often": float(np.log1p(len(rows))),
        "sections": float(
            np.log1p(len({(found.hits[n].passage.path, found.hits[n].passage.heading_path) for n in topic.own}))
        ),
        "rarity": max(rare, default=0.0),
        "capital": float(topic.name[:1].isupper()),
        "heading": float("heading" in topic.kinds),
        "label": float("label" in topic.kinds),
        "definition": float("definition" in topic.kinds),
        "target": float("target" in topic.kinds),
        "coded": float(bool(coded) and not named),
        "phrase": float(topic.kinds <= {"phrase"}),
        "detail_coded": float(query.ask in ("detail", "tool") and bool(coded)),
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
