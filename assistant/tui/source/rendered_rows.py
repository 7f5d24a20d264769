"""A note as people read it, wrapped to the pane; chunks that are not parsed yet stand as they are written."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from functools import cached_property
from itertools import accumulate
from typing import Protocol

from textual.content import Content

from assistant.tui.source.block_rows import CODE_INDENT, BlockRows, block_rows
from assistant.tui.source.note_row import NoteRow
from assistant.tui.source.note_text import Blocks, NoteText

_KEYS = 1 << 24
"""More than the rows of a chunk."""


class _ChunkRows(Protocol):
    """The rows of one chunk, counted from 0."""

    @property
    def height(self) -> int: ...

    @property
    def widest(self) -> int: ...

    def row(self, at: int) -> NoteRow: ...

    def row_of(self, line: int) -> int: ...


class RenderedRows:
    """As `NoteRows`; only the rows that are asked for are made."""

    def __init__(self, text: NoteText) -> None:
        self._text = text
        self._columns = 1
        self._blocks: dict[int, Blocks] = {}
        self._fitted: list[_ChunkRows] = []
        self._tops = [0]
        """The row that each chunk begins with, and how many rows there are."""
        self._widest_code = max((max(text.widths[f.first - 1 : f.last]) for f in text.fences), default=0)

    @property
    def height(self) -> int:
        """As `NoteRows`; an estimate for chunks that are not parsed yet."""
        return self._tops[-1]

    @property
    def widest(self) -> int:
        """As `NoteRows`."""
        known = max((chunk.widest for chunk in self._fitted), default=0)
        return max(known, self._widest_code + CODE_INDENT)

    def fit(self, columns: int) -> None:
        """As `NoteRows`."""
        self._columns = max(columns, 1)
        self._fitted = [self._fit(number) for number in range(len(self._text.chunks))]
        self._stack()

    def parsed(self, blocks: Iterable[tuple[int, Blocks]]) -> None:
        """Chunks by their position, with what people read in them."""
        for number, parsed in blocks:
            self._blocks[number] = parsed
            if self._fitted:
                self._fitted[number] = self._fit(number)
        self._stack()

    def missing(self, first: int, last: int) -> list[int]:
        """The chunks in these rows that are not parsed yet."""
        numbers = range(self._chunk(max(first, 0)), self._chunk(max(last, 0)) + 1) if self._fitted else ()
        return [number for number in numbers if number not in self._blocks]

    def row(self, at: int) -> NoteRow:
        """As `NoteRows`."""
        number = self._chunk(at)
        return self._fitted[number].row(at - self._tops[number])

    def row_of(self, line: int) -> int:
        """As `NoteRows`."""
        number = self._text.chunk_at(line)
        return self._tops[number] + self._fitted[number].row_of(line) if self._fitted else 0

    def key(self, at: int) -> int:
        """As `NoteRows`."""
        number = self._chunk(at)
        return number * _KEYS + at - self._tops[number]

    def at(self, key: int) -> int:
        """As `NoteRows`."""
        number, at = divmod(max(key, 0), _KEYS)
        return min(self._tops[number] + at, self.height) if number < len(self._fitted) else self.height

    def _chunk(self, at: int) -> int:
        return min(max(bisect_right(self._tops, at) - 1, 0), len(self._fitted) - 1)

    def _fit(self, number: int) -> _ChunkRows:
        first, last = self._text.chunks[number]
        if number in self._blocks:
            return _Parsed(self._blocks[number], self._columns, first, last)
        return _AsWritten(self._text, first, last, self._columns)

    def _stack(self) -> None:
        self._tops = [0, *accumulate(chunk.height for chunk in self._fitted)]


class _Parsed:
    """The blocks of a chunk, a blank row where blank lines stand between them."""

    def __init__(self, blocks: Blocks, columns: int, first: int, last: int) -> None:
        self._blocks = blocks
        self._last = last
        self._first = first
        self._rows: list[BlockRows] = [block_rows(block, columns) for block in blocks]
        heights = (rows.height + (block.gap is not None) for rows, block in zip(self._rows, blocks, strict=True))
        self._tops = [0, *accumulate(heights)]
        # The blank lines above the next chunk.
        self._ends_blank = not blocks or blocks[-1].last < last
        self.height = self._tops[-1] + self._ends_blank

    @cached_property
    def widest(self) -> int:
        return max((rows.widest for rows in self._rows), default=0)

    def row(self, at: int) -> NoteRow:
        if at >= self._tops[-1]:
            first = self._blocks[-1].last + 1 if self._blocks else self._first
            return NoteRow(first, self._last, Content())
        number = bisect_right(self._tops, at) - 1
        block, within = self._blocks[number], at - self._tops[number]
        if block.gap is not None:
            if within == 0:
                above = self._blocks[number - 1].last + 1 if number else self._first
                return NoteRow(min(above, block.first - 1), block.first - 1, Content(), block.gap)
            within -= 1
        return self._rows[number].row(within)

    def row_of(self, line: int) -> int:
        number = bisect_right(self._blocks, line, key=lambda block: block.first) - 1
        if number < 0:
            return 0
        if line > self._blocks[number].last and not self._continues(number, line):
            return self._tops[number + 1]
        block = self._blocks[number]
        return self._tops[number] + (block.gap is not None) + self._rows[number].row_of(line)

    def _continues(self, number: int, line: int) -> bool:
        """Whether a line below the last one of a block shows in it: the rule under the header of a table."""
        block = self._blocks[number]
        return block.header and line == block.last + 1


class _AsWritten:
    """The lines of a chunk, wrapped anywhere: quickly measured, and seen for some milliseconds at most."""

    widest = 0

    def __init__(self, text: NoteText, first: int, last: int, columns: int) -> None:
        self._first, self._columns = first, columns
        self._shown = text.shown[first - 1 : last] or ("",)
        self._widths = text.widths[first - 1 : last] or (0,)
        fits = max(self._widths) <= columns
        self.height = len(self._widths) if fits else sum(-(-width // columns) or 1 for width in self._widths)

    def row(self, at: int) -> NoteRow:
        number = min(bisect_right(self._tops, at), len(self._shown)) - 1
        begin = (at - self._tops[number]) * self._columns
        line = self._first + number
        text = Content(self._shown[number][begin : begin + self._columns])
        return NoteRow(line, line, text, joint="" if begin else "\n")

    def row_of(self, line: int) -> int:
        return self._tops[min(max(line - self._first, 0), len(self._shown) - 1)]

    @cached_property
    def _tops(self) -> list[int]:
        return [0, *accumulate(-(-width // self._columns) or 1 for width in self._widths)]
