"""Where a text stands in the rows of the transcript's items, across the ends of wrapped rows."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from textual.content import Content

from assistant.tui.cards.item import TranscriptItem

_BETWEEN_WORDS = r"(?: +| *(?:\[\d+\] *)*\n[│ ]*)"
"""Blanks, or the end of a row with its citations, and the bar that the next row begins with."""


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a match in one row."""

    row: int
    """Of the item, from 0."""
    start: int
    end: int
    """In characters, the last one excluded."""


Match = tuple[Span, ...]
"""The parts of one match, a row each."""


class RowSearch:
    """A text that is looked for in items, case aside, and the match that the reader is at."""

    def __init__(self) -> None:
        self.text = ""
        """Raw; "" where nothing is looked for."""
        self._pattern = re.compile("")
        self._at: tuple[TranscriptItem, int] | None = None
        """The item of the match that the reader is at, and its position among the matches there."""
        self._found: dict[TranscriptItem, list[Match]] = {}

    def begin(self, text: str) -> None:
        """Looks for a text, from no match on; "" ends the search."""
        if text != self.text:
            self.text, self._at = text, None
            words = text.split()
            self._pattern = re.compile(_BETWEEN_WORDS.join(map(re.escape, words)), re.IGNORECASE)
            self.forget_rows()

    def forget_rows(self) -> None:
        """To be called when items are laid out anew."""
        self._found.clear()

    def step(self, items: Iterable[TranscriptItem], by: int, top: int) -> tuple[TranscriptItem, int] | None:
        """The next (1) or the previous (-1) match and its row in the transcript, round and round; None for none.

        It counts from the match that the reader is at, else from the row `top`.
        """
        every = self._every(items)
        if not every:
            self._at = None
            return None
        if self._at in every:
            at = (every.index(self._at) + by) % len(every)
        else:
            below = next((at for at, one in enumerate(every) if self._row(one) >= top), 0)
            at = below if by > 0 else (below - 1) % len(every)
        self._at = every[at]
        return every[at][0], self._row(every[at])

    def place(self, items: Iterable[TranscriptItem]) -> tuple[int, int]:
        """Which match the reader is at, from 1, 0 for none, and how many there are."""
        every = self._every(items)
        return (every.index(self._at) + 1 if self._at in every else 0), len(every)

    def mark(self, content: Content, item: TranscriptItem, row: int, margin: int) -> Content:
        """A row of the item behind its margin, all matches reversed; `>` stands before the one the reader is at."""
        marks = self.marks(item, row)
        if any(here for _, here in marks):
            content = Content.styled(">", "bold") + content[1:]
        for span, here in marks:
            content = content.stylize("bold reverse" if here else "reverse", span.start + margin, span.end + margin)
        return content

    def marks(self, item: TranscriptItem, row: int) -> Sequence[tuple[Span, bool]]:
        """What to mark in a row of the item, and whether the reader is at it."""
        if not self.text:
            return ()
        matches = enumerate(self._matches(item))
        return [(span, self._at == (item, at)) for at, match in matches for span in match if span.row == row]

    def _every(self, items: Iterable[TranscriptItem]) -> list[tuple[TranscriptItem, int]]:
        return [(item, at) for item in items for at in range(len(self._matches(item)))]

    def _row(self, one: tuple[TranscriptItem, int]) -> int:
        item, at = one
        return item.top + self._matches(item)[at][0].row

    def _matches(self, item: TranscriptItem) -> list[Match]:
        if item not in self._found:
            self._found[item] = _find(self._pattern, item.text) if self.text.strip() else []
        return self._found[item]


def _find(pattern: re.Pattern[str], text: str) -> list[Match]:
    """All matches in rows that are joined by line ends."""
    rows = text.split("\n")
    begins = [0, *accumulate(len(row) + 1 for row in rows)]
    matches: list[Match] = []
    for match in pattern.finditer(text):
        first, last = bisect_right(begins, match.start()) - 1, bisect_right(begins, match.end() - 1) - 1
        spans = [
            Span(row, max(match.start() - begins[row], 0), min(match.end() - begins[row], len(rows[row])))
            for row in range(first, last + 1)
        ]
        matches.append(tuple(spans))
    return matches
