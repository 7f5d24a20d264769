"""A turn ↔ a line of a session file; an answer is written as the JSON contract has it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, get_args

from assistant.records import (
    Answer,
    Candidate,
    Citation,
    IndexState,
    LineNumber,
    Option,
    Outcome,
    Problem,
    RequirementSupport,
    Side,
    Snippet,
    Statement,
    Support,
)
from assistant.rendering.answer_json import answer_json
from assistant.tui.history.turn import Turn


class DamagedTurn(Exception):
    """A line of a session file that is no turn."""


def encode(turn: Turn) -> str:
    """One line of a session file, ASCII, without its line end; the turn must be answered."""
    assert turn.answer is not None
    record = {"under": turn.under, "digests": dict(turn.digests), "answer": json.loads(answer_json(turn.answer))}
    return json.dumps(record)


def decode(line: str, number: int) -> Turn:
    """The turn of one line; DamagedTurn."""
    try:
        record = json.loads(line)
        answer = answer_from_json(record["answer"])
        under = tuple(str(part) for part in record["under"])
        digests = {str(path): str(digest) for path, digest in record["digests"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DamagedTurn(str(error)) from error
    return Turn(number, answer.question, under, "answered", answer, digests)


def answer_from_json(record: Mapping[str, Any]) -> Answer:
    """The answer of a JSON object of the contract; KeyError, TypeError or ValueError where it is none."""
    outcome: Outcome = record["outcome"]
    if outcome not in get_args(Outcome):
        raise ValueError(outcome)
    return Answer(
        question=_text(record["question"]),
        outcome=outcome,
        standalone_question=_optional(record["standalone_question"]),
        verdict=_candidate(record["verdict"]) if record["verdict"] is not None else None,
        alternatives=tuple(map(_candidate, record["alternatives"])),
        requirements=tuple(map(_requirement, record["requirements"])),
        statements=tuple(Statement(_text(one["text"]), _numbers(one["citations"])) for one in record["statements"]),
        snippets=tuple(map(_snippet, record["snippets"])),
        options=tuple(
            Option(_text(o["label"]), _text(o["text"]), float(o["support"]), _numbers(o["citations"]))
            for o in record["options"]
        ),
        choice=_optional(record["choice"]),
        missing=_texts(record["missing"]),
        hint=_optional(record["hint"]),
        citations=tuple(map(_citation, record["citations"])),
        warnings=_texts(record["warnings"]),
        elapsed_ms=float(record["elapsed_ms"]),
        notes=_text(record["notes"]),
        index=IndexState(
            int(record["index"]["generation"]),
            bool(record["index"]["stale"]),
            int(record["index"]["pending"]),
            _time(record["index"].get("committed")),
        ),
        sides=_sides(record.get("sides")),
    )


def _sides(records: Any) -> tuple[Side, Side] | None:
    if records is None:
        return None
    one, other = (Side(_text(side["name"]), _numbers(side["citations"])) for side in records)
    return one, other


def _candidate(record: Mapping[str, Any]) -> Candidate:
    return Candidate(
        _text(record["name"]),
        _texts(record["heading_path"]),
        float(record["confidence"]),
        _numbers(record["citations"]),
    )


def _requirement(record: Mapping[str, Any]) -> RequirementSupport:
    support = tuple(Support(_text(one["name"]), _numbers(one["citations"])) for one in record["support"])
    return RequirementSupport(_text(record["text"]), bool(record["supported"]), support)


def _snippet(record: Mapping[str, Any]) -> Snippet:
    problems = record["problems"]
    return Snippet(
        language=_text(record["language"]),
        info=_text(record["info"]),
        caption=_optional(record["caption"]),
        code=_text(record["code"]),
        citation=int(record["citation"]),
        problems=None
        if problems is None
        else tuple(Problem(LineNumber(int(one["line"])), _text(one["message"])) for one in problems),
    )


def _citation(record: Mapping[str, Any]) -> Citation:
    return Citation(
        number=int(record["number"]),
        path=_text(record["path"]),
        heading_path=_texts(record["heading_path"]),
        anchor=_text(record["anchor"]),
        start_line=int(record["start_line"]),
        end_line=int(record["end_line"]),
        quote=_text(record["quote"]),
        stale=bool(record["stale"]),
        url=_optional(record.get("url")),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _optional(value: object) -> str | None:
    return None if value is None else _text(value)


def _time(value: object) -> str | None:
    """As `_optional`, of ISO 8601."""
    text = _optional(value)
    if text is not None:
        datetime.fromisoformat(text)
    return text


def _texts(values: list[object]) -> tuple[str, ...]:
    return tuple(map(_text, values))


def _numbers(values: list[object]) -> tuple[int, ...]:
    return tuple(int(str(value)) for value in values)
