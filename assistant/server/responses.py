"""Errors and records as HTTP responses: JSON on one line of ASCII, with the status that fits."""

from __future__ import annotations

import json
import logging
import traceback
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from assistant.engine import Cancelled
from assistant.errors import AssistantError
from assistant.server.service import Overloaded

STATUSES = {
    "bad_request": 400,
    "empty_question": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "request_timeout": 408,
    "too_large": 413,
    "uri_too_long": 414,
    "unsupported_media_type": 415,
    "wrong_host": 421,
    "headers_too_large": 431,
    "internal": 500,
    "no_notes": 503,
    "unreadable_notes": 503,
    "index_unusable": 503,
    "model_unusable": 503,
    "overloaded": 503,
}
"""By the code of an error. Notes, index and model are the server's to mend, so what lacks them is 503."""
_CLOSED = 499
"""The client went away; nobody reads this."""
_HTTP_CODES = {status: code for code, status in STATUSES.items() if status < 500}
_log = logging.getLogger("assistant.server")


def as_json(text: str, status: int = 200) -> Response:
    """A response with a JSON text."""
    return Response(text, status, media_type="application/json")


def error_record(code: str, message: str, hint: str | None) -> str:
    """The error object of the HTTP API, without a line end."""
    return json.dumps({"error": {"code": code, "message": message, "hint": hint or None}})


def refusal(code: str, message: str, hint: str | None = None, **headers: str) -> Response:
    """The response of an error with this code; headers by name with `_` for `-`."""
    response = as_json(error_record(code, message, hint), STATUSES[code])
    for name, value in headers.items():
        response.headers[name.replace("_", "-")] = value
    return response


def of_error(error: AssistantError) -> Response:
    """The response of a known error; when to ask again where there was no room."""
    response = as_json(error_record(error.code, error.message, error.hint), STATUSES.get(error.code, 500))
    if isinstance(error, Overloaded):
        response.headers["retry-after"] = str(error.retry_seconds)
    return response


def internal(error: Exception) -> AssistantError:
    """An unexpected error as one that a client may see; the log gets its place in the program, not its message, which
    may quote a question or a note."""
    frames = "".join(traceback.format_tb(error.__traceback__)).rstrip()
    _log.error("internal error: %s\n%s", type(error).__name__, frames)
    return AssistantError(f"Internal error ({type(error).__name__}).", "The server's log has the place; report it.")


async def on_assistant_error(request: Request, error: Exception) -> Response:
    """Handler of AssistantError."""
    return of_error(error if isinstance(error, AssistantError) else internal(error))


async def on_cancelled(request: Request, error: Exception) -> Response:
    """Handler of Cancelled."""
    assert isinstance(error, Cancelled)
    return Response(status_code=_CLOSED)


async def on_http_error(request: Request, error: Exception) -> Response:
    """Handler of what the router raises: no such route, no such method."""
    assert isinstance(error, HTTPException)
    code = _HTTP_CODES.get(error.status_code, "bad_request" if error.status_code < 500 else "internal")
    hint = "The paths of the API are listed under /api." if error.status_code in (404, 405) else None
    response = as_json(error_record(code, f"{HTTPStatus(error.status_code).phrase}.", hint), error.status_code)
    response.headers.update(dict(error.headers or {}))
    return response
