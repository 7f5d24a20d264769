"""What a question asks for: the kind of answer, code or not, in which language, a fact or help with a need."""

from __future__ import annotations

import re
from functools import cache

from assistant.question.clauses import sentences
from assistant.question.patterns import (
    ALL_OF_A_KIND,
    CHOICE,
    CODE,
    COMPARE,
    EITHER,
    LANGUAGES,
    MUST,
    NOUNS,
    SHOW,
    SITUATION,
    SPOKEN_OF,
    TWO_SIDES,
    VALUE,
    WHICH,
    WRITTEN_THING,
)
from assistant.question.query import Intent
from assistant.text.stop_words import content
from assistant.text.tokenizer import words

_COMPARISON_WORDS = 32
"""Words up to which a question that names two sides is a comparison, whatever else it tells."""
_REQUEST_WORDS = 22
"""Words up to which a text that begins with the name of something written asks to see it."""
_STORY_WORDS = 25
"""Words from which a text tells a story, and only its last sentence can ask for code."""
STORY_TERMS = 12
"""Content words from which a question tells of a need."""


def asks_for_code(text: str) -> bool:
    """A word for code asks for it in a short question, or at the end of a long one; elsewhere, and in a sentence that
    says what must be, it is part of the story.
    """
    spoken = sentences(text)
    if (
        len(words(text)) <= _REQUEST_WORDS
        and not text.endswith("?")
        and not MUST.search(text)
        and WRITTEN_THING.search(text)
    ):
        return True
    if len(words(text)) > _STORY_WORDS:
        spoken = [s for s in spoken[-1:] if s.endswith("?") or SHOW.search(s)]
    return any(
        CODE.search(SPOKEN_OF.sub(" ", s)) and (s.endswith("?") or SHOW.search(s) or not MUST.search(s)) for s in spoken
    )


def tells_need(text: str) -> bool:
    """Whether a text describes a situation or a need, and does not only ask for a fact: a sentence that states one,
    before or without a question.
    """
    spoken = sentences(text)
    stated = [s for s in spoken if not s.endswith("?")]
    if len(spoken) == len(stated):
        stated = [
            s for s in spoken if not re.match(r"(?i)\s*(?:what|which|how|why|when|where|who|is|are|do|does)\b", s)
        ]
    if len(spoken) > 1 and any(len(content(s)) >= 5 for s in stated):
        return True
    return any(SITUATION.search(s) and len(content(s)) >= 3 for s in stated)


def intent(text: str, *, wants_code: bool, tells_need: bool) -> Intent:
    """The kind of answer that a question asks for."""
    if _compares(text, tells_need):
        return "compare"
    if not tells_need and ALL_OF_A_KIND.search(text) and not CHOICE.search(text):
        return "list"
    named = _kind_of_noun(text)
    if named in ("concept", "tool"):
        return named
    if wants_code:
        return "code"
    if named != "detail" and tells_need:
        return "need"
    if named == "detail" and not _VALUE_NOUN.search(text):
        return named
    if _ASKS_FOR_HELP.search(text):
        return "need"
    if VALUE.search(text):
        return "value"
    if re.search(r"(?i)\bhow\b", text):
        return "how"
    return "why" if re.search(r"(?i)\bwhy\b", text) else "need"


_VALUE_NOUN = re.compile(r"(?i)\b(?:which|what)\s+(?:\w+\s+){0,2}(?:role|header|key|flag)s?\b")
"""Nouns of details whose name is a value."""
_ASKS_FOR_HELP = re.compile(
    r"(?i)\bwhat do you call\b|\bwhat (?:should|do(?:es)?|can|could) (?:i|we|be|they|the|you|one)\b|"
    r"\bwho does\b|\bwhere should\b|\bis there an?\b"
)


_ASKED = re.compile(r"(?i)\b(?:which|what)\s+((?:[\w'-]+\s+){0,3}[\w'-]+)")


def asked_nouns(text: str) -> frozenset[str]:
    """The stems of the words behind the last "which" or "what" that may be the noun asked for."""
    found = _ASKED.findall(text)
    return frozenset(content(" ".join(words(found[-1])[:3]))) if found else frozenset()


def language(text: str) -> str:
    """The language that is asked for, the first that is named; "" for any."""
    places = [
        (match.start(), name)
        for name, pattern in LANGUAGES.items()
        for match in re.finditer(rf"\b(?:{pattern})\b", text, re.IGNORECASE)
    ]
    return min(places)[1] if places else ""


def _compares(text: str, tells_need: bool) -> bool:
    """Whether two things are to be compared: said outright, or "X or Y" in a question that tells no story."""
    if TWO_SIDES.search(text) and len(words(text)) <= _COMPARISON_WORDS:
        return True
    if tells_need:
        return False
    return bool(
        COMPARE.search(text) and re.search(r"(?i)\b(?:and|or|than|from|against|over|between|both|two)\b", text)
    ) or (bool(EITHER.match(text)) and len(words(text)) <= 16)


def _kind_of_noun(text: str) -> Intent | None:
    """What the noun of the last "which …" or "what …" asks for; None where there is none."""
    last = [(match.start(), kind) for kind in NOUNS for match in _asks_for(kind).finditer(text)]
    return max(last, key=lambda place: place[0])[1] if last else None


@cache
def _asks_for(kind: Intent) -> re.Pattern[str]:
    return re.compile(WHICH + rf"(?:{NOUNS[kind]})\b", re.IGNORECASE)
