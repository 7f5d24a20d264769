"""A note's outline and passages → chunks: some hundred words that are read together, the context of their passages.

A passage is a line or two and says what it is about only in part; the section around it says the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from assistant.records import Block, Chunk, Outline, Passage, Section

VERSION = 1
"""Raise it when any chunk of an unchanged note would come out differently."""

WORDS = 120
"""Words of a chunk at most, where it is not one block."""
UNCUT = 150
"""Words of the last chunk of a section at most: a few words alone are no context."""
EMBEDDED = 1000
"""Characters of a chunk that are embedded: about as many as the default model reads at once."""
_LEADING = 30
"""Words of what leads in to the next block at most."""
_SILENT = ("rule", "front_matter", "reference")
"""Blocks that say nothing."""


def chunks(outline: Outline, passages: Sequence[Passage]) -> tuple[Chunk, ...]:
    """The chunks of a note by line, none overlapping another; `passages` are those of the outline, by first line.

    Cut between blocks and never within a passage; a table of contents and front matter give no text.
    """
    joined = _joined_lines(passages)
    return tuple(
        Chunk(
            path=outline.path,
            heading_path=section.heading_path,
            anchor=section.anchor,
            start=blocks[0].start,
            end=blocks[-1].end,
            text="\n".join(block.plain for block in blocks if block.kind != "heading"),
            titled=outline.titled,
        )
        for section in outline.sections
        for blocks in _filled(_groups(section, joined))
    )


def embedded(chunk: Chunk) -> str:
    """The text a chunk is embedded as: title, headings, then its own words."""
    head = " > ".join(heading for heading in chunk.heading_path[not chunk.titled :] if heading)
    text = chunk.text[:EMBEDDED]
    return f"{head}: {text}" if head and text else head or text


def _joined_lines(passages: Sequence[Passage]) -> frozenset[int]:
    """Lines that a passage holds together with the line above; those within one block are of no use and left out."""
    return frozenset(
        line for passage in passages if passage.kind == "pair" for line in range(passage.start + 1, passage.end + 1)
    )


def _groups(section: Section, joined: frozenset[int]) -> Iterator[list[Block]]:
    """Blocks that stay together: what leads in with what follows, and the blocks of one passage."""
    group = list[Block]()
    for block in section.blocks:
        if block.contents or block.kind in _SILENT or not (block.kind == "heading" or block.plain.strip()):
            continue
        if group and not (block.start in joined or (_leads_in(group[-1]) and _words(group) <= _LEADING)):
            yield group
            group = []
        group.append(block)
    if group:
        yield group


def _leads_in(block: Block) -> bool:
    """A heading, a line that ends with a colon, or a bold run alone."""
    text = block.plain.strip()
    return block.kind == "heading" or text.endswith((":", "：")) or (block.kind == "paragraph" and block.lead == text)


def _filled(groups: Iterable[list[Block]]) -> Iterator[list[Block]]:
    """Groups put together as long as they are short enough."""
    sized = [(group, _words(group)) for group in groups]
    left = sum(words for _, words in sized)
    chunk, size = list[Block](), 0
    for group, words in sized:
        if size and size + words > WORDS and size + left > UNCUT:
            yield chunk
            chunk, size = [], 0
        chunk += group
        size += words
        left -= words
    if chunk:
        yield chunk


def _words(blocks: Iterable[Block]) -> int:
    return sum(len(block.plain.split()) for block in blocks if block.kind != "heading")
