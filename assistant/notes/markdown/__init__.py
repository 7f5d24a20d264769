"""A note → its sections, which cover every line once, each with its blocks; only markdown-it's tokens decide."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from assistant.notes.markdown.blocks import BlockReader, Heading
from assistant.notes.markdown.front_matter import front_matter
from assistant.notes.markdown.grammar import parse
from assistant.records import Block, LineNumber, Note, Outline, Section

__all__ = ["outline"]


def outline(note: Note) -> Outline:
    """The note's sections in order; never fails, whatever the note holds."""
    front = front_matter(note.lines)
    lines = ("",) * front.lines + note.lines[front.lines :]
    reader = BlockReader(lines, parse(lines))
    reader.read()
    blocks, shift = reader.blocks, 0
    if front.lines:
        shift = 1
        blocks = [Block("front_matter", LineNumber(1), LineNumber(front.lines)), *blocks]
    first = next((h.plain for h in reader.headings if h.level == 1 and h.plain), "")
    title = first or front.title
    sections = _sections(title or PurePosixPath(note.path).stem, reader.headings, blocks, shift, len(lines))
    return Outline(note.path, title or PurePosixPath(note.path).stem, bool(title), front.tags, tuple(sections))


def _sections(
    title: str, headings: Sequence[Heading], blocks: Sequence[Block], shift: int, last: int
) -> Iterator[Section]:
    """One section a heading, and one for what stands above the first; parents in `blocks` are `shift` too low."""
    starts = [block.start for block in blocks]
    ends = [*(heading.line - 1 for heading in headings), last]
    if ends[0] > 0 or not headings:
        own = _own(blocks[: bisect_left(starts, ends[0] + 1)], -shift)
        yield Section((title,), "", 0, LineNumber(1), LineNumber(ends[0]), own)
    above: list[Heading] = []
    for heading, end in zip(headings, ends[1:], strict=True):
        above = [h for h in above if h.level < heading.level] + [heading]
        path = tuple(h.plain for h in above)
        if above[0].level > 1 or path == ("",):
            path = (title, *path)
        begin = bisect_left(starts, heading.line)
        own = _own(blocks[begin : bisect_left(starts, end + 1)], begin - shift)
        yield Section(path, heading.anchor, heading.level, LineNumber(heading.line), LineNumber(end), own)


def _own(blocks: Sequence[Block], offset: int) -> tuple[Block, ...]:
    return tuple(b if b.parent is None or not offset else replace(b, parent=b.parent - offset) for b in blocks)
