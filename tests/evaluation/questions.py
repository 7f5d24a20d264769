"""Question sets: a folder with one JSON Lines file a kind, each question with what a right answer must hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

KINDS = ("scenario", "lookup", "snippet", "compare", "unanswerable", "followup")


class Place(NamedTuple):
    """Lines of a note that hold the answer."""

    path: str | None
    """Relative to the notes folder; None where the set has one note only."""
    first: int
    last: int
    """1-based, inclusive."""


@dataclass(frozen=True, slots=True)
class WantedSnippet:
    """The code block that has to come first."""

    language: str
    contains: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """One question, or one turn of a dialogue."""

    id: str
    text: str
    kind: str
    """One of KINDS."""
    category: str = ""
    """Of an unanswerable question: near_miss, other_tech, off_topic or adversarial."""
    conversation: str | None = None
    """Questions with the same one are asked in order and share context."""
    answerable: bool = True
    sides: tuple[tuple[str, ...], ...] = ()
    """Tails of heading paths (`A > B`); of each side any one will do. One side, unless `every_side`."""
    every_side: bool = False
    places: tuple[Place, ...] = ()
    must_mention: tuple[tuple[str, ...], ...] = ()
    """All have to be shown; of each any one spelling will do."""
    verdicts: tuple[str, ...] = ()
    """Accepted names; empty where no verdict is judged."""
    snippet: WantedSnippet | None = None
    forms: tuple[str, ...] = ()
    """Tags, such as the form in which the question is put (keyword, howto, yesno)."""

    @property
    def group(self) -> str:
        return f"{self.kind}/{self.category}" if self.category else self.kind


def read(folder: Path) -> list[Question]:
    """Every question of the set, in the order of KINDS and of the files; none where there is no file."""
    return [question for kind in KINDS for question in read_kind(folder, kind)]


def read_kind(folder: Path, kind: str) -> list[Question]:
    """The questions of one kind, dialogues turn by turn."""
    path = folder / f"{kind}.jsonl"
    lines = path.read_text("utf-8").split("\n") if path.is_file() else []
    return [question for line in lines if line.strip() for question in _questions(json.loads(line), kind)]


def _questions(record: dict[str, Any], kind: str) -> Iterator[Question]:
    """The question of a record; of a dialogue one a turn, with the turn's number behind the id."""
    if kind != "followup":
        yield _question(record["id"], record, kind)
        return
    for number, turn in enumerate(record["turns"], 1):
        yield _question(f"{record['id']}.{number}", turn, kind, record["id"])


def _question(id: str, record: dict[str, Any], kind: str, conversation: str | None = None) -> Question:
    headings = tuple(record.get("gold_headings") or ())
    every_side = kind == "compare" or record.get("gold_mode") == "all"
    sides = record.get("gold_sides") or ([[heading] for heading in headings] if every_side else [headings])
    snippet = record.get("snippet")
    return Question(
        id=id,
        text=record["question"],
        kind=kind,
        category=record.get("category") or "",
        conversation=conversation,
        answerable=kind != "unanswerable" and record.get("answerable") is not False,
        sides=tuple(tuple(side) for side in sides),
        every_side=every_side,
        places=_places(record),
        must_mention=tuple(tuple(one.split("|")) for one in record.get("must_mention") or ()),
        verdicts=tuple(name for names in record.get("verdict") or () for name in names.split("|")),
        snippet=WantedSnippet(snippet["language"], tuple(snippet.get("contains", ()))) if snippet else None,
        forms=tuple(record.get("tags") or ()),
    )


def _places(record: dict[str, Any]) -> tuple[Place, ...]:
    if "gold_places" in record:
        return tuple(Place(*place) for place in record["gold_places"])
    return tuple(Place(record.get("gold_path"), first, last) for first, last in record.get("gold_lines") or ())
