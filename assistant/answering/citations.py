"""Excerpts → numbered citations: one number for the same lines, in the order in which they are first needed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from assistant.records import Citation, Passage, Snippet
from assistant.retrieval.index_reader import IndexReader
from assistant.text import excerpts
from assistant.text.excerpts import Excerpt

_LIST = 16
"""Lines of a list that are looked at to quote it as a whole."""
_ITEM = re.compile(r"\s*(?:[-*+]|\d+[.)])\s+\S")
_STEP = re.compile(r"\s*\d+[.)]\s+\S")
_ENDS = tuple(".!?…)\"'”’`*_")
"""Signs at the end of a text that is complete."""
_FENCES = ("```", "~~~")
_ABOVE = 3
"""Lines from one that leads to code to the first of the code: its mark, and a blank line or two."""
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

    def whole_thought(self, passage: Passage, name: str = "", shown: Passage | None = None) -> Excerpt | None:
        """The excerpt; of a line that leads to a list, with the list's first items; None of one that leads to anything
        else but the block of code that is `shown`: it says nothing by itself."""
        if passage.fence is not None or not self._leads_on(passage):
            return self.excerpt(passage, name)
        if shown is not None and leads_to(passage, shown):
            return self.excerpt(passage, name)
        below = self.reader.lines(passage.path, passage.end + 1, passage.end + _LIST + 1)
        first = 1 if below and not below[0].strip() else 0
        size = _items(below[first:], excerpts.LIST_CHARACTERS - len(passage.text))
        if not size:
            return self._complete(passage, name)
        return self._lines(passage, passage.start, passage.end + first + size)

    def _complete(self, passage: Passage, name: str) -> Excerpt | None:
        """The excerpt without the sentence that leads on to what is not shown; None where it is the only one."""
        found = self.excerpt(passage, name)
        if found is None or not found.text.endswith(":"):
            return found
        complete = excerpts.sentences(found.text)[:-1]
        return replace(found, text=" ".join(complete)) if complete else None

    def steps(self, passage: Passage) -> Excerpt | None:
        """The numbered list that an item stands in, from its beginning where there is room for it, otherwise from the
        item on; None where the passage is no numbered item, or holds code."""
        above = min(passage.start - 1, _LIST)
        around = self.reader.lines(passage.path, passage.start - above, passage.end + _LIST)
        if not _STEP.match(around[above]):
            return None
        first = above
        for n in range(above - 1, -1, -1):
            if around[n].strip() and not _belongs(around[n]):
                break
            first = n if _STEP.match(around[n]) else first
        for begin in (first, above):
            size = _items(around[begin:], excerpts.LIST_CHARACTERS)
            if begin + size > above:
                return self._lines(passage, passage.start - above + begin, passage.start - above + begin + size - 1)
        return None

    def _leads_on(self, passage: Passage) -> bool:
        """Whether a line is not complete without what stands below it: it ends in a colon, or in the middle of a
        sentence right above code."""
        text = passage.text.rstrip()
        if text.endswith(":"):
            return True
        if passage.kind != "paragraph" or text[-1:] in _ENDS:
            return False
        below = self.reader.lines(passage.path, passage.end + 1, passage.end + 2)
        return any(line.lstrip().startswith(_FENCES) for line in below)

    def _lines(self, passage: Passage, start: int, end: int) -> Excerpt:
        quote = "\n".join(self.reader.lines(passage.path, start, end))
        return Excerpt(passage, start, end, quote, " ".join(quote.split()))

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


def leads_to(line: Passage, fence: Passage) -> bool:
    """Whether a block of code stands right below a line."""
    return line.path == fence.path and 0 < fence.start - line.end <= _ABOVE


def _belongs(line: str) -> bool:
    """Whether a line is an item of a list, or goes on with one."""
    return _ITEM.match(line) is not None or line[:2].isspace()


def _items(lines: Sequence[str], room: int) -> int:
    """How many of these lines, from the first on, are whole items of a list, as many as there is room for; 0 for none,
    and none from the first item on that holds code."""
    whole = told = used = 0
    for n, line in enumerate(lines):
        if not line.strip():
            continue
        if _ITEM.match(line):
            whole = told
        elif not told or not line[:2].isspace():
            break
        elif line.lstrip().startswith(_FENCES):
            return whole
        used += len(line) + 1
        if used > room:
            return whole
        told = n + 1
    return told


def _covers(cited: Citation, excerpt: Excerpt) -> bool:
    """Whether a citation of the same note holds the excerpt's lines, its quote and what is stated of it."""
    return (
        cited.start_line <= excerpt.start
        and excerpt.end <= cited.end_line
        and excerpt.quote in cited.quote
        and excerpts.plain(excerpt.text) in excerpts.plain(cited.quote)
    )
