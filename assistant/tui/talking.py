"""The chat without its keys: composes the screen, asks, and keeps what the engine's thread says."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.containers import Horizontal
from textual.message import Message

from assistant.engine import Request
from assistant.text import sanitize
from assistant.tui.cards.answer_rows import View
from assistant.tui.cards.card import Card
from assistant.tui.cards.item import Label
from assistant.tui.cards.snippet_rows import SHORT
from assistant.tui.cards.welcome import Welcome
from assistant.tui.clipboard import Way
from assistant.tui.history.session_file import EarlierSession, SessionFile
from assistant.tui.history.turn import Turn
from assistant.tui.keymap import ACTIONS, ANYWHERE, PROMPT, bindings, key
from assistant.tui.widgets.palette import Commands
from assistant.tui.widgets.prompt import Prompt
from assistant.tui.widgets.source_pane import SourcePane
from assistant.tui.widgets.status_bars import ContextStrip, KeyBar, StatusLine
from assistant.tui.widgets.transcript import Transcript
from assistant.tui.worker import messages
from assistant.tui.worker.engine_thread import Asked, EngineThread

CONVERSATION = "chat"
_SLOW_SECONDS = 0.15
"""How long a question may run before the screen says that it does."""


@dataclass(frozen=True, slots=True)
class Chat:
    """What the app has to know of its surroundings."""

    notes: Path
    model: str
    """As it is shown."""
    here: Path
    """The folder in which a saved session is to lie."""
    editor: str = ""
    clipboard: Way = "osc52"
    theme: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)
    plain: bool = False
    """No colours but the terminal's own."""


class Talking(App[None], inherit_bindings=False):
    """One conversation about one folder of notes, without the actions of its keys."""

    CSS = """
    #middle { height: 1fr; }
    #source { width: 45%; max-width: 76; }
    Screen.-narrow #source { width: 1fr; max-width: 100%; }
    Screen.-narrow.-reading #transcript { display: none; }
    Screen.-short KeyBar { display: none; }
    Screen.-short Prompt { border: none; max-height: 4; }
    ContextStrip { display: none; }
    Toast { max-width: 70%; }
    OptionList:ansi > .option-list--option-highlighted { text-style: bold underline; }
    """
    BINDINGS = bindings([*PROMPT, *ANYWHERE])
    COMMANDS: ClassVar = {Commands}
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]  # noqa: RUF012 - as Textual declares it
    VERTICAL_BREAKPOINTS = [(0, "-short"), (SHORT, "-tall")]  # noqa: RUF012 - as Textual declares it
    ENABLE_COMMAND_PALETTE = True
    TITLE = "assistant"

    def __init__(
        self,
        chat: Chat,
        session: SessionFile,
        earlier: EarlierSession,
        thread: Callable[[Callable[[Message], object], bool], EngineThread],
    ) -> None:
        """`thread` makes the engine's thread from what takes its messages and whether colours are the terminal's."""
        ansi = chat.plain or chat.theme.startswith("ansi-")
        super().__init__(ansi_color=True if ansi else None)
        self.chat = chat
        self.session = session
        self.earlier = earlier
        self.desk = thread(self.post_message, ansi)
        self.welcome = Welcome(chat.notes, chat.model)
        self.asked: dict[int, Asked] = {}
        """Questions that have no answer yet, by number."""
        self.inherits = ""
        self.copied = ""
        self._kept = True
        """Whether the session's file takes answers; only the engine's thread changes it."""
        self._number = 0
        self._progress = "starting"
        self._counts: tuple[int, int] | None = None
        self._refused = 0
        self._trouble = ""
        self.status = ""
        """What the status line says of the index."""
        self.context = ("", "")
        """What the strip above the prompt says, left and right."""
        self.set_keymap(dict(chat.keys))

    def compose(self) -> ComposeResult:
        yield StatusLine("status")
        with Horizontal(id="middle"):
            yield Transcript()
            yield SourcePane(lambda digest, rows, fence: self.desk.colour(digest, rows, fence))
        yield ContextStrip(key("new-topic", self.chat.keys))
        yield Prompt(self.chat.keys)
        yield KeyBar(self.chat.keys)

    def on_mount(self) -> None:
        if self.chat.theme in self.available_themes:
            self.theme = self.chat.theme
        elif self.chat.theme:
            self.tell(f"There is no theme {self.chat.theme}; the palette lists them.", warn=True)
        unknown = set(self.chat.keys) - {one.id for one in ACTIONS}
        if unknown:
            self.tell(f"There is no action {', '.join(sorted(unknown))} to give a key to.", warn=True)
        self.animation_level = "none"
        self.heed_signals(True)
        self.prompt.example = self._example
        if self.earlier.turns:
            self.transcript.put(Label("Earlier", "bold dim"))
            self.transcript.add(self.earlier.turns, View(folded=True))
            for turn in self.earlier.turns:
                self.prompt.remember(turn.question)
        self.transcript.put(self.welcome)
        if self.earlier.trouble:
            self.tell(self.earlier.trouble, warn=True)
        if self.earlier.damaged:
            self.tell(f"{self.earlier.damaged} lines of the earlier session could not be read.", warn=True)
        self.prompt.focus()
        self.show_state()
        self.call_after_refresh(self._begin)

    def heed_signals(self, whether: bool) -> None:
        """Whether a closed window or a kill ends the chat in good order, which puts the terminal back.

        Else they end it at once, as is right while an editor has the terminal.
        """
        loop = asyncio.get_running_loop()
        for ending in (signal.SIGTERM, signal.SIGHUP):
            with suppress(ValueError, RuntimeError, NotImplementedError):
                if whether:
                    loop.add_signal_handler(ending, self.exit)
                else:
                    loop.remove_signal_handler(ending)

    def on_unmount(self) -> None:
        self.desk.close()

    def _begin(self) -> None:
        """After the first frame: nothing heavy is loaded before it."""
        self.desk.start()
        if self.earlier.turns:
            self.transcript.pin(self.welcome)
            paths = {path for turn in self.earlier.turns for path in turn.digests}
            self.desk.digests(paths)

    async def _dispatch_message(self, message: Message) -> None:
        """What the thread still says while the app closes finds no screen any more."""
        if self.screen_stack or not isinstance(message, messages.Told):
            await super()._dispatch_message(message)

    # What the parts of the screen are called.

    @property
    def transcript(self) -> Transcript:
        return self.screen_stack[0].query_one(Transcript)

    @property
    def pane(self) -> SourcePane:
        return self.screen_stack[0].query_one(SourcePane)

    @property
    def prompt(self) -> Prompt:
        return self.screen_stack[0].query_one(Prompt)

    def chosen_card(self) -> Card | None:
        """The answer that keys act on: the chosen one, else the last."""
        chosen = self.transcript.chosen
        if chosen is None:
            cards = list(self.transcript.cards())
            chosen = cards[-1] if cards else None
            self.transcript.choose(chosen)
        return chosen

    # Asking.

    def ask(self, question: str, under: tuple[str, ...] = (), again: Turn | None = None) -> None:
        """Puts the question in line; `again` is the turn that it repeats, with what that one leant on."""
        self._number += 1
        turn = Turn(self._number, question, under)
        request = Request(question, conversation=CONVERSATION, under=" > ".join(under) or None)
        before = self.desk.before.get(again.number) if again is not None else None
        asked = Asked(turn.number, request, Event(), before, keep=again is None)
        self.asked[turn.number] = asked
        self.transcript.ask(turn, View())
        self.prompt.remember(question)
        self.desk.ask(asked)
        if self._counts is None:
            self._change(turn.number, state="waiting", reason="Loading the model, your question is next")
        self.set_timer(_SLOW_SECONDS, lambda: self._slow(turn.number))
        self.show_state()

    def cancel(self) -> bool:
        """Cancels the newest question that has no answer; whether there was one."""
        if not self.asked:
            return False
        number, asked = self.asked.popitem()
        asked.stop.set()
        card = self.transcript.card(number)
        if card is not None:
            self.transcript.drop(card)
        self.prompt.give_back(asked.request.question)
        self.show_state()
        return True

    def _slow(self, number: int) -> None:
        card = self.transcript.card(number) if self.screen_stack and number in self.asked else None
        if card is not None:
            card.update_view(slow=True)

    def on_prompt_asked(self, event: Prompt.Asked) -> None:
        self.ask(event.question)

    def _example(self, by: int) -> bool:
        """In an empty prompt up and down mark an example, and enter asks it."""
        welcome = self.welcome
        if by > 0 or (by < 0 and welcome.marked):
            welcome.show(marked=welcome.marked + by)
            return True
        if by == 0 and welcome.marked:
            self.ask(welcome.examples[welcome.marked - 1])
        return False

    # What the engine's thread says.

    def on_seen(self, event: messages.Seen) -> None:
        seen = event.overview
        if seen is not None:
            self._trouble = ""
            self._counts, self._refused = (seen.notes, seen.passages), len(seen.refused)
            self.welcome.show(seen)
        self.show_state()

    def on_progressed(self, event: messages.Progressed) -> None:
        self._progress = event.said
        self.show_state()

    def on_trouble(self, event: messages.Trouble) -> None:
        if self._counts is None:
            self.welcome.show(trouble=event.said)
        self._progress = ""
        self.show_state()
        if event.said != self._trouble:  # the same at each look would be told again and again
            self.tell(event.said, warn=True)
        self._trouble = event.said

    def on_waiting(self, event: messages.Waiting) -> None:
        self._change(event.number, state="waiting", reason=event.said)

    def on_started(self, event: messages.Started) -> None:
        self._change(event.number, state="running", reason="")

    def on_failed(self, event: messages.Failed) -> None:
        asked = self.asked.pop(event.number, None)
        if asked is not None:
            self._change(event.number, state="failed", reason=event.said)
            self.prompt.give_back(asked.request.question)
            self.show_state()

    def on_answered(self, event: messages.Answered) -> None:
        """A late one, of a question that was cancelled, is dropped."""
        card = self.transcript.card(event.number)
        if self.asked.pop(event.number, None) is None or card is None:
            return
        turn = replace(card.turn, state="answered", answer=event.answer, digests=event.digests)
        first = event.answer.citations[0].number if event.answer.citations else 0
        card.show(turn, replace(card.view, citation=first), event.colours)
        if self.welcome.marked:
            self.welcome.show(marked=0)
        self.desk.run(lambda: self._keep(turn))
        self.show_state(below=not self.transcript.shows(card))

    def _keep(self, turn: Turn) -> None:
        """In the engine's thread: writes it down, and says once where that cannot be."""
        try:
            if self._kept:
                self.session.append(turn)
        except OSError as error:
            self._kept = False
            self.post_message(messages.Trouble(f"This session is not kept: {self.session.explain(error)}"))

    def on_inherits(self, event: messages.Inherits) -> None:
        self.inherits = event.name
        self.show_state()

    def on_digested(self, event: messages.Digested) -> None:
        digests = event.digests
        for card in self.transcript.cards():
            now = any(digests.get(path, digest) != digest for path, digest in card.turn.digests.items())
            known = any(path in digests for path in card.turn.digests)
            if known and now != card.turn.changed:
                card.show(replace(card.turn, changed=now))
        note = self.pane.note
        if self.pane.is_open and note is not None and digests.get(note.path, note.digest) != note.digest:
            self.desk.note(note.path)

    def on_note_read(self, event: messages.NoteRead) -> None:
        self.pane.show(event.path, event.note, event.said)

    def on_coloured(self, event: messages.Coloured) -> None:
        self.pane.coloured(event.digest, event.first, event.lines)

    def on_snippets_coloured(self, event: messages.SnippetsColoured) -> None:
        card = self.transcript.card(event.number)
        if card is not None:
            card.show(colours=event.colours)

    def on_transcript_chosen(self) -> None:
        self.show_state()

    def on_transcript_scrolled(self) -> None:
        if self._below and self.transcript.at_end():
            self.show_state()

    _below = False

    def show_state(self, *, below: bool | None = None) -> None:
        """Status line and context strip say what is so now; `below`: whether an answer came out of view."""
        self._below = not self.transcript.at_end() if below is None and self._below else bool(below)
        refused = self._refused
        said = self._progress or (
            f"index: {refused} note{'' if refused == 1 else 's'} could not be read (f5)" if refused else "index fresh"
        )
        self.status = said
        screen = self.screen_stack[0]
        screen.query_one(StatusLine).state(self.chat.notes.name, self._counts, said)
        strip = screen.query_one(ContextStrip)
        strip.state(self.inherits, below=self._below, chosen=self.transcript.which())
        self.context = strip.said

    def tell(self, said: str, *, warn: bool = False) -> None:
        """A toast; raw text."""
        self.notify(sanitize.line(said), severity="warning" if warn else "information", markup=False)

    def _change(self, number: int, **changes: object) -> None:
        card: Card | None = self.transcript.card(number)
        if (card is not None and number in self.asked) or (card is not None and changes.get("state") == "failed"):
            card.show(replace(card.turn, **changes))  # type: ignore[arg-type]  # the fields are named by the callers
