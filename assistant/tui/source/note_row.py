"""A row of the source pane, and what gives the rows of a note."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from textual.content import Content

from assistant.notes.display_blocks import BAR


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
