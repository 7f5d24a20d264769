"""The statements of a comparison → rows: two columns below the names of the sides, or one side below the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest

from assistant.rendering.blocks import StatementItem, Statements
from assistant.text import sanitize
from assistant.tui.cards.rows import Layout, Piece, Row, mark, width

WIDE = 100
"""Columns from which the sides stand side by side."""
_BETWEEN = 4

Numbers = Callable[[Sequence[int]], Row]
"""Citations → what opens them."""


def statement_rows(block: Statements, layout: Layout, numbers: Numbers) -> Iterator[Row]:
    """Lines of both sides first, over the whole width; all lines in the answer's order where there are no sides."""
    if block.sides is None:
        yield from _quoted(block.items, layout, numbers)
        return
    yield from _quoted(block.of(None), layout, numbers)
    if layout.columns >= WIDE:
        yield from _beside(block, block.sides, layout, numbers)
        return
    for side, name in enumerate(block.sides):
        yield from layout.hanging("", name, "bold")
        yield from _quoted(block.of(side), layout, numbers)


def _quoted(items: Sequence[StatementItem], layout: Layout, numbers: Numbers) -> Iterator[Row]:
    for one in items:
        yield from layout.hanging("│ ", one.text, lead_style="dim", right=numbers(one.citations), bar=True)


def _beside(block: Statements, names: tuple[str, str], layout: Layout, numbers: Numbers) -> Iterator[Row]:
    half = Layout((layout.columns - _BETWEEN) // 2)
    columns: list[list[Row]] = [
        [[Piece(sanitize.clip(name, half.columns), "bold")], *_quoted(block.of(side), half, numbers)]
        for side, name in enumerate(names)
    ]
    nothing: Row = [mark("")]
    for one, other in zip_longest(*columns, fillvalue=nothing):
        padding = mark(" " * (half.columns + _BETWEEN - width(one)))
        row = [piece._replace(column=1) for piece in [*one, padding]]
        yield row + [piece._replace(column=2) for piece in other]
