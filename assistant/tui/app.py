"""The chat: what its keys do, on the chosen answer and its chosen citation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from textual.actions import SkipAction
from textual.screen import ModalScreen

from assistant.tui.cards.card import Card
from assistant.tui.history.turn import Turn
from assistant.tui.keymap import Where
from assistant.tui.opening import Opening
from assistant.tui.widgets.dialogs import Entry, Help, Picker
from assistant.tui.widgets.prompt import Prompt
from assistant.tui.widgets.source_pane import NoteView
from assistant.tui.widgets.transcript import Transcript
from assistant.tui.worker import messages

if TYPE_CHECKING:
    from assistant.indexing.overview import Heading


_OVER_A_LIST = ("interrupt", "quit", "focus_next", "focus_previous")


class Forgotten(messages.Told):
    """The file of the session is gone."""


class ChatApp(Opening):
    """The chat with all its keys."""

    # The prompt's keys.

    def action_ask(self) -> None:
        self._in_prompt().take()

    def action_new_line(self) -> None:
        self._in_prompt().insert("\n")

    def action_earlier(self) -> None:
        if not self._in_prompt().earlier():
            raise SkipAction  # inside the text the cursor moves

    def action_later(self) -> None:
        if not self._in_prompt().later():
            raise SkipAction

    def _in_prompt(self) -> Prompt:
        """The prompt where it has the focus; else the key is for someone else."""
        if not self.prompt.has_focus:
            raise SkipAction
        return self.prompt

    def action_example(self, number: int) -> None:
        if 0 < number <= len(self.welcome.examples):
            self.ask(self.welcome.examples[number - 1])

    def ask(self, question: str, under: tuple[str, ...] = (), again: Turn | None = None) -> None:
        """As ever, and where the source covers the answers it makes way for the new one."""
        if self.pane.is_open and self.screen_stack[0].has_class("-narrow"):
            self.close_source()
        super().ask(question, under, again)

    # Keys that work everywhere.

    def action_leave(self) -> None:
        if self.pane.is_open and self.screen.has_class("-narrow"):
            self.close_source()
        elif not self.cancel():
            self.prompt.focus()

    def action_interrupt(self) -> None:
        chosen = self.prompt.selected_text if self.prompt.has_focus else ""
        chosen = chosen or self.screen.get_selected_text() or ""
        if chosen:
            self.copy("selection", chosen)
            self.screen.clear_selection()
        elif not self.cancel():
            self.tell("ctrl+q quits")

    def action_new_topic(self) -> None:
        self.inherits = ""
        self.desk.new_topic("chat")
        self.show_state()

    def action_source(self) -> None:
        if self.pane.is_open:
            self.close_source()
        else:
            self.action_open_chosen()

    def action_search_history(self) -> None:
        asked = self.prompt.asked[::-1]

        def chosen(at: int | None) -> None:
            if at is not None:
                self.prompt.fill(asked[at])
                self.prompt.focus()

        self.push_screen(Picker("Earlier questions", [Entry(question) for question in asked]), chosen)

    def action_look(self) -> None:
        self.desk.look()

    def action_page(self, by: int) -> None:
        if isinstance(self.focused, NoteView):
            self.focused.scroll_relative(y=by * max(self.focused.size.height - 2, 1), animate=False)
        else:
            self.transcript.page(by)

    def action_row(self, by: int) -> None:
        if isinstance(self.focused, NoteView):
            self.focused.scroll_relative(y=by, animate=False)
        else:
            self.transcript.row(by)

    def action_sideways(self, by: int) -> None:
        if self.pane.is_open:
            self.pane.view.scroll_relative(x=by * 8, animate=False)

    def action_step(self, by: int) -> None:
        self.transcript.step(by)
        self.follow()

    def action_help(self) -> None:
        where: Where = "reading" if isinstance(self.focused, (NoteView, Transcript)) else "prompt"
        self.push_screen(Help(where, self.chat.keys))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Over a list or a text only what belongs to it counts."""
        if isinstance(self.screen, ModalScreen) and action not in _OVER_A_LIST:
            return False
        return super().check_action(action, parameters)

    def on_headings(self, event: messages.Headings) -> None:
        self.pick_heading(event.headings)

    # Keys of the answers and the source.

    def action_fold_chosen(self) -> None:
        """In turn: snippets whole, answer folded, as it was."""
        card = self.chosen_card()
        if card is None or card.turn.answer is None:
            return
        view, every = card.view, frozenset(range(len(card.turn.answer.snippets)))
        if view.folded:
            view = replace(view, folded=False, unfolded=frozenset())
        elif every and view.unfolded != every:
            view = replace(view, unfolded=every)
        else:
            view = replace(view, folded=True)
        self.transcript.let_go()
        card.show(view=view)
        self._colour(card)

    def action_fold(self, number: int) -> None:
        card = self.transcript.card(number)
        if card is not None:
            self.transcript.let_go()
            card.update_view(folded=not card.view.folded)
            self._colour(card)

    def action_fold_snippet(self, number: int, at: int) -> None:
        card = self.transcript.card(number)
        if card is not None:
            self.transcript.let_go()
            card.update_view(unfolded=card.view.unfolded ^ {at})

    def action_first(self) -> None:
        self.transcript.ends(last=False)
        self.follow()

    def action_last(self) -> None:
        self.transcript.ends(last=True)
        self.follow()

    def action_again(self) -> None:
        card = self.chosen_card()
        if card is not None:
            self.ask(card.turn.question, card.turn.under, card.turn)

    def action_under(self) -> None:
        if self.chosen_card() is None and not self.prompt.text.strip():
            self.tell("Ask something first, or type a question.")
        else:
            self.desk.headings()

    def pick_heading(self, headings: Sequence[Heading]) -> None:
        """Asks again under the heading that is chosen: what is typed, else the chosen answer's question."""
        card = self.chosen_card()

        def chosen(heading: Heading | None) -> None:
            typed = self.prompt.text.strip()
            if heading is None:
                return
            if typed:
                self.prompt.text = ""
                self.ask(typed, heading.heading_path)
            elif card is not None:
                self.ask(card.turn.question, heading.heading_path, card.turn)

        from assistant.tui.widgets.heading_tree import HeadingTree  # its widgets are not needed for the first frame

        self.push_screen(HeadingTree("Ask again under", headings), chosen)

    def action_to_prompt(self) -> None:
        self.prompt.focus()

    # What only the palette has.

    def action_forget(self) -> None:
        """The answers on the screen, the session file and what follow-ups lean on."""
        self.cancel()
        self.transcript.clear()
        self.prompt.asked.clear()
        self.desk.run(self._forget)
        self.action_new_topic()

    def _forget(self) -> None:
        """In the engine's thread."""
        try:
            self.session.forget()
        except OSError as error:
            self.post_message(messages.Trouble(f"The file of this session stays: {self.session.explain(error)}"))
        else:
            self.post_message(Forgotten())

    def on_forgotten(self) -> None:
        self.tell("This session is forgotten.")

    def _colour(self, card: Card) -> None:
        """Makes the colours of a card that came back from an earlier session."""
        answer = card.turn.answer
        if answer is not None and answer.snippets and not card.colours:
            self.desk.colour_answer(card.turn.number, answer)
