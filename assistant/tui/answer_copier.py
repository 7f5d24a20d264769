"""Copying answers, snippets and selected text."""

from __future__ import annotations

from threading import Thread

from assistant.records import Answer
from assistant.text import sanitize
from assistant.tui import clipboard
from assistant.tui.view import ChatView
from assistant.tui.widgets.dialogs import Picker, Reading
from assistant.tui.worker.messages import TextCopied

ADDRESS = "address"
"""The subject of a copy that the toast shows itself."""
_SHOWN = 200
"""Columns of an address in a toast: one may hold a whole picture."""


class AnswerCopier:
    """Hands texts to a clipboard program or to the terminal; `last_copy` is "" before the first."""

    def __init__(self, view: ChatView, way: clipboard.Way) -> None:
        self._view = view
        self._way: clipboard.Way = way
        self.last_copy = ""

    def copy_answer(self) -> None:
        """The whole chosen answer; a toast where there is none."""
        answer = self._chosen_answer()
        if answer is not None:
            from assistant.tui.answer_text import answer_text  # not needed for the first frame

            self.copy("answer", answer_text(answer))

    def copy_snippet(self) -> None:
        """The answer's only one, else the one that the user picks; a toast where there is none."""
        answer = self._chosen_answer()
        if answer is None:
            return
        snippets = answer.snippets
        if not snippets:
            self._view.toast("Nothing to copy: this answer has no snippet. Press y to copy the answer.")
            return
        if len(snippets) == 1:
            self.copy("snippet", snippets[0].code)
            return

        def picked(at: int | None) -> None:
            if at is not None:
                self.copy("snippet", snippets[at].code)

        entries = [f"{one.caption or 'Snippet'} · {one.language or 'no language'}" for one in snippets]
        self._view.app.push_screen(Picker("Copy which snippet", entries), picked)

    def _chosen_answer(self) -> Answer | None:
        """None, with a toast, where there is nothing to copy."""
        card = self._view.chosen_card()
        if card is None:
            self._view.toast("Nothing to copy: there is no answer yet. Ask a question first.")
        elif card.turn.answer is None:
            self._view.toast("Nothing to copy: this question has no answer yet. Choose another one with j and k.")
        return card.turn.answer if card is not None else None

    def copy_selection(self) -> bool:
        """What is selected in the prompt, else by the mouse; False where nothing is."""
        app, prompt = self._view.app, self._view.prompt
        selected = prompt.selected_text if prompt.has_focus else ""
        selected = selected or app.screen.get_selected_text() or ""
        if selected:
            self.copy("selection", selected)
            app.screen.clear_selection()
        return bool(selected)

    def show_last_copy(self) -> None:
        """As it was handed over, without control characters."""
        self._view.app.push_screen(Reading("Last copy", self.last_copy or "Nothing was copied yet."))

    def copy(self, subject: str, text: str) -> None:
        """In a thread of its own, since a clipboard program may hang; `subject` names the text for the toast."""
        kept, left_out = clipboard.clean(text)
        self.last_copy = kept
        app, way = self._view.app, self._way

        def hand_over() -> None:
            app.post_message(TextCopied(subject, kept, left_out, clipboard.pipe(kept, way)))

        Thread(target=hand_over, name="copy", daemon=True).start()

    def copied(self, event: TextCopied) -> None:
        """Asks the terminal to copy it as well, unless tmux did."""
        if event.program != "tmux":
            self._view.app.copy_to_clipboard(event.text)
        if event.subject == ADDRESS:
            self._view.toast(f"Copied: {sanitize.clip(sanitize.line(event.text), _SHOWN)}")
            return
        by = event.program or "the terminal (OSC 52)"
        controls = f"; {event.left_out} control characters left out" if event.left_out else ""
        self._view.toast(f"Copied the {event.subject} by {by}{controls}")
