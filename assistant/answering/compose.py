"""What was retrieved, ranked and decided → the cited answer. Never invents a word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from assistant.answering import comparison, multiple_choice, verdict
from assistant.answering.citations import CitationBuilder
from assistant.answering.code_blocks import pick_code_block
from assistant.answering.decision import Decision
from assistant.answering.evidence import answers_below, distinct, overlap, rank_evidence, repeats
from assistant.answering.topic import Topic
from assistant.question.understanding import Understanding
from assistant.records import NAMING_KINDS, Answer, Passage, Side, Statement
from assistant.retrieval.result import RetrievalResult
from assistant.retrieval.retriever import HybridRetriever
from assistant.text.excerpts import Excerpt, plain

NAMED = 0.1
"""The confidence below which no name is given, and the lines stand for themselves."""
STATEMENTS = 4
MAX_COMPARISON_STATEMENTS = 8
"""Statements of a comparison."""
MAX_CHARACTERS = 1_500
"""Characters of all statements together, by the contract."""
SHORT_BLOCK = 5
"""Lines of a block of code, at most, that is shown without quoting a line of it beside it."""
MAX_MISSING_OPTIONS = 4
"""Options that are listed where none is supported."""

Line = tuple[int | None, Passage]
"""A passage to quote, with its position where it is a hit."""


def compose(
    understanding: Understanding,
    result: RetrievalResult,
    ranked: Sequence[Topic],
    decision: Decision,
    retriever: HybridRetriever,
    limit: int = 8,
) -> Answer:
    """The answer, with `limit` citations at the most."""
    wanted = {t: result.search.idf.get(t, 0.0) for t in understanding.query.terms}
    builder = CitationBuilder(retriever.reader, wanted, limit)
    composer = _Composer(understanding, result, ranked, decision, retriever, builder)
    query, choices = result.query, understanding.turn.choices
    if query.options:
        answer = composer.choice()
        if decision.outcome != "not_in_notes":
            return answer
    elif decision.outcome == "not_in_notes":
        answer = composer.declined()
    else:
        sides = comparison.sides_of(query, ranked) if not choices else None
        answer = composer.comparison(sides) if sides is not None else composer.answer()
    return replace(answer, outcome=decision.outcome, missing=decision.missing, hint=decision.hint)


@dataclass(frozen=True, slots=True)
class _Composer:
    """Composes each kind of answer."""

    understanding: Understanding
    result: RetrievalResult
    ranked: Sequence[Topic]
    decision: Decision
    retriever: HybridRetriever
    builder: CitationBuilder

    def answer(self) -> Answer:
        """Verdict or not, statements and a code block."""
        query, builder, turn = self.result.query, self.builder, self.understanding.turn
        topic = self.ranked[0] if self.ranked and self.decision.wants_name else None
        if topic is not None and topic.confidence < NAMED and not turn.choices:
            topic = None
        order = rank_evidence(self.result, topic, self.understanding.expectations.quantity)
        home = (turn.subject.path, turn.subject.heading_path) if turn.subject is not None else None
        block = pick_code_block(self.result, topic, order, home)
        fence = self.result.hits[block].passage if block is not None else None
        snippet = builder.code_block(fence) if fence is not None and query.wants_code else None
        # A block that holds one of the first two lines takes its citation before the later lines take theirs.
        early = fence is not None and any(overlap(self.result.hits[n].passage, fence) for n in order[:2])
        lines = self._lines(order)
        below = self._below(lines[0][1]) if lines and topic is None else None
        statements: list[Statement] = []
        if early and snippet is None:
            statements = self._statements(lines[:2], topic, fence)
        if snippet is None and fence is not None:
            snippet = builder.code_block(fence)
        statements += self._statements(lines[2:] if statements else lines, topic, fence, statements, below)
        if lines and not statements:  # a line that leads to code, or stands in the block, is better than none
            stated = self._statement(builder.excerpt(lines[0][1]), ())
            statements = [stated] if stated is not None else []
        name, others = verdict.candidates(builder, self.result, self.ranked) if topic is not None else (None, ())
        shown = {one.name for one in (name, *others) if one is not None}
        named = [t for t in self.ranked if t.name in shown]
        support = verdict.requirement_support(builder, self.result, named) if topic is not None else ()
        return Answer(
            query.text,
            "answered",
            verdict=name,
            alternatives=others,
            requirements=support,
            statements=tuple(statements),
            snippets=(snippet,) if snippet is not None else (),
            citations=tuple(builder.citations),
        )

    def comparison(self, sides: tuple[Topic, Topic]) -> Answer:
        """A line that names both sides, each side's own in turn, and rows that name both."""
        result = self.result
        told = comparison.compare(sides, result, self.ranked, self.retriever)
        turns = [p for pair in zip_longest(told.first, told.second) for p in pair if p is not None]
        statements: list[Statement] = []
        quoted: list[Passage] = []
        for passage in (*told.both[:1], *turns[:2], *told.both[1:], *turns[2:]):
            excerpt = self.builder.whole_drawing(passage)
            apart = not any(overlap(passage, other) for other in quoted)
            stated = self._statement(excerpt, statements) if apart else None
            if stated is not None:
                statements.append(stated)
                quoted.append(passage)
        of = [(told.side_of(passage), stated.citations) for passage, stated in zip(quoted, statements, strict=True)]
        return Answer(
            result.query.text,
            "answered",
            statements=tuple(statements[:MAX_COMPARISON_STATEMENTS]),
            citations=tuple(self.builder.citations),
            sides=(Side(sides[0].name, _only(0, of)), Side(sides[1].name, _only(1, of))) if statements else None,
        )

    def choice(self) -> Answer:
        """The options with their support, and the best one's line."""
        query, builder = self.result.query, self.builder
        choice = multiple_choice.choose(self.result, self.ranked)
        records, statements = {}, list[Statement]()
        for option in sorted(choice.options, key=lambda o: (-o.support, o.text)):
            excerpt = builder.excerpt(option.passage) if option.passage is not None else None
            number = builder.cite(excerpt) if excerpt is not None else None
            if excerpt is not None and number is not None and not statements and plain(excerpt.text):
                statements.append(Statement(excerpt.text, (number,)))
            records[option.label] = option.record((number,) if number is not None else ())
        chosen = choice.label is not None
        return Answer(
            query.text,
            "answered" if chosen else "partial",
            statements=tuple(statements),
            options=tuple(records[label] for label, _ in query.options),
            choice=choice.label,
            missing=() if chosen else tuple(text[:80] for _, text in query.options)[:MAX_MISSING_OPTIONS],
            hint=None if chosen else "No line of the notes supports one option more than the others.",
            citations=tuple(builder.citations),
        )

    def _statement(self, excerpt: Excerpt | None, before: Sequence[Statement]) -> Statement | None:
        """What the excerpt states, with its citation; None where there is nothing to state or no room for it after the
        statements made before, or where one of these says the same or cites some of the same lines."""
        if excerpt is None or not plain(excerpt.text):
            return None
        if sum(len(s.text) for s in before) + len(excerpt.text) > MAX_CHARACTERS:
            return None
        cited = (self.builder.citations[n - 1] for s in before for n in s.citations)
        if any(s.text == excerpt.text for s in before) or any(
            c.path == excerpt.passage.path and c.start_line <= excerpt.end and excerpt.start <= c.end_line
            for c in cited
        ):
            return None
        number = self.builder.cite(excerpt)
        return Statement(excerpt.text, (number,)) if number is not None else None

    def declined(self) -> Answer:
        """Near misses, as citations without a claim; none to a greeting."""
        if self.understanding.expectations.is_greeting:
            return Answer(self.result.query.text, "not_in_notes")
        hits = self.result.hits
        quotable = [n for n, hit in enumerate(hits) if hit.passage.kind not in NAMING_KINDS]
        for n in distinct(self.result, quotable or range(len(hits)))[:2]:
            excerpt = self.builder.excerpt(hits[n].passage)
            if excerpt is not None:
                self.builder.cite(excerpt)
        return Answer(self.result.query.text, "not_in_notes", citations=tuple(self.builder.citations))

    def _lines(self, order: Sequence[int]) -> list[Line]:
        """What to quote, in order: the hits, behind the first of them, where that only repeats the question, what
        stands below it."""
        lines: list[Line] = [(n, self.result.hits[n].passage) for n in order]
        if lines and repeats(self.result.query, lines[0][1]):
            below = answers_below(lines[0][1], self.builder.reader.following(lines[0][1]))
            lines[1:1] = [(None, passage) for passage in below]
        return lines

    def _below(self, first: Passage) -> Passage | None:
        """What stands right below a passage in its section; None where nothing does but headings and labels."""
        below = self.builder.reader.following(first)
        return next((passage for passage in below if passage.kind not in NAMING_KINDS), None)

    def _statements(
        self,
        lines: Sequence[Line],
        topic: Topic | None,
        fence: Passage | None,
        before: Sequence[Statement] = (),
        below: Passage | None = None,
    ) -> list[Statement]:
        """New statements, in this order, as many as there is room for after those made before; the first of all holds
        the topic's name where it can, the last is what stands `below` the first. `fence` is the block of code that is
        shown."""
        statements: list[Statement] = []

        def room() -> int:
            return 0 if self.builder.full else STATEMENTS - len(before) - len(statements)

        def state(excerpt: Excerpt | None) -> None:
            stated = self._statement(excerpt, (*before, *statements))
            if stated is not None:
                statements.append(stated)

        for n, passage in lines:
            if below is not None and room() == 1:
                state(self.builder.whole_thought(below, shown=fence))
            if not room():
                return statements
            if fence is not None and _is_shown(passage, fence):
                continue
            named = topic is not None and not statements and not before and n in topic.speakers
            steps = self.builder.steps(passage) if self.result.query.intent == "how" else None
            state(steps or self.builder.whole_thought(passage, topic.name if topic and named else "", fence))
        if below is not None and room():
            state(self.builder.whole_thought(below, shown=fence))
        return statements


def _only(side: int, cited: Sequence[tuple[int | None, Sequence[int]]]) -> tuple[int, ...]:
    """The numbers that are cited for one side, and for nothing else."""
    elsewhere = {number for of, numbers in cited for number in numbers if of != side}
    return tuple(sorted({number for _, numbers in cited for number in numbers} - elsewhere))


def _is_shown(passage: Passage, fence: Passage) -> bool:
    """Whether a line stands in a block of code that is shown, and is found there at once."""
    return passage.fence is not None and overlap(passage, fence) and fence.end - fence.start < SHORT_BLOCK
