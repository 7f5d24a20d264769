"""A question's events as server-sent events of the API."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

from starlette.responses import Response, StreamingResponse

from assistant.records import Request
from assistant.rendering.answer_json import answer_json, plain
from assistant.server.calls import Calls
from assistant.server.question_events import QuestionEvent, QuestionEvents
from assistant.server.responses import error_record, of_error
from assistant.server.service import Service

HEARTBEAT_SECONDS = 10.0
"""Without an event, after which a comment shows that the connection lives."""
_AT_ONCE_SECONDS = 1.0
"""In which an error still becomes a response with its own status."""


async def answer_events(service: Service, calls: Calls, request: Request) -> Response:
    """A stream of `indexing`, `found`, `read`, then `answered` or `error`; a plain error response for what goes wrong
    at once. A client that disconnects takes its question back."""
    events = QuestionEvents(service, calls, request)
    first = await events.next(_AT_ONCE_SECONDS)
    if first is not None and first.error is not None:
        return of_error(first.error)
    # A proxy must not gather the events.
    return StreamingResponse(
        _stream(events, first), media_type="text/event-stream", headers={"x-accel-buffering": "no"}
    )


async def _stream(events: QuestionEvents, first: QuestionEvent | None) -> AsyncIterator[str]:
    event = first
    try:
        while event is None or not event.is_last:
            yield ": still here\n\n" if event is None else _text(event)
            event = await events.next(HEARTBEAT_SECONDS)
        yield _text(event)
    finally:
        events.leave()


def _text(event: QuestionEvent) -> str:
    return f"event: {event.name}\ndata: {_data(event)}\n\n"


def _data(event: QuestionEvent) -> str:
    if event.answer is not None:
        return answer_json(event.answer)
    if event.error is not None:
        return error_record(event.error.code, event.error.message, event.error.hint)
    return json.dumps(plain(event.step)) if event.step is not None else "{}"
