"""How rare a word is in general English, from a table of stems; no library is loaded for it."""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path

UNKNOWN = 1.0
"""Rarity of a word that the table does not hold."""


@cache
def _table() -> bytes:
    return (Path(__file__).parent / "data" / "english.txt").read_bytes()


@lru_cache(maxsize=20_000)
def rarity(term: str) -> float:
    """0 for the commonest stems, 1 for those rarer than about one word in ten million; digits count as middling."""
    if term.isdigit():
        return 0.5
    table = _table()
    wanted = f"{term} ".encode()
    low, high = 0, len(table)
    while low < high:
        middle = table.rfind(b"\n", low, (low + high) // 2) + 1 or low
        middle = max(middle, low)
        end = table.find(b"\n", middle)
        line = table[middle:end]
        if line.startswith(wanted):
            return max(0.0, min(1.0, (6.5 - int(line[len(wanted) :]) / 10) / 4.5))
        if line < wanted:
            low = end + 1
        else:
            high = middle
    return UNKNOWN
