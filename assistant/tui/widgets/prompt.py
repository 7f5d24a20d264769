"""Where questions are typed: enter asks, what was typed is never lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widgets import TextArea

from assistant.text import sanitize
from assistant.tui.keymap import in_prompt, key


class Prompt(TextArea):
    """A text area that grows to six rows, with a history behind its first and last row."""

    DEFAULT_CSS = """
    Prompt { height: auto; max-height: 8; border: round $foreground 40%; padding: 0 1; background: $background;
             scrollbar-size-vertical: 1; }
    Prompt:ansi { border: round ansi_bright_black; }
    Prompt:focus { border: round $border; }
    """

    class Asked(Message):
        """A question was sent off."""

        def __init__(self, question: str) -> None:
            super().__init__()
            self.question = question

    def __init__(self, keys: Mapping[str, str]) -> None:
        """`keys` are the user's own."""
        super().__init__(id="prompt", soft_wrap=True, tab_behavior="focus", compact=False, highlight_cursor_line=False)
        self.border_title = Content("Ask")
        self._keys = in_prompt(keys)
        self._focused = Content(sanitize.line(f"{key('ask', keys)} asks · {key('new-line', keys)} new line"))
        self._blurred = Content(sanitize.line(f"{key('back', keys)} comes back here"))
        self.border_subtitle = self._focused
        self.example: Callable[[int], bool] = lambda by: False
        """Takes down (1), up (-1) and enter (0) in an empty prompt, or says that it does not."""
        self.asked: list[str] = []
        self._at: int | None = None
        """Where in the history the prompt is; None for the draft."""
        self._draft = ""

    def on_focus(self) -> None:
        self.border_subtitle = self._focused

    def on_blur(self) -> None:
        self.border_subtitle = self._blurred

    def remember(self, question: str) -> None:
        """As the newest of the history, once."""
        if question in self.asked:
            self.asked.remove(question)
        self.asked.append(question)

    def take(self) -> None:
        """Sends off what stands there; nothing but blanks stays."""
        question = self.text.strip()
        if question:
            self.remember(question)
            self._at, self._draft = None, ""
            self.text = ""
            self.post_message(self.Asked(question))
        else:
            self.example(0)

    def give_back(self, question: str) -> None:
        """A question that got no answer, where nothing else was typed meanwhile."""
        if not self.text.strip():
            self.fill(question)

    def fill(self, text: str) -> None:
        """Takes the place of what stands there; safe to show afterwards."""
        self.text = sanitize.block(text)
        self.move_cursor(self.document.end)

    def earlier(self) -> bool:
        """The question before in the history; False inside the text, where the cursor is to move."""
        if not self.cursor_at_first_line:
            return False
        if not self.text and self._at is None and self.example(-1):
            return True
        at = (len(self.asked) if self._at is None else self._at) - 1
        if at >= 0:
            if self._at is None:
                self._draft = self.text
            self._at = at
            self.fill(self.asked[at])
        return True

    def later(self) -> bool:
        if not self.cursor_at_last_line:
            return False
        if self._at is None:
            if not self.text:
                self.example(1)
            return True
        self._at = self._at + 1 if self._at + 1 < len(self.asked) else None
        self.fill(self._draft if self._at is None else self.asked[self._at])
        return True

    async def _on_key(self, event: events.Key) -> None:
        # Here, not by a binding of the app: letters that were typed before are in this queue, too.
        call = self._keys.get(event.key)
        if call is not None and await self.app.run_action(call):
            event.stop()
            event.prevent_default()
            return
        if event.key == "enter":  # the user gave its work to another key
            event.prevent_default()
            return
        if event.character is not None and not event.is_printable:
            return  # keys that are bound; what else is no letter would only be a control character in the text
        await super()._on_key(event)

    async def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        self.insert(sanitize.block(event.text.replace("\r\n", "\n").replace("\r", "\n")))
