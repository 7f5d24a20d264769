"""A note, rendered or as its numbered lines, the cited ones marked, its code coloured."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from textual.content import Content
from textual.events import Click
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip
from textual.style import Style
from textual.visual import RenderOptions

from assistant.records import Note, Problem
from assistant.text import sanitize
from assistant.tui.highlighting import Fence
from assistant.tui.keymap import READING, bindings
from assistant.tui.source.fence_colours import FenceColours
from assistant.tui.source.link_cursor import LinkCursor, link_at
from assistant.tui.source.note_row import LinkId, NoteRow, NoteRows, RowLink
from assistant.tui.source.note_text import Blocks, NoteText
from assistant.tui.source.raw_rows import RawRows
from assistant.tui.source.rendered_rows import RenderedRows
from assistant.tui.source.row_marks import emboldened, marked, shows, syntax
from assistant.tui.widgets.selection import selected_text

_ABOVE = 4
"""Rows of context above the cited lines, where their heading is further up."""
_NOTHING = NoteText(Note("", (), ""))


@dataclass(frozen=True, slots=True)
class Marks:
    """What is marked in a note; lines are 1-based, inclusive, 0 where there are none."""

    first: int = 0
    """Of the cited lines."""
    last: int = 0
    heading: int = 0
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadPlace:
    """Where in a note the reader is."""

    line: int
    """At the top of the view, 1-based."""
    link: LinkId | None
    """That is marked."""


class NoteView(ScrollView, can_focus=True, inherit_bindings=False):
    """The rows of a note; as many are rendered as are in view.

    `rows` says which line of the note a row shows, and which row a line is in.
    """

    BINDINGS = bindings(READING)
    DEFAULT_CSS = """
    NoteView { height: 1fr; background: $surface; scrollbar-size: 0 1; scrollbar-gutter: stable; }
    """
    allow_select = True

    @dataclass(eq=False)
    class LinkChosen(Message):
        """A link was clicked."""

        target: str
        """Raw, as `DisplaySpan.target`."""

    def __init__(self, colour: Callable[[Fence], None], parse: Callable[[NoteText, int], None]) -> None:
        """`colour` requests the colours of a fence's lines, which come by `coloured`; `parse` the blocks of a chunk,
        by its position, which come by `parsed`."""
        super().__init__(id="note")
        self._parse = parse
        self._colour = colour
        self._colours = FenceColours()
        self.raw = False
        """Whether the numbered lines are shown instead of what people read."""
        self.text = _NOTHING
        self._rendered, self._raw = RenderedRows(_NOTHING), RawRows(_NOTHING)
        self._requested: set[int] = set()
        """Chunks that are being parsed."""
        self.marks = Marks()
        self.search_text = ""
        """The text that was looked for last; "" for none."""
        self.match_line = 0
        """The line it was found in last; 0 for none."""
        self.scrolled_by_hand = False
        """Whether the reader has scrolled since the view was brought to the cited lines."""
        self.links = LinkCursor()
        self._columns = 0
        """That the rows are laid out for."""

    # What is shown.

    @property
    def rows(self) -> NoteRows:
        """Of the note as it is shown now."""
        return self._raw if self.raw else self._rendered

    @property
    def fences(self) -> tuple[Fence, ...]:
        """Of the note that is shown."""
        return self.text.fences

    def show(self, text: NoteText, marks: Marks, blocks: Mapping[int, Blocks] | None = None) -> None:
        """Another note, or the same one as it is now, with the chunks of it that are parsed; the view stays where it
        is until `to_marks`."""
        self.text = text
        self.links.id = None
        self._colours.begin(text)
        self._requested.clear()
        self._raw, self._rendered = RawRows(text), RenderedRows(text)
        self._rendered.parsed((blocks or {}).items())
        self._columns = 0
        self._fit()
        self.mark(marks)

    def mark(self, marks: Marks) -> None:
        """Replaces all marks; does not scroll."""
        self.marks = marks
        self._resize_content()
        self.refresh()

    def coloured(self, first: int, lines: Sequence[Content]) -> None:
        """Lines from `first` (1-based) on; one whose text is not the note's is passed over."""
        self._colours.add(first, lines)
        self.refresh()

    def parsed(self, text: NoteText, chunk: int, blocks: Blocks) -> None:
        """What people read in a chunk; dropped where another note is shown by now. What is in view stays there."""
        if text is self.text:
            self._requested.discard(chunk)
            self._rearrange(lambda: self._rendered.parsed([(chunk, blocks)]))

    def toggle_raw(self) -> None:
        """From what people read to the numbered lines, or back; what is in view stays there."""

        def toggle() -> None:
            self.raw = not self.raw

        self._rearrange(toggle)
        self.scroll_to(x=0, animate=False, force=True)

    @property
    def settled(self) -> bool:
        """Whether everything that was requested of other threads has come."""
        return self._colours.settled and not self._requested

    def line(self, number: int) -> str:
        """A line as it is shown, without its number."""
        return self.text.shown[number - 1]

    # Where it is read.

    @property
    def top_line(self) -> int:
        """The line in the first row of the view; 0 for an empty note."""
        at = round(self.scroll_y)
        return self.rows.row(at).first if at < self.rows.height else len(self.text.shown)

    def to_marks(self) -> None:
        """The cited lines come into view with their heading above them, or with some rows of context."""
        if not self.marks.first:
            return
        self.scrolled_by_hand = False
        if not self.size.height:
            self.call_after_refresh(self.to_marks)
            return
        self._fit()
        self._place()

    @property
    def place(self) -> ReadPlace:
        """For `to_place` to come back to."""
        return ReadPlace(self.top_line, self.links.id)

    def to_place(self, place: ReadPlace) -> None:
        """As if the reader had scrolled there."""
        self.scrolled_by_hand = True
        if not self.size.height:
            self.call_after_refresh(self.to_place, place)
            return
        self._fit()
        self._to_row(self.rows.row_of(place.line))
        self.links.id = place.link
        self.refresh()

    def scroll_by_hand(self, *, x: int = 0, y: int = 0) -> None:
        """What the reader's keys do; by columns and rows."""
        self.scrolled_by_hand = True
        self.scroll_relative(x=x or None, y=y or None, animate=False)

    def on_mouse_scroll_up(self) -> None:
        self.scrolled_by_hand = True

    def on_mouse_scroll_down(self) -> None:
        self.scrolled_by_hand = True

    def on_scroll_to(self) -> None:
        self.scrolled_by_hand = True

    def on_scroll_up(self) -> None:
        self.scrolled_by_hand = True

    def on_scroll_down(self) -> None:
        self.scrolled_by_hand = True

    def find(self, text: str, by: int) -> bool:
        """Goes to the next line with the text, case aside, after the last match or the cited lines; False for none.

        `by` is 1 for downwards, -1 for upwards; it goes round at either end.
        """
        if text != self.search_text:
            self.search_text, self.match_line = text, 0
        lines = self._found_lines()
        at = self.match_line or self.marks.first
        after = [n for n in lines if n > at] if by > 0 else [n for n in reversed(lines) if n < at]
        wrapped = after or (lines if by > 0 else lines[::-1])
        self.refresh()
        if not wrapped:
            return False
        self.match_line = wrapped[0]
        self.scrolled_by_hand = True
        self._to_row(self._match_row() - _ABOVE)
        return True

    def find_place(self) -> tuple[int, int]:
        """Which of the lines with the text was found last, from 1, 0 for none, and how many there are."""
        lines = self._found_lines()
        return (lines.index(self.match_line) + 1 if self.match_line in lines else 0), len(lines)

    def end_find(self) -> None:
        """Takes the marks of the search away."""
        self.search_text, self.match_line = "", 0
        self.refresh()

    def _found_lines(self) -> list[int]:
        wanted = self.search_text.casefold()
        return [number for number, line in enumerate(self.text.shown, 1) if wanted in line.casefold()] if wanted else []

    def _place(self) -> None:
        marks = self.marks
        cited = self.rows.row_of(marks.first)
        heading = self.rows.row_of(marks.heading) if 0 < marks.heading <= marks.first else cited
        fits = 0 < marks.heading <= marks.first and cited - heading <= self.size.height - 4
        self._to_row(heading if fits else cited - _ABOVE)

    def _to_row(self, at: int) -> None:
        self.scroll_to(x=0, y=max(at, 0), animate=False, force=True)

    def _match_row(self) -> int:
        """The row with the match, which may be any of the rows that its line is wrapped to."""
        first = self.rows.row_of(self.match_line)
        for at in range(first, self.rows.height):
            row = self.rows.row(at)
            if not row.has(self.match_line):
                break
            if shows(row, self.search_text):
                return at
        return first

    # Its links.

    def step_link(self, by: int) -> bool:
        """Marks the next link in view (1) or the one before (-1); False, and none is marked, where there is none."""
        found = self.links.step(self._rows_in_view(), by)
        for row in self._rows_in_view() if found else ():
            for link in row.links:
                if link.id == self.links.id and row.sideways:
                    self._into_view(row, link)
        self.refresh()
        return found

    def _into_view(self, row: NoteRow, link: RowLink) -> None:
        """Scrolls sideways where the link of a wide row is not shown."""
        start, end = (sanitize.width(row.text.plain[:at]) for at in (link.start, link.end))
        x = round(self.scroll_x)
        room = self.scrollable_content_region.width - self._row(row)[0].cell_length
        if start < x or end > x + room:
            self.scroll_to(x=max(min(start, end + 1 - room), 0) if start >= x else start, animate=False, force=True)

    @property
    def marked_target(self) -> str:
        """Where the marked link leads; "" where none is marked in view."""
        return self.links.target(self._rows_in_view())

    def on_click(self, event: Click) -> None:
        if self.text_selection is not None or not self._columns:
            return
        _, offset = self.screen.get_widget_and_offset_at(int(event.screen_x), int(event.screen_y))
        if offset is None or not 0 <= (at := self.rows.at(offset.y)) < self.rows.height:
            return
        row = self.rows.row(at)
        link = link_at(row, offset.x - len(self._row(row)[0]))
        if link is not None:
            self.links.id = link.id
            self.post_message(self.LinkChosen(link.target))

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def _rows_in_view(self) -> list[NoteRow]:
        top = round(self.scroll_y)
        return [self.rows.row(at) for at in range(top, min(top + self.size.height, self.rows.height))]

    # How it is laid out.

    def _rearrange(self, change: Callable[[], None]) -> None:
        """Changes the rows; the cited lines that the view was brought to, else what the reader reads, stay in view."""
        at = round(self.scroll_y)
        line = self.top_line
        below = at - self.rows.row_of(line) if line else 0
        change()
        self._resize_content()
        if self.size.height and line:
            if self.marks.first and not self.scrolled_by_hand:
                self._place()
            else:
                self.scroll_to(y=self.rows.row_of(line) + max(below, 0), animate=False, force=True)
        self.refresh()

    def _fit(self) -> None:
        """Lays the rows out for the width there is."""
        columns = self.scrollable_content_region.width - 1
        if columns > 0 and columns != self._columns:
            self._columns = columns
            self._rendered.fit(columns)
            self._resize_content()

    def _resize_content(self) -> None:
        """Room to scroll for the widest row and its remark."""
        shown = self.text.shown
        remarked = (sanitize.width(shown[p.line - 1] + syntax(p)) for p in self.marks.problems if p.line <= len(shown))
        widest = max(self.rows.widest, *remarked, 0)
        self.virtual_size = Size(widest + len(self._gutter(0)) + 1, self.rows.height)

    def watch_show_vertical_scrollbar(self, shown: bool) -> None:
        """A bar that comes up after the view was scrolled does not know of it."""
        if shown:
            self.vertical_scrollbar.position = self.scroll_y

    def _size_updated(self, size: Size, virtual_size: Size, container_size: Size, layout: bool = True) -> bool:
        """Cited lines that were in view stay there, else what the reader reads."""
        seen, line = self._sees_marks(), self.top_line
        changed = super()._size_updated(size, virtual_size, container_size, layout)
        if size:
            before = self._columns
            self._fit()
            if seen and not self._sees_marks():
                self._place()
            elif not seen and before and before != self._columns and line:
                self.scroll_to(y=self.rows.row_of(line), animate=False, force=True)
        return changed

    def _sees_marks(self) -> bool:
        row = self.rows.row_of(self.marks.first) if self.marks.first else -1
        return self.scroll_y <= row < self.scroll_y + self.size.height

    # How it is drawn.

    def render_lines(self, crop: Region) -> list[Strip]:
        """What is near the view is parsed after the paint, which the parsing would hold up."""
        strips = super().render_lines(crop)
        if not self.raw:
            top, height = round(self.scroll_y), self.size.height
            for chunk in self._rendered.missing(top - height, top + 2 * height):
                if chunk not in self._requested:
                    self._requested.add(chunk)
                    self.call_after_refresh(self._parse, self.text, chunk)
        return strips

    def render_line(self, y: int) -> Strip:
        at = y + round(self.scroll_y)
        style = self.visual_style
        if at >= self.rows.height or not self._columns:
            return Strip.blank(self.size.width, style.rich_style)
        row, key = self.rows.row(at), self.rows.key(at)
        head, text = self._row(row)
        if self.text_selection is not None and (span := self.text_selection.get_span(key)) is not None:
            start, end = span
            whole = (head + text).stylize("reverse", start, len(head) + len(text) if end == -1 else end)
            head, text = whole[: len(head)], whole[len(head) :]
        x = round(self.scroll_x) if row.sideways else 0
        room = max(self.scrollable_content_region.width - head.cell_length, 0)
        strip = self._strip(text, style).crop_extend(x, x + room, style.rich_style)
        if row.sideways and text.cell_length > x + room > x + 1:
            strip = Strip.join([strip.crop(0, room - 1), self._strip(Content("…"), style)])
        return Strip.join([self._strip(head, style).apply_offsets(0, key), strip.apply_offsets(len(head) + x, key)])

    def _strip(self, text: Content, style: Style) -> Strip:
        options = RenderOptions(self._get_style, {"text_wrap": "nowrap"})
        return text.render_strips(max(text.cell_length, 1), 1, style, options)[0].crop(0, text.cell_length)

    def _gutter(self, number: int) -> str:
        """What stands before the bar."""
        return f"{number:>{max(3, len(str(len(self.text.shown))))}}" if self.raw else ""

    def _row(self, row: NoteRow) -> tuple[Content, Content]:
        """What stays where it is, and the text."""
        marks = self.marks
        cited = marks.first <= row.last and row.first <= marks.last and marks.first > 0
        matched = row.has(self.match_line) and shows(row, self.search_text)
        head = Content.assemble(
            (self._gutter(row.first), "bold $text-accent" if cited else "dim"),
            ("▌" if cited else ">" if matched else " ", "bold $text-accent"),
            (row.prefix, "bold" if cited else "$text-muted"),
        )
        text = self._coloured(row) if row.code else row.text
        if self.search_text:
            text = marked(text, self.search_text, "bold reverse" if matched else "reverse")
        if cited:
            text = emboldened(row, text, marks.first, marks.last)
        if self.has_focus:
            text = self.links.marked(row, text)
        problem = next((one for one in marks.problems if row.code and one.line == row.first), None)
        return head, text + Content.styled(syntax(problem), "bold $text-error") if problem else text

    def _coloured(self, row: NoteRow) -> Content:
        fence = self._colours.want(row.first)
        if fence is not None:
            # After the paint, which the colouring would hold up.
            self.call_after_refresh(self._colour, fence)
        return self._colours.of(row.first, row.text)

    # What the mouse selects.

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Without the numbers and bars in front; a line that is wrapped is one line."""
        rows = self.rows
        first = rows.at(selection.start.y) if selection.start is not None else 0
        last = min(rows.at(selection.end.y) + 1, rows.height) if selection.end is not None else rows.height
        copied = ""
        for at in range(first, last):
            row, key = rows.row(at), rows.key(at)
            begin = row.copied_from()
            shown = f"{row.prefix}{row.text.plain}"[begin:]
            part = selected_text(selection, [key], {key: shown}.__getitem__, len(self._gutter(0)) + 1 + begin)
            copied += f"{row.joint}{part}" if at > first else part
        return copied, "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        self.refresh()
