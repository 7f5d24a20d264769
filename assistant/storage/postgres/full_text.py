"""What the tables of full text hold."""

from __future__ import annotations

from collections.abc import Iterable

from assistant.storage.backend import Contents

Postings = dict[str, tuple[list[int], list[float], list[int]]]
"""Term → the passages of one note that hold it, how often each does (in its words, and half as much in its headings),
and how many terms each has in all."""


def postings_of(contents: Iterable[Contents]) -> tuple[Postings, int]:
    """The postings of one note, and how many terms its passages have together, the title's too."""
    postings: Postings = {}
    tokens = 0
    for one in contents:
        length = len(one.words) + len(one.headings) + len(one.title)
        tokens += length
        frequencies: dict[str, float] = {}
        for words, weight in ((one.words, 1.0), (one.headings, 0.5)):
            for word in words:
                frequencies[word] = frequencies.get(word, 0.0) + weight
        for term, frequency in frequencies.items():
            holding, often, lengths = postings.setdefault(term, ([], [], []))
            holding.append(one.passage)
            often.append(frequency)
            lengths.append(length)
    return postings, tokens
