"""Excerpts → numbered citations: one number for the same lines, in the order in which they are first needed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from assistant.records import Citation, Passage, Snippet
from assistant.retrieval.index_reader import IndexReader
from assistant.text import excerpts
from assistant.text.excerpts import Excerpt

_MARK = re.compile(r"(?P<indent>[\s>]*)(?:[-*+]|(?P<number>\d+)[.)])\s+\S")
"""What an item of a list begins with."""
_APART = 2
"""Lines from the end of one item to the next, at most: one may be blank."""
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
        """The excerpt; of a line that leads to a list, with the list's first items; of one that leads to anything else,
        without its last sentence, and None where that is the only one, unless it leads to the block of code that is
        `shown`."""
        if passage.fence is not None or not passage.text.rstrip().endswith((":", "：")):
            return self.excerpt(passage, name)
        if shown is not None and leads_to(passage, shown):
            return self.excerpt(passage, name)
        below = next(iter(self.reader.following(passage)), None)
        if below is not None and below.start - passage.end <= _APART:
            items = self._items(below)
            own, first = self._mark(passage), self._mark(below)
            if items and (own is None or (first is not None and len(first["indent"]) > len(own["indent"]))):
                listed = self._listed(passage, items)
                if listed is not None:
                    return listed
        return self._complete(passage, name)

    def _complete(self, passage: Passage, name: str) -> Excerpt | None:
        """The excerpt without the sentence that leads on to what is not shown; None where it is the only one."""
        found = self.excerpt(passage, name)
        if found is None or not found.text.endswith((":", "：")):
            return found
        complete = excerpts.sentences(found.text)[:-1]
        return replace(found, text=" ".join(complete)) if complete else None

    def steps(self, passage: Passage) -> Excerpt | None:
        """The numbered list that an item stands in, from its beginning where there is room for it, otherwise from the
        item on; None where the passage is no numbered item, or holds code."""
        mark = self._mark(passage)
        if mark is None or mark["number"] is None:
            return None
        first, edge = passage, passage.start
        section = [p for p in self.reader.section(passage) if p.start < passage.start]
        for above in reversed(section):
            before = self._mark(above)
            if before is None or mark["number"] == "1" or edge - above.end > _APART:
                break
            edge = above.start
            if len(before["indent"]) > len(mark["indent"]):
                continue
            if before["number"] is None or before["indent"] != mark["indent"]:
                break
            first, mark = above, before
        for begin in (first, passage):
            items = self._items(begin)
            listed = self._listed(begin, items[1:]) if items else None
            if listed is not None and listed.end >= passage.end:
                return listed
        return None

    def _mark(self, passage: Passage) -> re.Match[str] | None:
        """What the passage begins with, if it is an item of a list."""
        lines = self.reader.lines(passage.path, passage.start, passage.start)
        return _MARK.match(lines[0]) if lines and passage.fence is None else None

    def _items(self, first: Passage) -> list[Passage]:
        """The items of a list from one on: those of its depth and kind, with what stands under them, up to the first
        that holds code; none where `first` is no item."""
        mark = self._mark(first)
        if mark is None:
            return []
        items, whole = [first], 0
        for passage in self.reader.section(first):
            if passage.start <= items[-1].end:
                continue
            own = self._mark(passage)
            if passage.fence is not None and passage.start - items[-1].end <= _ABOVE:
                return items[:whole]
            if own is None or passage.start - items[-1].end > _APART or len(own["indent"]) < len(mark["indent"]):
                break
            if len(own["indent"]) == len(mark["indent"]):
                if (own["number"] is None) != (mark["number"] is None) or own["number"] == "1":
                    break
                whole = len(items)
            items.append(passage)
        return items

    def _listed(self, lead: Passage, items: Sequence[Passage]) -> Excerpt | None:
        """The lines from the first of `lead` to the last of as many items as there is room for; None for none."""
        end = 0
        for item in items:
            lines = self.reader.lines(lead.path, lead.start, item.end)
            if len(lines) > excerpts.QUOTE_LINES or len("\n".join(lines)) > excerpts.LIST_CHARACTERS:
                break
            end = item.end
        if not end:
            return None
        quote = "\n".join(self.reader.lines(lead.path, lead.start, end))
        text = excerpts.unmarked(quote)
        return Excerpt(lead, lead.start, end, quote, text) if excerpts.plain(text) in excerpts.plain(quote) else None

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


def _covers(cited: Citation, excerpt: Excerpt) -> bool:
    """Whether a citation of the same note holds the excerpt's lines, its quote and what is stated of it."""
    return (
        cited.start_line <= excerpt.start
        and excerpt.end <= cited.end_line
        and excerpt.quote in cited.quote
        and excerpts.plain(excerpt.text) in excerpts.plain(cited.quote)
    )
