"""The JSON Schemas of what the MCP tools take and return."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TypeAlias

from pydantic import BaseModel, ConfigDict

Schema: TypeAlias = "dict[str, object]"
_DATA = Path(__file__).parents[1] / "data"


class Shape(BaseModel):
    """A record of a tool; the docstrings of its fields are their descriptions."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid")


class Lines(Shape):
    """Lines of a note."""

    path: str
    uri: str
    """Address of the whole note as a resource."""
    start: int
    """First line that is given, from 1; 0 for an empty note."""
    end: int
    """Last line that is given."""
    total: int
    """Lines that the note has."""
    next_start: int | None
    """Where to read on; null where the lines asked for are all given."""
    lines: list[str]


class Topic(Shape):
    """A name, and the place that most makes it one."""

    name: str
    path: str
    line: int
    heading_path: list[str]
    kind: str


class TopicList(Shape):
    """Names in the order of the notes."""

    topics: list[Topic]
    total: int
    """How many match, listed or not."""


class Indexing(Shape):
    """What is being done to the index."""

    action: str
    done: int
    total: int
    """0 where it is not known."""


class ChangeReport(Shape):
    """The last change of the index since this server started, and its state."""

    at: str | None
    """Time of the last change (ISO 8601, UTC); null where nothing has changed since this server started."""
    generation: int | None
    """Generation of the index that took it in."""
    added: list[str]
    """Paths of new notes."""
    changed: list[str]
    removed: list[str]
    notes: int
    """Notes that are indexed."""
    passages: int
    pending: int
    """Passages that are found by words only so far."""
    unreadable: list[str]
    """Notes that could not be read, a sentence each."""
    indexing: Indexing | None
    """What is still being indexed; null where nothing is."""
    trouble: str | None
    """Why the last update of the index failed; null where it did not."""


def input_schema(shape: type[BaseModel]) -> Schema:
    """What a tool takes."""
    schema = _untitled(shape.model_json_schema())
    schema.pop("description", None)  # the tool has its own
    return schema


def output_schema(shape: type[Shape]) -> Schema:
    """What a tool returns."""
    return _untitled(shape.model_json_schema(mode="serialization"))


@cache
def answer_schema() -> Schema:
    """The record of an answer, as the package's schema of `ask --json` describes it."""
    return _shipped("answer.schema.json", "answer")


@cache
def search_schema() -> Schema:
    """The record of a search, as the package's schema of `search --json` describes it."""
    return _shipped("search.schema.json", "result")


def _shipped(name: str, record: str) -> Schema:
    """A definition of a schema in the package, which has an object at its root, with those that it refers to."""
    definitions = json.loads((_DATA / name).read_text("utf-8"))["$defs"]
    schema = definitions.pop(record)
    definitions.pop("error")
    return {**schema, "$defs": definitions}


def _untitled(schema: Schema) -> Schema:
    """Without the titles that pydantic makes of names, which tell a model nothing and cost it tokens."""
    return {
        name: _untitled(part) if isinstance(part, dict) else part
        for name, part in schema.items()
        if not (name == "title" and isinstance(part, str))
    }
