"""Questions to begin with: those that the notes suggest and answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from assistant.engine import Engine
from assistant.errors import AssistantError
from assistant.tui.worker.job_queue import JobQueue, Post
from assistant.tui.worker.messages import SuggestionsRead

SHOWN = 6
"""Suggestions that are shown."""


class Suggester:
    """Asks what the notes suggest, one question a job, so that the user's own question never waits for more than one.
    For the engine's thread alone."""

    def __init__(self, engine: Callable[[], Engine], jobs: JobQueue, post: Post) -> None:
        self._engine = engine
        self._jobs = jobs
        self._post = post
        self._left: Iterator[str] | None = None
        """Those that were not asked yet; None before there was an index."""
        self._answered: list[str] = []

    def begin(self) -> None:
        """Once there is an index; later calls do nothing. Brings SuggestionsRead with each question that is answered,
        in the order in which the notes suggest them."""
        if self._left is None and (questions := self._engine().suggestions()):
            self._left = iter(questions)
            self._jobs.put(self._next)

    def _next(self) -> None:
        question = next(self._left, None) if self._left is not None else None
        if question is None:
            return
        try:
            answered = self._engine().is_answered(question)
        except AssistantError:
            return  # the user's own question says what is wrong
        if answered:
            self._answered.append(question)
            self._post(SuggestionsRead(tuple(self._answered)))
        if len(self._answered) < SHOWN:
            self._jobs.put(self._next)
