"""Answers questions in the engine's thread; those that need an index which is still being built wait in line."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING

from assistant.engine import Cancelled, Engine
from assistant.errors import AssistantError
from assistant.records import Request
from assistant.tui import highlighting
from assistant.tui.worker.index_updater import IndexUpdater
from assistant.tui.worker.job_queue import Post
from assistant.tui.worker.messages import (
    FollowUpSubject,
    IndexProgress,
    QuestionAnswered,
    QuestionFailed,
    QuestionStarted,
    QuestionWaiting,
)

if TYPE_CHECKING:
    from assistant.question.follow_up import Subject

_log = logging.getLogger("assistant.chat")


@dataclass(frozen=True, slots=True)
class PendingQuestion:
    """A question that has no answer yet."""

    number: int
    request: Request
    stop: Event
    """Set where it is cancelled."""
    subject: Subject | None = None
    """What it leans on where it is asked again."""
    again: bool = False
    """Whether it leans on `subject` instead of what the conversation is about."""


class Answerer:
    """For the engine's thread alone, but for `cancelled`."""

    def __init__(
        self,
        engine: Callable[[], Engine],
        updater: IndexUpdater,
        post: Post,
        cited: Callable[[Mapping[str, str]], None],
        *,
        ansi: bool,
    ) -> None:
        """`cited` is given the digests of the notes that an answer cites; `ansi` as for `highlighting.lines`."""
        self._engine = engine
        self._updater = updater
        self._post = post
        self._cited = cited
        self._ansi = ansi
        self._waiting: list[PendingQuestion] = []
        self._stop: Event | None = None
        self.subjects: dict[int, Subject | None] = {}
        """What each question leant on, by number, so that it can be asked again."""

    @property
    def cancelled(self) -> bool:
        """Whether the question that is being answered was cancelled."""
        return self._stop is not None and self._stop.is_set()

    def answer(self, question: PendingQuestion) -> None:
        """Posts what came of it; never raises."""
        from assistant.indexing.index_manager import NotYet

        if question.stop.is_set():
            return
        self._stop = question.stop
        try:
            self._answer(question)
        except Cancelled:
            pass
        except NotYet:
            self._waiting.append(question)
            reason = "Reading the notes for the first time; your question is queued"
            self._post(QuestionWaiting(question.number, reason))
        except AssistantError as error:
            self._post(QuestionFailed(question.number, str(error)))
        except Exception as error:  # noqa: BLE001 - an error is the question's own and the chat goes on
            _log.exception("a question failed")
            reason = f"internal error ({type(error).__name__}). See the log."
            self._post(QuestionFailed(question.number, reason))
        finally:
            self._stop = None

    def answer_waiting(self) -> None:
        """Tries every question that waits for the index, in order; those that must still wait are kept."""
        waiting, self._waiting = self._waiting, []
        for question in waiting:
            self.answer(question)

    def fail_waiting(self, reason: str) -> None:
        """Posts each question that waits for the index as failed, for this reason."""
        for question in self._waiting:
            self._post(QuestionFailed(question.number, reason))
        self._waiting.clear()

    def _answer(self, question: PendingQuestion) -> None:
        engine, conversation = self._engine(), question.request.conversation
        self._post(QuestionStarted(question.number))
        self._updater.update()
        if conversation is not None:
            if question.again:
                engine.resume(conversation, question.subject)
            self.subjects[question.number] = engine.inherits(conversation)
        answer = engine.ask(question.request, rebuilding=self._updater.child_runs, stopped=question.stop.is_set)
        if question.stop.is_set():
            if conversation is not None:
                engine.resume(conversation, self.subjects.get(question.number))
            return
        digests = engine.digests(sorted({citation.path for citation in answer.citations}))
        self._cited(digests)
        colours = highlighting.snippets(answer, ansi=self._ansi)
        self._post(QuestionAnswered(question.number, answer, digests, colours))
        if conversation is not None:
            subject = engine.inherits(conversation)
            self._post(FollowUpSubject(subject.name if subject is not None else ""))
        if not self._updater.child_runs:
            self._post(IndexProgress(""))
