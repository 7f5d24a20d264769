"""What a question's text leads one to expect of a line that answers it: names, a number, a quantity, a facet.

Nothing here waits for a search.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from assistant.question.patterns import TWO_SIDES
from assistant.text.stop_words import FORM, content, is_stop
from assistant.text.tokenizer import parts, terms, words

_ORDERS = re.compile(
    r"\b(?:ignore|disregard|forget)\s+(?:all\s+|any\s+)?(?:your|the|previous|prior|above)\s+(?:\w+\s+)?(?:instructions?|rules?|prompts?)\b|^\s*(?:system|assistant|developer)\s*:"
    r"|\b(?:print|reveal|show|repeat)\s+(?:me\s+)?your\s+(?:system\s+)?(?:prompt|"
    r"instructions)\b|\bpretend (?:to be|you are|you're)\b|\byou (?:may|can|must) now\b|"
    r"\bact as (?:an?|the)\b|"
    r"\bignore the notes\b|</?(?:quote|system|prompt|notes?|instructions?)>|\bend of (?:notes|prompt|instructions)\b",
    re.IGNORECASE,
)
_GREETINGS = re.compile(
    r"(?:(?:hi|hello|hey|howdy|good (?:morning|afternoon|evening|day|night)|thanks?(?: you)?|thx|cheers|bye|goodbye|"
    r"great|perfect|ok(?:ay)?|nice|cool|got it|there|all|everybody|assistant|very much|so much|a lot|for (?:that|this|"
    r"your help|the help))[\s,.!]*)+",
    re.IGNORECASE,
)
_THESE = r"(?:(?:all )?(?:these|this|the|my|our|your|all)(?: of)?)"
_NOTES = r"(?:notes?|docs|documents?|documentation|files?|folder|wiki|vault|journal)"
_OVERVIEW = re.compile(
    r"(?:(?:please|so|ok|and|can you|could you|give me|show me|tell me)[\s,]+)*(?:"
    rf"what(?:'s|’s| is| are| do| does)? (?:in )?(?:{_THESE} {_NOTES}|in here)(?: all)?"
    r"(?: (?:about|on|for|cover|contain|say|hold))?|"
    rf"what (?:topics|subjects) (?:do|does|are) (?:covered )?(?:in )?{_THESE} {_NOTES}(?: (?:cover|about|have|on))?|"
    r"what can i ask(?: you)?(?: about)?|"
    rf"(?:(?:an? )?(?:overview|summary)(?: of)?|summari[sz]e)(?: {_THESE} {_NOTES})?|"
    rf"list (?:of )?(?:(?:all )?(?:the )?)?(?:topics|subjects|notes|headings|contents)(?: (?:in|of) {_THESE} {_NOTES})?"
    r")[\s.?!]*",
    re.IGNORECASE,
)
_THING = r"(?:an? |the )?(?P<{}>[^?.,;:]{{2,50}}?)"
_DEFINED = re.compile(
    r"(?i)\s*(?:so |and |ok |hey )?"
    r"(?:what(?:'?s|’s| is| are)(?: exactly| meant by)?|define|explain|(?:the )?meaning of) "
    rf"{_THING.format('name')}(?: (?:exactly|again|anyway|good for))?\s*[?.!]*$|"
    rf"\s*what do(?:es)? {_THING.format('meant')} mean\s*[?.!]*$|\s*{_THING.format('meaning')} meaning\s*[?.!]*$"
)
_TWO_THINGS = re.compile(r"(?i)\band\s+(?:what|how|why|when|where|which)\b")
_NUMBER_ASKED = re.compile(
    r"(?i)\bhow (?:many|much|long|often|far|big|large|high|small|old|fast)\b|\b(?:maximum|"
    r"minimum|longest|largest|highest|smallest|limit|price|percentage|latency|size|port)\b"
)
_QUANTITIES = tuple(
    (noun, re.compile(f"(?i){asks}"), re.compile(gives))
    for noun, asks, gives in (
        (
            "duration",
            r"\bhow (?:long|soon|often|old)\b|\b(?:interval|duration|retention|timeout|days|hours|seconds|minutes)\b",
            r"\d\s*-?\s*(?:s|sec|m|min|h|ms)\b|second|minute|hour|day|week|month|year",
        ),
        (
            "price",
            r"\bhow much (?:does|do|is|are|will)\b.*\b(?:cost|pay|charge)|\b(?:price|cost|charge|fee|bill|pay)\w*\b",
            r"[$€£]\s*\d|\d\s*(?:usd|eur|cents?)|price|pricing|cost|free",
        ),
        ("size", r"\bhow (?:big|large)\b|\b(?:size|biggest|largest)\b", r"\d\s*(?:[kmgt]i?b|bytes?)\b"),
        (
            "speed",
            r"\b(?:per second|throughput|speeds?|bandwidth|how fast)\b",
            r"\d\s*(?:[kmg]bps|rps|qps|iops|/s)|per second|[kmg]b/s",
        ),
        (
            "number",
            r"\bhow (?:many|much|high|deep|far)\b|\bup to how\b|\bwhat (?:number|percentage|port)\b|"
            r"\b(?:maximum|minimum|most|limit|shortest|longest)\b",
            r"\d",
        ),
    )
)
"""Kinds of quantities: their nouns, what asks for one, and what a line that gives one looks like."""


@dataclass(frozen=True, slots=True)
class Facet:
    """Something a question may ask about a subject."""

    name: str
    phrases: tuple[str, ...]
    """What asks for it, in lower case."""
    answers: tuple[str, ...]
    """What a line that answers holds one of, in lower case."""

    def asked_in(self, text: str) -> str | None:
        """The phrase that asks for it in a text of lower case, the first of the list; None where none does."""
        return next((phrase for phrase in self.phrases if _whole_words((phrase,)).search(text)), None)

    def answered_by(self, text: str) -> bool:
        """Whether a text of lower case holds what a line that answers holds."""
        return bool(_any_of(self.answers).search(text))


@dataclass(frozen=True, slots=True)
class Quantity:
    """A quantity of some kind that a question asks for."""

    noun: str
    """What it is called."""
    answers: re.Pattern[str]
    """What a line that gives one looks like, in lower case."""


@dataclass(frozen=True, slots=True)
class Expectations:
    """What a line that answers should hold."""

    is_order: bool
    """Whether the text gives the assistant orders instead of asking."""
    is_greeting: bool
    """Whether it only greets or thanks."""
    is_overview: bool
    """Whether it asks what the notes are about."""
    names: tuple[tuple[str, tuple[str, ...]], ...]
    """Names in the question, each with its stems."""
    facets: tuple[Facet, ...]
    number: bool
    """Whether it asks for a number, however it is put."""
    quantity: Quantity | None


def expectations(text: str) -> Expectations:
    """Of a question's tidied text."""
    low = text.lower()
    return Expectations(
        is_order(text),
        is_greeting(text),
        is_overview(text),
        tuple(_names(text)),
        tuple(facet for facet, asks in _facets() if asks.search(low)),
        bool(_NUMBER_ASKED.search(text)),
        quantity(text),
    )


def is_order(text: str) -> bool:
    """Whether a text gives the assistant orders instead of asking."""
    return bool(_ORDERS.search(text))


def is_greeting(text: str) -> bool:
    """Whether a text only greets or thanks."""
    return bool(_GREETINGS.fullmatch(text))


def is_overview(text: str) -> bool:
    """Whether a text asks what the notes are about, all of them."""
    return bool(_OVERVIEW.fullmatch(text))


def defined(text: str) -> str:
    """What a question wants to be defined, in its words; "" where it asks for anything else."""
    asked = _DEFINED.match(text)
    name = asked["name"] or asked["meant"] or asked["meaning"] if asked else ""
    more = _TWO_THINGS.search(name) or TWO_SIDES.search(text)
    return name if content(name) and not more else ""


def quantity(text: str) -> Quantity | None:
    """The quantity that a question asks for; None where it asks for none."""
    return next((Quantity(noun, answers) for noun, asks, answers in _QUANTITIES if asks.search(text)), None)


def _names(text: str) -> list[tuple[str, tuple[str, ...]]]:
    """Names in the question, each with its stems: a capital inside a sentence, camelCase, digits in a word."""
    found = []
    for sentence in re.split(r"(?<=[.?!:])\s+", text):
        for position, word in enumerate(words(sentence)):
            name = (word[:1].isupper() and (position > 0 or len(parts(word)) > 1)) or (
                len(parts(word)) > 1 and not word.isdigit()
            )
            stems = tuple(t for t in terms(word) if t not in FORM and not is_stop(t))
            if name and stems and len(word) > 1:
                found.append((word, stems))
    return found


@cache
def _facets() -> tuple[tuple[Facet, re.Pattern[str]], ...]:
    """The facets of `data/facets.toml`, each with what asks for it, as whole words."""
    table = tomllib.loads((Path(__file__).parents[1] / "data" / "facets.toml").read_text("utf-8"))
    return tuple(
        (Facet(row["name"], tuple(row["asks"]), tuple(row["says"])), _whole_words(tuple(row["asks"])))
        for row in table["facet"]
    )


@cache
def _whole_words(phrases: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, phrases))})(?!\w)")


@cache
def _any_of(texts: tuple[str, ...]) -> re.Pattern[str]:
    """Any of them: a word at the beginning of one, signs and very short ones anywhere."""
    return re.compile("|".join(rf"(?<![a-z]){t}" if t.isalpha() and len(t) >= _A_WORD else re.escape(t) for t in texts))


_A_WORD = 3
"""Letters from which a text of letters is a word."""
