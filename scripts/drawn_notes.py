"""Notes and questions drawn with a seed, as records, in any number: for measuring a store and nothing before it.

Their counts are those of the Knative documentation (399 notes, 16,409 passages): 40 passages a note, in chunks of 5,
with a median of 13 words and a mean of 20, three names of topics a passage, about five terms a question. Terms are
drawn by Zipf and Mandelbrot's law, 1 / (rank + 2) ** 1.1 over 100,000 of them, so that the commonest stands in half of
the passages, the tenth in a sixth, the thousandth in one of 900; names of topics by 1 / (rank + 3) over 100,000.
A note draws few terms and repeats them, so that it has 200 different ones.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, product

import numpy as np
from numpy.typing import NDArray

from assistant.records import Chunk, LineNumber, Mention, Note, NoteFile, Outline, Passage, Section
from assistant.storage import IndexedNote
from assistant.text import tokenizer

Floats = NDArray[np.float32]

DIMENSION = 384
A_NOTE, A_CHUNK, A_SECTION = 40, 5, 8
"""Passages of each."""
TERMS = NAMES = 100_000
COMMON = 2
"""Terms that stand in the headings of a note, of those it has."""
CENTRES, SPREAD = 1_000, 0.7
"""Of vectors in clusters: how many clusters, and the length of what is added to a centre, of length one: two texts of
one cluster have a cosine of about 0.67, as paragraphs of one subject have."""
_NOTES, _QUESTIONS, _VECTORS, _CENTRES = range(4)
"""Streams of numbers that never meet."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a store for one question."""

    terms: tuple[str, ...]
    """About five."""
    topics: tuple[str, ...]
    """Two keys of topics."""
    vectors: Floats
    """(3, DIMENSION): of the question as a whole, and of two requirements."""


class Drawn:
    """Everything is the same for the same seed."""

    def __init__(self, seed: int = 1, *, clustered: bool = False) -> None:
        """`clustered` vectors lie around CENTRES centres; else they have every direction alike."""
        self._seed = seed
        self.identity = f"drawn-{seed}-{clustered}"
        self._words = words(TERMS)
        self._terms = _cumulative(1 / (np.arange(TERMS) + 3) ** 1.1)
        self._names = _cumulative(1 / (np.arange(NAMES) + 4))
        self._centres = _unit(self._stream(_CENTRES, 0), CENTRES) if clustered else None

    def note(self, number: int) -> IndexedNote:
        """The note of that number, from 0, with A_NOTE passages."""
        chance = self._stream(_NOTES, number)
        lengths = np.clip(np.exp(chance.normal(np.log(13), 0.95, A_NOTE)).astype(int), 2, 200)
        pool = np.searchsorted(self._terms, chance.random(A_NOTE * 8))
        drawn = iter(pool[chance.integers(len(pool), size=int(lengths.sum()))].tolist())
        texts = [" ".join(self._words[n] for n in islice(drawn, length)) for length in lengths.tolist()]
        path = f"{number % 100:02}/{number}.md"
        title = f"{self._words[number % TERMS]} {number}"
        above = [
            (title, f"{self._words[pool[2 * n]]} {self._words[pool[2 * n + 1]]}") for n in range(A_NOTE // A_SECTION)
        ]
        passages = tuple(
            Passage(path, above[n // A_SECTION], f"a{n // A_SECTION}", "paragraph", "", _line(n), _line(n), text)
            for n, text in enumerate(texts)
        )
        named = np.searchsorted(self._names, chance.random((A_NOTE, 3))).tolist()
        chunks = tuple(
            Chunk(
                path,
                passages[n].heading_path,
                passages[n].anchor,
                _line(n),
                _line(n + A_CHUNK - 1),
                "\n".join(texts[n : n + A_CHUNK]),
                True,
            )
            for n in range(0, A_NOTE, A_CHUNK)
        )
        lines = tuple(line for text in texts for line in (text, ""))
        digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
        return IndexedNote(
            *(NoteFile(path, sum(map(len, texts)), 1, number + 1), 10**10, Note(path, lines, digest)),
            Outline(
                path,
                title,
                True,
                (),
                tuple(
                    Section(heading, f"a{n}", 2, _line(n * A_SECTION), LineNumber(_line((n + 1) * A_SECTION) - 1), ())
                    for n, heading in enumerate(above)
                ),
            ),
            passages=passages,
            embedded=tuple(f"{title}: {passage.text}" for passage in passages),
            mentions=tuple(
                Mention(self.topic(name), "concept", passage.start, passage.end)
                for passage, of_passage in zip(passages, named, strict=True)
                for name in of_passage
            ),
            chunks=chunks,
            embedded_chunks=tuple(f"{title}: {chunk.text}" for chunk in chunks),
        )

    def topic(self, number: int) -> str:
        """The name of a topic."""
        return f"{self._words[number]} {self._words[-number - 1]}"

    def question(self, number: int) -> Question:
        """The question of that number, from 0: terms whose ranks are those of questions about the documentation, a
        median of 278, half of them between 100 and 760."""
        chance = self._stream(_QUESTIONS, number)
        ranks = np.clip(np.exp(chance.normal(np.log(278), 1.5, 1 + chance.poisson(4))).astype(int), 5, TERMS - 1)
        topics = np.searchsorted(self._names, chance.random(2)).tolist()
        return Question(
            tuple(dict.fromkeys(tokenizer.stem(self._words[n]) for n in ranks.tolist())),
            tuple(tokenizer.key(self.topic(n)) for n in topics),
            self._rows(chance, 3),
        )

    def vectors(self, batch: int, count: int) -> Floats:
        """(count, DIMENSION): unit rows for the batch of that number."""
        return self._rows(self._stream(_VECTORS, batch), count)

    def _rows(self, chance: np.random.Generator, count: int) -> Floats:
        rows = _unit(chance, count)
        if self._centres is None:
            return rows
        rows = self._centres[chance.integers(CENTRES, size=count)] + np.float32(SPREAD) * rows
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)

    def _stream(self, kind: int, number: int) -> np.random.Generator:
        return np.random.default_rng((self._seed, kind, number))


def words(count: int) -> list[str]:
    """So many different words of two to four syllables, each a term by itself, short ones first."""
    found = list[str]()
    seen = set[str]()
    for word in _syllables():
        stem = tokenizer.stem(word)
        if stem not in seen:
            seen.add(stem)
            found.append(word)
            if len(found) == count:
                break
    return found


def _syllables() -> Iterator[str]:
    syllables = ["".join(pair) for pair in product("bdfgklmnprstvz", "aeiou")]
    for length in (2, 3, 4):
        yield from map("".join, product(syllables, repeat=length))


def _line(number: int) -> LineNumber:
    """Of the passage with this number in its note."""
    return LineNumber(2 * number + 1)


def _cumulative(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    total = np.cumsum(weights)
    return np.asarray(total / total[-1])


def _unit(chance: np.random.Generator, count: int) -> Floats:
    rows = chance.standard_normal((count, DIMENSION), dtype=np.float32)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)
