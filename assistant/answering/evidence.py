"""What was found, and the verdict → the order in which passages are quoted."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.answering import decision
from assistant.answering.naming import Topic
from assistant.records import UNSURE, Passage
from assistant.retrieval.retriever import RetrievalResult

_OWN = {
    "definition": 0.16,
    "pair": 0.14,
    "row": 0.12,
    "item": 0.08,
    "tree": 0.04,
    "paragraph": 0.06,
    "step": 0.02,
    "heading": -0.35,
    "label": -0.3,
    "pointer": -0.2,
    "fence": -0.08,
}
"""What a verdict is best explained by: a line that defines it, before one that only names it."""


def order(found: RetrievalResult, topic: Topic | None) -> list[int]:
    """Positions of hits in the order they are quoted: the verdict's own lines first, a second section among the
    first three; those of the question's own words first where nothing is told of a need and the verdict is unsure.
    """
    if topic is not None and found.query.ask == "need" and not found.query.told and topic.confidence < _SURE:
        return order(found, None)
    ranked = [
        n for n, hit in enumerate(found.hits) if hit.passage.kind not in ("heading", "label") or topic is not None
    ]
    if topic is None:
        plain = [n for n in ranked if found.hits[n].passage.kind not in ("heading", "label")]
        if found.query.code:
            return distinct(found, plain)
        first = [_narrowed(found, n) for n in plain[:_FIRST]]
        gives = decision.quantity(found.query.text)
        if gives is not None:
            first.sort(
                key=lambda n: -found.hits[n].score - _GIVES * bool(gives.search(found.hits[n].passage.text.lower()))
            )
        return distinct(found, first + plain)

    def own(n: int) -> float:
        return found.hits[n].score * topic.speakers[n] + _OWN.get(found.hits[n].passage.kind, 0.0)

    speakers = sorted(topic.speakers, key=lambda n: (-own(n), n))
    first = distinct(found, speakers)[:3]
    lead = first[:1]
    plain = [n for n in ranked if found.hits[n].passage.kind not in ("heading", "label", "pointer")]
    top = distinct(found, [*lead, *plain])[len(lead) : len(lead) + 1]
    apart = (
        next(
            (n for n in first[1:] if found.hits[n].passage.heading_path != found.hits[lead[0]].passage.heading_path),
            None,
        )
        if lead
        else None
    )
    head = [*lead, *top, *([apart] if apart is not None else []), *first[1:]]
    if topic.confidence < UNSURE:
        head = [*top, *lead, *head]
    return distinct(found, [*head, *(n for n in ranked if found.hits[n].passage.kind not in ("heading", "label"))])


def _narrowed(found: RetrievalResult, n: int) -> int:
    """The best line or step inside a fence that was found as a whole, where one is nearly as good: a fact is a line."""
    whole = found.hits[n].passage
    if whole.kind != "fence":
        return n
    for k, hit in enumerate(found.hits):
        if hit.score < _NEARLY * found.hits[n].score:
            break
        inside = hit.passage
        if (
            inside.kind != "fence"
            and inside.path == whole.path
            and whole.start <= inside.start
            and inside.end <= whole.end
        ):
            return k
    return n


_SURE = 0.7
"""How sure of a name an answer must be to lead with its lines where only a fact may have been asked for."""
_GIVES = 0.06
"""What a line that gives a quantity of the kind asked for gains."""
_FIRST = 12
"""Passages that are looked at for something narrower."""
_NEARLY = 0.7


def distinct(found: RetrievalResult, order: Sequence[int]) -> list[int]:
    """The order without passages that lie inside, or round, one that comes before; as many as an answer may need."""
    kept: list[int] = []
    taken: dict[str, list[Passage]] = {}
    for n in order:
        passage = found.hits[n].passage
        beside = taken.setdefault(passage.path, [])
        if not any(overlap(passage, other) for other in beside):
            beside.append(passage)
            kept.append(n)
            if len(kept) >= _ENOUGH:
                break
    return kept


_ENOUGH = 24
"""Passages beyond which no answer looks."""


def overlap(one: Passage, other: Passage) -> bool:
    return one.path == other.path and one.start <= other.end and other.start <= one.end
