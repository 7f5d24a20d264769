"""A turn of a dialogue and the subject of the turn before → the question as it would stand alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from assistant.question.expectations import defined, expectations
from assistant.question.intent import asks_for_code
from assistant.question.parser import tidy
from assistant.records import UNSURE, Answer
from assistant.text import word_frequency
from assistant.text.stop_words import content
from assistant.text.structuring import is_structuring
from assistant.text.tokenizer import key, words

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
_ASKS = re.compile(r"(?i)^(?:how (?:do|does|can|could|would|to)|what(?:'s| is| are| does| do)|where|when|who|why)\b")
_NAME_OF_CODE = re.compile(r"(?=\S*[A-Za-z]{2})\S*[/_.:\\]\S+")
"""A path, a file or an identifier, alone."""
_ABOUT = re.compile(r"^(?:and\s+|but\s+|so\s+)?(?:what|how) about\s+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Subject:
    """What the last answer was about."""

    name: str
    """The verdict's name, else what of the last heading of the first citation was talked about."""
    path: str
    heading_path: tuple[str, ...]
    sides: tuple[str, ...] = ()
    """The two things last compared."""
    question: str = ""
    """What was last asked about it, in the user's own words."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One question of a dialogue as it is answered."""

    question: str
    """What is looked up."""
    standalone: str | None = None
    """The same, where it is not what was typed."""
    subject: Subject | None = None
    """What it goes on about; None where it stands alone."""
    own_words: str = ""
    """A follow-up's own words, without the subject that was put in front."""
    choices: tuple[str, ...] = ()
    """The names it chooses from ("which of them …")."""
    continues: bool = False
    """Whether it only changes a part of the question before."""


def resolve(question: str, before: Subject | None, names_topic: Callable[[str], bool]) -> Turn:
    """The question, with the subject that it leaves out put in front; `names_topic` says whether a text itself names a
    topic of the notes.
    """
    text = tidy(question)
    fresh = _FRESH.match(text)
    if fresh:
        rest = text[fresh.end() :].strip()
        return Turn(rest, rest)
    returned = _returned_to(text)
    if returned:
        return Turn(returned, returned)
    if before is None or not _leans(text, names_topic):
        return Turn(question)
    if before.sides and _ONE_OF_THEM.search(text):
        joined = f"{' or '.join(before.sides)}, {text}"
        return Turn(joined, joined, before, text, before.sides)
    about = _ABOUT.match(text)
    if about and len(content(text[about.end() :])) >= 3:
        return Turn(text[about.end() :], text[about.end() :])
    continues = 0 < len(words(before.question)) <= _REPEATED_WORDS and _continues(text)
    joined = f"{before.name}, {before.question.rstrip(' ?.!')}, {text}" if continues else f"{before.name}, {text}"
    return Turn(joined, joined, before, text, continues=continues)


_ONE_OF_THEM = re.compile(r"(?i)\bwhich of (?:them|those|these|the two)\b|\bwhich one\b")
_REPEATED_WORDS = 8
"""Words up to which the question before is repeated: a whole scenario would drown what changes in it."""


def _returned_to(text: str) -> str:
    """The text with "back to X: question" and "X again: question" read as "X: question"; "" for any other text."""
    back = _BACK.match(text)
    if back is None:
        return ""
    name, rest = (back["to"] or back["again"]).strip(), text[back.end() :].strip()
    return f"{name}: {rest}" if rest and not _POINTS.search(name) else ""


def _continues(text: str) -> bool:
    """Whether a text only changes a part of the question before ("and from a fixed position?")."""
    if not _ELLIPSIS.match(text) or _VERB.search(text):
        return False
    return 1 <= len(content(text)) <= 3 and not asks_for_code(text)


def next_subject(answer: Answer, turn: Turn, sides: tuple[str, ...] = ()) -> Subject | None:
    """What a later question may leave out: what this one leant on, else the verdict, else the first citation's
    section; the subject before where the notes did not answer. `sides` are the two names compared.
    """
    before, question = turn.subject, turn.own_words or turn.question
    sides = sides if answer.outcome == "answered" else ()
    if answer.outcome == "not_in_notes" or not answer.citations:
        return before
    if before is not None and not sides and not turn.choices:
        return before if turn.continues else replace(before, question=question)
    first = answer.citations[0]
    if answer.verdict is not None and answer.verdict.confidence >= UNSURE:
        home = answer.verdict.heading_path
        path = next((c.path for c in answer.citations if c.heading_path == home), first.path)
        return Subject(answer.verdict.name, path, home, sides, question)
    name = defined(question) or _talked_about(_NUMBERED.sub("", first.heading_path[-1]), question)
    return Subject(name, first.path, first.heading_path, sides, question)


def _talked_about(heading: str, question: str) -> str:
    """Of a heading that says more than the question, the words that the question says too, where they are two or more,
    its rarest among them: of "Store a wet sourdough" after "how do I knead sourdough that is wet" storing is another
    matter. Where the heading only structures, what the question is about."""
    if is_structuring(key(heading)):
        return " ".join(word for word in words(question) if content(word)) or heading
    said = frozenset(content(question))
    own = [word for word in words(heading) if content(word)]
    common = [word for word in own if said.intersection(content(word))]
    rarest = max(own, key=lambda word: max(map(word_frequency.rarity, content(word))), default="")
    return " ".join(common) if rarest in common and len(common) > 1 else heading


def _leans(text: str, names_topic: Callable[[str], bool]) -> bool:
    """Whether a text leaves its subject out: it opens as a continuation, points back, or is too short to stand."""
    opens = bool(_OPENERS.match(text))
    points = bool(_POINTS.search(text))
    short = (len(words(text)) <= 4 or len(content(text)) <= 2) and not _is_complete(text)
    if points and (opens or len(words(text)) <= _POINTING_WORDS):
        return True
    if names_topic(text):
        return False
    return opens or points or short


def _is_complete(text: str) -> bool:
    """Whether a short text is a question about something that it names, or keywords: content words alone, which ask
    neither for a form nor for a trait that many things have."""
    own = content(text)
    if _NAME_OF_CODE.fullmatch(text):
        return True
    telling = any(word_frequency.rarity(term) == word_frequency.UNKNOWN for term in own)
    asked = expectations(text)
    is_trait = bool(asked.facets) or asked.quantity is not None
    if _ASKS.search(text):
        return telling or (bool(defined(text)) and not is_trait)
    keywords = len(own) >= len(words(text)) and not (text.endswith("?") or is_trait)
    return keywords and (telling or len(own) > 1)


_POINTING_WORDS = 10
"""Words up to which a text that points back is taken to point at the subject before, whatever else it names."""
