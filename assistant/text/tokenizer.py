"""Text → terms: the words that full text is indexed, looked up and scored by."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import Stemmer

WORD = re.compile(r"[^\W_]+(?:_+[^\W_]+)*")
"""A run of letters, digits and inner underscores."""
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")
_stemmer = Stemmer.Stemmer("english")


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """The word's Snowball (English) stem, case folded; words of other scripts come back as they are."""
    return str(_stemmer.stemWord(word.casefold()))


def words(text: str) -> list[str]:
    """Runs of letters, digits and inner underscores, as written, in order."""
    return WORD.findall(text)


def position(run: Sequence[str], words: Sequence[str]) -> int | None:
    """Where `run` stands in a row in `words`, the first place; None where it does not, or is empty."""
    size = len(run)
    places = range(len(words) - size + 1) if size else range(0)
    return next((at for at in places if list(words[at : at + size]) == list(run)), None)


@lru_cache(maxsize=100_000)
def parts(word: str) -> tuple[str, ...]:
    """The pieces of an identifier (`maxSurge` → max, Surge; `retry_on` → retry, on); the word alone where it is one."""
    found = tuple(_PART.findall(word))
    return found if len(found) > 1 else (word,)


@lru_cache(maxsize=100_000)
def _of(word: str) -> tuple[str, ...]:
    pieces = parts(word)
    joined = stem(word.replace("_", ""))
    if len(pieces) == 1:
        return (joined,)
    return (joined, *(s for s in map(stem, pieces) if len(s) > 1 or s.isdigit()))


def terms(text: str) -> list[str]:
    """Stems in the text's order, an identifier as a whole and by its parts; used alike for notes and questions."""
    return [t for w in words(text) for t in _of(w)]


@lru_cache(maxsize=100_000)
def stems_of(word: str) -> tuple[str, ...]:
    """The stems of an identifier's pieces, in order."""
    return tuple(map(stem, parts(word)))


@lru_cache(maxsize=50_000)
def key(name: str) -> str:
    """What two spellings of one name share: the stems of its words' parts, in order."""
    return " ".join(s for w in words(name) for s in stems_of(w))
