"""The transcript's items one below the other, without the widget that draws them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence

from assistant.tui.cards.card import Card
from assistant.tui.cards.item import TranscriptItem
from assistant.tui.cards.rows import Row


class ItemColumn:
    """Rows are counted from 0 at the top of the first item."""

    def __init__(self) -> None:
        self._items: list[TranscriptItem] = []
        self._tops: list[int] = []
        self.height = 0
        """Rows of all items as they were laid out last."""

    def append(self, items: Iterable[TranscriptItem]) -> None:
        self._items.extend(items)

    def remove(self, cards: Iterable[Card]) -> None:
        gone = {id(card) for card in cards}
        self._items = [item for item in self._items if id(item) not in gone]

    def items(self) -> Sequence[TranscriptItem]:
        """In the order they came."""
        return self._items

    def cards(self) -> Iterator[Card]:
        return (item for item in self._items if isinstance(item, Card))

    def lay_out(self, columns: int, folded_rows: int) -> None:
        """Gives every item its rows and its place; `folded_rows` is how many rows a folded snippet has."""
        self.height, self._tops = 0, []
        for item in self._items:
            self._tops.append(self.height)
            item.top = self.height
            item.fit(columns, folded_rows)
            self.height = item.bottom

    def item_at(self, row: int) -> TranscriptItem | None:
        """The item that the row belongs to, its gap included; the last one below all, None where there is none."""
        return self._items[self._position(row)] if self._items else None

    def row(self, number: int) -> Row:
        """Empty in a gap and below all."""
        item = self.item_at(number)
        return item.row(number - item.top) if item is not None and number < self.height else []

    def read_at(self, first: float, rows: int) -> TranscriptItem | None:
        """What is read in a view of that many rows: the item at its top, or where only its end is there, the next."""
        if not self._items:
            return None
        at = self._position(round(first))
        item = self._items[at]
        seen = item.top + item.height - first
        following = self._items[at + 1 : at + 2]
        if seen < min(4, item.height) and following and following[0].top < first + rows:
            return following[0]
        return item

    def _position(self, row: int) -> int:
        return max(bisect_right(self._tops, row) - 1, 0)
