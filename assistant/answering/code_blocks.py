"""Candidates → the block of code to show."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.answering.citations import leads_to
from assistant.answering.evidence import inside, repeats
from assistant.answering.topic import Topic
from assistant.notes.languages import language as language_of
from assistant.question.expectations import defined
from assistant.records import Passage
from assistant.retrieval.result import RetrievalResult
from assistant.text.stop_words import content

_HOME = 0.15
"""What a fence of the section that a follow-up goes on about gains, where code is asked for."""
_DRAWN = 0.75
"""What a drawing counts as an answer to "how do I …", beside code."""
_WHOLE = 0.5
"""What a fence counts as a whole beside the best step in it: a long fence holds many words, and a step lacks its
context."""
_OWN = 0.2
"""What a fence gains that speaks for the name to be given."""
_LED = 0.3
"""What the line that leads to a fence counts beside the fence: "then run:" says what the command is for."""
_FIRST = 0.2
"""What a fence gains to which the line leads that is quoted first, or that holds it."""
_CALLED = 0.5
"""What a fence gains whose label is asked for."""
_LINES = 2
"""Lines that are quoted first, in whose sections code is evidence."""
Section = tuple[str, tuple[str, ...]]
"""Note and heading path."""
_STEPS = 80
"""Hits among which steps inside the fences are looked for."""


def pick_code_block(
    result: RetrievalResult, topic: Topic | None, order: Sequence[int], home: Section | None
) -> int | None:
    """Position of the fence to show: asked for, the best of its language; otherwise one in the section of the two lines
    that are quoted first, or of a follow-up; beside a definition only one that holds one of them or stands right
    below. None where there is none. `order` are the hits as they are quoted, `home` the section of a follow-up.
    """
    query, hits = result.query, result.hits
    fences = [n for n, hit in enumerate(hits) if hit.passage.kind == "fence"]
    of_language = [n for n in fences if is_written_in(query.language, hits[n].passage.info)]
    if not of_language and query.language and not query.wants_code:
        return None
    fences = of_language or fences
    near = {_section(hits[n].passage) for n in order[:_LINES]}
    if not query.wants_code:
        fences = [n for n in fences if _section(hits[n].passage) in (home, *near)]
        if defined(query.text):
            told = [hits[n].passage for n in order[:_LINES]]
            fences = [n for n in fences if any(_goes_with(line, hits[n].passage) for line in told)]
        fences = [n for n in fences if not repeats(query, hits[n].passage)] or fences
    if not fences:
        return None
    worth = _worth(result, fences)
    if order:
        first = hits[order[0]].passage
        worth = {n: v + _FIRST * _goes_with(first, hits[n].passage) for n, v in worth.items()}
    if query.wants_code:
        if home is not None:
            worth = {n: v + _HOME * (_section(hits[n].passage) == home) for n, v in worth.items()}
    elif topic is not None:
        worth = {n: v + _OWN * topic.speakers.get(n, 0.0) for n, v in worth.items()}
    return max(fences, key=lambda n: (worth[n], -n))


def _section(passage: Passage) -> Section:
    return passage.path, passage.heading_path


def is_written_in(language: str, info: str) -> bool:
    """Whether a fence with this info string is in a language; "drawing" is one without a language, or mermaid."""
    if not language:
        return True
    own = language_of(info)
    return own in ("", "text", "mermaid") if language == "drawing" else own == language


def _worth(result: RetrievalResult, fences: Sequence[int]) -> dict[int, float]:
    """What each fence is worth by its own score and that of the best step in it."""
    hits = result.hits
    best = {n: hits[n].score for n in fences}
    for hit in hits[:_STEPS]:
        if hit.passage.fence is not None and hit.passage.kind != "fence":
            for n in fences:
                if inside(hit.passage, hits[n].passage):
                    best[n] = max(best[n], hit.score)
    led = _led(result, fences)
    own = {n: _WHOLE * hits[n].score + (1 - _WHOLE) * best[n] + _CALLED * _called(result, n) for n in fences}
    return {n: _drawn(result, n) * ((1 - _LED) * own[n] + _LED * max(led[n], own[n])) for n in fences}


def _called(result: RetrievalResult, n: int) -> float:
    """The share of the question that is the fence's label, where all of it stands in the question, squared: what is
    called so comes far before what is called by a part of it."""
    label, asked = content(result.hits[n].passage.label), result.query.subject
    return (len(label) / len(asked)) ** 2 if label and set(label).issubset(asked) else 0.0


def _led(result: RetrievalResult, fences: Sequence[int]) -> dict[int, float]:
    """The score of the best line that leads to each fence, on the lines right above it; 0 where there is none."""
    led = dict.fromkeys(fences, 0.0)
    for hit in result.hits[:_STEPS]:
        passage = hit.passage
        if passage.fence is None and passage.kind != "heading":
            for n in fences:
                if _goes_with(passage, result.hits[n].passage):
                    led[n] = max(led[n], hit.score)
    return led


def _goes_with(line: Passage, fence: Passage) -> bool:
    """Whether a line leads to a fence, or is part of it."""
    return leads_to(line, fence) or inside(line, fence)


def _drawn(result: RetrievalResult, n: int) -> float:
    drawing = result.query.intent == "how" and is_written_in("drawing", result.hits[n].passage.info)
    return _DRAWN if drawing else 1.0
