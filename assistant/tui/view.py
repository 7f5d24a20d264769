"""The widgets of the chat and what its parts do with the screen as a whole."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import App, ComposeResult
from textual.containers import Horizontal, Vertical
from textual.screen import Screen

from assistant.text import sanitize
from assistant.tui.cards.card import Card
from assistant.tui.cards.card_view import View
from assistant.tui.cards.item import Label
from assistant.tui.cards.welcome import Welcome
from assistant.tui.chat_settings import ChatSettings
from assistant.tui.history.session_file import EarlierSession
from assistant.tui.keymap import key
from assistant.tui.widgets.find_bar import FindBar
from assistant.tui.widgets.note_view import NoteView
from assistant.tui.widgets.prompt import Prompt
from assistant.tui.widgets.slash_list import SlashList
from assistant.tui.widgets.source_pane import ColourFence, ParseChunk, SourcePane
from assistant.tui.widgets.status_bars import ContextStrip, KeyBar, StatusLine
from assistant.tui.widgets.transcript import Transcript


class ChatView:
    """Made with the app, before its first frame."""

    def __init__(
        self, app: App[None], settings: ChatSettings, colour_fence: ColourFence, parse_chunk: ParseChunk
    ) -> None:
        self.app = app
        self.status_line = StatusLine("status")
        self.transcript = Transcript()
        self.source_pane = SourcePane(colour_fence, parse_chunk)
        self.context_strip = ContextStrip(key("new-topic", settings.keys), key("back", settings.keys))
        self.find_bar = FindBar(settings.keys)
        self.slash_list = SlashList()
        self.prompt = Prompt(settings.keys)
        self.key_bar = KeyBar(settings.keys)
        self.welcome = Welcome(settings.title, settings.model)
        self.on_source_closed: Callable[[], None] = lambda: None
        """Called when the source pane was closed; the finder sets it."""

    def compose(self) -> ComposeResult:
        yield self.status_line
        with Horizontal(id="middle"):
            with Vertical(id="answers"):
                yield self.transcript
            yield self.source_pane
        yield self.find_bar
        yield self.context_strip
        yield self.slash_list
        yield self.prompt
        yield self.key_bar

    @property
    def screen(self) -> Screen[object]:
        """The chat's own, whatever lies over it."""
        return self.app.screen_stack[0]

    @property
    def is_closed(self) -> bool:
        """Whether the app has taken its screens down."""
        return not self.app.screen_stack

    def toast(self, text: str, *, warn: bool = False) -> None:
        """Shows raw text for a few seconds."""
        self.app.notify(sanitize.line(text), severity="warning" if warn else "information", markup=False)

    def show_earlier(self, earlier: EarlierSession) -> None:
        """The answers of the earlier session, folded, and below them the welcome."""
        if earlier.turns:
            self.transcript.put(Label("Earlier", "bold dim"))
            self.transcript.add(earlier.turns, View(folded=True))
            for turn in earlier.turns:
                self.prompt.remember(turn.question)
        self.transcript.put(self.welcome)
        if earlier.trouble:
            self.toast(earlier.trouble, warn=True)
        if earlier.damaged:
            self.toast(f"Skipped {earlier.damaged} damaged lines of the session file.", warn=True)

    # The answer that keys act on.

    def chosen_card(self) -> Card | None:
        """The chosen one, else the last, which it chooses; None where there is none."""
        chosen = self.transcript.chosen
        if chosen is None:
            cards = list(self.transcript.cards())
            chosen = cards[-1] if cards else None
            self.transcript.choose(chosen)
        return chosen

    # The source pane, which covers the answers on a narrow screen.

    @property
    def source_covers_answers(self) -> bool:
        """True on a narrow screen while the source pane is open."""
        return self.source_pane.is_open and self.screen.has_class("-narrow")

    @property
    def focused_note(self) -> NoteView | None:
        """The note in the source pane where it has the focus."""
        focused = self.app.focused
        return focused if isinstance(focused, NoteView) else None

    @property
    def is_reading(self) -> bool:
        """Whether answers or source have the focus."""
        return self.focused_note is not None or isinstance(self.app.focused, Transcript)

    def show_keys(self) -> None:
        """The footer lists the keys of the part that has the focus, the prompt's where none has it."""
        if self.focused_note is not None:
            self.key_bar.show_part("source")
        else:
            self.key_bar.show_part("answers" if isinstance(self.app.focused, Transcript) else "prompt")

    def show_source(self) -> None:
        """Leaves the focus where it is, unless the pane covers the answers that have it."""
        from_answers = isinstance(self.app.focused, Transcript)
        if not self.source_pane.is_open:
            self.source_pane.display = True
            self.screen.add_class("-reading")
            if from_answers and self.source_covers_answers:
                self.source_pane.view.focus()

    def close_source(self) -> None:
        """Gives the focus to the answers where the pane had it."""
        inside = self.focused_note is not None
        self.source_pane.display = False
        self.screen.remove_class("-reading")
        if self.transcript.chosen is not None:
            self.transcript.chosen.update_view(opened=False)
        if inside:
            self.transcript.focus()
        self.on_source_closed()
