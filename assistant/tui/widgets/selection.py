"""The text that the mouse has selected in a widget of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from textual.selection import Selection


def selected_text(selection: Selection, rows: Iterable[int], text: Callable[[int], str], margin: int) -> str:
    """The selected part of each row of `rows`, a line each; `margin` columns before the text do not belong to it."""
    lines = []
    for row in rows:
        span = selection.get_span(row)
        if span is not None:
            start, end = span
            lines.append(text(row)[max(start - margin, 0) : None if end == -1 else max(end - margin, 0)])
    return "\n".join(lines)
