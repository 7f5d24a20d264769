"""A question's stages as server-sent events, while it is being answered in a thread."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from threading import Event
from typing import NamedTuple

from starlette.responses import Response, StreamingResponse

from assistant.engine import Cancelled
from assistant.errors import AssistantError
from assistant.records import Answer, Request, Stage
from assistant.rendering.answer_json import answer_json, plain
from assistant.server.calls import Calls
from assistant.server.notes_follower import IndexStep
from assistant.server.responses import error_record, internal, of_error
from assistant.server.service import Service

HEARTBEAT_SECONDS = 10.0
"""Without an event, after which a comment shows that the connection lives."""
_AT_ONCE_SECONDS = 1.0
"""In which an error still becomes a response with its own status."""
_ENDS = ("answered", "error")


class _Told(NamedTuple):
    event: str
    data: str
    error: AssistantError | None = None


async def answer_events(service: Service, calls: Calls, request: Request) -> Response:
    """A stream of `indexing`, `found`, `read`, then `answered` or `error`; a plain error response for what goes wrong
    at once. A client that disconnects takes its question back."""
    loop = asyncio.get_running_loop()
    told: asyncio.Queue[_Told] = asyncio.Queue()
    gone = Event()

    def tell(one: _Told) -> None:
        with suppress(RuntimeError):  # the loop has ended: nobody listens
            loop.call_soon_threadsafe(told.put_nowait, one)

    calls.start(lambda: _answer(service, request, gone.is_set, tell))
    first: _Told | None = None
    try:
        first = await asyncio.wait_for(told.get(), _AT_ONCE_SECONDS)
    except TimeoutError:
        pass
    except asyncio.CancelledError:
        gone.set()
        raise
    if first is not None and first.error is not None:
        return of_error(first.error)
    # A proxy must not gather the events.
    return StreamingResponse(
        _stream(told, first, gone), media_type="text/event-stream", headers={"x-accel-buffering": "no"}
    )


async def _stream(told: asyncio.Queue[_Told], first: _Told | None, gone: Event) -> AsyncIterator[str]:
    try:
        one = first
        while one is None or one.event not in _ENDS:
            yield ": still here\n\n" if one is None else _text(one)
            try:
                one = await asyncio.wait_for(told.get(), HEARTBEAT_SECONDS)
            except TimeoutError:
                one = None
        yield _text(one)
    finally:
        gone.set()


def _text(one: _Told) -> str:
    return f"event: {one.event}\ndata: {one.data}\n\n"


def _answer(service: Service, request: Request, stopped: Callable[[], bool], tell: Callable[[_Told], None]) -> None:
    """In a thread: asks, and tells everything that happens, in order."""
    last: IndexStep | None = None

    def reached(stage: Stage) -> None:
        tell(_Told(stage, "{}"))

    def indexing(step: IndexStep) -> None:
        nonlocal last
        if step != last:
            last = step
            tell(_Told("indexing", json.dumps(plain(step))))

    try:
        answer: Answer = service.ask(request, stopped=stopped, reached=reached, indexing=indexing)
        tell(_Told("answered", answer_json(answer)))
    except Cancelled:
        return
    except AssistantError as error:
        tell(_failed(error))
    except Exception as error:  # noqa: BLE001 - the client waits for an end of the stream
        tell(_failed(internal(error)))


def _failed(error: AssistantError) -> _Told:
    return _Told("error", error_record(error.code, error.message, error.hint), error)
