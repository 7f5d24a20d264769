"""Fences that people write where CommonMark sees none: inside indented code and paragraphs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markdown_it.token import Token

_OPENING = re.compile(
    r"(?P<prefix>\s*(?:>\s*|[-*+]\s+|\d{1,9}[.)]\s+)*)(?P<mark>`{3,}|~{3,})\s*(?P<info>.*)$", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class LooseFence:
    """A fence inside indented code or a paragraph; 0-based lines, marks included."""

    first: int
    last: int
    info: str
    prefix: str
    """What stands before the opening mark."""


def find(tokens: Sequence[Token], lines: Sequence[str]) -> Iterator[LooseFence]:
    """Marks inside indented code or a paragraph with the line that closes them."""
    stops = [t.map[0] for t in tokens if t.map and (_opens_section(t) or (t.type == "fence" and t.info.strip()))]
    stops.append(len(lines))
    stops.reverse()
    closing = _Closing(lines)
    after = 0
    for token in tokens:
        if token.type not in ("paragraph_open", "code_block") or token.map is None:
            continue
        while stops[-1] <= token.map[0] and len(stops) > 1:
            stops.pop()
        for number in range(token.map[0], token.map[1]):
            opening = _OPENING.match(lines[number]) if number >= after else None
            if opening is None or ("`" in opening["mark"] and "`" in opening["info"]):
                continue
            last = closing.find(opening["mark"], number + 1, stops[-1])
            if last is not None:
                after = last + 1
                yield LooseFence(number, last, opening["info"].strip(), opening["prefix"])


def _opens_section(token: Token) -> bool:
    return token.type == "heading_open" and token.level == 0


class _Closing:
    """Looks for closing marks, and for none of a kind twice: thousands that are never closed cost one look."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._missing: dict[tuple[str, int], int] = {}

    def find(self, mark: str, start: int, stop: int) -> int | None:
        """The first line from `start` before `stop` that closes `mark`."""
        if len(mark) >= self._missing.get((mark[0], stop), len(mark) + 1):
            return None
        for number in range(start, stop):
            closing = _OPENING.match(self._lines[number])
            if closing and closing["mark"].startswith(mark) and not closing["info"].strip():
                return number
        self._missing[mark[0], stop] = len(mark)
        return None


def within(loose: Sequence[LooseFence], tokens: Sequence[Token]) -> bool:
    """Whether each fence lies in one token that can be split around it."""
    spans = iter([t.map for t in tokens if t.type in ("paragraph_open", "code_block") and t.map])
    span = next(spans, None)
    for fence in loose:
        while span and span[1] <= fence.first:
            span = next(spans, None)
        if not span or not span[0] <= fence.first <= fence.last < span[1]:
            return False
    return True


def pieces(start: int, end: int, loose: Sequence[LooseFence]) -> Iterator[tuple[int, int, LooseFence | None]]:
    """The lines of a token, 1-based and inclusive, cut at the loose fences in it."""
    for fence in loose:
        if start <= fence.first:
            yield start, fence.first, None
        yield fence.first + 1, fence.last + 1, fence
        start = fence.last + 2
    if start <= end:
        yield start, end, None
