"""An Answer or an error → the JSON contract's object, on one line."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass

from assistant.errors import AssistantError
from assistant.records import Answer

SCHEMA = 1
"""Version of the JSON contract."""

_ORDER = (
    *("id", "question", "standalone_question", "outcome", "verdict", "alternatives", "requirements", "statements"),
    *("snippets", "options", "choice", "missing", "hint", "citations", "warnings", "notes", "index", "elapsed_ms"),
)


def answer_json(answer: Answer) -> str:
    """The contract's object, without a line end; all of it ASCII, so that no terminal sees a note's characters raw."""
    record: dict[str, object] = {"schema": SCHEMA}
    record |= {name: plain(getattr(answer, name)) for name in _ORDER}
    if answer.sides is not None:
        record["sides"] = plain(answer.sides)
    if answer.explain is not None:
        record["explain"] = plain(answer.explain)
    return json.dumps(record)


def error_json(error: AssistantError, id: str | None = None) -> str:
    """The contract's error object, without a line end; `id` is that of the question, where it had one."""
    description = {"code": error.code, "message": error.message, "hint": error.hint or None}
    return json.dumps({"schema": SCHEMA, "id": id, "error": description})


def plain(value: object) -> object:
    """JSON's own types: records as objects in field order, without fields that are left out where they are None;
    numbers that JSON cannot write as null."""
    if is_dataclass(value):
        items = ((one, getattr(value, one.name)) for one in fields(value))
        return {one.name: plain(item) for one, item in items if item is not None or "left_out" not in one.metadata}
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
