"""A text that may name something → the single names in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from assistant.text.stop_words import is_stop, word_list
from assistant.text.tokenizer import key, stem
from assistant.text.word_frequency import rarity

_MOST_WORDS, _MOST_CHARACTERS = 6, 60
"""Of a name."""
_RARE = 0.4
"""Rarity in general English from which one capitalised word is taken for a name."""
ALTERNATIVES = re.compile(
    r"\s+(?:or|and/or|vs\.?|versus)\s+|\s*(?:→|⇒|->|=>|\s\.{3,}\s|\s\+\s|/(?=\s)|;|\|)\s*|,\s+(?:or\s+)?"
)
"""What stands between two names."""
BRACKETS = re.compile(r"\s*\(([^)]*)\)")
DRAWN = re.compile(r"[├└│┌┐┘┬┴┼─]+")
PROPER_NAME = re.compile(
    r"(?<![\w-])(?:[A-Z][A-Za-z0-9]*(?:[-/&][A-Za-z0-9]+)*|[a-z]+[A-Z]\w*)(?:[ -](?:(?:for|of|"
    r"on)\s)?[A-Z0-9][A-Za-z0-9]*(?:[-/&][A-Za-z0-9]+)*){0,4}"
)
_ABBREVIATION = re.compile(r"[A-Z][A-Za-z0-9-]{1,9}|[a-z]+[A-Z]\w*")
_NUMBERING = re.compile(
    r"^(?:\d+[.)]|[A-Za-z]\)|(?:step|scenario|part|chapter|phase|option)\s+\d+\s*[:.-]?)\s*", re.IGNORECASE
)
_LEADING_WORD = re.compile(
    r"^(?:use|using|with|via|the|a|an|configure|enable|create|choose|set up|setup|add|deploy)\s+", re.IGNORECASE
)
_NOT_FIRST, _NOT_LAST = word_list("no_name_begins_with"), word_list("no_name_ends_with")
_TYPE_WORDS = frozenset(map(key, word_list("name_tails")))


_JOINING = frozenset(("of", "for", "and", "on", "in", "to", "with", "at", "by", "as", "from", "per", "over"))
"""Function words that may stand inside a name."""
_CODE = re.compile(r"^-|[/_.$@:]|[a-z][A-Z]")


@lru_cache(maxsize=50_000)
def merged(topic_key: str) -> str:
    """A key without the type words at its end: the queue service is the queue."""
    words = topic_key.split()
    while len(words) > 1 and words[-1] in _TYPE_WORDS:
        words.pop()
    return " ".join(words)


@lru_cache(maxsize=20_000)
def names(text: str) -> tuple[str, ...]:
    """The single names in a heading, label or other naming text, in order: alternatives apart, without numbering and
    brackets, then the abbreviations that stood in brackets; at most six words each."""
    whole = _NUMBERING.sub("", DRAWN.split(text.strip())[-1])
    abbreviations = [inner for inner in BRACKETS.findall(whole) if _ABBREVIATION.fullmatch(inner.strip())]
    pieces = (_LEADING_WORD.sub("", piece) for piece in ALTERNATIVES.split(BRACKETS.sub("", whole)))
    trimmed = [piece.strip(" .:;,!\"'`*_-–—") for piece in pieces]
    return tuple(name.strip() for name in (*trimmed, *abbreviations) if is_name(name))


def is_name(text: str) -> bool:
    """Whether a text can stand as a name: a few words, whole brackets, no function word at either end."""
    words = text.split()
    return (
        1 <= len(words) <= _MOST_WORDS
        and len(text) <= _MOST_CHARACTERS
        and re.match(r"-*[^\W\d_][^\W_]", text) is not None
        and ": " not in text
        and re.search(r"[?,;!{}<>\"=|*`\[\]]", text) is None
        and text.count("(") == text.count(")")
        and words[0].lower() not in _NOT_FIRST
        and not (words[0].islower() and is_stop(stem(words[0])))
        and words[-1] not in _NOT_LAST
        and re.fullmatch(r"\d+", words[-1]) is None
        and re.fullmatch(r"[vV]?\d+(?:\.\d+)+", text) is None
    )


@lru_cache(maxsize=20_000)
def is_phrase(name: str) -> bool:
    """Whether a wording is a piece of a sentence and no name: it begins with a function word, or holds one that joins
    no parts of a name ("Editors you may like"), or joins words in small letters ("bend and roll"). Code, and names
    with a capital at every word, are none."""
    words = name.split()
    if "`" in name or name.startswith("//"):
        return True
    if len(words) < 2:
        return False
    if words[0].islower() and is_stop(stem(words[0])):
        return True
    if _CODE.search(name):
        return False
    if all(not word[0].islower() for word in words) and "n't" not in name:
        return False
    return any(
        "n't" in word or (is_stop(stem(word)) and not word.isupper() and (not at or word not in _JOINING))
        for at, word in enumerate(word.strip("(),") for word in words)
    ) or (name[0].islower() and not {"and", "or"}.isdisjoint(words))


def proper_names(text: str) -> Iterator[str]:
    """The proper names in a text; one common English word alone is none, however it is written."""
    for match in PROPER_NAME.finditer(text):
        stems = key(match[0]).split()
        if len(stems) > 1 or any(rarity(stem) >= _RARE for stem in stems):
            yield match[0]


def only_names(text: str) -> bool:
    """Whether a text is nothing but names: one to four, brackets aside ("Cloud SQL or Spanner (regional)")."""
    pieces = [name for piece in ALTERNATIVES.split(BRACKETS.sub("", text)) if (name := piece.strip(" ."))]
    return bool(pieces) and len(pieces) <= 4 and all(PROPER_NAME.fullmatch(piece) for piece in pieces)
