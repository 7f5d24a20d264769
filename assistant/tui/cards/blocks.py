"""What stands in the transcript: blocks of rows, laid out for a width, drawn by the one widget that holds them all."""

from __future__ import annotations

from collections.abc import Callable

from textual.content import Content

from assistant.tui.cards.rows import Piece, Row


class Block:
    """Rows that are laid out when they are first asked for, and anew when the width or what they show changes."""

    gap = 1
    """Blank rows below."""

    def __init__(self) -> None:
        self.top = 0
        """The row of the transcript that it begins at."""
        self.stirred: Callable[[Block], None] = lambda block: None
        """Told when it shows something else; the transcript's."""
        self._fits = (0, 0)
        self._rows: list[Row] = []

    def lay_out(self, width: int, code: int) -> list[Row]:
        """Its rows, none wider than `width`; `code` is how many rows a folded snippet has."""
        raise NotImplementedError

    def fit(self, width: int, code: int) -> int:
        """Lays it out where that is not done; how many rows it has, without the gap."""
        if self._fits != (width, code):
            self._fits = (width, code)
            self._rows = self.lay_out(width, code)
        return len(self._rows)

    def stir(self) -> None:
        """To be called when what it shows has changed."""
        self._fits = (0, 0)
        self.stirred(self)

    @property
    def height(self) -> int:
        """Rows as they were laid out last, without the gap."""
        return len(self._rows)

    @property
    def bottom(self) -> int:
        """The row behind the last one of its own and of its gap."""
        return self.top + self.height + self.gap

    def row(self, at: int) -> Row:
        """Counted from 0 at its top; empty in the gap."""
        return self._rows[at] if at < len(self._rows) else []

    @property
    def text(self) -> str:
        """What it shows, a line a row, at its present width."""
        return "\n".join(plain(row) for row in self._rows)


class Label(Block):
    """A word above other blocks."""

    gap = 0

    def __init__(self, text: str, style: str) -> None:
        super().__init__()
        self._row = [Piece(text, style)]

    def lay_out(self, width: int, code: int) -> list[Row]:
        return [self._row]


def plain(row: Row) -> str:
    return "".join(str(piece.text) for piece in row)


def content(row: Row) -> Content:
    """What is drawn."""
    return Content("").join(piece.content() for piece in row)
