"""A comparison → its two sides, and the lines that tell them apart.

The sides are topics of the notes that the question names where it sets two things against each other. What is quoted:
lines that hold both (a row of a table, a definition that names them), then each side's own, by what the question asks
of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assistant.answering.topic import Topic
from assistant.question.query import Query
from assistant.records import NAMING_KINDS
from assistant.retrieval.result import Floats, RetrievalResult
from assistant.retrieval.retriever import HybridRetriever
from assistant.text import word_frequency
from assistant.text.stop_words import ASKING, content
from assistant.text.tokenizer import key, position, terms, words

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
_DEFINING = frozenset(("heading", "label", "definition"))
_HOLDS_BOTH = frozenset(("row", "definition", "pair"))
_KINDS = {
    "definition": 0.25,
    "pair": 0.12,
    "row": 0.2,
    "item": 0.04,
    "tree": 0.04,
    "pointer": -0.1,
    "fence": -0.1,
    "step": -0.1,
}
_CODE_KINDS = {"step": 0.3, "code": 0.25, "fence": 0.05}
"""What a passage gains by its kind: where facts are compared, and where code is."""
_NAMES_COMPARED = re.compile(r"([\w-]+(?: [\w-]+)?) (?:or|vs\.?|versus|and) ([\w-]+(?: [\w-]+)?)")
_ON_ASPECT = 0.2
"""How near what is asked of the sides a line that only names both must come; the row of a table always tells."""
_COMPARING = frozenset(content("difference differ different compare comparison versus vs against distinguish side"))


@dataclass(frozen=True, slots=True)
class Comparison:
    """Positions in `RetrievalResult.hits`, best first: passages that speak of both sides, and of each."""

    both: tuple[int, ...]
    first: tuple[int, ...]
    second: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Side:
    """A topic with the longer and shorter names that mean the same here."""

    keys: tuple[str, ...]
    speakers: dict[int, float]

    def named_in(self, text: str) -> bool:
        said = key(text).split()
        return any(position(name.split(), said) is not None for name in self.keys)


def sides_of(query: Query, ranked: Sequence[Topic]) -> tuple[Topic, Topic] | None:
    """The two topics that the question sets against each other, in its order, else the two that most stand out; None
    where it compares nothing, or does not name two topics of the notes."""
    if query.intent != "compare":
        return None
    known = [t for t in ranked if t.kinds & _NAMES]
    for pattern in _SETS_AGAINST:
        for match in pattern.finditer(query.text):
            one, other = _named_in(match["a"], known, last=True), _named_in(match["b"], known, last=False)
            if one is not None and other is not None and one is not other:
                return one, other
    return _most_standing(terms(query.text), known)


def compared_names(query: Query) -> tuple[str, ...]:
    """The two names of a comparison, as written, for a later "which of them"; none for other questions."""
    match = _NAMES_COMPARED.search(query.text) if query.intent == "compare" else None
    return (match[1], match[2]) if match else ()


def compare(
    sides: tuple[Topic, Topic], result: RetrievalResult, ranked: Sequence[Topic], retriever: HybridRetriever
) -> Comparison:
    """The passages that tell two sides apart."""
    one, other = (_side(side, against, ranked) for side, against in (sides, sides[::-1]))
    aspect = _aspect(sides, result, retriever)

    def tells(n: int) -> bool:
        passage = result.hits[n].passage
        text = f"{passage.label} {passage.text}"
        if passage.kind not in _HOLDS_BOTH or not (one.named_in(text) and other.named_in(text)):
            return False
        return passage.kind == "row" or bool(aspect[n] >= _ON_ASPECT)

    both = sorted(
        (n for n in range(len(result.hits)) if tells(n)),
        key=lambda n: (-(float(aspect[n]) + 0.5 * float(result.scores.fused[n, 0])), n),
    )
    return Comparison(tuple(both), _own(result, one, other, aspect), _own(result, other, one, aspect))


def _most_standing(question: Sequence[str], known: Sequence[Topic]) -> tuple[Topic, Topic] | None:
    """The two topics in the question (its stems) that most stand out, without a word in common, in its order."""
    standing = [t for t in known if position(t.key.split(), question) is not None]
    kept: list[Topic] = []
    for topic in sorted(standing, key=lambda t: (-_standing(t), t.key)):
        if all(not set(topic.key.split()) & set(k.key.split()) for k in kept):
            kept.append(topic)
    if len(kept) < 2:
        return None
    one, other = sorted(kept[:2], key=lambda t: position(t.key.split(), question) or 0)
    return one, other


def _named_in(text: str, known: Sequence[Topic], *, last: bool) -> Topic | None:
    """The topic that a side names: the one with most words in it, then nearest to the other side, then most telling."""
    said = terms(text)
    best: tuple[tuple[int, int, float], Topic] | None = None
    for topic in known:
        for own in {topic.key, key(topic.name)}:
            at = position(own.split(), said)
            if at is not None:
                value = len(own.split()), at if last else -at, round(_standing(topic), 6)
                if best is None or value > best[0]:
                    best = value, topic
    return best[1] if best is not None else None


def _standing(topic: Topic) -> float:
    """How much a name stands out in the notes: by a heading, a label or a definition, and by rare words."""
    rare = max((word_frequency.rarity(t) for t in topic.key.split()), default=0.0)
    return 1.5 * len(topic.kinds & _DEFINING) + 2 * rare + 0.2 * len(topic.kinds)


def _side(topic: Topic, against: Topic, ranked: Sequence[Topic]) -> _Side:
    """Names that hold the topic's and not the other side's ("Cloud Spanner"), and a last part of its own that stands
    as a name in the notes and not in the other side's ("Standard" of "App Engine Standard")."""
    own, other = topic.key.split(), against.key.split()
    keys, speakers = {topic.key}, dict(topic.speakers)
    for candidate in ranked:
        name = candidate.key.split()
        longer = len(name) > len(own) and name[-len(own) :] == own and position(other, name) is None
        shorter = len(name) < len(own) and own[-len(name) :] == name and other[-len(name) :] != name
        if longer or (shorter and candidate.kinds & _DEFINING):
            keys.add(candidate.key)
            for n, value in candidate.speakers.items():
                speakers[n] = max(speakers.get(n, 0.0), value)
    return _Side(tuple(sorted(keys, key=len)), speakers)


def _aspect(sides: Sequence[Topic], result: RetrievalResult, retriever: HybridRetriever) -> Floats:
    """(hits,): how near each passage comes to what is asked of the sides, their names aside; 0 where nothing is."""
    own = {t for side in sides for t in (*side.key.split(), *terms(side.name))}
    left = " ".join(w for w in words(result.query.text) if not set(terms(w)) & own)
    aspect = [t for t in content(left) if t not in ASKING and t not in _COMPARING]
    if not aspect:
        return np.zeros(len(result.hits), dtype=np.float32)
    return retriever.scores_against(result, left, aspect)


def _own(result: RetrievalResult, side: _Side, other: _Side, aspect: Floats) -> tuple[int, ...]:
    """The passages that speak of one side, best first."""
    code = result.query.wants_code
    kinds = _CODE_KINDS if code else _KINDS
    weight = 1.0 if code or not aspect.any() else 0.5

    def value(n: int) -> float:
        passage = result.hits[n].passage
        heading = key(passage.heading_path[-1])
        first = key(re.split(r"[:;–]", passage.text)[0])
        is_own = 0.25 * (side.speakers[n] == 1.0) + 0.15 * any(k in first for k in side.keys)
        is_own += 0.15 * any(k in heading for k in side.keys)
        strange = 0.4 * other.named_in(f"{passage.text} {passage.label} {passage.heading_path[-1]}")
        near = 0.5 * float(aspect[n]) + (0.3 * float(result.scores.called[n]) if code else 0.0)
        return 0.4 * float(result.scores.fused[n, 0]) + near + is_own - strange + weight * kinds.get(passage.kind, 0.0)

    telling = [n for n in side.speakers if result.hits[n].passage.kind not in NAMING_KINDS]
    return tuple(sorted(telling or side.speakers, key=lambda n: (-value(n), n)))
