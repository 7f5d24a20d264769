"""Questions to begin with: those that the notes suggest and answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from assistant.engine import Engine
from assistant.errors import AssistantError
from assistant.tui.worker.job_queue import Post
from assistant.tui.worker.messages import SuggestionsRead

SHOWN = 6
"""Suggestions that are shown."""


class Suggester:
    """Asks what the notes suggest, one question a job, so that the user's own question never waits for more than one.
    For the engine's thread alone."""

    def __init__(self, engine: Callable[[], Engine], post: Post) -> None:
        self._engine = engine
        self._post = post
        self._left: Iterator[str] | None = None
        """Those that were not asked yet; None before there was an index."""
        self._answered: list[str] = []

    def next(self) -> None:
        """Asks one more question; brings SuggestionsRead with those that were answered so far, in the order in which
        the notes suggest them."""
        if self._left is None and (questions := self._engine().suggestions()):
            self._left = iter(questions)
        question = next(self._left, None) if self._left is not None else None
        try:
            if question is not None and self._engine().is_answered(question):
                self._answered.append(question)
        except AssistantError:
            question = None  # the user's own question says what is wrong
        self._post(SuggestionsRead(tuple(self._answered), question is None or len(self._answered) >= SHOWN))
