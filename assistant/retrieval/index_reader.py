"""One open store with what has been read of it: passages as they are scored, sections, names, plain text of notes."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from assistant.records import Chunk, ChunkId, Passage, PassageId
from assistant.retrieval.feature_cache import CHUNK_TERMS, FeatureBatch, FeatureCache, IndexedPassage, Places
from assistant.storage import IndexDamaged, Store, StoredMention
from assistant.text import excerpts
from assistant.topics.namings import Naming, namings

Floats = NDArray[np.float32]

_SECTION = 200
"""Passages of a section that are read at most."""
_NOTES = 64
"""Notes whose plain text is kept at most."""


@dataclass(slots=True)
class IndexReader:
    """Reads each thing once; belongs to one generation of the index."""

    store: Store
    _passages: dict[PassageId, IndexedPassage] = field(default_factory=dict)
    _chunks: dict[ChunkId, tuple[Chunk, int]] = field(default_factory=dict)
    """Each with its place in the features."""
    _around: dict[PassageId, int] = field(default_factory=dict)
    """The place of the chunk that a passage stands in."""
    _namings: dict[PassageId, tuple[Naming, ...]] = field(default_factory=dict)
    _sections: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    _plain_notes: dict[str, str] = field(default_factory=dict)
    _features: FeatureCache = field(default_factory=FeatureCache)

    @property
    def term_numbers(self) -> Mapping[str, int]:
        """Term → its number in the features, of all terms read so far."""
        return self._features.numbers

    def passages(self, ids: Collection[PassageId]) -> dict[PassageId, IndexedPassage]:
        """The passages with their words and vectors; ids that do not exist are left out."""
        missing = [i for i in ids if i not in self._passages]
        if missing:
            self._passages |= self._features.add(self.store.passages(missing), self.store.vectors(missing))
        return {i: self._passages[i] for i in ids if i in self._passages}

    def batch(self, passages: Sequence[IndexedPassage]) -> FeatureBatch:
        """What these passages are scored by."""
        return self._features.batch([p.place for p in passages])

    def chunks(self, ids: Sequence[PassageId]) -> tuple[FeatureBatch, Places]:
        """What the chunks around these passages are scored by, each once, and which of them is each passage's."""
        missing = [i for i in ids if i not in self._around]
        if missing:
            self._read_chunks(missing)
        around = np.array([self._around[i] for i in ids], dtype=np.intp)
        places, which = np.unique(around, return_inverse=True)
        return self._features.batch(places, CHUNK_TERMS), which

    def _read_chunks(self, ids: Sequence[PassageId]) -> None:
        chunk_of = self.store.chunks(ids)
        new = sorted(set(chunk_of.values()) - self._chunks.keys())
        if new:
            stored = self.store.stored_chunks(new)
            places = self._features.add_chunks(stored, self.store.chunk_vectors(new))
            self._chunks |= {i: (stored[i].chunk, place) for i, place in places.items()}
        for i, passage in self.passages(ids).items():
            chunk, self._around[i] = self._chunks[chunk_of[i]]
            if not _within(passage.passage, chunk):
                raise IndexDamaged("a passage stands in another chunk")

    def lines(self, path: str, start: int, end: int) -> tuple[str, ...]:
        """Lines `start` to `end` of a note (1-based, inclusive) as they were indexed."""
        return self.store.lines(path, start, end)

    def section_terms(self, passage: Passage) -> frozenset[str]:
        """What the section that a passage stands in says: the terms of its first passages and their headings."""
        place = (passage.path, passage.anchor)
        if place not in self._sections:
            passages = self.passages(self.store.section_passages(*place)[:_SECTION]).values()
            terms = frozenset[str]().union(*(p.terms for p in passages), *(p.heading_terms for p in passages))
            self._sections[place] = terms
        return self._sections[place]

    def section(self, passage: Passage) -> list[Passage]:
        """The passages of the section that a passage stands in, by line, wider before narrower."""
        ids = self.store.section_passages(passage.path, passage.anchor)[:_SECTION]
        return [each.passage for each in self.passages(ids).values()]

    def following(self, passage: Passage) -> list[Passage]:
        """Those of them that stand below the passage, and below the fence that holds it."""
        last = passage.end if passage.fence is None else passage.fence[1]
        return [p for p in self.section(passage) if p.start > last]

    def plain_note(self, path: str) -> str:
        """A note's text as names are looked for in it: without marks, tags and line ends."""
        if path not in self._plain_notes:
            if len(self._plain_notes) >= _NOTES:
                self._plain_notes.clear()
            self._plain_notes[path] = excerpts.plain(" ".join(self.lines(path, 1, sys.maxsize)))
        return self._plain_notes[path]

    def namings(self, ids: Sequence[PassageId]) -> list[tuple[Naming, ...]]:
        """What each of these passages can be called, mentions by name."""
        missing = [i for i in ids if i not in self._namings]
        mentioned: dict[PassageId, list[StoredMention]] = {i: [] for i in missing}
        for mention in self.store.mentions(missing) if missing else ():
            mentioned[mention.passage].append(mention)
        for i, passage in self.passages(missing).items():
            self._namings[i] = namings(passage.passage, (mention[:3] for mention in mentioned[i]))
        return [self._namings[i] for i in ids]


def _within(passage: Passage, chunk: Chunk) -> bool:
    return passage.path == chunk.path and chunk.start <= passage.start and passage.end <= chunk.end
