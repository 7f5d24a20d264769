"""One answer on the screen."""

from __future__ import annotations

from dataclasses import replace

from assistant.tui.cards import rows
from assistant.tui.cards.blocks import Block
from assistant.tui.cards.rows import Colours, View
from assistant.tui.turns import Turn


class Card(Block):
    """A turn and how it is looked at; `show` changes either."""

    def __init__(self, turn: Turn, view: View) -> None:
        super().__init__()
        self.turn = turn
        self.view = view
        self.colours: Colours = {}

    def lay_out(self, width: int, code: int) -> list[rows.Row]:
        return rows.laid_out(self.turn, self.view, width, self.colours, code)

    def show(self, turn: Turn | None = None, view: View | None = None, colours: Colours | None = None) -> None:
        """Lays the card out again where anything of it is new."""
        new = (turn or self.turn, view or self.view, self.colours if colours is None else colours)
        if new != (self.turn, self.view, self.colours):
            self.turn, self.view, self.colours = new
            self.stir()

    def look(self, **changes: object) -> None:
        """`show` with some fields of the view changed."""
        self.show(view=replace(self.view, **changes))  # type: ignore[arg-type]  # the fields are named by the callers
