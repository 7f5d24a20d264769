"""The welcome's questions, asked of the notes while the user does nothing."""

from __future__ import annotations

import time

from assistant.tui.status import Status
from assistant.tui.view import ChatView
from assistant.tui.worker.engine_thread import EngineThread
from assistant.tui.worker.messages import SuggestionsRead

EVERY_SECONDS = 0.25
"""Between two looks whether nothing is done."""


class Suggestions:
    """One question at a time, until the welcome has enough of them or the user has asked something."""

    def __init__(self, view: ChatView, status: Status, engine_thread: EngineThread, quiet_seconds: float) -> None:
        """`quiet_seconds` are waited after each key: what the engine's thread does would make typing slower."""
        self._quiet_seconds = quiet_seconds
        self._view = view
        self._status = status
        self._engine_thread = engine_thread
        self._touched = time.monotonic()
        self._asked = False
        """Whether one is being asked, or no more will come."""

    def touched(self) -> None:
        """A key was pressed."""
        self._touched = time.monotonic()

    def look(self) -> None:
        """Asks for one more where nothing else is done."""
        fresh = self._status.has_overview and self._status.index == "index fresh"
        quiet = time.monotonic() - self._touched >= self._quiet_seconds
        if fresh and quiet and not self._asked and not self._view.is_closed:
            self._asked = True
            self._engine_thread.suggest()

    def read(self, event: SuggestionsRead) -> None:
        """Shows them."""
        self._asked = event.complete
        self._view.welcome.show(examples=event.questions)
        self.look()
