"""Where the rows of a text begin and end."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.text import sanitize

_WORD = re.compile(r"\S+")


def wrap(text: str, columns: int) -> list[tuple[int, int]]:
    """Start and end of each row of at most `columns` of safe text; never empty.

    Rows end at line ends and blanks, which no row has, and inside words that are longer than a row.
    """
    rows, begin = list[tuple[int, int]](), 0
    for line in text.split("\n"):
        end = begin + len(line)
        rows += [(begin, end)] if sanitize.width(line) <= columns else _rows(text, begin, end, columns)
        begin = end + 1
    return rows


def _rows(text: str, begin: int, end: int, columns: int) -> Iterator[tuple[int, int]]:
    start = stop = begin
    used = 0
    for word in _WORD.finditer(text, begin, end):
        wide = sanitize.width(text[stop : word.end()])
        if used + wide <= columns:
            used += wide
        else:
            if stop > start:
                yield start, stop
            start = word.start()
            for cut in _cuts(text, start, word.end(), columns):
                yield start, cut
                start = cut
            used = sanitize.width(text[start : word.end()])
        stop = word.end()
    yield start, stop


def _cuts(text: str, start: int, end: int, columns: int) -> Iterator[int]:
    """Where a word that is longer than a row is cut."""
    used = 0
    if end - start <= columns // 2:
        return
    for at in range(start, end):
        wide = sanitize.width(text[at])
        if used + wide > columns and used:
            yield at
            used = 0
        used += wide
