"""A follow-up and what was said before → the question as it would stand alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from assistant.question.parser import parse, tidy
from assistant.records import UNSURE, Answer
from assistant.text.stop_words import content
from assistant.text.tokenizer import words

_FRESH = re.compile(
    r"^(?:(?:ok(?:ay)?|right|good|fine|thanks|"
    r"thank you)[.,!]?\s+)?(?:(?:a\s+)?(?:completely\s+|totally\s+)?(?:different|another|new|"
    "other) (?:thing|question|topic|subject)|something (?:else|different|new)|"
    r"change of (?:topic|subject)|new topic|next question|unrelated(?:ly)?)\s*[:,.–—-]+\s*",
    re.IGNORECASE,
)
_BACK = re.compile(
    r"^(?:(?:ok(?:ay)?|right|good|fine|thanks|now)[.,!]?\s+)?(?:(?:and\s+)?back to\s+(?P<to>[^:,.;?]{2,60}?)"
    r"|(?P<again>[^:,.;?]{2,60}?)\s+again)\s*[:,.;–—-]+\s*",
    re.IGNORECASE,
)
"""Goes back to something that is named."""
_OPENERS = re.compile(
    r"^(?:and|but|so|or|then|now|also|what about|how about|what if|same (?:for|thing)|"
    r"which of (?:them|those|these|the two)|why(?: not)?\?|how\?|command\?|example\?)(?:\b|$)",
    re.IGNORECASE,
)
_POINTS = re.compile(
    r"\b(?:it(?!(?:'s| is)? (?:a|an|the|has to|must)\b)|its|"
    r"that(?! (?:is|are|was|has|have|can|must|will|[a-z]+[^s]s)\b)|"
    r"this|these|those|them|they|their|there|here|"
    r"the (?:other|first|second|third|last|former|latter|same)(?: one)?|one of them|both)\b",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"^\d+[.)]\s+")
_ELLIPSIS = re.compile(r"^(?:and|or|but|what if|even if|also)\b", re.IGNORECASE)
_VERB = re.compile(
    r"\b(?:how (?:do|can|would|to)|show|which|what (?:is|are|does|do)|where|why|when|who)\b", re.IGNORECASE
)
_ABOUT = re.compile(r"^(?:and\s+|but\s+|so\s+)?(?:what|how) about\s+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Subject:
    """What the last answer was about."""

    name: str
    """The verdict's name, else the last heading of the first citation."""
    path: str
    heading_path: tuple[str, ...]
    sides: tuple[str, ...] = ()
    """The two things last compared."""
    asked: str = ""
    """What was last asked of it, in the user's own words."""


@dataclass(frozen=True, slots=True)
class Understood:
    """A turn as it is answered."""

    question: str
    """What is looked up."""
    standalone: str | None
    """The same, where it is not what was typed."""
    subject: Subject | None
    """What it goes on about; None where it stands alone."""
    own: str = ""
    """A follow-up's own words, without the subject that was put in front."""
    among: tuple[str, ...] = ()
    """The names that it chooses from ("which of them …")."""
    continues: bool = False
    """Whether it only changes a part of what was asked before."""


def understand(question: str, before: Subject | None, stands: Callable[[str], bool]) -> Understood:
    """The question with the subject it leaves out put in front; `stands` says whether a text names a topic of the
    notes itself.
    """
    text = tidy(question)
    fresh = _FRESH.match(text)
    if fresh:
        rest = text[fresh.end() :].strip()
        return Understood(rest, rest, None)
    back = _BACK.match(text)
    name = (back["to"] or back["again"]).strip() if back else ""
    if back and text[back.end() :].strip() and not _POINTS.search(name):
        named = f"{name}: {text[back.end() :].strip()}"
        return Understood(named, named, None)
    if before is None or not _leans(text, stands):
        return Understood(question, None, None)
    if before.sides and re.search(r"(?i)\bwhich of (?:them|those|these|the two)\b|\bwhich one\b", text):
        joined = f"{' or '.join(before.sides)}, {text}"
        return Understood(joined, joined, before, text, before.sides)
    about = _ABOUT.match(text)
    if about and len(content(text[about.end() :])) >= 3:
        return Understood(text[about.end() :], text[about.end() :], None)
    taken_up = 0 < len(words(before.asked)) <= _TAKEN_UP and _continues(text)
    said = f"{before.asked.rstrip(' ?.!')}, {text}" if taken_up else text
    joined = f"{before.name}, {said}"
    return Understood(joined, joined, before, text, continues=taken_up)


_TAKEN_UP = 8
"""Words up to which what was asked before is taken up: a whole scenario would drown what changes in it."""


def _continues(text: str) -> bool:
    """Whether a text only changes a part of what was asked before ("and from a fixed position?")."""
    return (
        bool(_ELLIPSIS.match(text)) and not _VERB.search(text) and 1 <= len(content(text)) <= 3 and not parse(text).code
    )


def subject(answer: Answer, understood: Understood, compared: tuple[str, ...] = ()) -> Subject | None:
    """What a later question may leave out: what this one leant on, else the verdict, else the first citation's
    section; None where it was not in the notes.
    """
    before, asked = understood.subject, understood.own or understood.question
    if answer.outcome == "not_in_notes" or not answer.citations:
        return before
    if before is not None and not compared and not understood.among:
        return before if understood.continues else replace(before, asked=asked)
    first = answer.citations[0]
    if answer.verdict is not None and answer.verdict.confidence >= UNSURE:
        home = answer.verdict.heading_path
        path = next((c.path for c in answer.citations if c.heading_path == home), first.path)
        return Subject(answer.verdict.name, path, home, compared, asked)
    name = _NUMBERED.sub("", first.heading_path[-1])
    return Subject(name, first.path, first.heading_path, compared, asked)


def _leans(text: str, stands: Callable[[str], bool]) -> bool:
    """Whether a text leaves its subject out: it opens as a continuation, points back, or is too short to stand."""
    opens = bool(_OPENERS.match(text))
    points = bool(_POINTS.search(text))
    short = len(words(text)) <= 4 or len(content(text)) <= 2
    if points and (opens or len(words(text)) <= _POINTING):
        return True
    if stands(text):
        return False
    return opens or points or short


_POINTING = 10
"""Words up to which a text that points back is taken to point at what was said before, whatever else it names."""
