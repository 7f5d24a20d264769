"""Lines → the narrowest of many runs of lines around each, in one sweep: a note may have a hundred thousand of both."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import heappop, heappush


def narrowest(lines: Iterable[int], spans: Sequence[tuple[int, int]]) -> dict[int, int]:
    """For each line that lies in a span (first and last line, both in it) the place of the shortest such span, the
    first of equals."""
    coming = sorted(((start, end, place) for place, (start, end) in enumerate(spans)), reverse=True)
    around: list[tuple[int, int, int]] = []  # length, place, last line
    found: dict[int, int] = {}
    for line in sorted(set(lines)):
        while coming and coming[-1][0] <= line:
            start, end, place = coming.pop()
            heappush(around, (end - start, place, end))
        while around and around[0][2] < line:
            heappop(around)
        if around:
            found[line] = around[0][1]
    return found
