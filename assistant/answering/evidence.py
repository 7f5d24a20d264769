"""Candidates and the name to be given → the order in which passages are quoted."""

from __future__ import annotations

import re
from collections.abc import Iterable

from assistant.answering.topic import Topic, names
from assistant.question.expectations import Quantity, defined
from assistant.question.query import Query
from assistant.records import NAMING_KINDS, UNSURE, Passage
from assistant.retrieval.result import RetrievalResult
from assistant.text.excerpts import sentences
from assistant.text.stop_words import content
from assistant.text.tokenizer import key, terms, words

_KINDS = {
    "definition": 0.16,
    "pair": 0.14,
    "row": 0.12,
    "item": 0.08,
    "tree": 0.04,
    "paragraph": 0.06,
    "step": 0.02,
    "heading": -0.35,
    "label": -0.3,
    "fence": -0.08,
}
"""What a verdict is best explained by: a line that defines it, before one that only names it."""
_SAY = 2
"""Lines, the first, of which one says the name that is given."""
_GIVES = 0.06
"""What a line that gives a quantity of the kind asked for gains."""
_FIRST = 12
"""Passages that are looked at for something narrower."""
_NEARLY = 0.7
"""Share of a fence's score from which a line in it is quoted instead."""
_NO_ANSWER, _BEHIND = -3.0, 3.0
"""Logits of the reader: below the first no line is shown, nor one that is farther behind the best."""
_ENOUGH = 24
"""Passages beyond which no answer looks."""
_DEFINING = 2
"""Lines that define what is asked for, at most, that come before all others."""
_NO_ARTICLE = re.compile(r"(?i)^\W*(?:(?:an?|the)\s+)?|\s*\([^)]*\)")
_IS = re.compile(
    r"(?P<name>.{2,60}?) (?:(?:is|are|was|were) (?:an?|the|one|any|some|what|used|where|when|how|like|short|simply|"
    r"basically)\b|(?:means|mean|stands? for|refers? to|describes?|lets?|allows?|enables?|provides?)\b)"
)
_RUN = 5
"""Words in a row that the question shares with code that it repeats."""


def rank_evidence(result: RetrievalResult, topic: Topic | None, quantity: Quantity | None) -> list[int]:
    """Positions of hits in the order they are quoted. Where a name is chosen for a purpose, lines of the name to be
    given first, a second section among the first three. Otherwise those nearest to the question; of the first two, one
    says the name. Of lines that only fill up, those that the reader finds to answer.
    """
    if topic is not None and result.query.for_purpose:
        return _by_topic(result, topic)
    order = _relevant(result, _by_score(result, quantity))
    telling = _telling(result)
    if telling:
        order = distinct(result, [*telling, *order])
    if topic is None or any(names(result.hits[n].passage, topic.name) for n in order[:_SAY]):
        return order
    saying = [n for n in sorted(topic.speakers) if names(result.hits[n].passage, topic.name)][:1]
    return distinct(result, [*order[: _SAY - 1], *saying, *order[_SAY - 1 :]])


def _telling(result: RetrievalResult) -> list[int]:
    """The hits that come first whatever their score: what defines the thing whose definition is asked for, and lines
    that are asked for word by word."""
    name, asked = key(defined(result.query.text)), key(result.query.text)
    return [
        n
        for n, hit in enumerate(result.hits)
        if (name and defines(hit.passage, name))
        or (
            hit.passage.kind not in ("fence", *NAMING_KINDS)
            and asked != ""
            and len(hit.passage.text) <= 2 * len(result.query.text)
            and key(hit.passage.text) == asked
        )
    ][:_DEFINING]


def asked_by_name(query: Query, result: RetrievalResult) -> bool:
    """Whether the question is what a heading or a label is called, or asks what something is that a line defines."""
    name, asked = key(defined(query.text)), query.subject
    return any(
        asked in (content(hit.passage.label), content(hit.passage.heading_path[-1]))
        or (name and defines(hit.passage, name))
        for hit in result.hits
    )


def defines(passage: Passage, name: str) -> bool:
    """Whether a passage says what something with this key is: a definition or a row of it, or a sentence that begins
    with it and "is a"."""
    if passage.kind in ("definition", "row"):
        begins = re.split(r"\s[–—-]\s|[:;]", passage.text, maxsplit=1)[0]
        if key(_NO_ARTICLE.sub("", begins)) == name:
            return True
    if passage.fence is not None or passage.kind in NAMING_KINDS:
        return False
    return any(
        (said := _IS.match(sentence)) is not None and key(_NO_ARTICLE.sub("", said["name"])) == name
        for sentence in sentences(passage.text)
    )


def _relevant(result: RetrievalResult, order: list[int]) -> list[int]:
    """The order without what the reader finds no answer, beside the best it found or at all, and what it did not read;
    a line that stands for its block answers as surely as that. The first stays whatever it is."""
    if result.answers is None:
        return order
    answers = result.answers.copy()
    for n in range(min(_FIRST, len(answers))):
        line = _narrowed(result, n)
        answers[line] = max(answers[line], answers[n])
    least = max(_NO_ANSWER, float(answers.max()) - _BEHIND)
    return [n for place, n in enumerate(order) if not place or answers[n] >= least]


def distinct(result: RetrievalResult, order: Iterable[int]) -> list[int]:
    """The order without passages that lie inside, or round, one that comes before; as many as an answer may need."""
    kept: list[int] = []
    taken: dict[str, list[Passage]] = {}
    for n in order:
        passage = result.hits[n].passage
        beside = taken.setdefault(passage.path, [])
        if not any(overlap(passage, other) for other in beside):
            beside.append(passage)
            kept.append(n)
            if len(kept) >= _ENOUGH:
                break
    return kept


def overlap(one: Passage, other: Passage) -> bool:
    """Whether two passages have a line in common."""
    return one.path == other.path and one.start <= other.end and other.start <= one.end


def repeats(query: Query, passage: Passage) -> bool:
    """Whether a passage is what the question asks about and no answer: all that it says is in the question, or it is
    code, such as an error as it was printed, with some words in a row of it."""
    if passage.fence is not None:
        return passage.kind != "tree" and not _runs(query.text).isdisjoint(_runs(passage.text))
    said = content(passage.text)
    return bool(said) and set(said).issubset(terms(query.text))


def answers_below(repeating: Passage, below: Iterable[Passage]) -> list[Passage]:
    """Of what stands below a passage that repeats the question, what can answer it: of a list's item what stands under
    it, otherwise all but headings and labels; parts of what is there as a whole left out."""
    found: list[Passage] = []
    for passage in below:
        under = passage.label != "" and repeating.text.startswith(passage.label)
        own = repeating.fence is not None or repeating.kind == "paragraph" or under
        if own and passage.kind not in NAMING_KINDS and not any(overlap(passage, other) for other in found):
            found.append(passage)
    return found


def _runs(text: str) -> frozenset[tuple[str, ...]]:
    every = words(text.lower())
    return frozenset(tuple(every[n : n + _RUN]) for n in range(len(every) - _RUN + 1))


def _by_score(result: RetrievalResult, quantity: Quantity | None) -> list[int]:
    """As retrieved, lines that give the quantity asked for a little before others."""
    quotable = [n for n, hit in enumerate(result.hits) if hit.passage.kind not in NAMING_KINDS]
    if result.query.wants_code:
        return distinct(result, quotable)
    first = [_narrowed(result, n) for n in quotable[:_FIRST]]
    if quantity is not None:

        def value(n: int) -> float:
            hit = result.hits[n]
            return hit.score + _GIVES * bool(quantity.answers.search(hit.passage.text.lower()))

        first.sort(key=lambda n: -value(n))
    return distinct(result, first + quotable)


def _by_topic(result: RetrievalResult, topic: Topic) -> list[int]:
    """The best line of the topic, the best of all, one of the topic's from another section, then the rest."""
    hits = result.hits

    def value(n: int) -> float:
        return hits[n].score * topic.speakers[n] + _KINDS.get(hits[n].passage.kind, 0.0)

    telling = [n for n in topic.speakers if hits[n].passage.kind != "pointer"]
    own = distinct(result, sorted(telling or topic.speakers, key=lambda n: (-value(n), n)))[:3]
    lead = own[:1]
    plain = [n for n, hit in enumerate(hits) if hit.passage.kind not in NAMING_KINDS]
    best = distinct(result, [*lead, *plain])[len(lead) : len(lead) + 1]
    home = hits[lead[0]].passage.heading_path if lead else ()
    elsewhere = [n for n in own[1:] if hits[n].passage.heading_path != home][:1]
    head = [*lead, *best, *elsewhere, *own[1:]]
    if topic.confidence < UNSURE:
        head = [*best, *head]
    return distinct(result, [*head, *_relevant(result, plain)])


def _narrowed(result: RetrievalResult, n: int) -> int:
    """The best line or step inside a fence that was found as a whole, where one is nearly as good: a fact is a line."""
    whole = result.hits[n].passage
    if whole.kind != "fence":
        return n
    for k, hit in enumerate(result.hits):
        if hit.score < _NEARLY * result.hits[n].score:
            break
        if hit.passage.kind != "fence" and inside(hit.passage, whole):
            return k
    return n


def inside(passage: Passage, whole: Passage) -> bool:
    """Whether all lines of a passage are lines of another one."""
    return passage.path == whole.path and whole.start <= passage.start and passage.end <= whole.end
