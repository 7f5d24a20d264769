"""Finding a text in the answers or in the source, whichever has the focus."""

from __future__ import annotations

from assistant.tui.view import ChatView
from assistant.tui.widgets.answer_search import AnswerSearch
from assistant.tui.widgets.dialogs import Naming
from assistant.tui.widgets.note_view import NoteView


class Finder:
    """One search at a time: a new one ends the one before."""

    def __init__(self, view: ChatView) -> None:
        self._view = view
        self._answers = AnswerSearch(view.transcript)
        self._pane: AnswerSearch | NoteView | None = None
        """What is searched; None while nothing is."""
        self._last = ""
        """The text that was looked for last."""
        self._path = ""
        """Of the note that is searched."""
        view.on_source_closed = self.recount

    def ask(self) -> None:
        """Asks for a text and goes to its first place in the pane that has the focus."""
        pane = self._focused()

        def named(text: str | None) -> None:
            if text is not None:
                self._find(pane, text, 1)
            pane.focus()

        self._view.app.push_screen(Naming(f"Find in {_name(pane)}", self._last, select=True), named)

    def step(self, by: int) -> None:
        """The next match (1) or the previous one (-1), in the pane that has the focus."""
        if self._pane is None:
            self._view.toast("Nothing is looked for. Press / to find a text.")
        else:
            self._find(self._focused(), self._pane.search_text, by)

    def end(self) -> bool:
        """Takes the marks and the count away; whether anything was looked for."""
        pane, self._pane = self._pane, None
        if pane is not None:
            pane.end_find()
            self._view.find_bar.display = False
        return pane is not None

    def recount(self) -> None:
        """To be called when the searched pane shows something else: the count follows, or the search ends with it."""
        pane, source = self._pane, self._view.source_pane
        if isinstance(pane, NoteView) and (not source.is_open or source.path != self._path):
            self.end()
        elif pane is not None:
            self._view.find_bar.state(pane.search_text, _name(pane), pane.find_place())

    def _find(self, pane: AnswerSearch | NoteView, text: str, by: int) -> None:
        if self._pane is not pane:
            self.end()
        if not text.strip():
            self.end()
            return
        self._pane, self._last, self._path = pane, text, self._view.source_pane.path
        pane.find(text, by)
        self.recount()

    def _focused(self) -> AnswerSearch | NoteView:
        """Where neither has the focus, what is in view, the answers before the source."""
        note = self._view.focused_note
        if note is not None:
            return note
        return self._view.source_pane.view if self._view.source_covers_answers else self._answers


def _name(pane: AnswerSearch | NoteView) -> str:
    return "the answers" if isinstance(pane, AnswerSearch) else "the source"
