"""One answer in the transcript."""

from __future__ import annotations

from dataclasses import replace

from assistant.tui.cards.card_view import Colours, View
from assistant.tui.cards.item import TranscriptItem
from assistant.tui.cards.rows import Row
from assistant.tui.history.turn import Turn


class Card(TranscriptItem):
    """A turn and how the reader looks at it; `show` changes either."""

    def __init__(self, turn: Turn, view: View) -> None:
        super().__init__()
        self.turn = turn
        self.view = view
        self.colours: Colours = {}

    def lay_out(self, width: int, folded_rows: int) -> list[Row]:
        from assistant.tui.cards.answer_rows import answer_rows  # not needed for the first frame

        return answer_rows(self.turn, self.view, width, self.colours, folded_rows)

    def show(self, turn: Turn | None = None, view: View | None = None, colours: Colours | None = None) -> None:
        """Lays the card out again where any of these is new."""
        new = (turn or self.turn, view or self.view, self.colours if colours is None else colours)
        if new != (self.turn, self.view, self.colours):
            self.turn, self.view, self.colours = new
            self.changed()

    def update_view(self, **changes: object) -> None:
        """`show` with some fields of the view changed."""
        self.show(view=replace(self.view, **changes))  # type: ignore[arg-type]  # the fields are named by the callers

    def fold_in_turn(self) -> None:
        """Every snippet whole; then the card folded; then as it was at first."""
        view, every = self.view, frozenset(range(len(self.turn.answer.snippets) if self.turn.answer else 0))
        if view.folded:
            self.show(view=replace(view, folded=False, unfolded=frozenset()))
        elif every and view.unfolded != every:
            self.show(view=replace(view, unfolded=every))
        else:
            self.show(view=replace(view, folded=True))
