"""A store → an overview of its notes: counts, headings, example questions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, islice

from assistant.records import LineNumber, Passage
from assistant.storage import Store

EXAMPLES = 6
_SEARCHED = 2_000
"""Passages that examples are taken from: a screen must not wait for a million."""
_ASKS = re.compile(r"^\W*Q\s*[:.]\s*(?P<question>[^\n]{8,160}?\?)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Heading:
    """Where a section begins."""

    path: str
    line: LineNumber
    heading_path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Overview:
    """What is indexed."""

    notes: int
    passages: int
    pending: int
    """Passages that have no vector yet."""
    refused: tuple[str, ...]
    """Notes that could not be read, a sentence each, by path."""
    examples: tuple[str, ...]
    """At most EXAMPLES questions that the notes themselves suggest."""


def of(store: Store) -> Overview:
    """Counts and examples; reads at most a few thousand passages."""
    refused = tuple(f"{path} {note.reason}" for path, note in sorted(store.note_files().items()) if note.reason)
    ids = store.passage_ids()[:_SEARCHED]
    passages = list(store.passages(ids).values())
    return Overview(
        store.notes_count, store.passages_count, store.pending, refused, tuple(examples(passages, headings(store)))
    )


def headings(store: Store) -> tuple[Heading, ...]:
    """All of them, by note and line."""
    return tuple(Heading(section.path, section.line, section.heading_path) for section in store.sections())


def examples(passages: Iterable[Passage], places: Iterable[Heading]) -> Iterator[str]:
    """Questions that the notes write themselves, then two neighbouring headings compared, then code with a label."""
    passages = list(passages)
    written, compared = islice(_written_questions(passages), 3), islice(_comparisons(places), 2)
    return islice(dict.fromkeys([*written, *compared, *_code_requests(passages)]), EXAMPLES)


def _written_questions(passages: Iterable[Passage]) -> Iterator[str]:
    for passage in passages:
        for text in (passage.label, passage.text):
            match = _ASKS.match(text)
            if match:
                yield " ".join(match["question"].split())
                break


def _comparisons(places: Iterable[Heading]) -> Iterator[str]:
    """The first two headings under a common one, of each common one that has two to four."""
    levels = sorted(places, key=lambda place: (place.path, place.heading_path[:-1]))
    for (_, above), group in groupby(levels, key=lambda place: (place.path, place.heading_path[:-1])):
        names = [place.heading_path[-1] for place in sorted(group, key=lambda place: place.line)]
        if len(above) > 1 and 2 <= len(names) <= 4 and all(2 <= len(name) <= 40 for name in names[:2]):
            yield f"{names[0]} vs {names[1]}"


def _code_requests(passages: Iterable[Passage]) -> Iterator[str]:
    for passage in passages:
        if passage.kind == "fence" and 3 <= len(passage.label) <= 50:
            yield f"Show {passage.label.rstrip(':').strip()}"
