"""What a selection of rows copies: their text, without marks, numbers, padding and the ends of wrapped rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from assistant.tui.cards.rows import Piece, Row

Span = tuple[int, int]
"""First character of a row and the one behind the last; -1 for its end."""


def column_at(row: Row, at: int) -> int:
    """The column that a character of the row stands in, behind its end the last one; 0 where the row is not shared by
    two columns."""
    for piece in row:
        at -= len(str(piece.text))
        if at < 0:
            return piece.column
    return row[-1].column if row else 0


class Part(NamedTuple):
    """What a span has of a piece."""

    piece: Piece
    start: int
    """In characters of the row."""
    text: str


def selected_parts(row: Row, span: Span, column: int) -> list[Part]:
    """Of the pieces that a span touches, in their order; `column` leaves out the other one, 0 neither."""
    start, end = span
    parts, at = [], 0
    for piece in row:
        text = str(piece.text)
        chosen = text[max(start - at, 0) : None if end == -1 else max(end - at, 0)]
        if chosen and (not column or piece.column in (0, column)):
            parts.append(Part(piece, max(start, at), chosen))
        at += len(text)
    return parts


def copied_text(rows: Iterable[tuple[Row, Span]], column: int = 0) -> str:
    """A line for each text, wrapped or not; of rows that two columns share the first column, then the second one."""
    lines: list[str] = []
    beside: dict[int, list[str]] = {1: [], 2: []}
    for row, span in rows:
        shared = any(piece.column for piece in row)
        if not shared:
            lines += [*beside[1], *beside[2]]
            beside = {1: [], 2: []}
        parts = selected_parts(row, span, column)
        for own in sorted({part.piece.column for part in parts}) if shared else [0]:
            _add(beside[own] if own else lines, [part for part in parts if part.piece.column == own])
    return "\n".join([*lines, *beside[1], *beside[2]])


def _add(lines: list[str], parts: Sequence[Part]) -> None:
    """Adds a row's parts to the last line where they join it, else as a line."""
    text = "".join(part.text if part.piece.copied is None else part.piece.copied for part in parts).rstrip()
    if lines and any(part.piece.joins for part in parts):
        lines[-1] += text
    elif text or not any(part.piece.column for part in parts):  # one column may be longer than the other
        lines.append(text)
