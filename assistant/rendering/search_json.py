"""A SearchResult → the JSON object of `search`, on one line."""

from __future__ import annotations

import json

from assistant.records import SearchResult
from assistant.rendering.answer_json import SCHEMA, plain

_ORDER = ("query", "passages", "warnings", "notes", "index", "elapsed_ms")


def search_json(result: SearchResult) -> str:
    """The object that `search.schema.json` describes, without a line end; all of it ASCII, as that of an answer."""
    record: dict[str, object] = {"schema": SCHEMA}
    record |= {name: plain(getattr(result, name)) for name in _ORDER}
    return json.dumps(record)
