"""A note → what the source pane shows of it; made in the engine's thread, for thousands of lines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from assistant.records import Note
from assistant.text import sanitize
from assistant.tui.highlighting import Fence, fences

if TYPE_CHECKING:
    from assistant.notes.display_blocks import DisplayBlock
    from assistant.notes.markdown.display import References

Blocks = tuple["DisplayBlock", ...]

_FEW, _ENOUGH, _MANY = 40, 120, 1000
"""Lines of a chunk that ends before a heading, before a paragraph, and anywhere else."""
_AROUND = 30
"""Lines above and below a place that are parsed with it."""
_HEADING = re.compile(r"#{1,6}(?:[ \t]|$)")
_PARAGRAPH = re.compile(r"(?![-*+]\s|\d{1,9}[.)]\s|[\s>|<:=!~`])\S")
"""A line that, below a blank one, stands in no item, quotation or block of HTML that began above."""


class NoteText:
    """The lines of a note, safe to show, and the chunks that it is parsed in, one at a time.

    No block crosses the end of a chunk, but where a block is longer than people write them.
    """

    def __init__(self, note: Note) -> None:
        self.note = note
        # Most lines are plain: the calls that they are spared are a third of the time of a long note.
        self.shown = tuple(
            [line if line.isascii() and line.isprintable() else sanitize.block(line) for line in note.lines]
        )
        self.widths = tuple([len(line) if line.isascii() else sanitize.width(line) for line in self.shown])
        """Columns that each line takes."""
        self.fences: tuple[Fence, ...] = tuple(fences(note.lines))
        self.chunks = tuple(self._chunks())
        """First and last line (1-based) of each, which together are all lines."""

    def chunk_at(self, line: int) -> int:
        """The position of the chunk that a line (1-based) stands in."""
        low, high = 0, len(self.chunks) - 1
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self.chunks[middle][0] <= line else (low, middle - 1)
        return low

    def blocks(self, number: int) -> Blocks:
        """What people read in the chunk of that position; takes some milliseconds."""
        from assistant.notes.markdown import display  # markdown-it is not needed for the first frame

        first, last = self.chunks[number]
        lines = self.note.lines[first - 1 : last]
        if number == 0 and last == self._front:
            return (display.front_matter_block(lines),)
        return display.display_blocks(lines, first, self._references)

    def blocks_around(self, line: int) -> Mapping[int, Blocks]:
        """The blocks of the chunks at a line (1-based) and near it, by position of the chunk."""
        last = len(self.note.lines)
        numbers = range(self.chunk_at(min(max(line - _AROUND, 1), last)), self.chunk_at(line + _AROUND) + 1)
        return {number: self.blocks(number) for number in numbers}

    @cached_property
    def _references(self) -> References:
        from assistant.notes.markdown import display

        return display.references(self.note.lines)

    @cached_property
    def _front(self) -> int:
        """How many lines at the top are front matter."""
        lines = self.note.lines
        if not lines or not lines[0].startswith(("---", "+++")):
            return 0
        from assistant.notes.markdown import display

        return display.front_matter_lines(lines)

    def _chunks(self) -> Iterator[tuple[int, int]]:
        lines, begin = self.note.lines, 1
        if self._front:
            yield 1, self._front
            begin = self._front + 1
        inside = self._inside_fences()
        for number in range(begin + 1, len(lines) + 1):
            if number - begin >= _FEW and not inside[number] and _ends(lines, number, number - begin):
                yield begin, number - 1
                begin = number
        if begin <= len(lines) or not lines:
            yield begin, max(len(lines), begin)

    def _inside_fences(self) -> bytearray:
        """Which lines a fence has, its last mark included: nothing ends there."""
        inside = bytearray(len(self.note.lines) + 2)
        for fence in self.fences:
            inside[fence.first : fence.last + 2] = b"x" * (fence.last + 2 - fence.first)
        return inside


def _ends(lines: Sequence[str], number: int, length: int) -> bool:
    """Whether a chunk of that many lines, not few, ends above the line of that number."""
    line = lines[number - 1]
    if _HEADING.match(line):
        return True
    if length >= _ENOUGH and not lines[number - 2].strip() and _PARAGRAPH.match(line):
        return True
    return length >= _MANY and not line.startswith(("|", " ", "\t"))
