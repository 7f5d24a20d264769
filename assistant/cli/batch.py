"""What was typed, piped or batched becomes a Request; lone surrogates and a BOM are gone afterwards."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import BinaryIO

from assistant.errors import BadRequest, EmptyQuestion
from assistant.records import Request
from assistant.text.sanitize import replace_surrogates

_LONGEST = 4_000_000
"""Bytes of one question that are read at all; far above what is encoded, below what would fill the memory."""
_LINE = 'Write lines such as {"id": "1", "question": "…"}.'


def typed(words: Sequence[str], command: str) -> str:
    """The question of a command line: its words, or stdin where there are none or `-`; EmptyQuestion where stdin is a
    terminal, with the name of the command in the next step."""
    if words and tuple(words) != ("-",):
        return replace_surrogates(" ".join(words))
    if sys.stdin is None or (not words and sys.stdin.isatty()):
        raise EmptyQuestion("No question was given.", f'Write it after the command: assistant {command} "…".')
    return piped(sys.stdin.buffer)


def piped(stream: BinaryIO) -> str:
    """The whole of a pipe as one question; bytes that are not UTF-8 are replaced."""
    return stream.read(_LONGEST).decode("utf-8", "replace").removeprefix("\ufeff")


def lines(stream: BinaryIO, like: Request) -> Iterator[tuple[str | None, Request | BadRequest]]:
    """For each line that is not blank, as soon as it is there: its id, and the request or what is wrong with it.

    What a line cannot say (`--under`, `--limit` …) is taken from `like`.
    """
    for number, raw in enumerate(_raw(stream)):
        text = raw.decode("utf-8", "replace")
        text = (text.removeprefix("\ufeff") if number == 0 else text).strip()
        if text:
            yield _line(text, like)


def _raw(stream: BinaryIO) -> Iterator[bytes]:
    """Lines as they arrive; one that is far too long is cut, so that it is answered as a bad line."""
    while raw := stream.readline(_LONGEST):
        yield raw
        while len(raw) == _LONGEST and not raw.endswith(b"\n"):
            raw = stream.readline(_LONGEST)


def _line(text: str, like: Request) -> tuple[str | None, Request | BadRequest]:
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else "nested too deeply or a number too long"
        return None, BadRequest(f"This line is not JSON: {reason}.", _LINE)
    if not isinstance(record, dict):
        return None, BadRequest("This line is not a JSON object.", _LINE)
    name = record.get("id")
    name = replace_surrogates(name) if isinstance(name, str) else None
    try:
        return name, _request(record, name, like)
    except BadRequest as error:
        return name, error


def _request(record: Mapping[str, object], name: str | None, like: Request) -> Request:
    if record.get("id") is not None and name is None:
        raise BadRequest("`id` must be a string or null.", 'Write it in quotes: "id": "1".')
    question = record.get("question")
    if not isinstance(question, str):
        raise BadRequest("`question` must be a string.", _LINE)
    conversation = record.get("conversation")
    if conversation is not None and not isinstance(conversation, str):
        raise BadRequest("`conversation` must be a string or null.", 'Write it in quotes: "conversation": "a".')
    return replace(
        like,
        question=replace_surrogates(question),
        id=name,
        conversation=replace_surrogates(conversation) if conversation is not None else None,
        options=_options(record.get("options")),
    )


def _options(value: object) -> Mapping[str, str] | None:
    if value is None:
        return None
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise BadRequest("`options` must be an object of strings.", 'Write "options": {"A": "…", "B": "…"}.')
    return {replace_surrogates(label): replace_surrogates(text) for label, text in value.items()} or None
