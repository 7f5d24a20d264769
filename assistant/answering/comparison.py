"""A comparison → its two sides, and the lines that tell them apart.

The sides are topics of the notes that the question names where it sets two things against each other. What is quoted:
lines that hold both (a row of a table, a definition that names them), then each side's own, by what the question asks
of them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from assistant.answering.naming import Topic
from assistant.question.parser import Query
from assistant.retrieval.retriever import Floats, HybridRetriever, RetrievalResult
from assistant.text import word_frequency
from assistant.text.stop_words import ASKING, content
from assistant.text.tokenizer import key, terms, words

_SETS_AGAINST = (
    re.compile(r"\bbetween\s+(?P<a>.+?)\s+and\s+(?P<b>[^?.;:,]+)", re.IGNORECASE),
    re.compile(r"\b(?:take|use|choose|pick)\s+(?P<a>.+?),?\s+and\s+when\s+(?P<b>[^?.;:]+)", re.IGNORECASE),
    re.compile(
        r"(?P<a>[^.?!:;]+?)\s+(?:vs\.?|versus|against|compared (?:with|to)|over)\s+(?P<b>[^?.!:;]+)", re.IGNORECASE
    ),
    re.compile(r"(?P<a>[^.?!:;,]+?)\s+or\s+(?P<b>[^?.!:;,]+)", re.IGNORECASE),
    re.compile(r"(?P<a>[^.?!:;,]+?)\s+(?:and|from)\s+(?P<b>[^?.!:;,]+)", re.IGNORECASE),
)
_NAMES = frozenset(("heading", "label", "definition", "target", "resource", "comment", "identifier", "phrase"))
_HOLDS_BOTH = frozenset(("row", "definition", "pair"))
_KINDS = {"definition": 0.25, "pair": 0.12, "row": 0.2, "item": 0.04, "tree": 0.04, "pointer": -0.1, "fence": -0.1}
_CODE_KINDS = {"step": 0.3, "code": 0.25, "fence": 0.05}


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two topics and the positions in `RetrievalResult.hits` that speak of them, best first."""

    sides: tuple[Topic, Topic]
    both: tuple[int, ...]
    each: tuple[tuple[int, ...], tuple[int, ...]]


def compare(
    query: Query, found: RetrievalResult, ranked: Sequence[Topic], retriever: HybridRetriever
) -> Comparison | None:
    """The comparison a question asks for; None where it does not name two topics of the notes."""
    sides = named(query, ranked)
    if sides is None:
        return None
    one, other = (_side(side, against, ranked) for side, against in (sides, sides[::-1]))
    asked = _aspect(query, sides, found, retriever)
    both = sorted(
        (
            n
            for n, hit in enumerate(found.hits)
            if hit.passage.kind in _HOLDS_BOTH
            and all(_says(f"{hit.passage.label} {hit.passage.text}", side) for side in (one, other))
            and (hit.passage.kind == "row" or asked[n] >= _ASKED)
        ),
        key=lambda n: (-(asked[n] + 0.5 * found.hits[n].score), n),
    )
    return Comparison(sides, tuple(both), (_own(found, one, other, asked), _own(found, other, one, asked)))


@dataclass(frozen=True, slots=True)
class _Side:
    """A topic with the longer and shorter names that mean the same here."""

    keys: tuple[str, ...]
    speakers: dict[int, float]


def _side(topic: Topic, against: Topic, ranked: Sequence[Topic]) -> _Side:
    """Names that hold the topic's and not the other side's ("Cloud Spanner"), and a last part of its own that stands
    as a name in the notes and not in the other side's ("Standard" of "App Engine Standard")."""
    own, other = topic.key.split(), against.key.split()
    keys, speakers = {topic.key}, dict(topic.speakers)
    for candidate in ranked:
        name = candidate.key.split()
        longer = len(name) > len(own) and name[-len(own) :] == own and _at(name, other) is None
        shorter = len(name) < len(own) and own[-len(name) :] == name and other[-len(name) :] != name
        if longer or (shorter and candidate.kinds & {"heading", "label", "definition"}):
            keys.add(candidate.key)
            for n, value in candidate.speakers.items():
                speakers[n] = max(speakers.get(n, 0.0), value)
    return _Side(tuple(sorted(keys, key=len)), speakers)


_ASKED = 0.2
"""How near what is asked of the sides a line that only names both must come; the row of a table always tells."""


def named(query: Query, ranked: Sequence[Topic]) -> tuple[Topic, Topic] | None:
    """The two topics that the question sets against each other, in its order; else the two that most stand out."""
    known = [t for t in ranked if t.kinds & _NAMES]
    for pattern in _SETS_AGAINST:
        for match in pattern.finditer(query.text):
            one, other = _in(match["a"], known, last=True), _in(match["b"], known, last=False)
            if one is not None and other is not None and one is not other:
                return one, other
    asked = list(terms(query.text))
    standing = [t for t in known if _at(asked, t.key.split()) is not None]
    standing.sort(key=lambda t: (-_standing(t), t.key))
    kept: list[Topic] = []
    for topic in standing:
        if all(not set(topic.key.split()) & set(k.key.split()) for k in kept):
            kept.append(topic)
    if len(kept) < 2:
        return None
    one, other = sorted(kept[:2], key=lambda t: _at(asked, t.key.split()) or 0)
    return one, other


def among(topics: Sequence[Topic], names: Collection[str]) -> list[Topic]:
    """Those topics that one of these names calls."""
    wanted = [list(terms(name)) for name in names]
    return [t for t in topics if any(_at(name, t.key.split()) is not None for name in wanted)]


def chosen(ranked: Sequence[Topic], found: RetrievalResult) -> list[Topic]:
    """The topics by what speaks for one alone of what the question says in its own words (the last column)."""

    def best(topic: Topic) -> float:
        others = {n for t in ranked if t is not topic for n in t.speakers}
        alone = [n for n in topic.speakers if n not in others]
        return max((float(found.fused[n, -1]) for n in alone), default=0.0)

    return sorted(ranked, key=lambda t: (-best(t), t.key))


def _in(text: str, known: Sequence[Topic], *, last: bool) -> Topic | None:
    """The topic that a side names: the one with most words in it, then nearest to the other side, then most telling."""
    said = list(terms(text))
    best: tuple[tuple[int, int, float], Topic] | None = None
    for topic in known:
        for own in {topic.key, key(topic.name)}:
            at = _at(said, own.split())
            if at is not None:
                near = at if last else -at
                value = len(own.split()), near, round(_standing(topic), 6)
                if best is None or value > best[0]:
                    best = value, topic
    return best[1] if best is not None else None


def _at(said: Sequence[str], own: Sequence[str]) -> int | None:
    """Where `own` stands in a row in `said`."""
    size = len(own)
    places = range(len(said) - size + 1) if size else range(0)
    return next((i for i in places if list(said[i : i + size]) == list(own)), None)


def _standing(topic: Topic) -> float:
    """How much of a thing the notes make of a name: what has a heading, a label or a definition, and rare words,
    before others."""
    rare = max((word_frequency.rarity(t) for t in topic.key.split()), default=0.0)
    return 1.5 * len(topic.kinds & {"heading", "label", "definition"}) + 2 * rare + 0.2 * len(topic.kinds)


def _says(text: str, side: _Side) -> bool:
    said = key(text).split()
    return any(_at(said, name.split()) is not None for name in side.keys)


def _aspect(query: Query, sides: Sequence[Topic], found: RetrievalResult, retriever: HybridRetriever) -> Floats:
    """(hits,): how near each passage comes to what is asked of the sides, their names aside; 0 where nothing is."""
    own = {t for side in sides for t in (*side.key.split(), *terms(side.name))}
    left = [w for w in words(query.text) if not set(terms(w)) & own]
    asked = [t for t in content(" ".join(left)) if t not in ASKING and t not in _COMPARING]
    if not asked:
        return np.zeros(len(found.hits), dtype=np.float32)
    vector = retriever.encoder.question(" ".join(left))
    return retriever.scores(vector[None, :], [tuple(asked)], retriever.table(found.reads), found.idf)[2][:, 0]


_COMPARING = frozenset(content("difference differ different compare comparison versus vs against distinguish side"))


def _own(found: RetrievalResult, side: _Side, other: _Side, asked: Floats) -> tuple[int, ...]:
    code = found.query.code
    kinds = _CODE_KINDS if code else _KINDS
    weight = 1.0 if code or not asked.any() else 0.5

    def value(n: int) -> float:
        passage = found.hits[n].passage
        heading = key(passage.heading_path[-1])
        first = key(re.split(r"[:;–]", passage.text)[0])
        is_own = 0.25 * (side.speakers[n] == 1.0) + 0.15 * any(k in first for k in side.keys)
        is_own += 0.15 * any(k in heading for k in side.keys)
        strange = 0.4 * _says(f"{passage.text} {passage.label} {passage.heading_path[-1]}", other)
        near = 0.5 * float(asked[n]) + (0.3 * float(found.called[n]) if code else 0.0)
        return 0.4 * found.hits[n].score + near + is_own - strange + weight * kinds.get(passage.kind, 0.0)

    telling = [n for n in side.speakers if found.hits[n].passage.kind not in ("heading", "label")]
    return tuple(sorted(telling or side.speakers, key=lambda n: (-value(n), n)))
