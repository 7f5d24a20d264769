"""The answers one below the other; only the reader's own key scrolls them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from textual.content import Content
from textual.geometry import Offset, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip
from textual.visual import RenderOptions

from assistant.tui.cards.card import Card
from assistant.tui.cards.card_view import View
from assistant.tui.cards.column import ItemColumn
from assistant.tui.cards.item import TranscriptItem
from assistant.tui.cards.rows import Piece, content
from assistant.tui.cards.snippet_rows import folded_rows
from assistant.tui.history.turn import Turn
from assistant.tui.keymap import READING, bindings
from assistant.tui.widgets.row_search import RowSearch
from assistant.tui.widgets.row_selection import RowSelection

_MARGIN = 1
"""Blank columns at either side."""


class Transcript(ScrollView, can_focus=True, inherit_bindings=False):
    """Items in the order they came, most of them cards, of which one is chosen; rows are drawn as they come in view.

    What the reader reads stays where it is, whatever is laid out anew.
    """

    BINDINGS = bindings(READING)
    DEFAULT_CSS = """
    Transcript { height: 1fr; width: 1fr; overflow-x: hidden; scrollbar-gutter: stable; scrollbar-size-vertical: 1; }
    """
    allow_select = True

    class Scrolled(Message):
        """What is in view has changed."""

    class Chosen(Message):
        """Keys act on another answer."""

    class SearchedChanged(Message):
        """What is searched was laid out anew."""

    def __init__(self) -> None:
        super().__init__(id="transcript")
        self.auto_links = False
        self.chosen: Card | None = None
        self._column = ItemColumn()
        self.search = RowSearch()
        """The text whose matches are marked."""
        self._pinned: TranscriptItem | None = None
        """The item that stays at the top until the reader scrolls."""
        self._read: tuple[TranscriptItem, float] | None = None
        """The item that is read, and how many of its rows are above the view."""
        self._laid_out_at = Size(0, 0)
        self._columns, self._folded_rows = 0, 0
        self._drawn: dict[int, Strip] = {}
        self._drawn_in: object = None
        """The colours that the drawn rows were drawn in."""

    # What stands in it.

    def cards(self) -> Iterator[Card]:
        """In the order they came."""
        return self._column.cards()

    def card(self, number: int) -> Card | None:
        """By the number of its turn; None where there is none."""
        return next((card for card in self.cards() if card.turn.number == number), None)

    def at_end(self) -> bool:
        """Whether the reader reads the last answer, or there is none."""
        if self.max_scroll_y - self.scroll_y <= 1:
            return True
        last = next(reversed(list(self.cards())), None)
        return last is None or self.scroll_y >= last.top

    def put(self, *items: TranscriptItem) -> None:
        """Appends items without scrolling."""
        for item in items:
            item.on_change = self._item_changed
        self._column.append(items)
        self._arrange()

    def add(self, turns: Iterable[Turn], view: View) -> None:
        """Appends cards without scrolling."""
        self.put(*[Card(turn, view) for turn in turns])

    def ask(self, turn: Turn, view: View) -> Card:
        """Appends a card and, for a reader at the end, brings its question to the top."""
        follow = self.at_end()
        card = Card(turn, view)
        self._pinned = None
        self.put(card)
        if follow:
            self.choose(card)
            self.pin(card)
        return card

    def pin(self, item: TranscriptItem) -> None:
        """Brings it to the top, and keeps it there until the reader scrolls."""
        self._pinned = item
        self._to_top(item)

    def shows(self, card: Card) -> bool:
        """Whether any of it is in view."""
        return self.scroll_y + self.size.height > card.top

    def let_go(self) -> None:
        """The reader has scrolled: no pinned item moves the view any more."""
        self._pinned = None

    def drop(self, card: Card) -> None:
        """Takes a card away; the one before it is chosen where it was."""
        cards = list(self.cards())
        at = cards.index(card)
        if card is self.chosen:
            self.choose(cards[at - 1] if at else None)
        self._remove([card])

    def clear(self) -> None:
        """Takes every card away."""
        self.choose(None)
        self._remove(list(self.cards()))

    def _remove(self, cards: list[Card]) -> None:
        self._column.remove(cards)
        if self._pinned in cards:
            self._pinned = None
        if self._read is not None and self._read[0] in cards:
            self._read = None
        self._arrange()

    def choose(self, card: Card | None) -> None:
        """Makes it the answer that keys act on; nothing is scrolled."""
        if card is self.chosen:
            return
        if self.chosen is not None:
            self.chosen.update_view(chosen=False, opened=False)
        self.chosen = card
        if card is not None:
            first = card.turn.answer.citations[0].number if card.turn.answer and card.turn.answer.citations else 0
            card.update_view(chosen=True, citation=card.view.citation or first)
        self.post_message(self.Chosen())

    def chosen_position(self) -> tuple[int, int]:
        """The chosen card counted from 1, and how many there are; (0, 0) for the last one and where there is none."""
        cards = list(self.cards())
        if self.chosen is None or self.chosen is cards[-1]:
            return 0, 0
        return cards.index(self.chosen) + 1, len(cards)

    # Where it is read.

    def go_to(self, card: Card) -> None:
        """Chooses it and brings it to the top."""
        self.let_go()
        self.choose(card)
        self._to_top(card)

    def scroll_pages(self, by: int) -> None:
        """Down, or up where `by` is negative; a page is the height less two rows."""
        self.scroll_rows(by * max(self.size.height - 2, 1))

    def scroll_rows(self, by: int) -> None:
        """Down, or up where `by` is negative; lets go of what was kept at the top."""
        self.let_go()
        self.scroll_relative(y=by, animate=False)

    # What is looked for in it.

    def items(self) -> Sequence[TranscriptItem]:
        """In the order they came, as they are laid out now."""
        return self._column.items()

    def show_row(self, number: int) -> None:
        """Brings a row into view; where it is in view already, nothing is scrolled."""
        self.let_go()
        if not self.scroll_y <= number < self.scroll_y + self.size.height:
            self.scroll_to(y=max(number - self.size.height // 3, 0), animate=False, force=True)
            self._keep_place()

    def redraw(self) -> None:
        """To be called when other text is marked."""
        self._drawn.clear()
        self.refresh()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if self.size == self._laid_out_at:  # else the layout has moved the view, not the reader
            self._keep_place()
        self.post_message(self.Scrolled())

    def watch_show_vertical_scrollbar(self, shown: bool) -> None:
        """A bar that comes up after the view was scrolled does not know of it."""
        if shown:
            self.vertical_scrollbar.position = self.scroll_y

    def _size_updated(self, size: Size, virtual_size: Size, container_size: Size, layout: bool = True) -> bool:
        """Cards are higher or lower now: laid out before the first paint of a new size, what was read stays in view."""
        changed = super()._size_updated(size, virtual_size, container_size, layout)
        if size and size != self._laid_out_at:
            self._arrange()
        return changed

    def on_hide(self) -> None:
        """Covered by the source: it is laid out again when it comes back, even at the same size."""
        self._laid_out_at = Size(0, 0)

    def on_mouse_scroll_up(self) -> None:
        self.let_go()

    def on_mouse_scroll_down(self) -> None:
        self.let_go()

    def _keep_place(self) -> None:
        item = self._column.read_at(self.scroll_y, self.size.height) if self.size else None
        if item is not None:  # hidden behind the source, what was read is what will be read
            self._read = (item, self.scroll_y - item.top)

    def _to_top(self, item: TranscriptItem) -> None:
        self.scroll_to(y=item.top, animate=False, force=True)
        self._keep_place()

    # How it is laid out.

    def _item_changed(self, item: TranscriptItem) -> None:
        before = item.height
        if self._columns and item.fit(self._columns, self._folded_rows) != before:
            self._arrange()
            return
        self._laid_out_anew()
        for number in range(item.top, item.bottom):
            self._drawn.pop(number, None)
        if item.top < self.scroll_y + self.size.height and item.bottom > self.scroll_y:
            self.refresh_lines(item.top, item.height)

    def _arrange(self) -> None:
        """Every item gets its place at the present width, and what is read comes where it was."""
        if self.size:
            self._columns = max(self.scrollable_content_region.width - 2 * _MARGIN, 1)
            self._folded_rows = folded_rows(self.app.size.height)
        if not self._columns:
            return
        self._column.lay_out(self._columns, self._folded_rows)
        self._laid_out_anew()
        self._drawn.clear()
        self.virtual_size = Size(self._columns + 2 * _MARGIN, self._column.height)
        self.refresh()
        if self.size:
            self._restore_place()

    def _laid_out_anew(self) -> None:
        self.search.forget_rows()
        if self.search.text:
            self.post_message(self.SearchedChanged())

    def _restore_place(self) -> None:
        self._laid_out_at = self.size
        if self._pinned is not None:
            self._to_top(self._pinned)
        elif self._read is not None:
            item, above = self._read
            self.scroll_to(y=item.top + min(above, max(item.height - 1, 0)), animate=False, force=True)

    # How it is drawn.

    def render_line(self, y: int) -> Strip:
        number = y + round(self.scroll_y)
        style = self.visual_style
        drawn_in = (style, self.app.theme)
        if drawn_in != self._drawn_in:
            self._drawn_in = drawn_in
            self._drawn.clear()
        selected = self.text_selection is not None and self.text_selection.get_span(number) is not None
        if not selected and number in self._drawn:
            return self._drawn[number]
        row = self._row(number)
        if self.text_selection is not None and selected:
            for first, last in RowSelection(self.text_selection, self._column.row, _MARGIN).spans(number):
                row = row.stylize("reverse", first, last)
        options = RenderOptions(self._get_style, {"text_wrap": "nowrap"})
        strip = row.render_strips(max(row.cell_length, 1), 1, style, options)[0]
        width = self.scrollable_content_region.width
        strip = strip.crop_extend(0, width, style.rich_style).apply_offsets(0, number)
        if not selected:
            self._drawn[number] = strip
        return strip

    def _row(self, number: int) -> Content:
        """With its margin, and with what is looked for marked in it."""
        row = content([Piece(" " * _MARGIN), *self._column.row(number)])
        item = self._column.item_at(number)
        return row if item is None else self.search.mark(row, item, number - item.top, _MARGIN)

    # What the mouse selects.

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The text alone: no bars, numbers and padding; what is wrapped is one line. One column of two where the
        selection begins and ends in it."""
        first = selection.start.y if selection.start is not None else 0
        last = selection.end.y if selection.end is not None else self.virtual_size.height
        rows = range(first, min(last + 1, self.virtual_size.height))
        return RowSelection(selection, self._column.row, _MARGIN).text(rows), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        self.refresh()

    def text_select_all(self) -> None:
        """The item under the mouse, not all of them."""
        item = self._column.item_at(self.app.mouse_position.y - self.content_region.y + round(self.scroll_y))
        if item is not None:
            end = Offset(self.virtual_size.width, max(item.top + item.height - 1, item.top))
            self.screen.selections = {self: Selection(Offset(_MARGIN, item.top), end)}
