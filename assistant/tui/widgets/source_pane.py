"""The source beside the answers: the note itself, opened at a citation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from assistant.records import Citation, Note, Problem
from assistant.text import sanitize
from assistant.tui.cards.rows import shorten_path
from assistant.tui.highlighting import Fence
from assistant.tui.source.note_text import Blocks, NoteText
from assistant.tui.widgets.note_view import Marks, NoteView, ReadPlace
from assistant.tui.widgets.quote_place import heading_line, quote_lines

ColourFence = Callable[[str, Sequence[str], Fence], None]
"""Requests the colours of a fence: the note's digest, all its lines, the fence."""
ParseChunk = Callable[[NoteText, int], None]
"""Requests what people read in a chunk of a note, by its position."""


class SourcePane(Vertical):
    """Path, heading, a remark on the place, and the note."""

    DEFAULT_CSS = """
    SourcePane { display: none; border: round $foreground 40%; padding: 0; }
    SourcePane:ansi { border: round ansi_bright_black; }
    SourcePane:focus-within { border: round $border; }
    SourcePane > Static { height: 1; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; color: $text-muted; }
    SourcePane > #remark { height: auto; color: $text-warning; text-wrap: wrap; display: none; }
    """

    def __init__(self, colour_fence: ColourFence, parse_chunk: ParseChunk) -> None:
        super().__init__(id="source")
        self._colour_fence = colour_fence
        self.note: Note | None = None
        self.path = ""
        self.citation: Citation | None = None
        self.problems: tuple[Problem, ...] = ()
        """Of the code that the citation's answer shows."""
        self._place: ReadPlace | None = None
        self.view = NoteView(self._request_colours, parse_chunk)

    def compose(self) -> ComposeResult:
        yield Static("", id="headings", markup=False)
        yield Static("", id="remark", markup=False)
        yield self.view

    def on_resize(self) -> None:
        """The title is the path, its middle left out where there is no room for it."""
        room = (self.outer_size.width or self.app.size.width) - 6
        self.border_title = Content(shorten_path(sanitize.line(self.path), max(room, 16)))

    @property
    def is_open(self) -> bool:
        """Whether it is displayed, with or without a note."""
        return bool(self.display)

    def open(self, citation: Citation, problems: Iterable[Problem] = (), place: ReadPlace | None = None) -> bool:
        """Points at a citation; False where its note must be read first and given to `show`.

        The view goes to the `place`, where one is given, instead of the cited lines.
        """
        here = self.note is not None and self.path == citation.path
        self.path, self.citation, self.problems = citation.path, citation, tuple(problems)
        from assistant.rendering.blocks import below_title  # not needed for the first frame

        self._place = place
        self.on_resize()
        self.query_one("#headings", Static).update(Content(sanitize.line(below_title(citation.heading_path))))
        if here and self.note is not None:
            self._point_at_quote(self.note)
        return here

    def show(self, path: str, text: NoteText | None, trouble: str, blocks: Mapping[int, Blocks]) -> None:
        """A note that was read, with the blocks of some of its chunks, or why it was not; dropped where the reader
        wants another one by now."""
        if path != self.path:
            return
        again = self.note is not None and self.note.path == path
        if text is None:
            self.say(f"{trouble} Showing the indexed lines.")
            quote = self.citation.quote if self.citation else ""
            note = Note(path, tuple(quote.split("\n")), "")
            self.note = None
            self.view.show(NoteText(note), Marks(1, len(note.lines)))
            return
        note = text.note
        if again and self.note is not None and note.digest == self.note.digest:
            return
        self.note = note
        self.view.show(text, self.view.marks if again else Marks(), blocks)
        self._point_at_quote(note, move=not again)

    def coloured(self, digest: str, first: int, lines: Sequence[Content]) -> None:
        """As `NoteView.coloured`; lines of a note with another digest are dropped."""
        if self.note is not None and self.note.digest == digest:
            self.view.coloured(first, lines)

    @property
    def remark(self) -> str:
        """What is said of the place, such as that the quote has moved; "" for nothing."""
        row = self.query_one("#remark", Static)
        return str(row.content) if row.display else ""

    def say(self, remark: str) -> None:
        """Shows a remark, raw, in a row of its own; "" hides the row."""
        row = self.query_one("#remark", Static)
        row.update(Content(sanitize.line(remark)))
        row.display = bool(remark)

    def _point_at_quote(self, note: Note, *, move: bool = True) -> None:
        citation = self.citation
        if citation is None:
            return
        first, last = quote_lines(note.lines, citation)
        if not first:
            self.say(f"Quote no longer in this note. Indexed text: {citation.quote}")
            first, last = citation.start_line, citation.start_line
        elif first != citation.start_line:
            self.say(f"moved from line {citation.start_line}")
        else:
            self.say("")
        name = citation.heading_path[-1] if citation.heading_path else ""
        heading = heading_line(note.lines, first, name, self.view.fences)
        self.view.mark(Marks(first, min(last, len(note.lines)), heading, self.problems))
        if move and self._place is not None:
            self.view.to_place(self._place)
        elif move:
            self.view.to_marks()

    def _request_colours(self, fence: Fence) -> None:
        if self.note is not None:
            self._colour_fence(self.note.digest, self.note.lines, fence)
