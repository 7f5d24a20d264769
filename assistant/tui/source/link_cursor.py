"""Which link of a note is marked, and the links that a row shows."""

from __future__ import annotations

from collections.abc import Iterable

from textual.content import Content

from assistant.tui.source.note_row import LinkId, NoteRow, RowLink


class LinkCursor:
    """At one link, or at none; what is in view is said with each call."""

    def __init__(self) -> None:
        self.id: LinkId | None = None
        """Of the marked link; None where none is."""

    def step(self, rows: Iterable[NoteRow], by: int) -> bool:
        """Marks the next (1) or the previous (-1) link of the rows in view; False, and none is marked, at the end.

        From no link in view, downwards begins with the first and upwards is at its end.
        """
        ids = sorted({link.id for row in rows for link in row.links})
        at = ids.index(self.id) + by if self.id in ids else 0 if by > 0 else -1
        self.id = ids[at] if 0 <= at < len(ids) else None
        return self.id is not None

    def target(self, rows: Iterable[NoteRow]) -> str:
        """Where the marked link leads; "" where none is marked in these rows."""
        return next((link.target for row in rows for link in row.links if link.id == self.id), "")

    def marked(self, row: NoteRow, content: Content) -> Content:
        """The text of a row, the marked link reversed."""
        for link in row.links:
            if link.id == self.id:
                content = content.stylize("reverse", link.start, link.end)
        return content


def link_at(row: NoteRow, at: int) -> RowLink | None:
    """The link at a letter of the row's text."""
    return next((link for link in row.links if link.start <= at < link.end), None)
