"""Where a quote and its heading stand in a note as it is now."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from assistant.records import Citation
from assistant.tui.highlighting import Fence

_WORDS = re.compile(r"\w+")


def quote_lines(rows: Sequence[str], citation: Citation) -> tuple[int, int]:
    """First and last line (1-based) of the quote in the note, nearest to where it was; (0, 0) where it is gone."""
    quote = citation.quote.split("\n")
    height = len(quote)

    def stands(at: int) -> bool:
        if at < 0 or at + height > len(rows) or quote[0] not in rows[at]:
            return False
        return citation.quote in "\n".join(rows[at : at + height])

    was = citation.start_line - 1
    inside = range(was, citation.end_line - height + 1)
    for at in (*inside, *sorted(range(len(rows)), key=lambda at: abs(at - was))):
        if stands(at):
            return (citation.start_line, citation.end_line) if at in inside else (at + 1, at + height)
    return 0, 0


def heading_line(rows: Sequence[str], first: int, heading: str, fences: Iterable[Fence]) -> int:
    """The line (1-based) at or above `first` with the heading; 0 where the note writes it otherwise.

    A comment in one of the fences is no heading.
    """
    words = set(_WORDS.findall(heading.casefold()))
    inside = {number for fence in fences if fence.first <= first for number in range(fence.first, fence.last + 1)}
    for number in range(min(first, len(rows)), 0, -1):
        row = rows[number - 1].strip()
        if row.startswith("#") and number not in inside and words and words <= set(_WORDS.findall(row.casefold())):
            return number
    return 0
