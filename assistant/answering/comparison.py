"""A comparison → its two sides, and the lines that tell them apart.

The sides are topics of the notes that the question names where it sets two things against each other. What is quoted:
lines that name both, and what is found for the question when it is asked of each side alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.answering.evidence import distinct
from assistant.answering.topic import Topic
from assistant.question.parser import parse
from assistant.question.query import Query
from assistant.records import NAMING_KINDS, Passage
from assistant.retrieval.result import FollowUpContext, RetrievalResult
from assistant.retrieval.retriever import HybridRetriever
from assistant.text import word_frequency
from assistant.text.stop_words import ASKING, content
from assistant.text.tokenizer import WORD, key, position, terms

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
_KINDS = {
    "definition": 0.12,
    "pair": 0.06,
    "row": 0.1,
    "item": 0.02,
    "tree": 0.02,
    "pointer": -0.05,
    "fence": -0.05,
    "step": -0.05,
}
_CODE_KINDS = {"step": 0.3, "code": 0.25, "fence": 0.05}
"""What a passage gains by its kind: where facts are compared, and where code is."""
_NAMES_COMPARED = re.compile(r"([\w-]+(?: [\w-]+)?) (?:or|vs\.?|versus|and) ([\w-]+(?: [\w-]+)?)")
_COMPARING = frozenset(content("difference differ different compare comparison versus vs against distinguish side"))
_NAMED, _STRANGE = 0.1, 0.2
"""What a passage gains each time that it names its side: anywhere, as its subject, in its heading; and what one loses
that speaks of the other side alone."""
_LEAD, _READ = 12, 60
"""Passages, the first, among which one is looked for that names both sides, and those of a side that are looked at."""
_OWN, _ROWS = 3, 2
"""Passages of each side, and rows that name both, at most."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Passages, best first: those that speak of both sides, and of each."""

    both: tuple[Passage, ...]
    first: tuple[Passage, ...]
    second: tuple[Passage, ...]
    names: tuple[_Side, _Side]

    def side_of(self, passage: Passage) -> int | None:
        """0 or 1 for a passage of one side alone; None for one of both, or that names both."""
        own = [passage in side for side in (self.first, self.second)]
        if passage in self.both or own[0] == own[1] or all(side.named_in(passage.text) for side in self.names):
            return None
        return own.index(True)


@dataclass(frozen=True, slots=True)
class _Side:
    """A topic with the longer and shorter names that mean the same here."""

    keys: tuple[str, ...]

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
    sides: tuple[Topic, Topic],
    result: RetrievalResult,
    ranked: Sequence[Topic],
    retriever: HybridRetriever,
) -> Comparison:
    """The passages that tell two sides apart. IndexDamaged, ModelUnusable."""
    one, other = (_side(side, against, ranked) for side, against in (sides, sides[::-1]))
    asked, aspect = _asked_of_each(result.query, sides)
    # Retrieval scores a follow-up's own words as a separate text; the words asked about both sides are passed the same
    # way.
    context = FollowUpContext(aspect, "", ()) if _tells(aspect) else None
    of_one, of_other = (retriever.retrieve(query, result.search.scope, context) for query in asked)
    both = _of_both(result, one, other)
    return Comparison(both, _own(of_one, one, other), _own(of_other, other, one), (one, other))


def _asked_of_each(query: Query, sides: tuple[Topic, Topic]) -> tuple[tuple[Query, Query], str]:
    """The question with one of its sides alone: "how long do A and B keep" as "how long do A keep"; and without any."""
    text = query.text
    said = [(term, word.span()) for word in WORD.finditer(text) for term in terms(word[0])]
    spans = [_span(side, said) for side in sides]
    places = [span for span in spans if span is not None]
    if len(places) < len(sides) or min(places)[1] > max(places)[0]:
        return (query, query), ""
    before, between, after = text[: min(places)[0]], text[min(places)[1] : max(places)[0]], text[max(places)[1] :]
    after = f"{between if _tells(between) else ''}{after}"
    one, other = (
        parse(f"{before}{text[start:end]}{after}", code=query.wants_code, language=query.language)
        for start, end in places
    )
    return (one, other), f"{before} {after}".strip(" ,:;?")


def _tells(aspect: str) -> bool:
    """Whether words ask for more than what tells two things apart."""
    return any(term not in ASKING and term not in _COMPARING for term in content(aspect))


def _span(side: Topic, said: Sequence[tuple[str, tuple[int, int]]]) -> tuple[int, int] | None:
    """Where the longer of a side's names stands in a text; `said` are its terms with their places."""
    found = []
    for name in {side.key, key(side.name)}:
        own = name.split()
        at = position(own, [term for term, _ in said])
        if at is not None:
            found.append((said[at][1][0], said[at + len(own) - 1][1][1]))
    return max(found, key=lambda span: (span[1] - span[0], span), default=None)


def _of_both(result: RetrievalResult, one: _Side, other: _Side) -> tuple[Passage, ...]:
    """The first passage that names both sides, if it is among the best, then rows that do."""

    def tells(n: int) -> bool:
        text = f"{result.hits[n].passage.label} {result.hits[n].passage.text}"
        return result.hits[n].passage.kind not in NAMING_KINDS and one.named_in(text) and other.named_in(text)

    lead = [n for n in range(min(_LEAD, len(result.hits))) if tells(n)][:1]
    rows = [n for n, hit in enumerate(result.hits) if hit.passage.kind == "row" and tells(n)]
    return tuple(result.hits[n].passage for n in distinct(result, [*lead, *rows])[: _ROWS + len(lead)])


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
    keys = {topic.key}
    for candidate in ranked:
        name = candidate.key.split()
        longer = len(name) > len(own) and name[-len(own) :] == own and position(other, name) is None
        shorter = len(name) < len(own) and own[-len(name) :] == name and other[-len(name) :] != name
        if longer or (shorter and candidate.kinds & _DEFINING):
            keys.add(candidate.key)
    return _Side(tuple(sorted(keys, key=len)))


def _own(found: RetrievalResult, side: _Side, other: _Side) -> tuple[Passage, ...]:
    """The passages that speak of one side, best first."""
    kinds = _CODE_KINDS if found.query.wants_code else _KINDS

    def value(n: int) -> float:
        passage = found.hits[n].passage
        text, heading = passage.text, passage.heading_path[-1]
        whole = f"{heading} {passage.label} {text}"
        named = sum(map(side.named_in, (whole, heading, re.split(r"[:;–|]", text)[0])))
        strange = other.named_in(whole) and not side.named_in(text)
        return found.hits[n].score + _NAMED * named - _STRANGE * strange + kinds.get(passage.kind, 0.0)

    first = [n for n in range(min(_READ, len(found.hits))) if found.hits[n].passage.kind not in NAMING_KINDS]
    order = distinct(found, sorted(first, key=lambda n: (-value(n), n)))
    return tuple(found.hits[n].passage for n in order[:_OWN])
