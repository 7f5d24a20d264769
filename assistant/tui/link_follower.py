"""Links of the note in the source pane: opened, gone back from, and those that lead to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from assistant.notes.link_targets import InNotes, Outside
from assistant.records import Citation, Problem
from assistant.text import sanitize
from assistant.tui.answer_copier import ADDRESS, AnswerCopier
from assistant.tui.source_opener import SourceOpener
from assistant.tui.view import ChatView
from assistant.tui.widgets.dialogs import Picker
from assistant.tui.widgets.note_view import ReadPlace
from assistant.tui.worker.engine_thread import EngineThread
from assistant.tui.worker.messages import BacklinksAwaited, BacklinksRead, LinkResolved

_SHOWN = 200
"""Columns of a name in a toast."""


class _Left(NamedTuple):
    """What the pane showed when a link was followed."""

    citation: Citation
    problems: Sequence[Problem]
    place: ReadPlace


class LinkFollower:
    """Opens notes of the folder only; what leads anywhere else is copied."""

    def __init__(self, view: ChatView, engine_thread: EngineThread, opener: SourceOpener, copier: AnswerCopier) -> None:
        self._view = view
        self._engine_thread = engine_thread
        self._opener = opener
        self._copier = copier
        self._left: list[_Left] = []
        """The newest last."""

    def step(self, by: int) -> bool:
        """Marks the next (1) or the previous (-1) link in view where the source has the focus; False for none."""
        note = self._view.focused_note
        return note is not None and note.step_link(by)

    def follow_marked(self) -> bool:
        """Opens the marked link where the source has the focus; False where none is marked in view."""
        note = self._view.focused_note
        target = note.marked_target if note is not None else ""
        if target:
            self.follow(target)
        return bool(target)

    def follow(self, target: str) -> None:
        """`target` is that of a link of the open note."""
        self._engine_thread.links.resolve(target, self._view.source_pane.path)

    def resolved(self, event: LinkResolved) -> None:
        """Opens the note, or copies the address; dropped where another note is shown by now."""
        target = event.target
        if not self._view.source_pane.is_open or self._view.source_pane.path != event.source:
            return
        if isinstance(target, Outside):
            self._copier.copy(ADDRESS, target.address)
        elif isinstance(target, InNotes):
            self._open(target.path, event.heading_path, event.line)
            if target.fragment and not event.heading_path:
                self._view.toast(f"No heading for: {_clipped(target.fragment)}. This is the top of the note.")
        else:
            self._view.toast(f"No note for: {_clipped(target.name)}")

    def back(self) -> None:
        """To where the reader was when the last link was followed; a toast where there is nothing to go back to."""
        if not self._left:
            self._view.toast("Nothing to go back to: no link was followed.")
            return
        left = self._left.pop()
        self._view.show_source()
        if not self._view.source_pane.open(left.citation, left.problems, left.place):
            self._engine_thread.read_note(left.citation.path, left.place.line)
        self._view.source_pane.view.focus()

    def ask_backlinks(self) -> None:
        """Lists the lines that link to the open note; a toast where none is open."""
        pane = self._view.source_pane
        if pane.is_open and pane.path:
            self._engine_thread.links.read_backlinks(pane.path)
        else:
            self._view.toast("No note is open. Open a citation with enter, or browse the notes.")

    def backlinks_awaited(self, event: BacklinksAwaited) -> None:
        """Says that it takes a while."""
        self._view.toast(f"Reading {event.notes:,} notes for links to {event.path}…")

    def show_backlinks(self, event: BacklinksRead) -> None:
        """To choose one from; dropped where another note or a dialog is open by now."""
        pane = self._view.source_pane
        if not pane.is_open or pane.path != event.path or self._view.app.screen is not self._view.screen:
            return
        if not event.links:
            self._view.toast(f"No note links to {event.path}.")
            return

        def picked(at: int | None) -> None:
            if at is not None:
                self._open(event.links[at].path, (), event.links[at].line)

        entries = [f"{one.path}:{one.line}  {one.text.strip()}" for one in event.links]
        self._view.app.push_screen(Picker(f"Notes that link to {event.path}", entries, counted=True), picked)

    def _open(self, path: str, heading_path: tuple[str, ...], line: int) -> None:
        pane = self._view.source_pane
        if pane.citation is not None:
            self._left.append(_Left(pane.citation, pane.problems, pane.view.place))
        self._opener.open_place(path, heading_path, line)
        pane.view.focus()


def _clipped(name: str) -> str:
    return sanitize.clip(sanitize.line(name), _SHOWN)
