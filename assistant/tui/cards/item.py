"""The items of the transcript: rows that are laid out for a width and drawn by the one widget that holds all items."""

from __future__ import annotations

from collections.abc import Callable

from assistant.tui.cards.rows import Piece, Row, plain


class TranscriptItem:
    """Rows that are laid out when they are first needed, and anew when the width or what they show changes."""

    gap = 1
    """Blank rows below."""

    def __init__(self) -> None:
        self.top = 0
        """The row of the transcript that it begins at; the transcript sets it."""
        self.on_change: Callable[[TranscriptItem], None] = lambda item: None
        """Called when it shows something else; the transcript sets it."""
        self._laid_out_for = (0, 0)
        self._rows: list[Row] = []

    def lay_out(self, width: int, folded_rows: int) -> list[Row]:
        """Its rows, none wider than `width` columns; `folded_rows` is how many rows a folded snippet has."""
        raise NotImplementedError

    def fit(self, width: int, folded_rows: int) -> int:
        """Lays it out where that is not done; how many rows it has, without the gap."""
        if self._laid_out_for != (width, folded_rows):
            self._laid_out_for = (width, folded_rows)
            self._rows = self.lay_out(width, folded_rows)
        return len(self._rows)

    def changed(self) -> None:
        """To be called when what it shows has changed."""
        self._laid_out_for = (0, 0)
        self.on_change(self)

    @property
    def height(self) -> int:
        """Rows as they were laid out last, without the gap."""
        return len(self._rows)

    @property
    def bottom(self) -> int:
        """The row of the transcript behind its last one and its gap."""
        return self.top + self.height + self.gap

    def row(self, at: int) -> Row:
        """Counted from 0 at its top; empty in the gap."""
        return self._rows[at] if at < len(self._rows) else []

    @property
    def text(self) -> str:
        """What it shows, a line a row, at its present width."""
        return "\n".join(plain(row) for row in self._rows)


class Label(TranscriptItem):
    """A word above other items."""

    gap = 0

    def __init__(self, text: str, style: str) -> None:
        super().__init__()
        self._row = [Piece(text, style)]

    def lay_out(self, width: int, folded_rows: int) -> list[Row]:
        return [self._row]
