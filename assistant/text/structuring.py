"""Headings that structure a text ("Overview", "See also") and name nothing."""

from __future__ import annotations

from assistant.text.stop_words import word_list
from assistant.text.tokenizer import key

_WORDS = frozenset(map(key, word_list("structuring")))


def is_structuring(name_key: str) -> bool:
    """Whether every word of a name's key (`tokenizer.key`) is one of those that structure."""
    return all(word in _WORDS for word in name_key.split())
