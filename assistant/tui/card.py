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
        self._laid: tuple[tuple[int, int], Content, int] | None = None

    def at(self, width: int) -> tuple[Content, int]:
        """The content and the number of its rows."""
        key = (width, self._code_rows())
        if self._laid is None or self._laid[0] != key:
            content = rows.content(self._turn, self._view, width, self._colours, key[1])
            self._laid = (key, content, content.plain.count("\n") + 1)
        return self._laid[1:]

    def render_strips(self, width: int, height: int | None, style: Style, options: RenderOptions) -> list[Strip]:
        return self.at(width)[0].render_strips(width, height, style, options)

    def get_optimal_width(self, rules: RulesMap, container_width: int) -> int:
        return container_width

    def get_minimal_width(self, rules: RulesMap) -> int:
        return 1

    def get_height(self, rules: RulesMap, width: int) -> int:
        return self.at(width)[1]


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
        self.refresh(layout=not width or before.at(width)[1] != self._page.at(width)[1])

    def look(self, **changes: object) -> None:
        """`show` with some fields of the view changed."""
        self.show(view=replace(self.view, **changes))  # type: ignore[arg-type]  # the fields are named by the callers

    @property
    def text(self) -> str:
        """What it shows, a line a row, at its present width."""
        return self._page.at(self.content_size.width)[0].plain

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        content, _ = self._page.at(self.content_size.width)
        return selection.extract(content.plain), "\n"
