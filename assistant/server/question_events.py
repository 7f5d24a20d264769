"""What happens to one question while it is answered in a thread, event by event."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from threading import Event
from typing import Literal, NamedTuple

from assistant.engine import Cancelled
from assistant.errors import AssistantError
from assistant.records import Answer, Request, Stage
from assistant.server.calls import Calls
from assistant.server.notes_follower import IndexStep
from assistant.server.responses import internal
from assistant.server.service import Service


class QuestionEvent(NamedTuple):
    """Something that happened; `answered` or `error` is the last."""

    name: Literal["indexing", "found", "read", "answered", "error"]
    step: IndexStep | None = None
    """What is done to the index that the question waits for."""
    answer: Answer | None = None
    error: AssistantError | None = None

    @property
    def is_last(self) -> bool:
        """Whether nothing comes after it."""
        return self.name in ("answered", "error")


class QuestionEvents:
    """The events of one question, for the event loop that makes it."""

    def __init__(self, service: Service, calls: Calls, request: Request) -> None:
        """Asks at once; Overloaded."""
        self._service = service
        self._request = request
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[QuestionEvent] = asyncio.Queue()
        self._gone = Event()
        self._last_step: IndexStep | None = None
        calls.start(self._answer)

    async def next(self, seconds: float | None = None) -> QuestionEvent | None:
        """The next one; None where none came in so many seconds. Cancelled, it takes the question back."""
        try:
            return await asyncio.wait_for(self._queue.get(), seconds)
        except TimeoutError:
            return None
        except asyncio.CancelledError:
            self.leave()
            raise

    def leave(self) -> None:
        """Takes the question back: nobody waits for its answer."""
        self._gone.set()

    def _answer(self) -> None:
        """In a thread."""
        try:
            answer = self._service.ask(
                self._request, stopped=self._gone.is_set, reached=self._reached, indexing=self._indexing
            )
            self._put(QuestionEvent("answered", answer=answer))
        except Cancelled:
            return
        except AssistantError as error:
            self._put(QuestionEvent("error", error=error))
        except Exception as error:  # noqa: BLE001 - the client waits for an end
            self._put(QuestionEvent("error", error=internal(error)))

    def _reached(self, stage: Stage) -> None:
        self._put(QuestionEvent(stage))

    def _indexing(self, step: IndexStep) -> None:
        if step != self._last_step:
            self._last_step = step
            self._put(QuestionEvent("indexing", step=step))

    def _put(self, event: QuestionEvent) -> None:
        with suppress(RuntimeError):  # the loop has ended: nobody waits
            self._loop.call_soon_threadsafe(self._queue.put_nowait, event)
