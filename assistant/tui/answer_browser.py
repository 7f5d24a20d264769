"""Moving among the answers: choosing, scrolling, folding."""

from __future__ import annotations

from assistant.tui.cards.card import Card
from assistant.tui.source_opener import SourceOpener
from assistant.tui.view import ChatView
from assistant.tui.worker.engine_thread import EngineThread

_SIDEWAYS_COLUMNS = 8


class AnswerBrowser:
    """Keys act on the source instead where it has the focus."""

    def __init__(self, view: ChatView, opener: SourceOpener, engine_thread: EngineThread) -> None:
        self._view = view
        self._opener = opener
        self._engine_thread = engine_thread

    def choose(self, number: int) -> None:
        """By the number of its turn; chooses none where no card has it."""
        self._view.transcript.choose(self._view.transcript.card(number))
        self._opener.follow()

    def step(self, by: int) -> None:
        """Chooses the next (1) or the previous (-1) answer and brings it to the top."""
        cards, chosen = list(self._view.transcript.cards()), self._view.transcript.chosen
        if cards:
            at = cards.index(chosen) if chosen in cards else len(cards) - (by < 0)
            self._view.transcript.go_to(cards[min(max(at + by, 0), len(cards) - 1)])
        self._opener.follow()

    def first(self) -> None:
        """Goes to the oldest answer; an open source pane follows."""
        cards = list(self._view.transcript.cards())
        if cards:
            self._view.transcript.go_to(cards[0])
        self._opener.follow()

    def last(self) -> None:
        """Its end comes into view."""
        cards = list(self._view.transcript.cards())
        if cards:
            self._view.transcript.go_to(cards[-1])
            self._view.transcript.scroll_end(animate=False)
        self._opener.follow()

    def scroll_pages(self, by: int) -> None:
        """Down, or up where `by` is negative; a page is the height less two rows."""
        note = self._view.focused_note
        if note is not None:
            note.scroll_by_hand(y=by * max(note.size.height - 2, 1))
        else:
            self._view.transcript.scroll_pages(by)

    def scroll_rows(self, by: int) -> None:
        """Down, or up where `by` is negative."""
        note = self._view.focused_note
        if note is not None:
            note.scroll_by_hand(y=by)
        else:
            self._view.transcript.scroll_rows(by)

    def scroll_sideways(self, by: int) -> None:
        """Only the source has long rows."""
        if self._view.source_pane.is_open:
            self._view.source_pane.view.scroll_by_hand(x=by * _SIDEWAYS_COLUMNS)

    def fold_chosen(self) -> None:
        """In turn: every snippet whole, the answer folded, as it was at first."""
        card = self._view.chosen_card()
        if card is not None and card.turn.answer is not None:
            self._view.transcript.let_go()
            card.fold_in_turn()
            self._request_colours(card)

    def fold(self, number: int) -> None:
        """Folds a card or unfolds it, by the number of its turn."""
        card = self._view.transcript.card(number)
        if card is not None:
            self._view.transcript.let_go()
            card.update_view(folded=not card.view.folded)
            self._request_colours(card)

    def fold_snippet(self, number: int, position: int) -> None:
        """Folds or unfolds one snippet, by its position in the answer, from 0."""
        card = self._view.transcript.card(number)
        if card is not None:
            self._view.transcript.let_go()
            card.update_view(unfolded=card.view.unfolded ^ {position})

    def _request_colours(self, card: Card) -> None:
        """For a card that came back from an earlier session."""
        answer = card.turn.answer
        if answer is not None and answer.snippets and not card.colours:
            self._engine_thread.colour_answer(card.turn.number, answer)
