"""The first stage of an answer: a request and what was talked about before → the question as it is looked up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from assistant.notes.languages import language
from assistant.question import expectations, follow_up, spelling
from assistant.question.expectations import Expectations
from assistant.question.follow_up import Subject, Turn
from assistant.question.parser import READ, parse, tidy
from assistant.question.query import Query
from assistant.records import Request
from assistant.text import stop_words, tokenizer, word_frequency

_NAME_WORDS = 6
"""Words of a name at the most."""
_TELLING = 0.45
"""How rare a word must be in English to name something by itself."""
_DEFINING = ("heading", "label", "definition")
"""Kinds of mentions that make a name one of the notes' own subjects."""


class Mentioned(Protocol):
    """A place where the notes use a name."""

    @property
    def kind(self) -> str:
        """One of the kinds that `records.Mention` lists."""


class Lexicon(Protocol):
    """The words and names of the indexed notes."""

    def frequencies(self, terms: Sequence[str]) -> Mapping[str, int]:
        """In how many passages each term stands."""

    def spelled_out(self, initials: str) -> str | None:
        """The name of the notes whose words begin with these letters; None where there is none."""

    def topic(self, keys: Sequence[str]) -> Mapping[str, Sequence[Mentioned]]:
        """Every mention of the names with these keys."""


@dataclass(frozen=True, slots=True)
class Understanding:
    """A question as it is looked up, and what was made of its text on the way."""

    query: Query
    expectations: Expectations
    turn: Turn
    in_dialogue: bool
    """Whether a dialogue goes on, about whatever."""
    notices: tuple[str, ...]
    """What the user must know of how the text was read, one sentence each."""


def understand(request: Request, before: Subject | None, lexicon: Lexicon) -> Understanding:
    """The question corrected, made to stand alone and parsed; `before` is what the dialogue was about so far."""
    text, read_as = spelling.understood(request.question[:READ], lexicon.frequencies, lexicon.spelled_out)
    # What speaks to the assistant, or asks about all the notes, leans on nothing.
    alone = expectations.is_greeting(tidy(text)) or expectations.is_overview(tidy(text))
    turn = Turn(text) if alone else follow_up.resolve(text, before, lambda words: _names_topic(words, lexicon))
    query = parse_request(request, turn.question)
    notices = [f"“{word}” was read as “{other}”." for word, other in read_as.items()]
    if len(request.question) > READ:
        unread = len(request.question) - READ
        notices.append(f"The question was read up to {READ:,} characters; {unread:,} more were left out.")
    return Understanding(
        query, expectations.expectations(query.text), turn, in_dialogue=before is not None, notices=tuple(notices)
    )


def parse_request(request: Request, text: str) -> Query:
    """A text as the question of this request, with its options and the code it asks for."""
    return _parsed(
        text,
        tuple((request.options or {}).items()),
        code=request.code or request.language is not None,
        language=language(request.language or ""),
    )


@lru_cache(maxsize=8)
def _parsed(text: str, options: tuple[tuple[str, str], ...], *, code: bool, language: str) -> Query:
    """Kept, since a question is parsed to be encoded ahead and once more when it is corrected and answered."""
    return parse(text, dict(options), code=code, language=language)


def _names_topic(text: str, lexicon: Lexicon) -> bool:
    """Whether some run of words, one of them telling, is what a heading, a label or a definition is called."""
    words = tokenizer.words(text)
    runs = (words[at : at + size] for at in range(len(words)) for size in range(1, _NAME_WORDS + 1))
    names = {" ".join(run) for run in runs}
    keys = {tokenizer.key(name) for name in names if _tells(name)}
    return any(mention.kind in _DEFINING for found in lexicon.topic(sorted(keys)).values() for mention in found)


def _tells(name: str) -> bool:
    return any(word_frequency.rarity(term) >= _TELLING for term in stop_words.content(name))
