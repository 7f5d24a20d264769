"""Words that say nothing of a subject, and the terms of a text without them."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from assistant.text.tokenizer import stem, terms


@cache
def _lists() -> dict[str, str]:
    return tomllib.loads((Path(__file__).parents[1] / "data" / "words.toml").read_text("utf-8"))


def word_list(name: str) -> frozenset[str]:
    """The words of one list of `data/words.toml`."""
    return frozenset(_lists()[name].split())


def _stems(name: str) -> frozenset[str]:
    return frozenset(map(stem, word_list(name)))


_FUNCTION = _stems("function")
ASKING = _stems("asking")
"""Stems of words that ask ("which *service fits*") and say nothing of the need."""
CODE_NOUNS = _stems("code_nouns")
"""Stems of nouns for things of code ("which *flag*")."""
FORM = _stems("form")
"""Stems of words that ask for the form of an answer ("show", "yaml", "difference")."""


def is_stop(term: str) -> bool:
    """Whether a stem is a function word."""
    return term in _FUNCTION


def content(text: str) -> tuple[str, ...]:
    """Stems of the words that say what a text is about, each once, in order."""
    found = (t for t in terms(text) if t not in _FUNCTION and t not in FORM and (len(t) > 1 or t.isdigit()))
    return tuple(dict.fromkeys(found))
