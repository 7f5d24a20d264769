"""What the reader makes of the words of its texts: how likely each name, or each few words, are what is asked for.

The reader says of each token how likely the answer begins and ends there. Both are compared over all tokens of all
texts that it read for a question, as in training.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assistant.models.cross_encoder import ReadText
from assistant.reading import layout

NEVER = -8.0
"""The least that is told apart, as the logarithm of a probability."""
_WORDS, _BEST = 6, 12
"""Words of an answer, and beginnings and ends that are looked at for one, at most."""
_WORD = re.compile(r"\w+")
_MARKS_BEFORE = re.compile(r"(?:^|[\s`'\"(])(?P<marks>[-$@./]+)$")
"""Marks that belong to the word that follows them: none that join it to the word before."""
_JOINED = re.compile(r"\s|[/_.+&-]{1,2}|\s[&+/]\s|[`*'\"’]{1,2}\s?[`*'\"]{0,2}|\s[`*'\"]{1,2}")
"""What may stand between two words of one name."""


@dataclass(frozen=True, slots=True)
class _Words:
    """A text's words with what the reader makes of each."""

    text: str
    words: tuple[str, ...]
    """In lower case."""
    places: tuple[tuple[int, int], ...]
    """Characters at which each begins and ends."""
    begins: NDArray[np.float64]
    ends: NDArray[np.float64]
    """(words,): logarithms of the probabilities that the answer begins, and ends, with the word."""

    def is_one(self, at: int, number: int) -> bool:
        """Whether nothing parts these words."""
        between = zip(self.places[at : at + number - 1], self.places[at + 1 : at + number], strict=True)
        return all(_JOINED.fullmatch(self.text, one[1], two[0]) for one, two in between)


class Spans:
    """The texts that were read for one question."""

    def __init__(self, read: Sequence[ReadText | None]) -> None:
        """`read` is aligned with the hits; None where one was not read."""
        whole = [one for one in read if one is not None and len(one.spans)]
        stacked = np.concatenate([one.spans for one in whole]).astype(np.float64) if whole else np.zeros((1, 2))
        most = stacked.max(axis=0)
        total = most + np.log(np.exp(stacked - most).sum(axis=0))
        self._texts = {
            n: _words(one, np.maximum(np.round(one.spans - total, 5), NEVER))
            for n, one in enumerate(read)
            if one is not None and len(one.spans)
        }

    def likelihood(self, name: str) -> float:
        """How likely the name is what is asked for where it stands best: a logarithm, 0 to `NEVER`."""
        parts = tuple(_WORD.findall(name.lower()))
        best = NEVER
        for text in self._texts.values() if parts else ():
            for at, word in enumerate(text.words):
                if word == parts[0] and text.words[at : at + len(parts)] == parts and text.is_one(at, len(parts)):
                    best = max(best, float(text.begins[at] + text.ends[at + len(parts) - 1]) / 2)
        return best

    def likeliest(self, number: int) -> Iterator[tuple[int, str]]:
        """The likeliest few words in the texts, each with the position of its hit; best first."""
        found: list[tuple[float, int, str]] = []
        for n, text in self._texts.items():
            ends = np.argsort(-text.ends, kind="stable")[:_BEST].tolist()
            for first in np.argsort(-text.begins, kind="stable")[:_BEST].tolist():
                for last in ends:
                    if first <= last < first + _WORDS:
                        before = _MARKS_BEFORE.search(text.text, 0, text.places[first][0])
                        start = text.places[first][0] if before is None else before.start("marks")
                        said = text.text[start : text.places[last][1]]
                        if layout.SEPARATOR not in said:
                            found.append((float(text.begins[first] + text.ends[last]) / 2, n, said))
        found.sort(key=lambda one: (-one[0], one[1], one[2]))
        yield from ((n, said) for _, n, said in found[:number])


def _words(read: ReadText, logs: NDArray[np.float64]) -> _Words:
    """The words with the best of their tokens: the first says whether one begins, the last whether one ends."""
    # Neither the separator's own word, nor what the reader did not see.
    parts = layout.SEPARATOR.strip()
    seen = read.text[: int(read.places[-1, 1])].replace(parts, " " * len(parts))
    found = [(match[0].lower(), match.span()) for match in _WORD.finditer(seen)]
    begins, ends = np.full(len(found), NEVER), np.full(len(found), NEVER)
    first_token = np.searchsorted(read.places[:, 0], [start for _, (start, _) in found], side="right") - 1
    last_token = np.searchsorted(read.places[:, 1], [end for _, (_, end) in found])
    limit = len(logs) - 1
    if found:
        begins = logs[np.clip(first_token, 0, limit), 0]
        ends = logs[np.minimum(last_token, limit), 1]
    return _Words(read.text, tuple(w for w, _ in found), tuple(place for _, place in found), begins, ends)
