"""The welcome on an empty screen: what is indexed, and questions to begin with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant.text import sanitize
from assistant.tui.cards.item import TranscriptItem
from assistant.tui.cards.rows import WIDEST, Piece, Row

if TYPE_CHECKING:
    from assistant.indexing.overview import Overview
    from assistant.tui.worker.messages import IndexProgress

_BAR = 24
"""Columns of the bar."""


class Welcome(TranscriptItem):
    """Counts, model and example questions, of which one may be marked."""

    def __init__(self, notes: str, model: str) -> None:
        """The names of both."""
        super().__init__()
        self._notes, self._model = notes, model
        self._overview: Overview | None = None
        self.examples: tuple[str, ...] = ()
        """Questions to try that the notes answer, raw."""
        self._progress: IndexProgress | None = None
        self._trouble = ""
        self.marked = 0
        """The example that enter asks, from 1; 0 for none."""

    def show(
        self,
        overview: Overview | None = None,
        trouble: str | None = None,
        marked: int | None = None,
        examples: tuple[str, ...] | None = None,
        progress: IndexProgress | None = None,
    ) -> None:
        """`trouble` says why there is nothing to ask, raw, "" that there is something; None keeps what was shown."""
        self._overview = overview or self._overview
        self._trouble = self._trouble if trouble is None else trouble
        self.examples = self.examples if examples is None else examples
        self._progress = progress or self._progress
        if marked is not None:
            self.marked = max(0, min(marked, len(self.examples)))
        self.changed()

    def lay_out(self, width: int, folded_rows: int) -> list[Row]:
        rows: list[Row] = []
        for lead, piece in self._lines():
            room = max(min(width, WIDEST) - len(lead), 8)
            for at, text in enumerate(sanitize.wrap(str(piece.text), room)):
                rows.append([piece._replace(text=(lead if at == 0 else " " * len(lead)) + text)])
        return rows

    def _lines(self) -> list[tuple[str, Piece]]:
        """A lead and what is wrapped under itself behind it."""
        lines = [("", Piece("Ask about your notes; every answer is a quotation from them.", "bold")), self._state()]
        lines += [("", Piece(bar, "dim"))] if (bar := self._bar()) else []
        if self.examples:
            lines.append(("", Piece("Examples (down + enter, or click):", "dim")))
        for number, question in enumerate(self.examples, 1):
            mark = "▶ " if number == self.marked else "  "
            style = "bold" if number == self.marked else ""
            lines.append((mark, Piece(sanitize.line(question), style, f"app.example({number})")))
        return lines

    def _bar(self) -> str:
        """How far a step that counts is, with its pace; "" where there is none."""
        progress = self._progress
        if progress is None or not progress.of or not progress.text:
            return ""
        share = min(1.0, progress.done / progress.of)
        full = round(share * _BAR)
        pace = f" · {progress.pace}" if progress.pace else ""
        return f"{'█' * full}{'░' * (_BAR - full)} {share:.0%}{pace}"

    def _state(self) -> tuple[str, Piece]:
        overview = self._overview
        if self._trouble:
            return "", Piece(sanitize.line(self._trouble), "$text-warning")
        if overview is None:
            name, done = sanitize.line(self._notes), self._progress.text if self._progress is not None else ""
            return "", Piece(f"Notes in {name}: {sanitize.line(done) or 'opening the index'}", "dim")
        pending = f"{overview.pending:,} passages without embeddings yet" if overview.pending else "index ready"
        counts = f"{_count(overview.notes, 'note')} · {_count(overview.passages, 'passage')}"
        return "", Piece(f"{counts} · {sanitize.line(self._model)} · {pending}", "dim")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
