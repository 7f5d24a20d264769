"""A block of a note → its rows at one width; how many there are is known before any of them is made."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from textual.content import Content

from assistant.text import sanitize
from assistant.tui.source.note_row import NoteRow, TextLink, row_links
from assistant.tui.source.styled_text import styled, text_links
from assistant.tui.source.table_rows import TableRow
from assistant.tui.source.wrapping import wrap

if TYPE_CHECKING:
    from assistant.notes.display_blocks import DisplayBlock

NARROWEST = 8
"""Columns that a text has at least, however deep it stands."""
CODE_INDENT = 2
_HEADINGS = {1: "bold $text-primary", 2: "bold $text-primary", 3: "bold $text-primary"}
_RULES = {1: "━", 2: "─"}
"""What underlines a heading of that level."""


class BlockRows(Protocol):
    """The rows of one block, counted from 0."""

    @property
    def height(self) -> int:
        """At least 1."""

    @property
    def widest(self) -> int:
        """Columns of a row that scrolls sideways; 0 where none does."""

    def row(self, at: int) -> NoteRow:
        """The row at a place."""

    def row_of(self, line: int) -> int:
        """The first row that shows the line, else the next, else the last."""


def block_rows(block: DisplayBlock, columns: int) -> BlockRows:
    """For a pane with so many columns beside the bar of the cited lines."""
    if block.kind == "code":
        return _Code(block, columns)
    if block.kind == "row":
        opening, prefix, room = _before(block, columns)
        return TableRow(block, opening, prefix, room)
    if block.kind == "rule":
        return _Rule(block, columns)
    return _Text(block, columns)


def _before(block: DisplayBlock, columns: int) -> tuple[str, str, int]:
    """What stands before the first row and the others, not more than there is room for, and the columns left."""
    most = max(columns - NARROWEST, 0) if len(block.prefix) > columns // 2 else columns
    opening, prefix = block.opening[:most], block.prefix[:most]
    return opening, prefix, max(columns - len(prefix), NARROWEST)


class _Text:
    """A heading, a paragraph or an aside, wrapped."""

    widest = 0

    def __init__(self, block: DisplayBlock, columns: int) -> None:
        self._block = block
        self._opening, self._prefix, self._room = _before(block, columns)
        self._plain = "".join(span.text for span in block.spans)
        self._rows = wrap(self._plain, self._room)
        self._rule = _RULES.get(block.level, "") if block.kind == "heading" else ""
        self.height = len(self._rows) + bool(self._rule)

    def row(self, at: int) -> NoteRow:
        prefix = self._prefix if at else self._opening
        if at == len(self._rows):
            width = max(sanitize.width(self._plain[start:end]) for start, end in self._rows)
            return NoteRow(self._block.last, self._block.last, Content.styled(self._rule * width, "dim"), prefix)
        start, end = self._rows[at]
        before = self._plain[self._rows[at - 1][1] : start] if at else "\n"
        joint = "\n" if "\n" in before else " " if before else ""
        parts = self._parts_of(start, end)
        links = row_links(self._links, (start, end), (self._block.first, 0))
        return NoteRow(parts[0][1], parts[-1][1], self._content[start:end], prefix, joint, parts, links=links)

    def row_of(self, line: int) -> int:
        starts, lines = self._starts
        beyond = next((at for at, number in enumerate(lines) if number >= line), None)
        if beyond is None:
            return self.height - 1
        offset = starts[beyond]
        return next((at for at, (_, end) in enumerate(self._rows) if end > offset), len(self._rows) - 1)

    @cached_property
    def _starts(self) -> tuple[list[int], list[int]]:
        """Where the text of each line begins, and the line's number."""
        starts, lines, at = list[int](), list[int](), 0
        for span in self._block.spans:
            if not lines or span.line != lines[-1]:
                starts.append(at)
                lines.append(span.line)
            at += len(span.text)
        return (starts, lines) if lines else ([0], [self._block.first])

    def _parts_of(self, start: int, end: int) -> tuple[tuple[int, int], ...]:
        starts, lines = self._starts
        at = max(bisect_right(starts, start) - 1, 0)
        parts = [(0, lines[at])]
        while at + 1 < len(starts) and starts[at + 1] < end:
            at += 1
            parts.append((starts[at] - start, lines[at]))
        return tuple(parts)

    @cached_property
    def _links(self) -> Sequence[TextLink]:
        return tuple(text_links(self._block.spans))

    @cached_property
    def _content(self) -> Content:
        kind, level = self._block.kind, self._block.level
        return styled(
            self._block.spans, "dim" if kind == "aside" else _HEADINGS.get(level, "bold italic") if level else ""
        )


class _Code:
    """The lines of a fence or of indented code, below its language."""

    def __init__(self, block: DisplayBlock, columns: int) -> None:
        self._block = block
        self._opening, self._prefix, _ = _before(block, columns)
        self._code = block.code or ("",)
        self._above = 1 if block.caption else 0
        self.height = len(self._code) + self._above

    @cached_property
    def widest(self) -> int:
        return len(self._prefix) + CODE_INDENT + max(map(sanitize.width, self._code))

    def row(self, at: int) -> NoteRow:
        block = self._block
        prefix = self._prefix if at else self._opening
        if at < self._above:
            return NoteRow(block.first, block.first, Content.styled(block.caption, "italic dim"), prefix)
        line = min(block.body + at - self._above, max(block.last, block.body))
        text = Content(self._code[at - self._above])
        return NoteRow(line, line, text, prefix + " " * CODE_INDENT, code=True, sideways=True)

    def row_of(self, line: int) -> int:
        if self._above and line < self._block.body:
            return 0
        return min(max(line - self._block.body, 0), len(self._code) - 1) + self._above


class _Rule:
    """A thematic break."""

    height = 1
    widest = 0

    def __init__(self, block: DisplayBlock, columns: int) -> None:
        opening, _, room = _before(block, columns)
        self._row = NoteRow(block.first, block.last, Content.styled("─" * room, "dim"), opening)

    def row(self, at: int) -> NoteRow:
        return self._row

    def row_of(self, line: int) -> int:
        return 0
