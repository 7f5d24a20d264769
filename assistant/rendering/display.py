"""An Answer → the list of display blocks that every front end shows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from assistant.records import Answer, Candidate, Citation, RequirementSupport, Side, Snippet, Statement
from assistant.rendering import confidence
from assistant.rendering.answer_json import plain
from assistant.rendering.blocks import (
    Alternatives,
    AsOf,
    CodeBlock,
    DisplayBlock,
    Explanation,
    Hint,
    Name,
    Nearest,
    OptionItem,
    Options,
    Question,
    RequirementItem,
    Requirements,
    Shortfall,
    Source,
    Sources,
    StatementItem,
    Statements,
    Supporter,
    Understood,
    Verdict,
    Warnings,
    below_title,
)
from assistant.rendering.explanation import outline
from assistant.text import excerpts, sanitize

_WORD, _ATTRIBUTES = re.compile(r"\w"), re.compile(r"\{[^{}]*\}")
_LONG = 300
"""Characters from which a statement that ends in the middle of a line is taken to be cut off."""
_SENTENCE_ENDS = (".", "!", "?")
_BOLD = re.compile(r"\*\*(\S.*?)\*\*")
_LIST_MARK = re.compile(r"^\s*(?:(?:[-*+>]|#{1,6}|\d{1,9}[.)])\s+)+")


@dataclass(frozen=True, slots=True)
class Cleaning:
    """How the blocks' texts are made safe to show."""

    line: Callable[[str], str]
    """For names, headings, paths and messages, which stay on one line."""
    block: Callable[[str], str]
    """For sentences and code, which may have several lines."""
    cuts: bool
    """Whether `…` marks where a statement's quotation goes on."""


FOR_SCREEN = Cleaning(sanitize.line, sanitize.block, cuts=True)
"""Control characters become visible: for terminals and widgets."""
AS_RECORDED = Cleaning(str, str, cuts=False)
"""Every character stays: for a backend that cleans or escapes by rules of its own."""


def display_blocks(answer: Answer, clean: Cleaning = FOR_SCREEN) -> tuple[DisplayBlock, ...]:
    """What the answer shows, in the order of the record; a part with nothing to show has no block."""
    return tuple(_Display(answer, clean).blocks())


class _Display:
    """The blocks of one answer."""

    def __init__(self, answer: Answer, clean: Cleaning) -> None:
        self.answer = answer
        self.clean = clean
        self.citations = {citation.number: citation for citation in answer.citations}
        self.positions = _positions(answer)

    def blocks(self) -> Iterator[DisplayBlock]:
        answer, block = self.answer, self.clean.block
        yield Question(block(answer.question))
        if answer.standalone_question is not None:
            yield Understood(block(answer.standalone_question))
        if answer.outcome != "answered" or answer.missing:
            yield Shortfall(answer.outcome, tuple(map(block, answer.missing)))
        if answer.hint:
            yield Hint(block(answer.hint), answered=answer.outcome == "answered")
        yield from self._candidates()
        yield from self._lists()
        for position, snippet in enumerate(answer.snippets):
            yield self._code_block(position, snippet)
        if answer.citations:
            sources = tuple(map(self._source, answer.citations))
            yield Nearest(sources) if answer.outcome == "not_in_notes" else Sources(sources)
        if answer.warnings:
            yield Warnings(tuple(map(block, answer.warnings)))
        if answer.index.committed is not None:
            yield AsOf(_as_of(answer.index.generation, answer.index.committed))
        if answer.explain:
            yield Explanation(tuple((depth, block(row)) for depth, row in outline(plain(answer.explain))))

    def _candidates(self) -> Iterator[DisplayBlock]:
        answer = self.answer
        if answer.verdict is not None:
            yield Verdict(self._name(0, answer.verdict))
        if answer.alternatives:
            yield Alternatives(tuple(self._name(at, one) for at, one in enumerate(answer.alternatives, 1)))

    def _lists(self) -> Iterator[DisplayBlock]:
        answer, line, block = self.answer, self.clean.line, self.clean.block
        if answer.requirements:
            yield Requirements(tuple(map(self._requirement, answer.requirements)))
        if answer.options:
            options = (
                OptionItem(
                    line(one.label), block(one.text), f"{one.support:.2f}", one.citations, one.label == answer.choice
                )
                for one in answer.options
            )
            yield Options(tuple(options), undecided=answer.choice is None)
        if answer.statements:
            yield self._statements()

    def _statements(self) -> Statements:
        answer, sides = self.answer, self.answer.sides
        of = [side_of(one, sides) for one in answer.statements]
        items = (
            StatementItem(self.clean.block(self._cut(one)), one.citations, side)
            for one, side in zip(answer.statements, of, strict=True)
        )
        named = sides is not None and {0, 1} <= set(of)
        names = (self.clean.line(sides[0].name), self.clean.line(sides[1].name)) if sides and named else None
        return Statements(tuple(items), names)

    def _cut(self, statement: Statement) -> str:
        """The statement with `…` where its quotation goes on before or after it."""
        cited = self.citations.get(statement.citations[0]) if statement.citations else None
        text = excerpts.plain(statement.text)
        if not self.clean.cuts or cited is None or not text:
            return statement.text
        before, found, after = excerpts.plain(cited.quote).partition(text)
        if not found:
            return statement.text
        lines = cited.quote.split("\n")
        ends = {len(excerpts.plain(" ".join(lines[:n]))) for n in range(len(lines) + 1)}
        is_cut = len(statement.text) > _LONG and len(before) + len(text) not in ends
        more = _WORD.search(_LIST_MARK.sub("", f"{before} ")) is not None
        goes_before = more and before.rstrip().endswith(_SENTENCE_ENDS)
        more = _WORD.search(_ATTRIBUTES.sub("", after)) is not None
        goes_after = more and (text.endswith(_SENTENCE_ENDS) or is_cut)
        return f"{'… ' if goes_before else ''}{statement.text}{' …' if goes_after else ''}"

    def _requirement(self, requirement: RequirementSupport) -> RequirementItem:
        supporters = (
            Supporter(self.clean.line(one.name), one.citations, self.positions.get(one.name))
            for one in requirement.support
        )
        return RequirementItem(self.clean.block(requirement.text), requirement.supported, tuple(supporters))

    def _name(self, position: int, candidate: Candidate) -> Name:
        line = self.clean.line
        citation = self.citations.get(candidate.citations[0]) if candidate.citations else None
        heading_path = tuple(map(line, candidate.heading_path))
        return Name(
            position=position,
            name=line(candidate.name),
            heading_path=heading_path,
            strength=confidence.word(candidate.confidence),
            bar=confidence.bar(candidate.confidence),
            citations=candidate.citations,
            reason=_without_name(line(gist(citation.quote)), candidate.name) if citation else below_title(heading_path),
        )

    def _code_block(self, position: int, snippet: Snippet) -> CodeBlock:
        line = self.clean.line
        citation = self.citations.get(snippet.citation)
        problems = snippet.problems
        return CodeBlock(
            position=position,
            caption=line(snippet.caption or ""),
            heading=line(citation.heading_path[-1]) if citation and citation.heading_path else None,
            language=line(snippet.language),
            code=self.clean.block(snippet.code),
            citation=snippet.citation,
            problems=None if problems is None else tuple(replace(one, message=line(one.message)) for one in problems),
            first_line=_first_line(snippet, citation),
        )

    def _source(self, citation: Citation) -> Source:
        line = self.clean.line
        return Source(
            number=citation.number,
            path=line(citation.path),
            line=citation.start_line,
            heading_path=tuple(map(line, citation.heading_path)),
            anchor=citation.anchor,
            stale=citation.stale,
            gist=line(gist(citation.quote)),
            file=file_of(self.answer.notes, citation.path),
            url=citation.url or "",
        )


def _as_of(generation: int, committed: str) -> str:
    """`committed` is ISO 8601 in UTC."""
    return f"as of generation {generation}, {datetime.fromisoformat(committed):%Y-%m-%d %H:%M} UTC"


def _positions(answer: Answer) -> Mapping[str, int]:
    """Each candidate's name → its position, the first where a name comes twice; none without a verdict."""
    if answer.verdict is None:
        return {}
    positions: dict[str, int] = {}
    for position, candidate in enumerate((answer.verdict, *answer.alternatives)):
        positions.setdefault(candidate.name, position)
    return positions


def side_of(statement: Statement, sides: tuple[Side, Side] | None) -> int | None:
    """0 or 1 where all that a statement cites is of that side; None for one of both and without sides."""
    cited = set(statement.citations)
    return next((at for at, side in enumerate(sides or ()) if cited and cited <= set(side.citations)), None)


def gist(quote: str) -> str:
    """The quote's first line that is not blank, without its list mark and bold."""
    first = next((row for row in quote.split("\n") if row.strip()), "")
    return " ".join(_BOLD.sub(r"\1", _LIST_MARK.sub("", first)).split())


def _without_name(gist: str, name: str) -> str:
    """A definition without the name it defines, which stands beside it."""
    defined, colon, definition = gist.partition(": ")
    words = set(name.casefold().split())
    return definition if colon and definition and words.issuperset(defined.casefold().split()) else gist


def _first_line(snippet: Snippet, citation: Citation | None) -> int:
    if citation is None:
        return 0
    first = snippet.code.split("\n")[0].strip()
    rows = citation.quote.split("\n")
    return citation.start_line + next((at for at, row in enumerate(rows) if row.strip() == first), 0)


def file_of(notes: str, path: str) -> str:
    """The path of a note in its folder; `notes` is "" where the folder is not known."""
    return f"{notes.rstrip('/')}/{path}" if notes else path
