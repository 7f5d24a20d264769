"""The routes of the HTTP API: JSON in, the records of the command line out."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from assistant import __version__
from assistant.errors import BadRequest, UnreadableNotes
from assistant.records import Note
from assistant.records import Request as Question
from assistant.rendering.answer_json import answer_json, plain
from assistant.rendering.search_json import search_json
from assistant.server import api_page
from assistant.server.bodies import ask_body, search_body
from assistant.server.calls import Calls
from assistant.server.events import answer_events
from assistant.server.note_path import NOTE
from assistant.server.openapi import Health, NoteLines, NoteList, State, TopicList, document
from assistant.server.responses import as_json, refusal
from assistant.server.service import Service

_EVENTS = "text/event-stream"
_Made = TypeVar("_Made")
_log = logging.getLogger("assistant.server")


def api_routes(service: Service, calls: Calls, *, log_questions: bool) -> list[BaseRoute]:
    """Everything under /api; `calls` runs what takes time, `log_questions` logs the text of each question."""
    api = _Api(service, calls, log_questions)
    return [
        Route("/api", api.page),
        Route(api_page.STYLE, api.style),
        Route("/api/v1/ask", api.ask, methods=["POST"]),
        Route("/api/v1/search", api.search, methods=["POST"]),
        Route("/api/v1/notes", api.notes),
        Route(f"/api/v1/notes/{NOTE}", api.note),
        Route("/api/v1/topics", api.topics),
        Route("/api/v1/health", api.health),
        Route("/api/v1/openapi.json", api.openapi),
    ]


class _Api:
    def __init__(self, service: Service, calls: Calls, log_questions: bool) -> None:
        self._service = service
        self._calls = calls
        self._log_questions = log_questions

    async def ask(self, request: Request) -> Response:
        if wrong := _wrong_type(request):
            return wrong
        question = ask_body(await request.body())
        self._log_question(question.question)
        if _EVENTS in request.headers.get("accept", ""):
            return await answer_events(self._service, self._calls, question)
        answer = await self._calls.while_connected(request, lambda gone: self._service.ask(question, stopped=gone))
        return as_json(answer_json(answer))

    async def search(self, request: Request) -> Response:
        if wrong := _wrong_type(request):
            return wrong
        body = search_body(await request.body())
        self._log_question(body.query)
        wanted = replace(Question(body.query), under=body.under, tag=body.tag)

        def search(gone: Callable[[], bool]) -> str:
            return search_json(self._service.search(wanted, body.limit, stopped=gone))

        return as_json(await self._calls.while_connected(request, search))

    async def notes(self, request: Request) -> Response:
        paths = await self._when_indexed(request, self._service.paths)
        return as_json(json.dumps(plain(NoteList(paths))))

    async def note(self, request: Request) -> Response:
        start, end = _line(request.query_params, "start"), _line(request.query_params, "end")
        path: str = request.path_params["path"]
        try:
            note = await self._when_indexed(request, lambda: self._service.note(path))
        except UnreadableNotes as error:
            return refusal("not_found", error.message, "The paths of notes are those of citations.")
        return as_json(json.dumps(plain(_lines(note, start, end))))

    async def topics(self, request: Request) -> Response:
        topics = await self._when_indexed(request, self._service.topics)
        return as_json(json.dumps(plain(TopicList(topics))))

    async def health(self, request: Request) -> Response:
        follower = self._service.follower
        trouble = follower.trouble
        if self._service.folder is not None and not self._service.folder.is_dir():
            trouble = "The notes folder is gone."
        step = follower.step
        status: State = "failing" if trouble else "indexing" if step else "ok"
        return as_json(json.dumps(plain(Health(status, __version__, step, trouble))))

    async def openapi(self, request: Request) -> Response:
        return as_json(json.dumps(await self._calls.start(document)))

    async def page(self, request: Request) -> Response:
        return HTMLResponse(api_page.page(await self._calls.start(document)))

    async def style(self, request: Request) -> Response:
        return Response(api_page.style(), media_type="text/css", headers={"cache-control": "max-age=3600"})

    async def _when_indexed(self, request: Request, make: Callable[[], _Made]) -> _Made:
        """What `make` makes in a thread, once there is an index."""

        def made(gone: Callable[[], bool]) -> _Made:
            self._service.await_index(stopped=gone)
            return make()

        return await self._calls.while_connected(request, made)

    def _log_question(self, text: str) -> None:
        if self._log_questions:
            _log.info("question: %s", text)


def _wrong_type(request: Request) -> Response | None:
    """A refusal of what a form of another site could send; None for JSON."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json":
        return None
    return refusal("unsupported_media_type", "The body is not said to be JSON.", "Send Content-Type: application/json.")


def _line(query: QueryParams, name: str) -> int | None:
    values = query.getlist(name)
    if not values:
        return None
    if len(values) > 1 or not (values[0].isascii() and values[0].isdecimal()) or not 0 < len(values[0]) < 10:
        raise BadRequest(f"`{name}` must be the number of a line.", "Lines count from 1.")
    return int(values[0])


def _lines(note: Note, start: int | None, end: int | None) -> NoteLines:
    """Of a range that may reach beyond the note's end; BadRequest for one that holds no line."""
    count = len(note.lines)
    first, last = start if start is not None else 1, min(end if end is not None else count, count)
    if first < 1 or (first > last and (start, end) != (None, None)):
        raise BadRequest(
            f"There are no such lines: the note has {count}.", "Lines count from 1, and start comes first."
        )
    return NoteLines(note.path, note.lines[first - 1 : last], first, last, note.digest)
