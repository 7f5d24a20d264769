"""The actions that open something: a citation, a name, a heading, the source pane, a place that is found in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant.records import Answer, Candidate, Citation
from assistant.tui.cards.card import Card
from assistant.tui.handing_on import HandingOn
from assistant.tui.widgets.dialogs import Entry, Naming, Picker
from assistant.tui.widgets.source_pane import NoteView
from assistant.tui.widgets.transcript import Transcript
from assistant.tui.worker import messages

if TYPE_CHECKING:
    from assistant.indexing.overview import Heading


class Located(messages.Told):
    """Where a candidate's heading stands; None where it was not found."""

    def __init__(self, candidate: Candidate, heading: Heading | None) -> None:
        super().__init__()
        self.candidate, self.heading = candidate, heading


class Opening(HandingOn):
    """Open, step, find."""

    def action_choose(self, number: int) -> None:
        self.transcript.choose(self.transcript.card(number))
        self.follow()

    def action_cite(self, number: int, citation: int) -> None:
        card = self.transcript.card(number)
        if card is not None:
            self.transcript.choose(card)
            self.open_citation(card, citation)

    def action_cite_chosen(self, citation: int) -> None:
        card = self.chosen_card()
        if card is not None:
            self.open_citation(card, citation)

    def action_open_chosen(self) -> None:
        card = self.chosen_card()
        if card is not None and card.turn.answer is not None:
            self.open_citation(card, card.view.citation or 1)
        else:
            self.tell("There is no citation to open yet.")

    def action_step_citation(self, by: int) -> None:
        card = self.chosen_card()
        if card is not None and card.turn.answer is not None and card.turn.answer.citations:
            numbers = [cited.number for cited in card.turn.answer.citations]
            at = numbers.index(card.view.citation) if card.view.citation in numbers else 0
            if not self.pane.is_open:
                by = 0
            self.open_citation(card, numbers[(at + by) % len(numbers)])

    def action_open_candidate(self, number: int, at: int) -> None:
        """The verdict (0) or a runner-up (from 1): its first citation, else its heading."""
        card = self.transcript.card(number)
        if card is None or card.turn.answer is None:
            return
        candidate = _candidates(card.turn.answer)[at]
        self.transcript.choose(card)
        if candidate.citations:
            self.open_citation(card, candidate.citations[0])
        else:
            self.open_heading(candidate)

    def action_alternatives(self, number: int) -> None:
        """Lists the names of an answer; the chosen one is opened."""
        card = self.transcript.card(number)
        if card is None or card.turn.answer is None:
            return
        found = _candidates(card.turn.answer)

        def chosen(at: int | None) -> None:
            if at is not None:
                self.action_open_candidate(number, at)

        entries = [
            Entry(f"{one.name}  {round(one.confidence * 100)} %  {' › '.join(one.heading_path[1:])}") for one in found
        ]
        self.push_screen(Picker("Open a name", entries), chosen)

    def action_names(self) -> None:
        card = self.chosen_card()
        if card is not None and card.turn.answer is not None and card.turn.answer.verdict is not None:
            self.action_alternatives(card.turn.number)
        else:
            self.tell("This answer names nothing.")

    def action_find(self) -> None:
        if not self.pane.is_open:
            self.action_open_chosen()
            if not self.pane.is_open:
                return

        def named(text: str | None) -> None:
            if text:
                self._find(text, 1)
            self.pane.view.focus()

        self.push_screen(Naming("Find in the source", self.pane.view.found), named)

    def action_find_next(self, by: int) -> None:
        if self.pane.is_open and self.pane.view.found:
            self._find(self.pane.view.found, by)

    def open_citation(self, card: Card, number: int) -> None:
        answer = card.turn.answer
        cited = next((one for one in answer.citations if one.number == number), None) if answer else None
        if answer is None or cited is None:
            self.tell(f"This answer has no citation {number}.")
            return
        problems = [
            problem for snippet in answer.snippets for problem in snippet.problems or () if snippet.citation == number
        ]
        self.transcript.choose(card)
        card.update_view(citation=number, opened=True)
        self.show_source()
        if not self.pane.want(cited.path, cited, problems):
            self.desk.note(cited.path)

    def open_heading(self, candidate: Candidate) -> None:
        """A heading that no citation stands under: it is looked for in the notes by its own words."""
        self.desk.run(lambda: self.post_message(Located(candidate, self.desk.locate(candidate.heading_path))))

    def on_located(self, event: Located) -> None:
        if event.heading is None:
            self.tell(f"{event.candidate.name} has no heading of its own in the notes.")
            return
        found = event.heading
        cited = Citation(0, found.path, found.heading_path, "", found.line, found.line, "")
        self.show_source()
        if not self.pane.want(found.path, cited):
            self.desk.note(found.path)

    def show_source(self) -> None:
        reading = isinstance(self.focused, Transcript)
        if not self.pane.is_open:
            self.pane.display = True
            self.screen_stack[0].add_class("-reading")
            if reading and self.screen_stack[0].has_class("-narrow"):
                self.pane.view.focus()

    def close_source(self) -> None:
        inside = isinstance(self.focused, NoteView)
        self.pane.display = False
        self.screen_stack[0].remove_class("-reading")
        if self.transcript.chosen is not None:
            self.transcript.chosen.update_view(opened=False)
        if inside:
            self.transcript.focus()

    def follow(self) -> None:
        """The open source pane follows the answer that was chosen, its colours are made where they are missing."""
        card = self.transcript.chosen
        if card is not None and card.turn.answer is not None and self.pane.is_open and card.turn.answer.citations:
            self.open_citation(card, card.view.citation)

    def _find(self, text: str, by: int) -> None:
        if not self.pane.view.find(text, by):
            self.tell(f"Not in this note: {text}")


def _candidates(answer: Answer) -> list[Candidate]:
    """The names of an answer, the verdict first; without a verdict there are none."""
    return [answer.verdict, *answer.alternatives] if answer.verdict is not None else []
