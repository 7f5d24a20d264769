"""A SearchResult → text for a terminal: each passage with its rank, score and place, and its first rows."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import dedent

from assistant.records import FoundPassage, SearchResult
from assistant.rendering.blocks import below_title
from assistant.rendering.display import file_of
from assistant.rendering.terminal_rows import Row, Span, columns, link, printed
from assistant.text import sanitize

_SHOWN = 4
"""Rows of a passage at the most: it is listed to be chosen from, and its place leads to the rest."""
_UNBOUNDED = 10_000
"""Columns where there is no terminal: more than a line has that a person wrote."""
_ALONE = "  (heading only)"
_VERBATIM = frozenset(("fence", "code", "step", "tree", "row"))
"""Kinds whose line breaks and indentation mean something: their rows are cut at the right, not wrapped."""


def search_text(result: SearchResult, width: int | None = 80, colour: bool = False) -> str:
    """What a person reads, best first, with a blank row between passages; "" where nothing was found.

    `width` None leaves lines whole, for a pipe; `colour` adds ANSI styles and OSC 8 links (and imports rich).
    """
    room = _UNBOUNDED if width is None else columns(width)
    side = len(str(len(result.passages)))
    rows: list[Row] = []
    for rank, passage in enumerate(result.passages, 1):
        rows += [[]] if rows else []
        rows += _passage(passage, f"{rank:>{side}}  ", result.notes, room)
    return printed(rows, colour)


def _passage(passage: FoundPassage, lead: str, notes: str, width: int) -> Iterator[Row]:
    score, place = f"{passage.score:.2f}  ", f"{sanitize.line(passage.path)}:{passage.start_line}"
    headings = sanitize.line(below_title(passage.heading_path))
    headings += " (changed since it was indexed)" if passage.stale else ""
    address = passage.url or link(file_of(notes, passage.path), passage.start_line)
    head = [Span(lead), Span(score, "green"), Span(place, "blue", address)]
    margin = " " * len(lead)
    if sanitize.width(lead + score + place + headings) + 2 <= width:
        yield [*head, Span("  "), Span(headings, "dim")]
    else:
        yield head
        yield from ([Span(margin + row, "dim")] for row in sanitize.wrap(headings, max(width - len(margin), 8)))
    yield from _lines(passage, margin + "  ", width)


def _lines(passage: FoundPassage, margin: str, width: int) -> Iterator[Row]:
    room = max(width - len(margin), 8)
    if passage.kind == "heading":
        words = sanitize.clip(sanitize.line(" ".join(passage.quote.split())), max(room - len(_ALONE), 8))
        yield [Span(margin), Span(words, "bold"), Span(_ALONE, "dim")]
        return
    verbatim = passage.kind in _VERBATIM
    lines = [line for line in sanitize.block(dedent(passage.quote)).split("\n") if verbatim or line.strip()]
    rows = [(at, row) for at, line in enumerate(lines) for row in _rows(line, room, verbatim)]
    shown = rows if len(rows) <= _SHOWN + 1 else rows[:_SHOWN]
    left = len(lines) - 1 - shown[-1][0] if shown else 0
    cut = len(shown) < len(rows) and rows[len(shown)][0] == shown[-1][0]
    for at, (_, row) in enumerate(shown):
        ends = cut and at == len(shown) - 1
        text = sanitize.clip(row, room - 2) + " …" if ends else row
        yield [Span(margin), Span(text, "cyan" if verbatim else "")]
    if left:
        yield [Span(f"{margin}… {left} more line{'s' if left > 1 else ''}", "dim")]


def _rows(line: str, room: int, verbatim: bool) -> list[str]:
    return [sanitize.clip(line.rstrip(), room)] if verbatim else sanitize.wrap(line, room)
