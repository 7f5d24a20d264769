"""A note as people read it: blocks without marks of Markdown, each with the lines of the note it stands on.

Light to import; `assistant.notes.markdown.display` makes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

DisplayKind = Literal["heading", "text", "aside", "code", "row", "rule"]
"""An aside is markup that people do not read, such as a link definition or HTML; it is shown as it is written."""
BAR = "▎ "
"""What stands before the rows of a quotation or an admonition."""
BREAK = "\n"
"""The text of a span that ends a row."""


class DisplaySpan(NamedTuple):
    """A run of text of one line, safe to show."""

    text: str
    """`BREAK`, or a text without line ends."""
    style: str
    """Some of strong, emphasis, strike, code, link, image, with blanks between; "" for none."""
    line: int
    """Of the note, 1-based."""
    target: str = ""
    """Where a link leads, raw, as the note has it, a wiki link in its brackets; "" for what is no link."""


Spans = tuple[DisplaySpan, ...]


@dataclass(frozen=True, slots=True)
class DisplayBlock:
    """A run of lines that is shown as one thing; texts are safe to show."""

    kind: DisplayKind
    first: int
    """Line of the note, 1-based, inclusive."""
    last: int
    opening: str = ""
    """What stands before its first row: bars, indentation and the marker of an item."""
    prefix: str = ""
    """What stands before its other rows, as wide."""
    gap: str | None = None
    """What stands before nothing in a blank row above; None where there is no such row."""
    spans: Spans = ()
    """Of a heading, a text or an aside, in order."""
    level: int = 0
    """Of a heading, 1 to 6."""
    caption: str = ""
    """The language of a fence."""
    code: tuple[str, ...] = ()
    """The lines of code without what they are indented by."""
    body: int = 0
    """The note's line of the first line of code."""
    cells: tuple[Spans, ...] = ()
    """Of a row of a table, as many as its header has."""
    widths: tuple[int, ...] = ()
    """Columns of the screen that the widest cell of each column of the table takes."""
    header: bool = False
    """Whether the row is the header of its table."""
