"""The lines of a note, numbered, the cited ones marked, its code coloured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual.content import Content
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip
from textual.visual import RenderOptions

from assistant.records import Note, Problem
from assistant.text import sanitize
from assistant.tui.highlighting import Fence, fences
from assistant.tui.keymap import READING, bindings
from assistant.tui.widgets.selection import selected_text

_ABOVE = 4
"""Rows of context above the cited lines, where their heading is further up."""


@dataclass(frozen=True, slots=True)
class Marks:
    """What is marked in a note; lines are 1-based, inclusive, 0 where there are none."""

    first: int = 0
    """Of the cited lines."""
    last: int = 0
    heading: int = 0
    problems: tuple[Problem, ...] = ()


class NoteView(ScrollView, can_focus=True, inherit_bindings=False):
    """The lines of a note; as many are rendered as are in view."""

    BINDINGS = bindings(READING)
    DEFAULT_CSS = """
    NoteView { height: 1fr; background: $surface; scrollbar-size: 0 1; }
    """
    allow_select = True

    def __init__(self, colour: Callable[[Fence], None]) -> None:
        """`colour` requests the colours of a fence's lines, which come by `coloured`."""
        super().__init__(id="note")
        self._colour = colour
        self.fences: tuple[Fence, ...] = ()
        """Of the note that is shown."""
        self._requested: set[Fence] = set()
        self._coloured: dict[int, Content] = {}
        self._shown: list[str] = []
        self.marks = Marks()
        self.search_text = ""
        """The text that was looked for last; "" for none."""
        self.match_line = 0
        """The line it was found in last; 0 for none."""
        self._digits = 1
        self._widest = 0

    def show(self, note: Note, marks: Marks) -> None:
        """Another note, or the same one as it is now; the view stays where it is until `to_marks`."""
        self._shown = [sanitize.block(line) for line in note.lines]
        self.fences = tuple(fences(note.lines))
        self._requested.clear()
        self._coloured.clear()
        self._digits = max(3, len(str(len(self._shown))))
        self._widest = max(map(sanitize.width, self._shown), default=0)
        self.mark(marks)

    def mark(self, marks: Marks) -> None:
        """Replaces all marks; does not scroll."""
        self.marks = marks
        widths = [
            sanitize.width(self._shown[one.line - 1] + _syntax(one))
            for one in marks.problems
            if one.line <= len(self._shown)
        ]
        self.virtual_size = Size(max(self._widest, *widths, 0) + self._digits + 2, len(self._shown))
        self.refresh()

    def coloured(self, first: int, lines: Sequence[Content]) -> None:
        """Lines from `first` (1-based) on; one whose text is not the note's is passed over."""
        for number, line in enumerate(lines, first):
            if number <= len(self._shown) and line.plain == self._shown[number - 1]:
                self._coloured[number] = line
        self.refresh()

    def to_marks(self) -> None:
        """The cited lines come into view with their heading above them, or with some rows of context."""
        marks, height = self.marks, self.size.height
        if not marks.first:
            return
        if not height:
            self.call_after_refresh(self.to_marks)
            return
        fits = 0 < marks.heading <= marks.first and marks.first - marks.heading <= height - 4
        self._to_line(marks.heading if fits else marks.first - _ABOVE)

    def _to_line(self, number: int) -> None:
        self.scroll_to(x=0, y=max(number - 1, 0), animate=False, force=True)

    @property
    def settled(self) -> bool:
        """Whether every fence whose colours were requested has them."""
        return all(fence.first in self._coloured for fence in self._requested)

    def line(self, number: int) -> str:
        """A line as it is shown, without its number."""
        return self._shown[number - 1]

    def find(self, text: str, by: int) -> bool:
        """Goes to the next line with the text, case aside, after the last match or the cited lines; False for none.

        `by` is 1 for downwards, -1 for upwards; it goes round at either end.
        """
        if text != self.search_text:
            self.search_text, self.match_line = text, 0
        wanted = text.casefold()
        lines = [number for number, line in enumerate(self._shown, 1) if wanted in line.casefold()] if wanted else []
        at = self.match_line or self.marks.first
        after = [n for n in lines if n > at] if by > 0 else [n for n in reversed(lines) if n < at]
        wrapped = after or (lines if by > 0 else lines[::-1])
        if not wrapped:
            self.refresh()
            return False
        self.match_line = wrapped[0]
        self.refresh()
        self._to_line(self.match_line - _ABOVE)
        return True

    def watch_show_vertical_scrollbar(self, shown: bool) -> None:
        """A bar that comes up after the view was scrolled does not know of it."""
        if shown:
            self.vertical_scrollbar.position = self.scroll_y

    def _size_updated(self, size: Size, virtual_size: Size, container_size: Size, layout: bool = True) -> bool:
        """Cited lines that were in view stay there."""
        seen = self._sees_marks()
        changed = super()._size_updated(size, virtual_size, container_size, layout)
        if seen and size and not self._sees_marks():
            self.to_marks()
        return changed

    def _sees_marks(self) -> bool:
        return self.scroll_y < self.marks.first <= self.scroll_y + self.size.height

    def render_line(self, y: int) -> Strip:
        number = y + round(self.scroll_y) + 1
        style = self.visual_style
        if number > len(self._shown):
            return Strip.blank(self.size.width, style.rich_style)
        options = RenderOptions(self._get_style, {"text_wrap": "nowrap"})
        row = self._row(number)
        strips = row.render_strips(max(row.cell_length, 1), 1, style, options)
        x = round(self.scroll_x)
        width = self.scrollable_content_region.width
        strip = strips[0].crop_extend(x, x + width, style.rich_style)
        if row.cell_length > x + width > 1:
            more = Content("…").render_strips(1, 1, style, options)
            strip = Strip.join([strip.crop(0, width - 1), *more])
        return strip.apply_offsets(x, number - 1)

    def _row(self, number: int) -> Content:
        marks = self.marks
        cited = marks.first <= number <= marks.last and marks.first > 0
        bar = "▌" if cited else ">" if number == self.match_line else " "
        text = self._text(number)
        if self.search_text:
            at = text.plain.casefold().find(self.search_text.casefold())
            if at >= 0:
                style = "bold reverse" if number == self.match_line else "reverse"
                text = text.stylize(style, at, at + len(self.search_text))
        if cited:
            text = text.stylize("bold")
        problem = next((one for one in marks.problems if one.line == number), None)
        syntax = _syntax(problem) if problem else ""
        row = Content.assemble(
            (f"{number:>{self._digits}}", "bold $text-accent" if cited else "dim"),
            (bar, "bold $text-accent"),
            text,
            (syntax, "bold $text-error"),
        )
        span = self.text_selection.get_span(number - 1) if self.text_selection is not None else None
        if span is not None:
            start, end = span
            row = row.stylize("reverse", start, len(row.plain) if end == -1 else end)
        return row

    def _text(self, number: int) -> Content:
        if number not in self._coloured:
            fence = next((one for one in self.fences if one.first <= number <= one.last), None)
            if fence is not None and fence.language and fence not in self._requested:
                self._requested.add(fence)
                # After the paint, which the colouring would hold up.
                self.call_after_refresh(self._colour, fence)
        return self._coloured.get(number) or Content(self._shown[number - 1])

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Without the numbers and bars in front."""
        return selected_text(selection, range(len(self._shown)), self._shown.__getitem__, self._digits + 1), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        self.refresh()


def _syntax(problem: Problem) -> str:
    return f"  ◀ does not parse: {sanitize.line(problem.message)}"
