"""The OpenAPI document of the HTTP API, made of the records that the program works with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from assistant import __version__
from assistant.indexing.topic_list import NamedTopic
from assistant.records import Answer, Request, SearchResult
from assistant.rendering.answer_json import SCHEMA
from assistant.server.bodies import LIMITS, NAME, NAMES, SearchBody
from assistant.server.json_schema import Schema, Schemas
from assistant.server.notes_follower import IndexStep
from assistant.server.responses import STATUSES

OPTIONAL = ("sides", "explain")
"""Fields of the answer's record that are left out where there is nothing to say."""
State = Literal["ok", "indexing", "failing"]
_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class NoteList:
    """The indexed notes."""

    notes: tuple[str, ...]
    """Paths relative to the notes folder, sorted."""


@dataclass(frozen=True, slots=True)
class NoteLines:
    """Lines of one note as it is on disk now, or as it was indexed where the server has no files."""

    path: str
    lines: tuple[str, ...]
    """Without line ends."""
    start: int
    """Number of the first line given, from 1."""
    end: int
    """Number of the last line given; `start - 1` where the note is empty."""
    digest: str
    """SHA-256 of the file's bytes, hex."""


@dataclass(frozen=True, slots=True)
class TopicList:
    """The names that a verdict may give."""

    topics: tuple[NamedTopic, ...]


@dataclass(frozen=True, slots=True)
class Health:
    """How the server fares; it is told without waiting for a question."""

    status: State
    """failing: the notes folder is gone, or the last update of the index failed."""
    version: str
    indexing: IndexStep | None
    """What is being done to the index; null where nothing is."""
    trouble: str
    """Why it is failing; "" where it is not."""


@dataclass(frozen=True, slots=True)
class ErrorDescription:
    """What went wrong."""

    code: str
    message: str
    hint: str | None
    """The next step."""


@dataclass(frozen=True, slots=True)
class Error:
    """The body of every response with a status of 400 or more."""

    error: ErrorDescription


@cache
def document() -> dict[str, Any]:
    """The whole document, OpenAPI 3.1; half a second for the first time."""
    schemas = Schemas()
    error = schemas.record(Error)
    described: Any = schemas.named["ErrorDescription"]
    described["properties"]["code"] = {"enum": list(STATUSES)}
    paths = _paths(schemas)
    for operations in paths.values():
        for operation in operations.values():
            operation["responses"]["default"] = _response("An error.", error)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "notes-assistant",
            "version": __version__,
            "description": "Questions about a folder of Markdown notes, answered with quotations from it.",
        },
        "servers": [{"url": "/"}],
        "security": [{}, {"token": []}],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.named.items())),
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Where the server was started with a token.",
                }
            },
        },
    }


def _paths(schemas: Schemas) -> dict[str, dict[str, Any]]:
    answer = _response("The answer: the record of `ask --json`.", _answer(schemas))
    answer["content"]["text/event-stream"] = {
        "schema": {"type": "string"},
        "x-events": {
            "indexing": schemas.of(IndexStep),
            "found": {"type": "object"},
            "read": {"type": "object"},
            "answered": {"$ref": "#/components/schemas/Answer"},
            "error": {"$ref": "#/components/schemas/Error"},
        },
    }
    version: dict[str, Schema] = {"schema": {"const": SCHEMA}}
    found = schemas.record(SearchResult, more=version)
    return {
        "/api/v1/ask": {"post": _operation("Answer a question", answer, body=_body(schemas, Request))},
        "/api/v1/search": {
            "post": _operation(
                "Find passages, without an answer on top",
                _response("The passages, best first: the record of `search --json`.", found),
                body=_body(schemas, SearchBody),
            )
        },
        "/api/v1/notes": {"get": _operation("List the notes", _response("The paths.", schemas.of(NoteList)))},
        "/api/v1/notes/{path}": {
            "get": _operation(
                "Read lines of a note",
                _response("The lines.", schemas.of(NoteLines)),
                parameters=[
                    _parameter("path", "path", "string", "As citations give it, slashes included."),
                    _parameter("start", "query", "integer", "First line, from 1; the first one if left out."),
                    _parameter("end", "query", "integer", "Last line, included; the last one if left out."),
                ],
            )
        },
        "/api/v1/topics": {
            "get": _operation("List the names that a verdict may give", _response("The names.", schemas.of(TopicList)))
        },
        "/api/v1/health": {"get": _operation("Say how the server fares", _response("Its state.", schemas.of(Health)))},
        "/api/v1/openapi.json": {
            "get": _operation("Give this document", _response("The document.", {"type": "object"}))
        },
    }


def _answer(schemas: Schemas) -> Schema:
    reference = schemas.record(Answer, more={"schema": {"const": SCHEMA}})
    required = schemas.named["Answer"]["required"]
    assert isinstance(required, list)
    for name in OPTIONAL:
        required.remove(name)
    return reference


def _body(schemas: Schemas, kind: type[object]) -> dict[str, Any]:
    reference = schemas.record(kind, given=False)
    schema: Any = schemas.named[kind.__name__]
    least, most = LIMITS[kind.__name__]
    schema["properties"]["limit"] |= {"minimum": least, "maximum": most}
    for name in NAMES & schema["properties"].keys():
        schema["properties"][name]["maxLength"] = NAME
    schema["additionalProperties"] = False
    return {"required": True, "content": {_JSON: {"schema": reference}}}


def _response(description: str, schema: Schema) -> dict[str, Any]:
    return {"description": description, "content": {_JSON: {"schema": schema}}}


def _parameter(name: str, where: str, kind: str, description: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": where,
        "required": where == "path",
        "description": description,
        "schema": {"type": kind, "minimum": 1} if kind == "integer" else {"type": kind},
    }


def _operation(
    summary: str,
    response: dict[str, Any],
    *,
    body: dict[str, Any] | None = None,
    parameters: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    operation: dict[str, Any] = {"summary": summary, "responses": {"200": response}}
    if body is not None:
        operation["requestBody"] = body
    if parameters is not None:
        operation["parameters"] = parameters
    return operation
