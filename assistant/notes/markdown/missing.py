"""The lines that markdown-it has no token for: link definitions, and text nested deeper than it reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from assistant.notes.markdown.grammar import Parsed
from assistant.records import Block, LineNumber


def complete(blocks: list[Block], lines: Sequence[str], parsed: Parsed) -> list[Block]:
    """`blocks` with those lines, in line order; `parent` follows."""
    taken = bytearray(len(lines) + 1)
    for block in blocks:
        taken[block.start : block.end + 1] = b"x" * (block.end + 1 - block.start)
    added = list[Block]()
    for before, last in parsed.references:
        first = before + 1
        while first <= last and taken[first]:  # an item may hold its first lines
            first += 1
        if first <= last and not any(taken[first : last + 1]):
            added.append(Block("reference", LineNumber(first), LineNumber(last)))
            taken[first : last + 1] = b"x" * (last + 1 - first)
    if not parsed.complete:
        for number, line in enumerate(lines, 1):
            if not taken[number] and line.strip():
                plain = " ".join(line.split())
                added.append(Block("paragraph", LineNumber(number), LineNumber(number), plain))
    return _ordered([*blocks, *added]) if added else blocks


def _ordered(blocks: Sequence[Block]) -> list[Block]:
    order = sorted(range(len(blocks)), key=lambda position: blocks[position].start)
    moved = {before: now for now, before in enumerate(order)}
    return [
        blocks[n] if blocks[n].parent is None else replace(blocks[n], parent=moved[blocks[n].parent or 0])
        for n in order
    ]
