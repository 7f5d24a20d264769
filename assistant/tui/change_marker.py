"""Says of old answers whether what they quote still stands in the notes as they are now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from assistant.tui.view import ChatView
from assistant.tui.worker.engine_thread import EngineThread
from assistant.tui.worker.messages import QuotesChecked
from assistant.tui.worker.quote_check import CitedText, cited_texts


class ChangeMarker:
    """Marks the cards; the notes are read in the engine's thread."""

    def __init__(self, view: ChatView, engine_thread: EngineThread) -> None:
        self._view = view
        self._engine_thread = engine_thread
        self._digests: dict[str, str] = {}
        """Of the cited notes, as they were read last."""

    def digests_read(self, digests: Mapping[str, str]) -> None:
        """Takes the marks from answers whose notes are as they were, and has the quotes of the others checked;
        `digests` are those of now, by path."""
        self._digests |= digests
        asked: dict[int, tuple[CitedText, ...]] = {}
        for card in self._view.transcript.cards():
            cited, answer = card.turn.digests, card.turn.answer
            if answer is None or not any(path in digests for path in cited):
                continue
            changed = self._changed(cited)
            if changed:
                asked[card.turn.number] = cited_texts(answer, changed)
            elif card.turn.changed or card.turn.holds:
                card.show(replace(card.turn, changed=False, holds=False))
        if asked:
            self._engine_thread.check_quotes(asked)

    def quotes_checked(self, event: QuotesChecked) -> None:
        """Marks the answers as changed, or as still holding."""
        for number, standing in event.standing.items():
            card = self._view.transcript.card(number)
            if card is not None and self._changed(card.turn.digests):  # it may have been changed back meanwhile
                card.show(replace(card.turn, changed=not standing, holds=standing))

    def _changed(self, cited: Mapping[str, str]) -> set[str]:
        """The paths of the notes that have another digest now."""
        return {path for path, digest in cited.items() if self._digests.get(path, digest) != digest}
