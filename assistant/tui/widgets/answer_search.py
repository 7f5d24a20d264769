"""Finding a text in the answers, as `NoteView` finds it in a note."""

from __future__ import annotations

from assistant.tui.cards.card import Card
from assistant.tui.widgets.transcript import Transcript


class AnswerSearch:
    """What the answers show is searched; folded parts are not."""

    def __init__(self, transcript: Transcript) -> None:
        self._transcript = transcript

    @property
    def search_text(self) -> str:
        """The text that is looked for; "" for none."""
        return self._transcript.search.text

    def find(self, text: str, by: int) -> bool:
        """Brings the next match (1), or the previous (-1), into view and chooses its answer; False for none.

        It counts from the last match, else from what is in view, and goes round at either end.
        """
        transcript = self._transcript
        transcript.search.begin(text)
        found = transcript.search.step(transcript.items(), by, round(transcript.scroll_y))
        if found is not None:
            item, row = found
            if isinstance(item, Card):
                transcript.choose(item)
            transcript.show_row(row)
        transcript.redraw()
        return found is not None

    def find_place(self) -> tuple[int, int]:
        """Which match was found last, from 1, 0 for none, and how many there are."""
        return self._transcript.search.place(self._transcript.items())

    def end_find(self) -> None:
        """Takes the marks of the search away."""
        self._transcript.search.begin("")
        self._transcript.redraw()

    def focus(self) -> None:
        """Gives the answers the focus."""
        self._transcript.focus()
