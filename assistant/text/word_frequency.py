"""How rare a word is in general English, from a table of stems; no library is loaded for it."""

from __future__ import annotations

from bisect import bisect_left
from functools import cache, lru_cache
from pathlib import Path

UNKNOWN = 1.0
"""Rarity of a word that the table does not hold."""


@cache
def _table() -> list[bytes]:
    """Its lines, sorted, without the one that says where they are from; the last one is empty."""
    return (Path(__file__).parents[1] / "data" / "english.txt").read_bytes().split(b"\n")[1:]


@lru_cache(maxsize=20_000)
def rarity(term: str) -> float:
    """0 for the commonest stems, 1 for those rarer than about one word in ten million; digits count as middling."""
    if term.isdigit():
        return 0.5
    wanted = f"{term} ".encode()
    table = _table()
    at = bisect_left(table, wanted)
    if at < len(table) and table[at].startswith(wanted):
        return max(0.0, min(1.0, (6.5 - int(table[at][len(wanted) :]) / 10) / 4.5))
    return UNKNOWN
