"""A row of the source pane, and what gives the rows of a note."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from textual.content import Content

from assistant.notes.display_blocks import BAR

LinkId = tuple[int, int, int]
"""Line, cell and letter that a link begins at."""


class RowLink(NamedTuple):
    """A link, or the part of one that a row shows."""

    start: int
    """In the letters of the row's text."""
    end: int
    target: str
    """Where it leads, raw, as `DisplaySpan.target`."""
    id: LinkId
    """The same for all parts of a link, at any width; grows downwards."""


TextLink = tuple[int, int, str]
"""Where a link stands in a text that is not wrapped yet, and its target."""


def row_links(
    links: Iterable[TextLink], row: tuple[int, int], place: tuple[int, int], shift: int = 0
) -> tuple[RowLink, ...]:
    """The links of a text in a row of it, `row` from start to end; `place` is line and cell of the text, `shift` where
    the row of a cell begins in that of the table."""
    start, end = row
    return tuple(
        RowLink(shift + max(begin - start, 0), shift + min(stop, end) - start, target, (*place, begin))
        for begin, stop, target in links
        if begin < end and stop > start
    )


@dataclass(frozen=True, slots=True)
class NoteRow:
    """What one row shows of the lines `first` to `last` (1-based) of the note."""

    first: int
    last: int
    text: Content
    prefix: str = ""
    """What stands before the text and stays where it is: bars, indentation, the marker of an item."""
    joint: str = "\n"
    """What stands between the row above and this one where both are copied; a wrapped line is copied as one."""
    parts: tuple[tuple[int, int], ...] = ()
    """Where, in a text of several lines, each begins, and its number."""
    code: bool = False
    """Whether the text is the line `first` or its end, which has colours of its own."""
    sideways: bool = False
    """Whether a text that is too long for the pane scrolls sideways."""
    links: tuple[RowLink, ...] = ()
    """From left to right."""

    def copied_from(self) -> int:
        """How many letters of `prefix` belong to the screen and not to the text."""
        if self.joint != "\n":
            return len(self.prefix)
        bar = self.prefix.rfind(BAR.rstrip())
        return min(bar + len(BAR), len(self.prefix)) if bar >= 0 else 0

    def has(self, line: int) -> bool:
        """Whether it shows some of that line."""
        return self.first <= line <= self.last


class NoteRows(Protocol):
    """All rows of a note at one width; rows are counted from 0."""

    @property
    def height(self) -> int:
        """How many rows there are."""

    @property
    def widest(self) -> int:
        """Columns of the widest row that scrolls sideways."""

    def fit(self, columns: int) -> None:
        """Lays the rows out for so many columns."""

    def row(self, at: int) -> NoteRow:
        """The row at a place."""

    def row_of(self, line: int) -> int:
        """The first row that shows a line, else the next below it."""

    def key(self, at: int) -> int:
        """A number of the row that grows downwards and that rows above do not change."""

    def at(self, key: int) -> int:
        """The row of a key."""
