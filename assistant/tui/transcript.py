"""The answers one below the other; only the reader's own key scrolls them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from textual.containers import VerticalScroll
from textual.geometry import Size
from textual.message import Message

from assistant.tui.actions import READING, bindings
from assistant.tui.card import Card
from assistant.tui.rows import View
from assistant.tui.turns import Turn


class Transcript(VerticalScroll, can_focus=True, inherit_bindings=False):
    """Cards in the order of their turns, one of them chosen."""

    BINDINGS = bindings(READING)
    DEFAULT_CSS = """
    Transcript { height: 1fr; width: 1fr; scrollbar-gutter: stable; scrollbar-size-vertical: 1; }
    """

    class Scrolled(Message):
        """What is in view has changed."""

    def __init__(self) -> None:
        super().__init__(id="transcript")
        self.chosen: Card | None = None
        self._pinned: Card | None = None
        self._read: tuple[Card, float] | None = None
        """The card that is read, and how many of its rows are above the view."""
        self._size_read_at = Size(0, 0)

    def cards(self) -> Iterator[Card]:
        return (child for child in self.children if isinstance(child, Card))

    def card(self, number: int) -> Card | None:
        return next((card for card in self.cards() if card.turn.number == number), None)

    def at_end(self) -> bool:
        """Whether the reader reads the last answer, or there is none."""
        if self.max_scroll_y - self.scroll_y <= 1:
            return True
        last = next(reversed(list(self.cards())), None)
        return last is None or self.scroll_y >= last.virtual_region.y

    def add(self, turns: Iterable[Turn], view: View) -> None:
        """Appends cards without scrolling."""
        self.mount_all([Card(turn, view) for turn in turns])

    def ask(self, turn: Turn, view: View) -> Card:
        """Appends a card and, for a reader at the end, brings its question to the top."""
        follow = self.at_end()
        card = Card(turn, view)
        self.mount(card)
        self._pinned = card if follow else None
        if follow:
            self.choose(card)
            self.call_after_refresh(self._to_top, card)
        return card

    def answered(self, card: Card) -> None:
        """After a card has grown: it comes to the top where the reader did not scroll away."""
        if card is self._pinned:
            self._to_top(card)

    def shows(self, card: Card) -> bool:
        """Whether any of it is in view."""
        return card.is_mounted and self.scroll_y + self.size.height > card.virtual_region.y

    def let_go(self) -> None:
        """The reader has scrolled: what comes no longer moves the view."""
        self._pinned = None

    def drop(self, card: Card) -> None:
        """Takes a card away; the one before it is chosen where it was."""
        cards = list(self.cards())
        at = cards.index(card)
        if card is self.chosen:
            self.choose(cards[at - 1] if at else None)
        if card is self._pinned:
            self._pinned = None
        card.remove()

    def choose(self, card: Card | None) -> None:
        """Makes it the answer that keys act on; nothing is scrolled."""
        if card is self.chosen:
            return
        if self.chosen is not None and self.chosen.is_mounted:
            self.chosen.look(chosen=False, opened=False)
        self.chosen = card
        if card is not None:
            first = card.turn.answer.citations[0].number if card.turn.answer and card.turn.answer.citations else 0
            card.look(chosen=True, citation=card.view.citation or first)

    def step(self, by: int) -> None:
        """Chooses the next or an earlier answer and brings it to the top."""
        cards = list(self.cards())
        if not cards:
            return
        at = cards.index(self.chosen) if self.chosen in cards else len(cards) - (by < 0)
        self.go(cards[min(max(at + by, 0), len(cards) - 1)])

    def go(self, card: Card) -> None:
        self.let_go()
        self.choose(card)
        self._to_top(card)

    def ends(self, *, last: bool) -> None:
        """The first answer or the last one."""
        cards = list(self.cards())
        if cards:
            self.go(cards[-1] if last else cards[0])
            if last:
                self.scroll_end(animate=False)

    def page(self, by: int) -> None:
        self.let_go()
        self.scroll_relative(y=by * max(self.size.height - 2, 1), animate=False)

    def row(self, by: int) -> None:
        self.let_go()
        self.scroll_relative(y=by, animate=False)

    def watch_scroll_y(self, old: float, new: float) -> None:
        super().watch_scroll_y(old, new)
        if self.size == self._size_read_at:  # else the layout has moved the view, not the reader
            self._note_place()
        self.post_message(self.Scrolled())

    def keep_place(self, change: Callable[[], None]) -> None:
        """Does something that lays the cards out anew and leaves what is read where it is."""
        self._note_place()
        change()
        self.call_after_refresh(self._restore)

    def on_resize(self) -> None:
        """Cards are higher or lower now: the one that was read stays in view."""
        self.call_after_refresh(self._restore)

    def _note_place(self) -> None:
        if not self.size:
            return  # hidden behind the source: what was read is what will be read
        card = self._in_view()
        self._read = (card, self.scroll_y - card.virtual_region.y) if card is not None else None
        self._size_read_at = self.size

    def _restore(self) -> None:
        if not self.size:
            return
        if self._pinned is not None and self._pinned.is_mounted:
            self._to_top(self._pinned)
        elif self._read is not None and self._read[0].is_mounted:
            card, below = self._read
            region = card.virtual_region
            self.scroll_to(y=region.y + min(below, max(region.height - 1, 0)), animate=False, force=True)
        self._size_read_at = self.size

    def _in_view(self) -> Card | None:
        """The card at the top of the view, and where only its end is there, the next one."""
        found = None
        for card in self.cards():
            region = card.virtual_region
            if region.bottom > self.scroll_y:
                nearly_gone = region.bottom - self.scroll_y < min(4, region.height)
                if not nearly_gone:
                    return card if found is None or region.y < self.scroll_y + self.size.height else found
                found = card
        return found

    def _to_top(self, card: Card) -> None:
        if card.is_mounted:
            self.scroll_to(y=card.virtual_region.y, animate=False, force=True)
            self._note_place()

    def on_mouse_scroll_up(self) -> None:
        self.let_go()

    def on_mouse_scroll_down(self) -> None:
        self.let_go()
