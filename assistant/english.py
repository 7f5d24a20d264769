"""How rare a word is in general English, from a table of stems; no library is loaded for it."""

from __future__ import annotations

from functools import cache, lru_cache
from importlib.resources import files

UNKNOWN = 1.0
"""Rarity of a word that the table does not hold."""


@cache
def _table() -> bytes:
    return (files("assistant") / "data" / "english.txt").read_bytes()


@lru_cache(maxsize=20_000)
def rarity(term: str) -> float:
    """0 for the commonest stems, 1 for those rarer than about one word in ten million; digits count as middling."""
    if term.isdigit():
        return 0.5
    table = _table()
    at = table.find(f"\n{term} ".encode())
    if at < 0:
        return UNKNOWN
    end = table.index(b"\n", at + 1)
    zipf = int(table[at + len(term.encode()) + 2 : end]) / 10
    return max(0.0, min(1.0, (6.5 - zipf) / 4.5))
