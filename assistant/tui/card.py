"""One answer on the screen: a single widget, so that two hundred of them cost little."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from textual.content import Content
from textual.css.styles import RulesMap
from textual.selection import Selection
from textual.strip import Strip
from textual.style import Style
from textual.visual import RenderOptions, Visual
from textual.widget import Widget

from assistant.tui import rows
from assistant.tui.rows import Colours, View
from assistant.tui.turns import Turn


class Page(Visual):
    """Rows that are laid out anew for each width, so that a resize needs no handler."""

    def __init__(self, turn: Turn, view: View, colours: Colours, code_rows: Callable[[], int]) -> None:
        self._turn, self._view, self._colours, self._code_rows = turn, view, colours, code_rows
        self._key = (0, 0)
        self._rows: list[rows.Row] = []
        self._content: Content | None = None

    def content(self, width: int) -> Content:
        """Made for the cards that are seen, while all of them are asked for their height."""
        self.height(width)
        if self._content is None:
            self._content = rows.joined(self._rows)
        return self._content

    def height(self, width: int) -> int:
        key = (min(width, rows.WIDEST), self._code_rows())
        if key != self._key:
            self._key, self._content = key, None
            self._rows = rows.laid_out(self._turn, self._view, key[0], self._colours, key[1])
        return len(self._rows)

    def render_strips(self, width: int, height: int | None, style: Style, options: RenderOptions) -> list[Strip]:
        return self.content(width).render_strips(width, height, style, options)

    def get_optimal_width(self, rules: RulesMap, container_width: int) -> int:
        return container_width

    def get_minimal_width(self, rules: RulesMap) -> int:
        return 1

    def get_height(self, rules: RulesMap, width: int) -> int:
        return self.height(width)


class Card(Widget, inherit_bindings=False):
    """A turn and how it is looked at; `show` changes either."""

    DEFAULT_CSS = """
    Card {
        height: auto;
        width: 1fr;
        text-wrap: nowrap;
        padding: 0 1;
        margin-bottom: 1;
        link-style: none;
        link-color: auto;
        link-background: transparent;
    }
    """

    def __init__(self, turn: Turn, view: View) -> None:
        super().__init__()
        self.auto_links = False
        self.turn = turn
        self.view = view
        self.colours: Colours = {}
        self._page = self._laid_out()

    def _laid_out(self) -> Page:
        return Page(self.turn, self.view, self.colours, lambda: rows.code_rows(self.app.size.height))

    def render(self) -> Page:
        return self._page

    def show(self, turn: Turn | None = None, view: View | None = None, colours: Colours | None = None) -> None:
        """Lays the card out again where anything of it is new."""
        new = (turn or self.turn, view or self.view, self.colours if colours is None else colours)
        if new == (self.turn, self.view, self.colours):
            return
        self.turn, self.view, self.colours = new
        width, before = self.content_size.width, self._page
        self._page = self._laid_out()
        # A layout costs in proportion to all cards: only for one that is higher or lower now.
        self.refresh(layout=not width or before.height(width) != self._page.height(width))

    def look(self, **changes: object) -> None:
        """`show` with some fields of the view changed."""
        self.show(view=replace(self.view, **changes))  # type: ignore[arg-type]  # the fields are named by the callers

    @property
    def text(self) -> str:
        """What it shows, a line a row, at its present width."""
        return self._page.content(self.content_size.width).plain

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        return selection.extract(self.text), "\n"
