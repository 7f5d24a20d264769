"""The chat's app: composes the screen, holds the parts, and passes keys and messages to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from textual import events
from textual.actions import SkipAction
from textual.app import App, ComposeResult
from textual.await_complete import AwaitComplete
from textual.command import CommandPalette
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import TextArea

from assistant.tui import signals
from assistant.tui.answer_browser import AnswerBrowser
from assistant.tui.answer_copier import AnswerCopier
from assistant.tui.answer_mender import AnswerMender
from assistant.tui.answer_saver import AnswerSaver
from assistant.tui.appearance import SHARES_CSS, Appearance
from assistant.tui.cards.snippet_rows import SHORT
from assistant.tui.change_marker import ChangeMarker
from assistant.tui.chat_settings import ChatSettings
from assistant.tui.conversation import ABOUT, Conversation
from assistant.tui.documentation import Documentation
from assistant.tui.finder import Finder
from assistant.tui.history.recorder import SessionRecorder
from assistant.tui.history.session_file import EarlierSession, SessionFile
from assistant.tui.keymap import ANYWHERE, PROMPT, bindings, unknown_actions
from assistant.tui.link_follower import LinkFollower
from assistant.tui.note_browser import NoteBrowser
from assistant.tui.slash_commands import SLASH_COMMANDS
from assistant.tui.slash_runner import SlashRunner
from assistant.tui.source_opener import SourceOpener
from assistant.tui.status import Status
from assistant.tui.suggestions import EVERY_SECONDS, Suggestions
from assistant.tui.view import ChatView
from assistant.tui.widgets.dialogs import Help
from assistant.tui.widgets.note_view import NoteView
from assistant.tui.widgets.palette import Commands
from assistant.tui.widgets.prompt import Prompt
from assistant.tui.widgets.theme_picker import ThemePicker
from assistant.tui.worker import messages
from assistant.tui.worker.engine_thread import EngineThread
from assistant.tui.worker.job_queue import Post
from assistant.tui.worker_handlers import WorkerHandlers

_OVER_A_DIALOG = ("interrupt", "quit", "focus_next", "focus_previous")
"""Actions that count while a list or a text lies over the chat."""
_BEGIN_SECONDS = 0.5
"""After which the engine is loaded though no frame came."""


class ChatApp(WorkerHandlers, App[None], inherit_bindings=False):
    """One conversation about one folder of notes.

    Textual looks for actions and handlers here and in `WorkerHandlers`, so there is one of each; what they do is in the
    parts.
    """

    CSS = (
        """
    #middle { height: 1fr; }
    #answers { width: 1fr; border: round $foreground 40%; border-right: none; }
    #answers:ansi { border: round ansi_bright_black; border-right: none; }
    #answers:focus-within, #source:focus-within, #prompt:focus { border: heavy $border; }
    #answers:focus-within { border-right: none; }
    Screen.-short #answers { border: none; border-left: round $foreground 40%; }
    Screen.-short #answers:focus-within { border: none; border-left: heavy $border; }
    #source { width: 45%; max-width: 76; }
    Screen.-narrow #source { width: 1fr; max-width: 100%; }
    Screen.-narrow.-reading #answers, Screen.-narrow.-reading #transcript { display: none; }
    Screen.-short KeyBar { display: none; }
    Screen.-short Prompt, Screen.-short #prompt:focus { border: none; max-height: 4; }
    ContextStrip { display: none; }
    Toast { max-width: 70%; }
    OptionList:ansi > .option-list--option-highlighted { text-style: bold underline; }
    """
        + SHARES_CSS
    )
    BINDINGS = bindings([*PROMPT, *ANYWHERE])
    COMMANDS: ClassVar = {Commands}
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]  # noqa: RUF012 - as Textual declares it
    VERTICAL_BREAKPOINTS = [(0, "-short"), (SHORT, "-tall")]  # noqa: RUF012 - as Textual declares it
    ENABLE_COMMAND_PALETTE = True
    TITLE = "assistant"

    def __init__(
        self,
        settings: ChatSettings,
        session: SessionFile,
        earlier: EarlierSession,
        engine_thread: Callable[[Post], EngineThread],
    ) -> None:
        """`engine_thread` makes the thread from what takes its messages."""
        super().__init__(ansi_color=True if settings.ansi else None)
        self._begun = False
        """Whether the engine's thread was started."""
        self.chat_settings = settings
        self.earlier = earlier
        self.engine_thread = engine_thread(self.post_message)
        self.view = ChatView(self, settings, self.engine_thread.colour_fence, self.engine_thread.parse_chunk)
        self.status = Status(self.view, settings.title)
        recorder = SessionRecorder(session, self.post_message)
        self.conversation = Conversation(self.view, self.status, self.engine_thread, recorder)
        self.opener = SourceOpener(self.view, self.engine_thread, settings.editor)
        self.browser = AnswerBrowser(self.view, self.opener, self.engine_thread)
        self.note_browser = NoteBrowser(self.view, self.engine_thread, self.opener, self.conversation)
        self.finder = Finder(self.view)
        self.copier = AnswerCopier(self.view, settings.clipboard)
        self.appearance = Appearance(self.view, settings)
        self.documentation = Documentation(self.view, settings.open_documentation)
        self.slash = SlashRunner(self.view, self.appearance, self.opener, self.documentation)
        self.link_follower = LinkFollower(self.view, self.engine_thread, self.opener, self.copier)
        self.change_marker = ChangeMarker(self.view, self.engine_thread)
        self.saver = AnswerSaver(self.view, self.engine_thread, settings)
        self.suggestions = Suggestions(self.view, self.status, self.engine_thread, settings.quiet_seconds)
        self.mender = AnswerMender(
            self.view, self.engine_thread, self.conversation, settings.notes if settings.mends else None
        )
        self.set_keymap(dict(settings.keys))

    @property
    def user_keys(self) -> Mapping[str, str]:
        """The user's own keys, by id of the action."""
        return self.chat_settings.keys

    def compose(self) -> ComposeResult:
        yield from self.view.compose()

    def on_mount(self) -> None:
        self.appearance.start()
        self._report_unknown_keys()
        self.animation_level = "none"
        signals.handle(self.exit)
        self.view.prompt.on_empty = self.conversation.mark_example
        self.view.prompt.on_backspace_at_start = self.conversation.drop_subject
        self.view.prompt.on_list_key = self.slash.take_key
        self.view.show_earlier(self.earlier)
        self.view.prompt.focus()
        self.status.show()
        self.set_interval(EVERY_SECONDS, self.suggestions.look)
        self.call_after_refresh(self._begin)
        # A dialog that is opened before the first frame keeps what waits for a frame below it waiting.
        self.set_timer(_BEGIN_SECONDS, self._begin)

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key):
            self.suggestions.touched()
        await super().on_event(event)

    def _report_unknown_keys(self) -> None:
        unknown = unknown_actions(self.user_keys)
        if unknown:
            self.view.toast(f"Unknown action in [keys]: {', '.join(unknown)}.", warn=True)

    def _begin(self) -> None:
        """After the first frame, once: nothing heavy is loaded before it."""
        if self._begun:
            return
        self._begun = True
        self.engine_thread.start()
        if self.earlier.turns:
            self.view.transcript.pin(self.view.welcome)
            self.engine_thread.read_digests({path for turn in self.earlier.turns for path in turn.digests})

    def on_unmount(self) -> None:
        self.engine_thread.close()

    async def _dispatch_message(self, message: Message) -> None:
        """Drops what the threads still post while the app closes: there is no screen any more."""
        if not self.view.is_closed or not isinstance(message, messages.WorkerMessage):
            await super()._dispatch_message(message)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Over a dialog only its own keys count, and a few of the app's; tab completes a command that is typed."""
        if action == "focus_next" and self.slash.is_listing:
            return False
        if isinstance(self.screen, ModalScreen) and action not in _OVER_A_DIALOG:
            return False
        return super().check_action(action, parameters)

    # Messages of the widgets; those of the threads are in `WorkerHandlers`.

    def on_prompt_submitted(self, event: Prompt.Submitted) -> None:
        self.conversation.ask(event.question)

    def on_prompt_command_given(self, event: Prompt.CommandGiven) -> None:
        self.slash.run(event.entry)

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        if event.text_area is self.view.prompt:
            self.slash.typed()
            self.conversation.typed()

    def pop_screen(self) -> AwaitComplete:
        """The pane below a dialog has the focus again, of which no event tells."""
        closed = super().pop_screen()
        self.call_after_refresh(self.view.show_keys)
        return closed

    def on_descendant_focus(self) -> None:
        self.view.show_keys()
        self.slash.typed()

    def on_descendant_blur(self) -> None:
        self.slash.typed()

    def on_command_palette_option_highlighted(self, event: CommandPalette.OptionHighlighted) -> None:
        self.appearance.preview(ThemePicker.highlighted(event.highlighted_event))

    def on_command_palette_closed(self) -> None:
        self.appearance.end_preview()

    def on_transcript_chosen(self) -> None:
        self.status.show()

    def on_transcript_searched_changed(self) -> None:
        self.finder.recount()

    def on_transcript_scrolled(self) -> None:
        self.status.scrolled()

    def on_note_view_link_chosen(self, event: NoteView.LinkChosen) -> None:
        self.link_follower.follow(event.target)

    # Actions of the prompt's keys.

    def action_ask(self) -> None:
        self._focused_prompt().submit()

    def action_new_line(self) -> None:
        self._focused_prompt().insert("\n")

    def action_earlier(self) -> None:
        if not self._focused_prompt().earlier():
            raise SkipAction  # inside the text the cursor moves

    def action_later(self) -> None:
        if not self._focused_prompt().later():
            raise SkipAction

    def _focused_prompt(self) -> Prompt:
        """The prompt where it has the focus; else the key is another widget's."""
        if not self.view.prompt.has_focus:
            raise SkipAction
        return self.view.prompt

    # Actions of keys that count everywhere.

    def action_focus_next(self) -> None:
        if not self.link_follower.step(1):
            super().action_focus_next()

    def action_focus_previous(self) -> None:
        if not self.link_follower.step(-1):
            super().action_focus_previous()

    def action_leave(self) -> None:
        if self.view.is_reading and self.finder.end():
            return
        if self.view.source_covers_answers:
            self.view.close_source()
        elif not self.conversation.cancel() and not self._leave_prompt():
            self.view.prompt.focus()

    def _leave_prompt(self) -> bool:
        """What escape ends in the prompt itself, which keeps its text; False where there is nothing to end."""
        return self.view.prompt.has_focus and (self.status.drop_scope() or self.finder.end())

    def action_interrupt(self) -> None:
        if not self.copier.copy_selection() and not self.conversation.cancel():
            self.view.toast("Press ctrl+q to quit.")

    def action_new_topic(self) -> None:
        self.conversation.new_topic()

    def action_source(self) -> None:
        self.opener.toggle()

    def action_browse(self) -> None:
        self.note_browser.open()

    def action_drop_scope(self) -> None:
        self.status.drop_scope()

    def action_editor(self) -> None:
        self.opener.open_editor()

    def action_save(self) -> None:
        self.saver.save()

    def action_search_history(self) -> None:
        self.conversation.search_questions()

    def action_look(self) -> None:
        self.engine_thread.look()

    def action_page(self, by: int) -> None:
        self.browser.scroll_pages(by)

    def action_step(self, by: int) -> None:
        self.browser.step(by)

    def action_help(self) -> None:
        self.push_screen(Help("reading" if self.view.is_reading else "prompt", self.user_keys))

    # Actions of keys in the answers and in the source, and of clicks.

    def action_row(self, by: int) -> None:
        self.browser.scroll_rows(by)

    def action_sideways(self, by: int) -> None:
        self.browser.scroll_sideways(by)

    def action_first(self) -> None:
        self.browser.first()

    def action_last(self) -> None:
        self.browser.last()

    def action_choose(self, number: int) -> None:
        self.browser.choose(number)

    def action_fold_chosen(self) -> None:
        self.browser.fold_chosen()

    def action_fold(self, number: int) -> None:
        self.browser.fold(number)

    def action_fold_snippet(self, number: int, position: int) -> None:
        self.browser.fold_snippet(number, position)

    def action_cite(self, number: int, citation: int) -> None:
        self.opener.cite(number, citation)

    def action_cite_chosen(self, citation: int) -> None:
        self.opener.cite_chosen(citation)

    def action_open_chosen(self) -> None:
        if not self.link_follower.follow_marked():
            self.opener.open_chosen()

    def action_back_link(self) -> None:
        self.link_follower.back()

    def action_backlinks(self) -> None:
        self.link_follower.ask_backlinks()

    def action_step_citation(self, by: int) -> None:
        self.opener.step_citation(by)

    def action_open_candidate(self, number: int, position: int) -> None:
        self.opener.open_candidate(number, position)

    def action_alternatives(self, number: int) -> None:
        self.opener.pick_name(number)

    def action_names(self) -> None:
        self.opener.pick_name_of_chosen()

    def action_raw_lines(self) -> None:
        self.opener.toggle_raw()

    def action_find(self) -> None:
        self.finder.ask()

    def action_find_next(self, by: int) -> None:
        self.finder.step(by)

    def action_end_find(self) -> None:
        self.finder.end()

    def action_copy_answer(self) -> None:
        self.copier.copy_answer()

    def action_copy_snippet(self) -> None:
        self.copier.copy_snippet()

    def action_again(self) -> None:
        self.conversation.ask_again()

    def action_mend(self) -> None:
        self.mender.mend()

    def action_under(self) -> None:
        self.note_browser.choose_scope()

    def action_example(self, number: int) -> None:
        self.conversation.ask_example(number)

    def action_resize_source(self, by: int) -> None:
        self.appearance.resize_source(by)

    def action_to_prompt(self) -> None:
        self.view.prompt.focus()

    # Actions of the palette and of the prompt's commands.

    def action_change_theme(self) -> None:
        self.appearance.pick_theme()

    def action_about(self) -> None:
        self.conversation.ask(ABOUT)

    def action_slash(self, name: str) -> None:
        self.slash.pick(next(one for one in SLASH_COMMANDS if one.name == name))

    def action_last_copy(self) -> None:
        self.copier.show_last_copy()

    def action_forget(self) -> None:
        self.conversation.forget()
