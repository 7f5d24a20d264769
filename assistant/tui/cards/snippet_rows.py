"""A snippet → its caption and as many rows of code as a card shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from textual.content import Content

from assistant.rendering.blocks import CodeBlock
from assistant.text import sanitize
from assistant.tui.cards.rows import Layout, Piece, Row, mark

SHORT = 20
"""Rows below which a screen is short."""
ROOMY = 4
"""Rows of a folded snippet from which there is room for blank rows in an answer: on a screen of 32 rows."""
_SYNTAX_COLUMNS = 26
"""Columns that a parse error keeps beside a long caption: enough for the line's number."""


def folded_rows(height: int) -> int:
    """Rows of a folded snippet on a screen of `height` rows; 0 leaves its caption alone."""
    return 0 if height < SHORT else max(3, min(height // 8, 12))


def caption(block: CodeBlock, layout: Layout, fold: str, number: Row) -> Iterator[Row]:
    """Title, language and what the parser says, with the citation at the right; `fold` is what a click does."""
    language = f" · {sanitize.clip(block.language, 16) or 'no language'} · "
    room = layout.columns - sanitize.width(language) - 6
    title = sanitize.clip(block.title, max(room - min(sanitize.width(block.syntax), _SYNTAX_COLUMNS), 12))
    syntax = sanitize.clip(block.syntax, max(room - sanitize.width(title), 12))
    style = "$text-error" if block.problems else "dim"
    yield from layout.ends(
        [Piece(title, "bold", fold), Piece(language, "dim", fold), Piece(syntax, style, fold)], number
    )


def code(block: CodeBlock, columns: int, coloured: Sequence[Content], most: int | None, fold: str) -> Iterator[Row]:
    """The first rows and how many follow; `most` is how many fit, None for all of them."""
    total = len(block.rows)
    shown = total if most is None else min(total, most)
    if shown and total - shown == 1:
        shown += 1  # a row that says "1 more" would take the row's place
    bad = {problem.line for problem in block.problems or ()}
    for number, row in enumerate(islice(coloured, shown), block.first_line):
        yield _code_row(row, columns, number if number in bad else 0)
    if 0 < shown < total:
        yield [mark("  ", "dim", fold), Piece(f"… {total - shown} more lines", "dim", fold)]


def _code_row(row: Content, columns: int, bad: int) -> Row:
    """Cut where it is too long; `bad` is the line's number where it does not parse, else 0."""
    words = f" ◀ line {bad}" if bad else ""
    room = columns - 2 - len(words)
    if row.cell_length > room:
        row = row.truncate(room - 1).append("…")
    behind = [mark(" " * max(room - row.cell_length, 0)), mark(words, "bold $text-error")] if bad else []
    return [mark("  "), Piece(row), *behind]
