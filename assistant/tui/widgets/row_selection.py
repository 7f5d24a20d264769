"""What the mouse has selected in rows of pieces: what is marked, and what is copied."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from textual.selection import Selection

from assistant.tui.cards.copied_rows import Span, column_at, copied_text, selected_parts
from assistant.tui.cards.rows import Row


class RowSelection:
    """A selection over rows that stand behind `margin` blank columns; one column of two where it keeps to it."""

    def __init__(self, selection: Selection, row: Callable[[int], Row], margin: int) -> None:
        self._selection = selection
        self._row = row
        self._margin = margin
        self._column = self._kept_to()

    def text(self, numbers: Iterable[int]) -> str:
        """What is copied of these rows."""
        spans = ((number, self._span(number)) for number in numbers)
        return copied_text(((self._row(number), span) for number, span in spans if span is not None), self._column)

    def spans(self, number: int) -> Iterator[Span]:
        """The parts of a row, margin included, that are copied as they stand."""
        span = self._span(number)
        for part in selected_parts(self._row(number), span, self._column) if span is not None else ():
            if part.piece.copied in (None, part.piece.text):
                start = self._margin + part.start
                yield start, start + len(part.text)

    def _span(self, number: int) -> Span | None:
        """Without the margin."""
        span = self._selection.get_span(number)
        if span is None:
            return None
        start, end = span
        return max(start - self._margin, 0), end if end == -1 else max(end - self._margin, 0)

    def _kept_to(self) -> int:
        start, end = self._selection.start, self._selection.end
        if start is None or end is None:
            return 0
        first = column_at(self._row(start.y), start.x - self._margin)
        last = column_at(self._row(end.y), max(end.x - self._margin - 1, 0))
        return first if first == last else 0
