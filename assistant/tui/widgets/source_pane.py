"""The cited note itself beside the answers: its own lines, numbered, the cited ones marked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip
from textual.visual import RenderOptions
from textual.widgets import Static

from assistant.records import Citation, Note, Problem
from assistant.text import sanitize
from assistant.tui.cards.rows import shorten_path
from assistant.tui.highlighting import Fence, fences
from assistant.tui.keymap import READING, bindings

_WORDS = re.compile(r"\w+")
_ABOVE = 4
"""Rows of context above the cited lines, where their heading is further up."""


@dataclass(frozen=True, slots=True)
class Marks:
    """What is to be seen in a note; lines are 1-based, inclusive, 0 where there are none."""

    first: int = 0
    last: int = 0
    heading: int = 0
    problems: tuple[Problem, ...] = ()


def place(rows: Sequence[str], cited: Citation) -> tuple[int, int]:
    """Where the quote stands in the note now: first and last line, nearest to where it was; (0, 0) where it is gone."""
    quote = cited.quote.split("\n")
    height = len(quote)

    def stands(at: int) -> bool:
        if at < 0 or at + height > len(rows) or quote[0] not in rows[at]:
            return False
        return cited.quote in "\n".join(rows[at : at + height])

    was = cited.start_line - 1
    inside = range(was, cited.end_line - height + 1)
    for at in (*inside, *sorted(range(len(rows)), key=lambda at: abs(at - was))):
        if stands(at):
            kept = at in inside
            return (cited.start_line, cited.end_line) if kept else (at + 1, at + height)
    return 0, 0


class NoteView(ScrollView, can_focus=True, inherit_bindings=False):
    """The lines of a note; as many are rendered as are in view."""

    BINDINGS = bindings(READING)
    DEFAULT_CSS = """
    NoteView { height: 1fr; background: $surface; scrollbar-size: 0 1; }
    """
    allow_select = True

    def __init__(self, colour: Callable[[Fence], None]) -> None:
        """`colour` asks for the lines of a fence, which come by `coloured`."""
        super().__init__(id="note")
        self._colour = colour
        self.fences: tuple[Fence, ...] = ()
        """Of the note that is shown."""
        self._asked: set[Fence] = set()
        self._coloured: dict[int, Content] = {}
        self._shown: list[str] = []
        self.marks = Marks()
        self.found = ""
        self.found_at = 0
        """The line found last; 0 for none."""
        self._digits = 1
        self._widest = 0

    def show(self, note: Note, marks: Marks) -> None:
        """Another note, or the same one as it is now; the view stays where it is until `to_marks`."""
        self._shown = [sanitize.block(line) for line in note.lines]
        self.fences = tuple(fences(note.lines))
        self._asked.clear()
        self._coloured.clear()
        self._digits = max(3, len(str(len(self._shown))))
        self._widest = max(map(sanitize.width, self._shown), default=0)
        self.mark(marks)

    def mark(self, marks: Marks) -> None:
        self.marks = marks
        said = [
            sanitize.width(self._shown[one.line - 1] + _said(one))
            for one in marks.problems
            if one.line <= len(self._shown)
        ]
        self.virtual_size = Size(max(self._widest, *said, 0) + self._digits + 2, len(self._shown))
        self.refresh()

    def coloured(self, first: int, lines: Sequence[Content]) -> None:
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
        """Whether every fence that was asked for has its colours."""
        return all(fence.first in self._coloured for fence in self._asked)

    def line(self, number: int) -> str:
        """A line as it is shown, without its number."""
        return self._shown[number - 1]

    def find(self, text: str, by: int) -> bool:
        """The next line with the text, case aside, after the last one found or the cited ones; whether there is one."""
        if text != self.found:
            self.found, self.found_at = text, 0
        wanted = text.casefold()
        lines = [number for number, line in enumerate(self._shown, 1) if wanted in line.casefold()] if wanted else []
        at = self.found_at or self.marks.first
        after = [n for n in lines if n > at] if by > 0 else [n for n in reversed(lines) if n < at]
        wrapped = after or (lines if by > 0 else lines[::-1])
        if not wrapped:
            self.refresh()
            return False
        self.found_at = wrapped[0]
        self.refresh()
        self._to_line(self.found_at - _ABOVE)
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
        bar = "▌" if cited else ">" if number == self.found_at else " "
        text = self._text(number)
        if self.found:
            at = text.plain.casefold().find(self.found.casefold())
            if at >= 0:
                style = "bold reverse" if number == self.found_at else "reverse"
                text = text.stylize(style, at, at + len(self.found))
        if cited:
            text = text.stylize("bold")
        problem = next((one for one in marks.problems if one.line == number), None)
        said = _said(problem) if problem else ""
        row = Content.assemble(
            (f"{number:>{self._digits}}", "bold $text-accent" if cited else "dim"),
            (bar, "bold $text-accent"),
            text,
            (said, "bold $text-error"),
        )
        span = self.text_selection.get_span(number - 1) if self.text_selection is not None else None
        if span is not None:
            start, end = span
            row = row.stylize("reverse", start, len(row.plain) if end == -1 else end)
        return row

    def _text(self, number: int) -> Content:
        if number not in self._coloured:
            fence = next((one for one in self.fences if one.first <= number <= one.last), None)
            if fence is not None and fence.language and fence not in self._asked:
                self._asked.add(fence)
                # After the paint: whoever colours would hold it up.
                self.call_after_refresh(self._colour, fence)
        return self._coloured.get(number) or Content(self._shown[number - 1])

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Without the numbers and bars in front."""
        margin = self._digits + 1
        chosen = []
        for number, line in enumerate(self._shown):
            span = selection.get_span(number)
            if span is not None:
                start, end = span
                chosen.append(line[max(start - margin, 0) : None if end == -1 else max(end - margin, 0)])
        return "\n".join(chosen), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        self.refresh()


def _said(problem: Problem) -> str:
    return f"  ◀ does not parse: {sanitize.line(problem.message)}"


class SourcePane(Vertical):
    """Path, heading, what is to be said of the place, and the note."""

    DEFAULT_CSS = """
    SourcePane { display: none; border: round $foreground 40%; padding: 0; }
    SourcePane:ansi { border: round ansi_bright_black; }
    SourcePane:focus-within { border: round $border; }
    SourcePane > Static { height: 1; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; color: $text-muted; }
    SourcePane > #said { height: auto; color: $text-warning; text-wrap: wrap; display: none; }
    """

    def __init__(self, colour: Callable[[str, Sequence[str], Fence], None]) -> None:
        super().__init__(id="source")
        self._colour = colour
        self.note: Note | None = None
        self.path = ""
        self.cited: Citation | None = None
        self._problems: tuple[Problem, ...] = ()
        self.view = NoteView(self._paint)

    def compose(self) -> ComposeResult:
        yield Static("", id="headings", markup=False)
        yield Static("", id="said", markup=False)
        yield self.view

    def on_resize(self) -> None:
        """The title is the path, its middle left out where there is no room for it."""
        room = (self.outer_size.width or self.app.size.width) - 6
        self.border_title = Content(shorten_path(sanitize.line(self.path), max(room, 16)))

    @property
    def is_open(self) -> bool:
        return bool(self.display)

    def want(self, path: str, cited: Citation, problems: Iterable[Problem] = ()) -> bool:
        """Points at a citation; whether its note is here already. Else it is to be read and given to `show`."""
        here = self.note is not None and self.path == path
        self.path, self.cited, self._problems = path, cited, tuple(problems)
        self.on_resize()
        self.query_one("#headings", Static).update(
            Content(sanitize.line(" › ".join(cited.heading_path[1:] or cited.heading_path)))
        )
        if here and self.note is not None:
            self._point(self.note)
        return here

    def show(self, path: str, note: Note | None, said: str) -> None:
        """A note that was read; it is dropped where another one is wanted by now."""
        if path != self.path:
            return
        again = self.note is not None and self.note.path == path
        if note is None:
            self.say(f"{said} The lines as they were indexed are shown.")
            quote = self.cited.quote if self.cited else ""
            note = Note(path, tuple(quote.split("\n")), "")
            self.note = None
            self.view.show(note, Marks(1, len(note.lines)))
            return
        if again and self.note is not None and note.digest == self.note.digest:
            return
        self.note = note
        self.view.show(note, self.view.marks if again else Marks())
        self._point(note, move=not again)

    def coloured(self, digest: str, first: int, lines: Sequence[Content]) -> None:
        if self.note is not None and self.note.digest == digest:
            self.view.coloured(first, lines)

    def say(self, said: str) -> None:
        line = self.query_one("#said", Static)
        line.update(Content(sanitize.line(said)))
        line.display = bool(said)

    def _point(self, note: Note, *, move: bool = True) -> None:
        cited = self.cited
        if cited is None:
            return
        first, last = place(note.lines, cited)
        if not first:
            self.say(f"The quoted lines are gone from this note. It said: {cited.quote}")
            first, last = cited.start_line, cited.start_line
        elif first != cited.start_line:
            self.say(f"moved from line {cited.start_line}")
        else:
            self.say("")
        name = cited.heading_path[-1] if cited.heading_path else ""
        heading = heading_line(note.lines, first, name, self.view.fences)
        self.view.mark(Marks(first, min(last, len(note.lines)), heading, self._problems))
        if move:
            self.view.to_marks()

    def _paint(self, fence: Fence) -> None:
        if self.note is not None:
            self._colour(self.note.digest, self.note.lines, fence)


def heading_line(rows: Sequence[str], first: int, heading: str, code: Iterable[Fence]) -> int:
    """The line at or above `first` that opens the section; 0 where it is not found as it is written.

    A comment in a fence is no heading.
    """
    words = set(_WORDS.findall(heading.casefold()))
    inside = {number for fence in code if fence.first <= first for number in range(fence.first, fence.last + 1)}
    for number in range(min(first, len(rows)), 0, -1):
        row = rows[number - 1].strip()
        if row.startswith("#") and number not in inside and words and words <= set(_WORDS.findall(row.casefold())):
            return number
    return 0
