"""The routes of the page. Each works without JavaScript; the script asks for pieces of the same pages.

`POST /ask` answers with the whole page; with `Accept: text/event-stream` with the stages and then the answer's HTML,
so that a question is asked once. `GET /notes/{path}` with `Accept: text/html;fragment=1` is the note alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Iterable
from importlib import resources
from pathlib import PurePosixPath

from starlette.requests import Request as HttpRequest
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from assistant.errors import AssistantError, BadRequest, EmptyQuestion, UnreadableNotes
from assistant.notes.link_targets import LinkTargets
from assistant.server.calls import Calls
from assistant.server.events import HEARTBEAT_SECONDS
from assistant.server.note_path import NOTE
from assistant.server.page import document
from assistant.server.page.asking import encoded, form_of, request_of
from assistant.server.page.html import Child, Html, element, joined
from assistant.server.page.note_html import link_addresses, note_html
from assistant.server.question_events import QuestionEvent, QuestionEvents
from assistant.server.service import Overloaded, Service

_FRAGMENT = "text/html;fragment=1"
_TYPES = {
    "page.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
_MOST_DIGITS = 9
_Make = Callable[[], list[Child]]


def page_routes(service: Service, calls: Calls) -> list[BaseRoute]:
    """Those of the page, for an app that guards them; `calls` runs what takes time."""
    page = _Page(service, calls)
    return [
        Route("/", page.home),
        Route("/ask", page.ask, methods=["POST"]),
        Route("/notes", page.notes),
        Route(f"/notes/{NOTE}", page.note),
        Route("/help", page.help),
        Route("/static/{name}", page.static),
    ]


class _Static:
    """The files beside the page, read once."""

    def __init__(self) -> None:
        folder = resources.files("assistant.server.page") / "static"
        self.files = {name: (folder / name).read_bytes() for name in _TYPES}
        self.tags = {name: hashlib.sha256(content).hexdigest()[:16] for name, content in self.files.items()}
        self.version = hashlib.sha256("".join(self.tags.values()).encode()).hexdigest()[:8]


class _Page:
    """Answers the page's requests."""

    def __init__(self, service: Service, calls: Calls) -> None:
        self._service = service
        self._calls = calls
        self._static = _Static()

    async def home(self, request: HttpRequest) -> Response:
        """The form."""
        main = document.ask_page(document.Form(), self._service.follower.step)
        return self._whole(document.NAME, main, asks=True)

    async def ask(self, request: HttpRequest) -> Response:
        """The answer to a sent form, as a page or as events."""
        streams = "text/event-stream" in request.headers.get("accept", "")
        try:
            form = form_of(await request.body())
        except BadRequest as error:
            main = document.ask_page(document.Form(), None, document.failure(error))
            return self._whole("Error", main, asks=True, status=400)
        asked = request_of(form)
        try:
            if streams:
                stream = _stream(form.question, QuestionEvents(self._service, self._calls, asked))
                headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
                return StreamingResponse(stream, media_type="text/event-stream", headers=headers)
            answer = await self._calls.while_connected(request, lambda gone: self._service.ask(asked, stopped=gone))
        except AssistantError as error:
            return self._answered(form, QuestionEvent("error", error=error))
        return self._answered(form, QuestionEvent("answered", answer=answer))

    def _answered(self, form: document.Form, event: QuestionEvent) -> Response:
        """The whole page with what came of a question."""
        main = document.ask_page(form, self._service.follower.step, _shown(form.question, event))
        status = _status(event.error) if event.error else 200
        response = self._whole(form.question[:80] or "Error", main, asks=True, status=status)
        if isinstance(event.error, Overloaded):
            response.headers["Retry-After"] = str(event.error.retry_seconds)
        return response

    async def notes(self, request: HttpRequest) -> Response:
        """The list of notes."""

        def made() -> list[Child]:
            headings, paths = self._service.headings(), self._service.paths()
            return document.notes_page(headings, paths, self._service.follower.step)

        return await self._made(request, "Notes", made)

    async def note(self, request: HttpRequest) -> Response:
        """A note, whole or as a piece."""
        path = request.path_params["path"]
        fragment = _FRAGMENT in request.headers.get("accept", "").replace(" ", "")
        cited = _cited(request)

        def made() -> list[Child]:
            note = self._service.note(path)
            targets = LinkTargets(self._service.paths(), self._titles)
            shown = note_html(note, link_addresses(targets, path), cited)
            return [shown] if fragment else document.note_page(path, shown)

        response = await self._made(request, PurePosixPath(path).name, made, fragment=fragment)
        response.headers["Vary"] = "Accept"
        return response

    async def help(self, request: HttpRequest) -> Response:
        """How to use the page."""
        return self._whole("Help", document.help_page())

    async def static(self, request: HttpRequest) -> Response:
        """A file beside the page; one that the browser has already is not sent again."""
        name = request.path_params["name"]
        if name not in self._static.files:
            return self._error(404, UnreadableNotes("There is no such file.", "Open the page at / instead."))
        tag = f'"{self._static.tags[name]}"'
        headers = {"ETag": tag, "Cache-Control": "no-cache"}
        if tag in request.headers.get("if-none-match", "").replace("W/", "").split(", "):
            return Response(status_code=304, headers=headers)
        return Response(self._static.files[name], headers=headers, media_type=_TYPES[name])

    def _titles(self) -> dict[str, str]:
        titles = dict[str, str]()
        for heading in self._service.headings():
            titles.setdefault(heading.path, heading.heading_path[0])
        return titles

    async def _made(self, request: HttpRequest, title: str, make: _Make, *, fragment: bool = False) -> Response:
        """What `make` makes in a thread, or the page of its error."""
        try:
            main = await self._calls.while_connected(request, lambda gone: self._when_indexed(make, gone))
        except AssistantError as error:
            if fragment:
                return _html(document.alone(document.failure(error)), _status(error))
            return self._error(_status(error), error)
        return _html(document.alone(main)) if fragment else self._whole(title, main)

    def _when_indexed(self, make: _Make, gone: Callable[[], bool]) -> list[Child]:
        self._service.await_index(stopped=gone)
        return make()

    def _error(self, status: int, error: AssistantError) -> Response:
        return self._whole("Error", [element("h1", "Error"), document.failure(error)], status=status)

    def _whole(self, title: str, main: Iterable[Child], *, asks: bool = False, status: int = 200) -> Response:
        return _html(document.document(title, main, asks=asks, version=self._static.version), status)


async def _stream(question: str, events: QuestionEvents) -> AsyncIterator[bytes]:
    try:
        ended = False
        while not ended:
            event = await events.next(HEARTBEAT_SECONDS)
            if event is None:
                yield b": still here\n\n"
                continue
            ended = event.is_last
            if ended:
                yield encoded(event.name, {"html": document.alone(_shown(question, event))})
            else:
                yield encoded(event.name, {"progress": document.progress(event.step) if event.step else ""})
    finally:
        events.leave()


def _shown(question: str, event: QuestionEvent) -> Html:
    """The turn that an answer or an error makes."""
    if event.answer is not None:
        return document.answered(question, event.answer)
    return document.turn(question or "Question", document.failure(event.error)) if event.error else joined()


def _status(error: AssistantError) -> int:
    if isinstance(error, (BadRequest, EmptyQuestion)):
        return 400
    return 404 if isinstance(error, UnreadableNotes) else 503


def _cited(request: HttpRequest) -> range:
    """The lines from `from` to `to`; none where these are no numbers."""
    start = request.query_params.get("from", "")
    end = request.query_params.get("to", start)
    if not all(one.isascii() and one.isdigit() and len(one) <= _MOST_DIGITS for one in (start, end)):
        return range(0)
    return range(int(start), int(end) + 1)


def _html(markup: str, status: int = 200) -> HTMLResponse:
    headers = {
        "Cache-Control": "private, no-cache",  # not no-store: a browser could not go back to the answer to a form
    }
    return HTMLResponse(markup, status, headers)
