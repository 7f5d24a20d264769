"""Excerpts → numbered citations: one number for the same lines, in the order in which they are first needed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import takewhile

from assistant.records import Citation, Passage, Snippet
from assistant.retrieval.index_reader import IndexReader
from assistant.text import excerpts
from assistant.text.excerpts import Excerpt

_LIST = 6
"""Lines of a list that are quoted with the line that leads to it."""
_ITEM = re.compile(r"\s*(?:[-*+]|\d+[.)])\s+\S")
_DRAWING = 14
"""Lines of a drawing that is quoted whole."""


@dataclass(slots=True)
class CitationBuilder:
    """The citations of one answer as it grows."""

    reader: IndexReader
    wanted: Mapping[str, float]
    """Term → weight: what a line should say to be quoted."""
    limit: int
    """Citations at the most."""
    citations: list[Citation] = field(default_factory=list)

    @property
    def full(self) -> bool:
        """Whether no number is left for another citation."""
        return len(self.citations) >= self.limit

    def cite(self, excerpt: Excerpt) -> int | None:
        """The number under which these lines are cited; None where no number is left."""
        passage = excerpt.passage
        for cited in self.citations:
            if cited.path == passage.path and _covers(cited, excerpt):
                return cited.number
        if self.full:
            return None
        number = len(self.citations) + 1
        self.citations.append(
            Citation(
                number,
                passage.path,
                passage.heading_path,
                passage.anchor,
                excerpt.start,
                excerpt.end,
                excerpt.quote,
            )
        )
        return number

    def excerpt(self, passage: Passage, name: str = "") -> Excerpt | None:
        """The lines of a passage that answer, if `name` is given those that hold it; None if nothing can be quoted."""
        lines = self.reader.lines(passage.path, passage.start, passage.end)
        return excerpts.excerpt_naming(passage, lines, name, self.wanted)

    def whole_thought(self, passage: Passage, name: str = "") -> Excerpt | None:
        """The excerpt; of a line that leads to a list, with the list's first lines; None of one that leads to anything
        else, which says nothing by itself."""
        if passage.fence is not None or not passage.text.rstrip().endswith(":"):
            return self.excerpt(passage, name)
        below = self.reader.lines(passage.path, passage.end + 1, passage.end + _LIST + 1)
        first = 1 if below and not below[0].strip() else 0
        items = tuple(takewhile(_ITEM.match, below[first : first + _LIST]))
        if not items:
            return None
        lines = self.reader.lines(passage.path, passage.start, passage.end + first + len(items))
        quote = "\n".join(lines)
        if len(quote) > excerpts.STATEMENT_CHARACTERS:
            return self.excerpt(passage, name)
        return Excerpt(passage, passage.start, passage.end + first + len(items), quote, " ".join(quote.split()))

    def whole_drawing(self, passage: Passage) -> Excerpt | None:
        """The whole thought; of a small drawing the whole, since its branches explain one another."""
        branch = self.whole_thought(passage)
        if branch is None or passage.kind != "tree" or passage.fence is None:
            return branch
        first, last = passage.fence
        lines = self.reader.lines(passage.path, first, last)
        quote = "\n".join(lines)
        too_long = len(lines) > _DRAWING or len(quote) > excerpts.QUOTE_CHARACTERS
        if too_long or excerpts.plain(branch.text) not in excerpts.plain(quote):
            return branch
        return replace(branch, start=first, end=last, quote=quote)

    def code_block(self, passage: Passage) -> Snippet | None:
        """A fence as a snippet, whole; None where it is empty or no citation is left for it."""
        code = "\n".join(self.reader.lines(passage.path, passage.start, passage.end))
        number = self.cite(Excerpt(passage, passage.start, passage.end, code, code))
        if number is None or not code.strip():
            return None
        language = (passage.info.split() or [""])[0]
        return Snippet(language, passage.info, passage.label or None, code, number, passage.problems)

    def numbers(self, passages: list[Passage]) -> tuple[int, ...]:
        """The citations that share a line with one of these passages."""
        return tuple(
            cited.number
            for cited in self.citations
            if any(p.path == cited.path and p.start <= cited.end_line and cited.start_line <= p.end for p in passages)
        )


def _covers(cited: Citation, excerpt: Excerpt) -> bool:
    """Whether a citation of the same note holds the excerpt's lines, its quote and what is stated of it."""
    return (
        cited.start_line <= excerpt.start
        and excerpt.end <= cited.end_line
        and excerpt.quote in cited.quote
        and excerpts.plain(excerpt.text) in excerpts.plain(cited.quote)
    )
