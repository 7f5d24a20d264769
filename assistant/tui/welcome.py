"""What stands on an empty screen: what is indexed, and questions to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from textual.content import Content
from textual.css.styles import RulesMap
from textual.strip import Strip
from textual.style import Style
from textual.visual import RenderOptions, Visual
from textual.widget import Widget

from assistant import visible
from assistant.tui.rows import WIDEST, Piece

if TYPE_CHECKING:
    from assistant.overview import Overview


class _Lines(Visual):
    def __init__(self, lines: list[tuple[str, Piece]]) -> None:
        self._lines = lines

    def content(self, width: int) -> Content:
        rows: list[Content] = []
        for lead, piece in self._lines:
            room = max(min(width, WIDEST) - len(lead), 8)
            for at, text in enumerate(visible.wrap(str(piece.text), room)):
                row = piece._replace(text=(lead if at == 0 else " " * len(lead)) + text)
                rows.append(row.content())
        return Content("\n").join(rows)

    def render_strips(self, width: int, height: int | None, style: Style, options: RenderOptions) -> list[Strip]:
        return self.content(width).render_strips(width, height, style, options)

    def get_optimal_width(self, rules: RulesMap, container_width: int) -> int:
        return container_width

    def get_minimal_width(self, rules: RulesMap) -> int:
        return 1

    def get_height(self, rules: RulesMap, width: int) -> int:
        return self.content(width).plain.count("\n") + 1


class Welcome(Widget, inherit_bindings=False):
    """Counts, model and example questions; one of them may be marked to be asked."""

    DEFAULT_CSS = """
    Welcome { height: auto; text-wrap: nowrap; padding: 0 1; margin-bottom: 1; link-style: none; link-color: auto;
              link-background: transparent; }
    """

    def __init__(self, notes: Path, model: str) -> None:
        super().__init__(id="welcome")
        self.auto_links = False
        self._notes, self._model = notes, model
        self._overview: Overview | None = None
        self._trouble = ""
        self.marked = 0
        """The example that enter asks, from 1; 0 for none."""
        self._visual = self._laid_out()

    @property
    def examples(self) -> tuple[str, ...]:
        return self._overview.examples if self._overview is not None else ()

    @property
    def text(self) -> str:
        return self._visual.content(WIDEST).plain

    def render(self) -> _Lines:
        return self._visual

    def show(self, overview: Overview | None = None, trouble: str = "", marked: int | None = None) -> None:
        """`trouble` says why there is nothing to ask, raw."""
        self._overview = overview or self._overview
        self._trouble = trouble
        if marked is not None:
            self.marked = max(0, min(marked, len(self.examples)))
        self._visual = self._laid_out()
        self.refresh(layout=True)

    def _laid_out(self) -> _Lines:
        lines = [("", Piece("Ask about your notes; every answer is a quotation from them.", "bold"))]
        seen = self._overview
        if self._trouble:
            lines.append(("", Piece(visible.line(self._trouble), "$text-warning")))
        elif seen is None:
            lines.append(("", Piece(f"Opening the index of {visible.line(self._notes.name)}", "dim")))
        else:
            waiting = f"{seen.pending:,} still found by words only" if seen.pending else "index ready"
            counts = f"{_count(seen.notes, 'note')} · {_count(seen.passages, 'passage')}"
            lines.append(("", Piece(f"{counts} · {visible.line(self._model)} · {waiting}", "dim")))
        if self.examples:
            lines.append(("", Piece("Such as (down and enter, or a click):", "dim")))
        for number, question in enumerate(self.examples, 1):
            mark = "▶ " if number == self.marked else "  "
            style = "bold" if number == self.marked else ""
            lines.append((mark, Piece(visible.line(question), style, f"app.example({number})")))
        return _Lines(lines)


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
