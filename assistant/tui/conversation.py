"""Asking: questions in line, what comes of them, and what the next one leans on."""

from __future__ import annotations

from dataclasses import replace
from threading import Event

from assistant.records import Request
from assistant.tui.cards.card import Card
from assistant.tui.cards.card_view import View
from assistant.tui.history.recorder import SessionRecorder
from assistant.tui.history.turn import State, Turn
from assistant.tui.outline import Entry
from assistant.tui.status import Status
from assistant.tui.view import ChatView
from assistant.tui.widgets.dialogs import Picker
from assistant.tui.worker.answerer import PendingQuestion
from assistant.tui.worker.engine_thread import EngineThread
from assistant.tui.worker.messages import FollowUpChecked, QuestionAnswered, QuestionFailed

CONVERSATION = "chat"
"""The engine's name of it."""
ABOUT = "What are these notes about?"
"""What is asked for an overview of the notes."""
_SLOW_SECONDS = 0.15
"""How long a question may run before its card says so."""
_PAUSE_SECONDS = 0.15
"""How long nothing is typed before it is asked whether the text leans on the subject."""


class Conversation:
    """One conversation about one folder of notes."""

    def __init__(self, view: ChatView, status: Status, engine_thread: EngineThread, recorder: SessionRecorder) -> None:
        self._view = view
        self._status = status
        self._engine_thread = engine_thread
        self._recorder = recorder
        self._number = 0
        self.pending: dict[int, PendingQuestion] = {}
        """Questions that have no answer yet, by number, oldest first."""

    def ask(self, question: str, under: tuple[str, ...] = (), again: Turn | None = None) -> None:
        """Puts the question in line, under the heading chosen for the next question where there is one.

        `again` is the turn that it repeats, with what that one leant on.
        """
        view = self._view
        if view.source_covers_answers:
            view.close_source()
        if not under and again is None:
            under = self._status.take_scope()
        self._number += 1
        turn = Turn(self._number, question, under)
        request = Request(question, conversation=CONVERSATION, under=" > ".join(under) or None)
        subject = self._engine_thread.subjects.get(again.number) if again is not None else None
        pending = PendingQuestion(turn.number, request, Event(), subject, again=again is not None)
        self.pending[turn.number] = pending
        view.transcript.ask(turn, View())
        view.prompt.remember(question)
        self._engine_thread.ask(pending)
        if not self._status.has_overview:
            self.question_waiting(turn.number, "Loading the model; your question is queued")
        view.app.set_timer(_SLOW_SECONDS, lambda: self._mark_slow(turn.number))
        self._status.show()

    def cancel(self) -> bool:
        """Cancels the newest question that has no answer; whether there was one."""
        if not self.pending:
            return False
        number, pending = self.pending.popitem()
        pending.stop.set()
        self._give_back(number, pending.request.question)
        card = self._view.transcript.card(number)
        if card is not None:
            self._view.transcript.drop(card)
        self._status.show()
        return True

    def ask_again(self) -> None:
        """Asks the chosen answer's question again."""
        card = self._view.chosen_card()
        if card is not None:
            self.ask(card.turn.question, card.turn.under, card.turn)

    def ask_example(self, number: int) -> None:
        """Asks the example of that number, from 1, of the welcome."""
        examples = self._view.welcome.examples
        if 0 < number <= len(examples):
            self.ask(examples[number - 1])

    def mark_example(self, by: int) -> bool:
        """What down (1), up (-1) and enter (0) do in an empty prompt: mark an example, ask it.

        Returns whether the key has done its work.
        """
        welcome = self._view.welcome
        if by > 0 or (by < 0 and welcome.marked):
            welcome.show(marked=welcome.marked + by)
            return True
        if by == 0 and welcome.marked:
            self.ask_example(welcome.marked)
        return False

    def ask_below(self, entry: Entry, card: Card | None) -> None:
        """Asks under a heading: what is typed, else the card's question; without either the next question is."""
        prompt, under = self._view.prompt, entry.scope
        typed = prompt.text.strip()
        if not under:
            self._view.toast(f"{entry.path} has no title of its own. Choose a heading.")
        elif typed:
            prompt.text = ""
            self.ask(typed, under)
        elif card is not None:
            self.ask(card.turn.question, under, card.turn)
        else:
            self._status.set_scope(under)
            prompt.focus()

    def _give_back(self, number: int, question: str) -> None:
        """The question into the prompt, and with it the heading it was asked under."""
        card, prompt = self._view.transcript.card(number), self._view.prompt
        if card is not None and card.turn.under and not prompt.text.strip():
            self._status.set_scope(card.turn.under)
        prompt.give_back(question)

    def search_questions(self) -> None:
        """Puts the earlier question that the user picks into the prompt."""
        prompt = self._view.prompt
        questions = prompt.questions[::-1]

        def picked(at: int | None) -> None:
            if at is not None:
                prompt.fill(questions[at])
                prompt.focus()

        self._view.app.push_screen(Picker("Earlier questions", questions, counted=True), picked)

    def typed(self) -> None:
        """Something was typed: soon asks whether it would lean on the subject."""
        text = self._view.prompt.text.strip()
        self._status.set_typed(stands_alone=False)
        if text and self._status.subject:
            self._view.app.set_timer(_PAUSE_SECONDS, lambda: self._check_follow_up(text))

    def _check_follow_up(self, text: str) -> None:
        def wanted() -> bool:
            return not self._view.is_closed and self._view.prompt.text.strip() == text

        if wanted():
            self._engine_thread.check_follow_up(CONVERSATION, text, wanted)

    def follow_up_checked(self, event: FollowUpChecked) -> None:
        """Says of what is typed whether it leans; an answer about an earlier text is dropped."""
        if self._view.prompt.text.strip() == event.text:
            self._status.set_typed(stands_alone=not event.leans)

    def drop_subject(self) -> bool:
        """Makes the next question stand alone; whether there was a subject to drop."""
        had = bool(self._status.subject)
        if had:
            self.new_topic()
        return had

    def new_topic(self) -> None:
        """Later questions lean on nothing that was asked before, and look in all notes; the answers stay."""
        self._engine_thread.new_topic(CONVERSATION)
        self._status.set_scope(())
        self._status.set_subject("")

    def forget(self) -> None:
        """Removes the answers on the screen, the session file and what follow-ups lean on."""
        self.cancel()
        self._view.transcript.clear()
        self._view.prompt.questions.clear()
        self._engine_thread.run(self._recorder.forget)
        self.new_topic()

    # What comes of a question.

    def question_waiting(self, number: int, reason: str) -> None:
        """`reason` is shown on the card; without effect once the question was cancelled."""
        self._change_state(number, "waiting", reason)

    def question_started(self, number: int) -> None:
        """Without effect once the question was cancelled."""
        self._change_state(number, "running")

    def question_failed(self, event: QuestionFailed) -> None:
        """Gives the question back to the prompt, unless it was cancelled."""
        if event.number in self.pending:
            self._change_state(event.number, "failed", event.reason)
            self._give_back(event.number, self.pending.pop(event.number).request.question)
            self._status.show()

    def question_answered(self, event: QuestionAnswered) -> Card | None:
        """The card with the answer; a late answer, to a question that was cancelled, is dropped."""
        view = self._view
        card = view.transcript.card(event.number)
        if self.pending.pop(event.number, None) is None or card is None:
            return None
        turn = replace(card.turn, state="answered", answer=event.answer, digests=event.digests)
        first = event.answer.citations[0].number if event.answer.citations else 0
        card.show(turn, replace(card.view, citation=first), event.colours)
        if view.welcome.marked:
            view.welcome.show(marked=0)
        self._engine_thread.run(lambda: self._recorder.append(turn))
        self._status.show(below=not view.transcript.shows(card))
        return card

    def _change_state(self, number: int, state: State, reason: str = "") -> None:
        card = self._view.transcript.card(number)
        if card is not None and number in self.pending:
            card.show(replace(card.turn, state=state, reason=reason))

    def _mark_slow(self, number: int) -> None:
        card = None if self._view.is_closed or number not in self.pending else self._view.transcript.card(number)
        if card is not None:
            card.update_view(slow=True)
