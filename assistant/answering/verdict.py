"""Ranked topics → what an answer says of names: the verdict, its runners-up, and which meets which requirement."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.answering.citations import CitationBuilder
from assistant.answering.topic import Topic, names
from assistant.records import Candidate, RequirementSupport, Support
from assistant.retrieval.result import RetrievalResult
from assistant.text.excerpts import plain
from assistant.text.tokenizer import key

ALTERNATIVES = 4
_OFFERING = frozenset(("pair", "item", "tree", "paragraph"))
"""Kinds of lines that answer, or end in an arrow."""
_CLOSE = 0.2
"""Share of the verdict's confidence from which a name is a runner-up."""
_SUPPORTING = 3
"""Topics, the best ranked, that requirements are held against."""
_SUPPORTS = 0.3
"""The fused score from which a line supports a requirement."""
_CONCEPTS = 3
"""General concepts that one clause may clearly speak of."""
_SPEAKS_OF = 0.42
"""The cosine from which a clause speaks of a concept (the middle of its sentences and the nearest one)."""


def candidates(
    builder: CitationBuilder, result: RetrievalResult, ranked: Sequence[Topic]
) -> tuple[Candidate | None, tuple[Candidate, ...]]:
    """The verdict with the citations that speak for it, None where none of them names it, and the runners-up that have
    a line among the citations as their reason: those that come close to it, and those that a cited answer or arrow
    offers beside it."""
    if not _candidate(builder, result, ranked[0]).citations:
        _cite_name(builder, result, ranked[0])
    first, *behind = ranked[: ALTERNATIVES + 1]
    near = [
        t for t in behind if t.confidence >= _CLOSE * first.confidence or _offered_beside(builder, result, t, first)
    ]
    verdict, *others = (_candidate(builder, result, topic) for topic in (first, *near))
    notes = (builder.citations[n - 1].path for n in verdict.citations)
    named = any(plain(verdict.name) in builder.reader.plain_note(path) for path in notes)
    return (verdict if named else None), tuple(other for other in others if other.citations)


def requirement_support(
    builder: CitationBuilder, result: RetrievalResult, ranked: Sequence[Topic]
) -> tuple[RequirementSupport, ...]:
    """Each requirement with the candidates whose cited lines support it."""
    rows = []
    for column, requirement in enumerate(result.search.requirements, 1):
        if requirement.weight <= 0:
            continue
        concepts = _nearest_concepts(result, column)
        support = []
        for topic in ranked[:_SUPPORTING]:
            called = any(topic.key in result.search.concepts.topics[c] for c in concepts)
            near = [n for n in topic.speakers if called or result.scores.fused[n, column] >= _SUPPORTS]
            numbers = builder.numbers([result.hits[n].passage for n in near])
            if numbers:
                support.append(Support(topic.name, numbers))
        supported = bool(support) or (bool(result.hits) and float(result.scores.fused[:, column].max()) >= _SUPPORTS)
        rows.append(RequirementSupport(requirement.text, supported, tuple(support)))
    return tuple(rows)


def _candidate(builder: CitationBuilder, result: RetrievalResult, topic: Topic) -> Candidate:
    hits = result.hits
    speakers = [hits[n].passage for n in sorted(topic.speakers)]
    naming = [p for p in speakers if names(p, topic.name)]
    best = max(topic.speakers, key=lambda n: (hits[n].score * topic.speakers[n], -n))
    own_section = (p.heading_path for p in naming or speakers if key(p.heading_path[-1]) == key(topic.name))
    home = next(own_section, hits[best].passage.heading_path)
    return Candidate(topic.name, home, round(topic.confidence, 4), builder.numbers(naming))


def _offered_beside(builder: CitationBuilder, result: RetrievalResult, topic: Topic, first: Topic) -> bool:
    """Whether one cited answer or arrow points to both ("A: X or Y")."""
    if not ("target" in topic.kinds and "target" in first.kinds):
        return False
    shared = [result.hits[n].passage for n in sorted(topic.speakers.keys() & first.speakers.keys())]
    return bool(builder.numbers([p for p in shared if p.kind in _OFFERING]))


def _cite_name(builder: CitationBuilder, result: RetrievalResult, topic: Topic) -> None:
    """Cites the best passage that names the topic, where a citation is left."""
    speakers = (result.hits[n].passage for n in sorted(topic.speakers))
    passage = next((p for p in speakers if names(p, topic.name)), None)
    excerpt = builder.excerpt(passage, topic.name) if passage is not None else None
    if excerpt is not None:
        builder.cite(excerpt)


def _nearest_concepts(result: RetrievalResult, column: int) -> list[str]:
    """The general concepts that one clause of the question clearly speaks of."""
    cosines = ((float(values[column]), concept) for concept, values in result.search.concepts.per_text.items())
    near = sorted(cosines, reverse=True)[:_CONCEPTS]
    return [concept for value, concept in near if value >= _SPEAKS_OF]
