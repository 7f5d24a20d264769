"""A question and what was found → the cited answer; alone numbers citations and checks every quote against the
indexed lines.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import zip_longest

from assistant.answering import code_blocks, comparison, decision, evidence, multiple_choice
from assistant.answering import naming as answering_naming
from assistant.answering.citations import CitationBuilder
from assistant.answering.naming import Topic
from assistant.answering.weights import Constants
from assistant.question.follow_up import Subject
from assistant.question.parser import Query
from assistant.records import (
    Answer,
    Candidate,
    Passage,
    PassageId,
    Requirement,
    Snippet,
    Statement,
    Support,
)
from assistant.retrieval.retriever import FollowUpContext, HybridRetriever, RetrievalResult
from assistant.text import excerpts
from assistant.text.excerpts import Excerpt
from assistant.text.tokenizer import key

STATEMENTS, SNIPPETS, ALTERNATIVES = 4, 2, 4
_TOTAL = 1_500
"""Characters of all statements together, by the contract."""
_NAMING = ("concept", "detail", "tool", "need")


def answer(
    retriever: HybridRetriever,
    query: Query,
    constants: Constants,
    *,
    only: Collection[PassageId] | None = None,
    limit: int = 8,
    explain: bool = False,
    lean: Subject | None = None,
    own: str = "",
    later: bool = False,
    among: Collection[str] = (),
) -> Answer:
    """The answer to one question that stands alone; `lean` is what a follow-up goes on about, `own` its own
    words, `among` the names it chooses from; `later` says that a dialogue goes on, about whatever. Never invents a
    word.
    """
    asked = decision.asked(query.text)  # beside the encoding of its texts, which the search waits for
    found = retriever.retrieve(
        query, only, FollowUpContext(own or query.text, lean.path, lean.heading_path) if lean is not None else None
    )
    topics = answering_naming.topics(found, retriever)
    if among:
        topics = comparison.among(topics, among) or topics
    ranked = _quotable(answering_naming.rank(topics, constants.verdict, constants.temperature), found)
    if among:
        ranked = comparison.chosen(ranked, found)
    sides = query.ask == "compare" and comparison.named(query, ranked) is not None
    judged = decision.judge(asked, found, ranked, retriever, constants, lenient=later or sides)
    sheet = CitationBuilder(retriever, _wanted(query, found), limit)
    if query.options:
        made = _chosen(sheet, query, found, ranked, retriever)
    elif judged.outcome == "not_in_notes":
        made = _declined(sheet, found)
    elif query.ask == "compare" and not among:
        made = _compared(sheet, query, found, ranked, retriever) or _answered(sheet, query, found, ranked)
    else:
        home = lean.heading_path if lean is not None else None
        made = _answered(sheet, query, found, ranked, chosen=bool(among), home=home)
    if not query.options or judged.outcome == "not_in_notes":
        made = replace(made, outcome=judged.outcome, missing=judged.missing, hint=judged.hint)
    if judged.outcome == "not_in_notes" and not query.options:
        made = replace(made, verdict=None, alternatives=(), requirements=(), statements=(), snippets=())
    _check(made, retriever)
    return replace(made, explain=_explained(found, ranked, judged)) if explain else made


def _quotable(ranked: Sequence[Topic], found: RetrievalResult) -> list[Topic]:
    """The topics whose name stands word for word in a passage that speaks for it; only such a name can be given."""

    def stands(topic: Topic) -> bool:
        return any(_names(found.hits[n].passage, topic.name) for n in list(topic.speakers)[:20])

    first = [t for t in ranked[:12] if stands(t)]
    return [*first, *(t for t in ranked[12:])] if first else list(ranked[12:])


def sides(query: Query, made: Answer) -> tuple[str, ...]:
    """The two names that a comparison was about, for a later "which of them"; none for other answers."""
    match = re.search(r"([\w-]+(?: [\w-]+)?) (?:or|vs\.?|versus|and) ([\w-]+(?: [\w-]+)?)", query.text)
    return (match[1], match[2]) if query.ask == "compare" and match and made.outcome == "answered" else ()


def _wanted(query: Query, found: RetrievalResult) -> dict[str, float]:
    """Term → weight: what a line should say to be quoted."""
    return {t: found.idf.get(t, 0.0) for t in query.terms}


# ---- the parts of an answer


def _answered(
    sheet: CitationBuilder,
    query: Query,
    found: RetrievalResult,
    ranked: Sequence[Topic],
    *,
    chosen: bool = False,
    home: tuple[str, ...] | None = None,
) -> Answer:
    """Verdict or not, statements and a snippet; `chosen` asks for a name whatever else is asked, `home` is the section
    that a follow-up goes on about.
    """
    naming = bool(ranked) and (query.ask in _NAMING or chosen) and (not query.code or query.ask in ("concept", "tool"))
    topic = ranked[0] if naming else None
    order = evidence.order(found, topic)
    snippet = code_blocks.fence(query, found, topic, order, home)
    base = Answer(query.text, "answered")
    fence = found.hits[snippet].passage if snippet is not None else None
    shown = _show(sheet, fence, query) if query.code and fence is not None else []
    lead = order[:2]
    early = fence is not None and any(evidence.overlap(found.hits[n].passage, fence) for n in lead)
    statements = _statements(sheet, found, lead if early and not shown else order, topic)
    if not shown and fence is not None:
        shown = _show(sheet, fence, query)
    if early and len(statements) < STATEMENTS:
        statements += _statements(sheet, found, order[2:], None, statements)
    verdict, others = _candidates(sheet, found, ranked) if topic is not None else (None, ())
    requirements = _requirements(sheet, found, ranked) if topic is not None else ()
    return replace(
        base,
        verdict=verdict,
        alternatives=others,
        requirements=requirements,
        statements=tuple(statements),
        snippets=tuple(shown),
        citations=tuple(sheet.citations),
    )


def _statements(
    sheet: CitationBuilder,
    found: RetrievalResult,
    order: Sequence[int],
    topic: Topic | None,
    before: Sequence[Statement] = (),
) -> list[Statement]:
    """New statements, in this order, as many as there is room for after those made before."""
    made: list[Statement] = []
    total = sum(len(s.text) for s in before)
    for n in order:
        if len(made) + len(before) >= STATEMENTS or len(sheet.citations) >= sheet.limit:
            break
        passage = found.hits[n].passage
        name = topic.name if topic is not None and not made and n in topic.speakers else ""
        extract = sheet.extract(passage, name)
        if extract is None or not excerpts.plain(extract.text) or total + len(extract.text) > _TOTAL:
            continue
        number = sheet.cite(extract)
        if number is not None and all(extract.text != s.text for s in (*before, *made)):
            made.append(Statement(extract.text, (number,)))
            total += len(extract.text)
    return made


def _candidates(
    sheet: CitationBuilder, found: RetrievalResult, ranked: Sequence[Topic]
) -> tuple[Candidate | None, tuple[Candidate, ...]]:
    """The verdict with the citations that speak for it, and the runners-up."""
    if not _candidate(sheet, found, ranked[0]).citations:
        _cite_name(sheet, found, ranked[0])
    made = [_candidate(sheet, found, topic) for topic in ranked[: ALTERNATIVES + 1]]
    verdict = made[0]
    if not any(
        excerpts.plain(verdict.name) in sheet.retriever.plain(sheet.citations[n - 1].path) for n in verdict.citations
    ):
        return None, tuple(made[1:])
    return (verdict if verdict.citations else None), tuple(made[1:])


def _candidate(sheet: CitationBuilder, found: RetrievalResult, topic: Topic) -> Candidate:
    speaking = [p for p in (found.hits[n].passage for n in sorted(topic.speakers)) if _names(p, topic.name)]
    numbers = tuple(
        c.number
        for c in sheet.citations
        if any(p.path == c.path and p.start <= c.end_line and c.start_line <= p.end for p in speaking)
    )
    speaking = speaking or [found.hits[n].passage for n in sorted(topic.speakers)]
    best = max(topic.speakers, key=lambda n: (found.hits[n].score * topic.speakers[n], -n))
    own = next(
        (p.heading_path for p in speaking if key(p.heading_path[-1]) == key(topic.name)),
        found.hits[best].passage.heading_path,
    )
    return Candidate(topic.name, own, round(topic.confidence, 4), numbers)


def _names(passage: Passage, name: str) -> bool:
    """Whether the name stands in the passage, its label or its heading, word for word."""
    return excerpts.plain(name) in excerpts.plain(f"{passage.text} {passage.heading_path[-1]} {passage.label}")


def _cite_name(sheet: CitationBuilder, found: RetrievalResult, topic: Topic) -> None:
    """Cites the best passage that names the topic; one citation is given up for it where none is left."""
    passage = next((p for p in (found.hits[n].passage for n in sorted(topic.speakers)) if _names(p, topic.name)), None)
    extract = sheet.extract(passage, topic.name) if passage is not None else None
    if extract is not None:
        sheet.cite(extract)


def _requirements(sheet: CitationBuilder, found: RetrievalResult, ranked: Sequence[Topic]) -> tuple[Requirement, ...]:
    """Each demand with the candidates whose cited lines support it."""
    made = []
    for column, demand in enumerate(found.requirements, 1):
        if demand.weight <= 0:
            continue
        support = []
        meant = _nearest_concepts(found, column)
        for topic in ranked[:3]:
            called = any(topic.key in found.concepts.topics[c] for c in meant)
            near = [n for n in topic.speakers if called or found.fused[n, column] >= _SUPPORTS]
            lines = [found.hits[n].passage for n in near]
            numbers = tuple(
                c.number
                for c in sheet.citations
                if any(p.path == c.path and p.start <= c.end_line and c.start_line <= p.end for p in lines)
            )
            if numbers:
                support.append(Support(topic.name, numbers))
        supported = bool(support) or (bool(len(found.hits)) and float(found.fused[:, column].max()) >= _SUPPORTS)
        made.append(Requirement(demand.text, supported, tuple(support)))
    return tuple(made)


_SUPPORTS = 0.3
"""The fused score from which a line supports a demand."""


def _nearest_concepts(found: RetrievalResult, column: int) -> list[str]:
    """The general concepts that one clause of the question clearly speaks of."""
    near = sorted(((float(v[column]), c) for c, v in found.concepts.per_text.items()), reverse=True)[:_FEW]
    return [c for value, c in near if value >= _SPEAKS_OF]


_FEW = 3
_SPEAKS_OF = 0.42
"""The cosine from which a clause speaks of a concept (the middle of its sentences and the nearest one)."""


# ---- snippets


def _show(sheet: CitationBuilder, passage: Passage, query: Query) -> list[Snippet]:
    """The fence as a snippet, whole; none where no citation is left for it."""
    lines = sheet.retriever.store.lines(passage.path, passage.start, passage.end)
    code = "\n".join(lines)
    number = sheet.cite(Excerpt(passage, passage.start, passage.end, code, code))
    if number is None or not code.strip():
        return []
    language = (passage.info.split() or [""])[0]
    return [Snippet(language, passage.info, passage.label or None, code, number, passage.problems)]


# ---- other kinds of answer


def _declined(sheet: CitationBuilder, found: RetrievalResult) -> Answer:
    """Near misses, as citations without a claim."""
    plain = [n for n, hit in enumerate(found.hits) if hit.passage.kind not in ("heading", "label")]
    for n in evidence.distinct(found, plain or range(len(found.hits)))[:2]:
        extract = sheet.extract(found.hits[n].passage)
        if extract is not None:
            sheet.cite(extract)
    return Answer(found.query.text, "not_in_notes", citations=tuple(sheet.citations))


def _compared(
    sheet: CitationBuilder, query: Query, found: RetrievalResult, ranked: Sequence[Topic], retriever: HybridRetriever
) -> Answer | None:
    """Both sides cited in turn, with the lines that hold both; None where the question does not name two topics."""
    told = comparison.compare(query, found, ranked, retriever)
    if told is None:
        return None
    both = evidence.distinct(found, told.both)[:3]
    one, other = (_apart(found, evidence.distinct(found, [n for n in own if n not in both])[:8]) for own in told.each)
    turns = [n for pair in zip_longest(one[:3], other[:3]) for n in pair if n is not None]
    order = [*turns[:2], *both[:2], *turns[2:], *both[2:]]
    statements: list[Statement] = []
    for n in evidence.distinct(found, order):
        extract = sheet.branch(found.hits[n].passage)
        number = sheet.cite(extract) if extract is not None and excerpts.plain(extract.text) else None
        if extract is not None and number is not None and all(s.text != extract.text for s in statements):
            statements.append(Statement(extract.text, (number,)))
    return Answer(query.text, "answered", statements=tuple(statements[:8]), citations=tuple(sheet.citations))


def _apart(found: RetrievalResult, order: Sequence[int]) -> list[int]:
    """The first, then one from another section, then the rest."""
    if not order:
        return []
    home = found.hits[order[0]].passage.heading_path
    away = next((n for n in order[1:] if found.hits[n].passage.heading_path != home), None)
    return [order[0], *([away] if away is not None else []), *(n for n in order[1:] if n != away)]


def _chosen(
    sheet: CitationBuilder, query: Query, found: RetrievalResult, ranked: Sequence[Topic], retriever: HybridRetriever
) -> Answer:
    picked = multiple_choice.choose(query, found, ranked, retriever)
    options, statements = [], list[Statement]()
    for option in sorted(picked.options, key=lambda o: (-o.support, o.text)):
        extract = sheet.extract(option.best) if option.best is not None else None
        number = sheet.cite(extract) if extract is not None else None
        if extract is not None and number is not None and not statements and excerpts.plain(extract.text):
            statements.append(Statement(extract.text, (number,)))
        options.append((option, (number,) if number is not None else ()))
    by_label = {o.label: o.record(numbers) for o, numbers in options}
    return Answer(
        query.text,
        "answered" if picked.choice is not None else "partial",
        statements=tuple(statements),
        options=tuple(by_label[label] for label, _ in query.options),
        choice=picked.choice,
        missing=() if picked.choice is not None else tuple(text[:80] for _, text in query.options)[:4],
        hint=None if picked.choice is not None else "No line of the notes supports one option more than the others.",
        citations=tuple(sheet.citations),
    )


# ---- checks


def _check(made: Answer, retriever: HybridRetriever) -> None:
    """Every quote stands in the indexed lines it cites, every statement in a quote it cites; anything else is a
    bug of ours.
    """
    by_number = {c.number: c for c in made.citations}
    for cited in made.citations:
        lines = "\n".join(retriever.store.lines(cited.path, cited.start_line, cited.end_line))
        if cited.quote not in lines:
            raise AssertionError(f"quote not in {cited.path}:{cited.start_line}-{cited.end_line}")
    for statement in made.statements:
        held = " ".join(excerpts.plain(by_number[n].quote) for n in statement.citations)
        if excerpts.plain(statement.text) not in held:
            raise AssertionError(f"statement not in its quotes: {statement.text[:60]!r}")


def _explained(found: RetrievalResult, ranked: Sequence[Topic], judged: decision.Decision) -> dict[str, object]:
    """Why each passage ranked, which topics stood for election, and the features of the decision."""
    return {
        "passages": [
            {
                "at": f"{h.passage.path}:{h.passage.start}",
                "kind": h.passage.kind,
                "dense": h.dense,
                "lexical": h.lexical,
                "score": h.score,
            }
            for h in found.hits[:10]
        ],
        "concepts": {c: round(v, 4) for c, v in list(found.concepts.near.items())[:5]},
        "topics": [
            {
                "name": t.name,
                "score": t.score,
                "confidence": round(t.confidence, 4),
                **{f: round(float(v), 4) for f, v in zip(answering_naming.FEATURES, t.features, strict=True) if v},
            }
            for t in ranked[:5]
        ],
        "decision": {
            **{k: round(v, 4) for k, v in judged.features.items()},
            "answerable": round(judged.probability, 4),
        },
        "correct": "A wrong verdict is mended by writing the need, in your own words, under the right name in "
        "assistant-vocabulary.md at the top of the notes.",
    }
