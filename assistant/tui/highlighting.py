"""Code → its lines, coloured as its language; slow for a new language, so only the engine's thread calls it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from textual.content import Content

from assistant.records import Answer
from assistant.text import sanitize

_LONGEST = 60_000
"""Characters of a fence that are coloured; a longer one is shown as it is."""
_OPENS = re.compile(r"^[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?(?P<mark>`{3,}|~{3,})(?P<info>[^`]*)$")


class Fence(NamedTuple):
    """Lines between the marks, 1-based, inclusive."""

    first: int
    last: int
    language: str


def lines(code: str, language: str, *, ansi: bool = False) -> list[Content]:
    """As many as the code has; safe to show. `ansi` takes the terminal's own sixteen colours."""
    shown = sanitize.block(code)
    plain = [Content(row) for row in shown.split("\n")]
    if not language or len(shown) > _LONGEST:
        return plain
    from textual.highlight import ANSIDarkHighlightTheme, HighlightTheme, highlight  # not needed for the first frame

    theme = ANSIDarkHighlightTheme if ansi else HighlightTheme
    coloured = highlight(shown, language=language, theme=theme).split("\n", allow_blank=True)
    if [row.plain for row in coloured] != [row.plain for row in plain]:
        return plain  # a lexer that changes the text must not change what is shown
    return list(coloured)


def snippets(answer: Answer, *, ansi: bool = False) -> dict[int, list[Content]]:
    """The lines of each snippet, by its position in the answer."""
    return {at: lines(one.code.rstrip("\n"), one.language, ansi=ansi) for at, one in enumerate(answer.snippets)}


def fences(rows: Sequence[str]) -> Iterator[Fence]:
    """Every fence of a note by its marks alone, quickly; good for colours, not for what is quoted."""
    opened: tuple[int, str, str] | None = None
    for number, row in enumerate(rows, 1):
        if opened is None:
            opening = _OPENS.match(row) if "```" in row or "~~~" in row else None
            if opening:
                opened = (number, opening["mark"], (opening["info"].split() or [""])[0].strip("{}."))
        elif row.strip(" \t>").startswith(opened[1]) and not row.strip(" \t>").strip(opened[1][0]):
            if number - 1 > opened[0]:
                yield Fence(opened[0] + 1, number - 1, opened[2])
            opened = None
