"""The lines of a note as they are, a row each."""

from __future__ import annotations

from textual.content import Content

from assistant.tui.source.note_row import NoteRow
from assistant.tui.source.note_text import NoteText


class RawRows:
    """As `NoteRows`."""

    def __init__(self, text: NoteText) -> None:
        self._shown = text.shown
        self.height = len(text.shown)
        self.widest = max(text.widths, default=0)

    def fit(self, columns: int) -> None:
        """A line is a row at every width."""

    def row(self, at: int) -> NoteRow:
        """The line below the line `at`."""
        return NoteRow(at + 1, at + 1, Content(self._shown[at]), code=True, sideways=True)

    def row_of(self, line: int) -> int:
        """As `NoteRows`."""
        return min(max(line - 1, 0), max(self.height - 1, 0))

    def key(self, at: int) -> int:
        """As `NoteRows`."""
        return at

    def at(self, key: int) -> int:
        """As `NoteRows`."""
        return key
