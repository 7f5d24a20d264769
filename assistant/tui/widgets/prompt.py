"""The text area for questions: enter asks, typed text is never lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from textual import events
from textual.binding import Binding
from textual.content import Content
from textual.message import Message
from textual.widgets import TextArea

from assistant.text import sanitize
from assistant.tui.keymap import key, prompt_keys
from assistant.tui.slash_commands import Entry, parse

_EDITING = {
    key.strip(): binding.action
    for binding in TextArea.BINDINGS
    if isinstance(binding, Binding)
    for key in binding.key.split(",")
}
"""The text area's own keys. As bindings they would be carried out after letters that were typed behind them."""


class Prompt(TextArea):
    """A text area that grows to six rows, with a history behind its first and last row."""

    DEFAULT_CSS = """
    Prompt { height: auto; max-height: 8; border: round $foreground 40%; padding: 0 1; background: $background;
             scrollbar-size-vertical: 1; }
    Prompt:ansi { border: round ansi_bright_black; }
    Prompt:focus { border: round $border; }
    """

    class Submitted(Message):
        """A question was sent off."""

        def __init__(self, question: str) -> None:
            super().__init__()
            self.question = question

    class CommandGiven(Message):
        """A command was sent off, or what looks like one."""

        def __init__(self, entry: Entry) -> None:
            super().__init__()
            self.entry = entry

    def __init__(self, keys: Mapping[str, str]) -> None:
        """`keys` are the user's own."""
        super().__init__(
            id="prompt",
            soft_wrap=True,
            tab_behavior="focus",
            compact=False,
            highlight_cursor_line=False,
            placeholder=Content("Ask a question, or type / for commands"),
        )
        self.border_title = Content("Ask")
        self._keys = prompt_keys(keys)
        self._focused = Content(sanitize.line(f"{key('ask', keys)} asks · {key('new-line', keys)} new line"))
        self._blurred = Content(sanitize.line(f"{key('back', keys)} comes back here"))
        self.border_subtitle = self._focused
        self.on_empty: Callable[[int], bool] = lambda by: False
        """Takes down (1), up (-1) and enter (0) in an empty prompt; returns whether it has done the key's work."""
        self.on_backspace_at_start: Callable[[], bool] = lambda: False
        """Takes backspace before the first letter; returns whether it has done the key's work."""
        self.on_list_key: Callable[[str], bool] = lambda key: False
        """Takes each key before the prompt does; returns whether it was meant for the list of commands."""
        self.questions: list[str] = []
        """The history, the newest last."""
        self._at: int | None = None
        """Position of the shown question in the history; None for the draft."""
        self._draft = ""

    def on_focus(self) -> None:
        self.border_subtitle = self._focused

    def on_blur(self) -> None:
        self.border_subtitle = self._blurred

    def remember(self, question: str) -> None:
        """Makes the question the newest of the history, where it stands once."""
        if question in self.questions:
            self.questions.remove(question)
        self.questions.append(question)

    def submit(self) -> None:
        """Posts the question or the command; a text of blanks alone stays."""
        question = self.text.strip()
        if question:
            entry = parse(self.text)
            self._at, self._draft = None, ""
            self.text = ""
            if entry is not None:
                self.post_message(self.CommandGiven(entry))
                return
            self.remember(question)
            self.post_message(self.Submitted(question))
        else:
            self.on_empty(0)

    def give_back(self, question: str) -> None:
        """Brings back a question that got no answer, unless something else was typed meanwhile."""
        if not self.text.strip():
            self.fill(question)

    def fill(self, text: str) -> None:
        """Replaces the text by this one, cleaned."""
        self.text = sanitize.block(text)
        self.move_cursor(self.document.end)

    def earlier(self) -> bool:
        """Shows the previous question of the history; False inside the text, where the cursor is to move."""
        if not self.cursor_at_first_line:
            return False
        if not self.text and self._at is None and self.on_empty(-1):
            return True
        at = (len(self.questions) if self._at is None else self._at) - 1
        if at >= 0:
            if self._at is None:
                self._draft = self.text
            self._at = at
            self.fill(self.questions[at])
        return True

    def later(self) -> bool:
        """Shows the next question, after the newest the draft; False inside the text."""
        if not self.cursor_at_last_line:
            return False
        if self._at is None:
            if not self.text:
                self.on_empty(1)
            return True
        self._at = self._at + 1 if self._at + 1 < len(self.questions) else None
        self.fill(self._draft if self._at is None else self.questions[self._at])
        return True

    async def _on_key(self, event: events.Key) -> None:
        # Here, not by a binding of the app: letters that were typed before the key are in this queue, too.
        if self.on_list_key(event.key):
            event.stop()
            event.prevent_default()
            return
        call = self._keys.get(event.key)
        if call is not None and await self.app.run_action(call):
            event.stop()
            event.prevent_default()
            return
        if event.key == "enter":  # the user has bound another key to it
            event.prevent_default()
            return
        at_start = self.cursor_location == (0, 0) and self.selection.is_empty
        if event.key == "backspace" and at_start and self.on_backspace_at_start():
            event.stop()
            event.prevent_default()
            return
        if (action := _EDITING.get(event.key)) is not None:
            event.stop()
            event.prevent_default()
            await self.run_action(action)
            return
        if event.character is not None and not event.is_printable:
            return  # a key without a letter would only leave a control character in the text
        await super()._on_key(event)

    async def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        self.insert(sanitize.block(event.text.replace("\r\n", "\n").replace("\r", "\n")))
