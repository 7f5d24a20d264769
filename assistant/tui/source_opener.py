"""Opening sources: a citation, a name or a heading in the source pane, a place in the editor."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from textual.app import SuspendNotSupported

from assistant.errors import AssistantError
from assistant.records import Answer, Candidate, Citation, LineNumber
from assistant.rendering import confidence
from assistant.system import editor
from assistant.tui import signals
from assistant.tui.cards.card import Card
from assistant.tui.outline import Entry
from assistant.tui.view import ChatView
from assistant.tui.widgets.dialogs import Picker
from assistant.tui.worker.engine_thread import EngineThread
from assistant.tui.worker.messages import CandidateLocated


class SourceOpener:
    """Acts on the chosen answer unless a card is named by its turn's number."""

    def __init__(self, view: ChatView, engine_thread: EngineThread, editor_command: str) -> None:
        self._view = view
        self._engine_thread = engine_thread
        self._editor_command = editor_command

    # The source pane.

    def toggle(self) -> None:
        """Closes the source pane, or opens it at the chosen answer's citation."""
        if self._view.source_pane.is_open:
            self._view.close_source()
        else:
            self.open_chosen()

    def cite(self, number: int, citation: int) -> None:
        """`number` is the turn's, `citation` the citation's in its answer, from 1."""
        card = self._view.transcript.card(number)
        if card is not None:
            self._view.transcript.choose(card)
            self.open_citation(card, citation)

    def cite_chosen(self, citation: int) -> None:
        """`citation` counts from 1."""
        card = self._view.chosen_card()
        if card is not None:
            self.open_citation(card, citation)

    def open_chosen(self) -> None:
        """The citation that is selected, else the first."""
        card = self._view.chosen_card()
        if card is not None and card.turn.answer is not None:
            self.open_citation(card, card.view.citation or 1)
        else:
            self._view.toast("There is no citation to open yet.")

    def step_citation(self, by: int) -> None:
        """The next or the previous citation, round and round; the selected one where the pane was closed."""
        card = self._view.chosen_card()
        if card is not None and card.turn.answer is not None and card.turn.answer.citations:
            numbers = [citation.number for citation in card.turn.answer.citations]
            at = numbers.index(card.view.citation) if card.view.citation in numbers else 0
            if not self._view.source_pane.is_open:
                by = 0
            self.open_citation(card, numbers[(at + by) % len(numbers)])

    def follow(self) -> None:
        """An open source pane shows the answer that is chosen now."""
        card = self._view.transcript.chosen
        if self._view.source_pane.is_open and card is not None and card.turn.answer and card.turn.answer.citations:
            self.open_citation(card, card.view.citation)

    def open_citation(self, card: Card, number: int) -> None:
        """A citation of the card by its number, from 1; a toast where the answer has none of that number."""
        answer = card.turn.answer
        citation = next((one for one in answer.citations if one.number == number), None) if answer else None
        if answer is None or citation is None:
            self._view.toast(f"This answer has no citation {number}.")
            return
        problems = [
            problem for snippet in answer.snippets for problem in snippet.problems or () if snippet.citation == number
        ]
        self._view.transcript.choose(card)
        card.update_view(citation=number, opened=True)
        self._view.show_source()
        if not self._view.source_pane.open(citation, problems):
            self._engine_thread.read_note(citation.path, citation.start_line)

    def follow_newest(self, card: Card) -> None:
        """An open source pane that was not scrolled by hand shows a new answer, where that one is chosen."""
        pane = self._view.source_pane
        if card is self._view.transcript.chosen and not pane.view.scrolled_by_hand:
            self.follow()

    def reload_changed(self, digests: Mapping[str, str]) -> None:
        """Reads the open note again where its digest is another one now; `digests` by path."""
        note = self._view.source_pane.note
        if self._view.source_pane.is_open and note is not None and digests.get(note.path, note.digest) != note.digest:
            self._engine_thread.read_note(note.path, self._view.source_pane.view.top_line)

    # Names.

    def open_candidate(self, number: int, position: int) -> None:
        """The verdict (0) or an alternative (from 1), in its own section: where it is cited there, else where it is
        named there."""
        card = self._view.transcript.card(number)
        if card is None or card.turn.answer is None:
            return
        candidate = _candidates(card.turn.answer)[position]
        self._view.transcript.choose(card)
        own = _own_citation(card.turn.answer, candidate)
        if own:
            self.open_citation(card, own)
        else:
            self._engine_thread.locate(candidate)

    def open_heading(self, event: CandidateLocated) -> None:
        """A candidate that is not cited in its own section."""
        heading = event.heading
        if heading is None:
            self._view.toast(f"No heading found for {event.candidate.name}.")
            return
        self.open_place(heading.path, heading.heading_path, heading.line)

    def open_entry(self, entry: Entry) -> None:
        """A note or a heading of the tree; the source gets the focus, to be read on."""
        self.open_place(entry.path, entry.heading_path, entry.line)
        self._view.source_pane.view.focus()

    def open_place(self, path: str, heading_path: tuple[str, ...], line: int) -> None:
        """A line (1-based) of a note, below a heading of it."""
        self._view.show_source()
        place = LineNumber(line)
        if not self._view.source_pane.open(Citation(0, path, heading_path, "", place, place, "")):
            self._engine_thread.read_note(path, line)

    def pick_name(self, number: int) -> None:
        """Opens the name that the user picks."""
        card = self._view.transcript.card(number)
        if card is None or card.turn.answer is None:
            return

        def picked(position: int | None) -> None:
            if position is not None:
                self.open_candidate(number, position)

        entries = [
            f"{one.name}  {confidence.shown(one.confidence)}  {' › '.join(one.heading_path[1:])}"
            for one in _candidates(card.turn.answer)
        ]
        self._view.app.push_screen(Picker("Open a name", entries), picked)

    def pick_name_of_chosen(self) -> None:
        """As `pick_name`; a toast where the chosen answer has no verdict."""
        card = self._view.chosen_card()
        if card is not None and card.turn.answer is not None and card.turn.answer.verdict is not None:
            self.pick_name(card.turn.number)
        else:
            self._view.toast("This answer has no names to open.")

    def toggle_raw(self) -> None:
        """Shows the note as numbered lines, or rendered again; a toast says so where the pane is closed."""
        pane = self._view.source_pane
        pane.view.toggle_raw()
        if not pane.is_open:
            self._view.toast(f"The source opens {'as numbered lines' if pane.view.raw else 'rendered'}.")

    # The editor.

    def open_editor(self) -> None:
        """At the selected citation, in the terminal that the chat gives up meanwhile; then looks at the notes."""
        place = self._chosen_place()
        if place is None:
            self._view.toast("There is no citation to open yet.")
            return
        notes, name, line = place
        if not notes:
            self._view.toast(f"There is no file here: {name} was read from the index. Name the notes with --notes.")
            return
        path = Path(notes, name)
        if not path.is_file():
            self._view.toast(f"Note not found: {path}. Nothing was opened. Press r to ask again.", warn=True)
            self._engine_thread.look()
            return
        app = self._view.app
        try:
            words = editor.command(self._editor_command, path, line)
            with app.suspend(), signals.not_handled(app.exit):
                editor.start(words)
        except SuspendNotSupported:
            self._view.toast(f"The editor cannot be opened here. Open {path}:{line}")
        except AssistantError as error:
            self._view.toast(f"{error} {path}:{line}", warn=True)
        self._engine_thread.look()

    def _chosen_place(self) -> tuple[str, str, int] | None:
        """Folder of the notes, path in it and line (1-based) of the selected citation, else of the first; "" for the
        folder where the notes were read from the index."""
        card = self._view.chosen_card()
        answer = card.turn.answer if card is not None else None
        if card is None or answer is None or not answer.citations:
            return None
        citation = next((one for one in answer.citations if one.number == card.view.citation), answer.citations[0])
        return answer.notes, citation.path, citation.start_line


def _own_citation(answer: Answer, candidate: Candidate) -> int:
    """The number of the candidate's first citation in its own section, then below it; 0 where it has none there."""
    places = {cited.number: cited.heading_path for cited in answer.citations}
    own = candidate.heading_path
    inside = [number for number in candidate.citations if places.get(number, ())[: len(own)] == own]
    return min(inside, key=lambda number: len(places[number]), default=0)


def _candidates(answer: Answer) -> list[Candidate]:
    """The names of an answer, the verdict first; without a verdict there are none."""
    return [answer.verdict, *answer.alternatives] if answer.verdict is not None else []
