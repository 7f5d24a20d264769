"""The bodies that the API takes: their types, from which the OpenAPI document is made too, and how they are read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, TypeVar, cast, get_type_hints

from assistant.errors import BadRequest
from assistant.records import Request
from assistant.text.sanitize import replace_surrogates

MOST_PASSAGES = 100
LIMITS: Mapping[str, tuple[int, int]] = {"Request": (1, 8), "SearchBody": (1, MOST_PASSAGES)}
"""Least and most of the field `limit`, by the name of the body's type."""
NAME = 200
"""Characters of an id and of a conversation's name at the most: the service keeps the latter."""
NAMES = frozenset(("id", "conversation"))
"""Fields that are such names."""
_Body = TypeVar("_Body")


@dataclass(frozen=True, slots=True)
class SearchBody:
    """What to search for, and where."""

    query: str
    under: str | None = None
    """A heading, or a path of them joined with ` > `."""
    tag: str | None = None
    limit: int = 20
    """Passages at the most."""


def ask_body(body: bytes) -> Request:
    """The question of a body; BadRequest that names the field."""
    return _record(Request, body)


def search_body(body: bytes) -> SearchBody:
    """The search of a body; BadRequest that names the field."""
    return _record(SearchBody, body)


def _record(kind: type[_Body], body: bytes) -> _Body:
    values = _object(body)
    hints = get_type_hints(kind)
    unknown = sorted(name for name in values if name not in hints)
    if unknown:
        name = replace_surrogates(unknown[0][:40])
        raise BadRequest(f"There is no field `{name}`.", f"The fields are: {', '.join(hints)}.")
    for one in fields(cast("Any", kind)):
        if one.name not in values and one.default is MISSING:
            raise BadRequest(f"The field `{one.name}` is missing.", f'Write {{"{one.name}": "…"}}.')
    least, most = LIMITS[kind.__name__]
    return kind(**{name: _checked(name, value, hints[name], (least, most)) for name, value in values.items()})


def _object(body: bytes) -> dict[str, object]:
    try:
        values = json.loads(body.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise BadRequest("The body is not UTF-8.", "Send JSON in UTF-8.") from error
    except (ValueError, RecursionError) as error:
        raise BadRequest("The body is not JSON.", "Send one JSON object in UTF-8.") from error
    if not isinstance(values, dict):
        raise BadRequest("The body is not a JSON object.", "Send one JSON object in UTF-8.")
    return values


def _checked(name: str, value: object, hint: object, limits: tuple[int, int]) -> object:
    if value is None and hint in (str | None, Mapping[str, str] | None):
        return None
    if hint in (str, str | None):
        if not isinstance(value, str):
            raise BadRequest(f"`{name}` must be a string.", "Write it in quotes.")
        if name in NAMES and len(value) > NAME:
            raise BadRequest(f"`{name}` must have at most {NAME} characters.", "Choose a shorter one.")
        return replace_surrogates(value)
    if hint is bool:
        if not isinstance(value, bool):
            raise BadRequest(f"`{name}` must be true or false.", "Write it without quotes.")
        return value
    if hint is int:
        if not isinstance(value, int) or isinstance(value, bool) or not limits[0] <= value <= limits[1]:
            raise BadRequest(f"`{name}` is no number from {limits[0]} to {limits[1]}.", "Choose one, without quotes.")
        return value
    return _strings(name, value)


def _strings(name: str, value: object) -> Mapping[str, str] | None:
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise BadRequest(f"`{name}` must be an object of strings.", f'Write "{name}": {{"A": "…", "B": "…"}}.')
    return {replace_surrogates(label): replace_surrogates(text) for label, text in value.items()} or None
