"""A row of a table → rows of the screen, each cell wrapped in its column."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from textual.content import Content

from assistant.tui.source.note_row import NoteRow, RowLink, TextLink, row_links
from assistant.tui.source.styled_text import styled, text_links
from assistant.tui.source.wrapping import wrap

if TYPE_CHECKING:
    from assistant.notes.display_blocks import DisplayBlock

_BETWEEN = 2
"""Columns between two columns of a table."""
_LEAST = 10
"""Columns of the screen that a column keeps, unless it needs fewer; what then has no room scrolls sideways."""


def column_widths(natural: Sequence[int], room: int) -> list[int]:
    """Columns of the screen for each column of a table: what it asks for, the widest give way."""
    free = room - _BETWEEN * (len(natural) - 1)
    widths = [max(width, 1) for width in natural]
    for position, at in enumerate(sorted(range(len(widths)), key=widths.__getitem__)):
        share = max(free // (len(widths) - position), _LEAST)
        widths[at] = min(widths[at], share)
        free -= widths[at]
    return widths


class TableRow:
    """As `BlockRows`; below a header stands a rule."""

    def __init__(self, block: DisplayBlock, opening: str, prefix: str, room: int) -> None:
        self._block, self._opening, self._prefix = block, opening, prefix
        self._widths = column_widths(block.widths, room)
        self.widest = len(prefix) + sum(self._widths) + _BETWEEN * (len(self._widths) - 1)
        texts = ["".join(span.text for span in cell) for cell in block.cells]
        self._wrapped = [wrap(text, width) for text, width in zip(texts, self._widths, strict=False)]
        self._rows = max(map(len, self._wrapped), default=1)
        self.height = self._rows + block.header

    def row(self, at: int) -> NoteRow:
        block, prefix = self._block, self._prefix if at else self._opening
        if at == self._rows:
            rule = (" " * _BETWEEN).join("─" * width for width in self._widths)
            return NoteRow(block.last + 1, block.last + 1, Content.styled(rule, "dim"), prefix, sideways=True)
        parts, links, shift = list[Content](), list[RowLink](), 0
        for cell, (text, wrapped, width) in enumerate(zip(self._cells, self._wrapped, self._widths, strict=False)):
            start, end = wrapped[at] if at < len(wrapped) else (0, 0)
            part = text[start:end]
            parts.append(part.pad_right(max(width - part.cell_length, 0)))
            links += row_links(self._links[cell], (start, end), (block.first, cell), shift)
            shift += len(parts[-1]) + _BETWEEN
        row = Content(" " * _BETWEEN).join(parts).rstrip()
        return NoteRow(block.first, block.last, row, prefix, sideways=True, links=tuple(links))

    def row_of(self, line: int) -> int:
        return self._rows if self._block.header and line > self._block.last else 0

    @cached_property
    def _links(self) -> list[tuple[TextLink, ...]]:
        return [tuple(text_links(cell)) for cell in self._block.cells]

    @cached_property
    def _cells(self) -> list[Content]:
        return [styled(cell, "bold" if self._block.header else "") for cell in self._block.cells]
