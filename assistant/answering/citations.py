"""Extracts → numbered citations: one number for the same lines, in the order in which they are first needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from assistant.records import Citation, Passage
from assistant.retrieval.retriever import HybridRetriever
from assistant.text import excerpts
from assistant.text.excerpts import Excerpt

_DRAWING = 14
"""Lines of a drawing that is quoted whole."""


@dataclass(slots=True)
class CitationBuilder:
    """The answer as it grows: citations get their numbers here, in the order in which they are first needed."""

    retriever: HybridRetriever
    wanted: Mapping[str, float]
    limit: int
    citations: list[Citation] = field(default_factory=list)

    def cite(self, found: Excerpt) -> int | None:
        """The number under which these lines are cited; None where no number is left."""
        passage = found.passage
        for known in self.citations:
            if (
                known.path == passage.path
                and known.start_line <= found.start
                and found.end <= known.end_line
                and found.quote in known.quote
                and excerpts.plain(found.text) in excerpts.plain(known.quote)
            ):
                return known.number
        if len(self.citations) >= self.limit:
            return None
        number = len(self.citations) + 1
        self.citations.append(
            Citation(number, passage.path, passage.heading_path, passage.anchor, found.start, found.end, found.quote)
        )
        return number

    def extract(self, passage: Passage, name: str = "") -> Excerpt | None:
        lines = self.retriever.store.lines(passage.path, passage.start, passage.end)
        return excerpts.around(passage, lines, name, self.wanted)

    def branch(self, passage: Passage) -> Excerpt | None:
        """The extract; of a small drawing the whole, since its branches explain one another."""
        found = self.extract(passage)
        if found is None or passage.kind != "tree" or passage.fence is None:
            return found
        first, last = passage.fence
        lines = self.retriever.store.lines(passage.path, first, last)
        quote = "\n".join(lines)
        if (
            len(lines) > _DRAWING
            or len(quote) > excerpts.QUOTE_CHARACTERS
            or excerpts.plain(found.text) not in excerpts.plain(quote)
        ):
            return found
        return replace(found, start=first, end=last, quote=quote)
