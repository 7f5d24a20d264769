"""A question → ranked hits: every ranking decision is here.

Dense and lexical scores are each on bounds that are the same for every question, and are added with fixed weights:

- dense: the cosine of the question's vector with the passage's (best window of a long one), from `FLOOR` to 1 as 0
to 1;
- lexical: BM25 over the question's terms with an IDF that stays positive, b, as b / (b + 6);
- a question of several demands counts a passage by the question as a whole and by the demand that fits it best.

FAISS and full text only propose candidates; all of them get both scores. Order is `(-score, path, line)`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from assistant import english
from assistant.encoder import Encoder
from assistant.questions import Demand, Query
from assistant.records import Hit, Passage, PassageId
from assistant.store import Store
from assistant.terms import stem, terms, words
from assistant.topics import CONCEPT, DESCRIBED

Floats = NDArray[np.float32]

CANDIDATES = 160
"""Passages proposed by each of: the whole question's vector, each demand's, and the words."""
RAREST = 12
"""Terms of a question that full text is asked for."""
DENSE = 0.55
"""Weight of the dense part; the lexical one has the rest."""
FLOOR = 0.05
"""Cosines below it count as none: unrelated short texts lie about there."""
HALF = 6.0
"""The BM25 that counts as a half."""
CONCEPTS = 14
"""Concepts of the vocabulary that a text of the question brings."""
SPEAKERS = 60
"""Passages that are read of those that name a concept."""
SAME_SECTION, SAME_NOTE = 0.15, 0.03
"""What a follow-up adds to passages of the section, and of the note, last talked about."""
_BETWEEN = frozenset(("it", "them", "that", "this", "the", "a", "my", "all"))
TEXTS = 14
"""Texts of a question that are encoded at most: itself and its clauses."""
_K1, _B = 1.2, 0.5
_HEADING = 0.5


@dataclass(frozen=True, slots=True)
class Read:
    """A passage as it is scored; kept while the store is open."""

    passage: Passage
    words: Counter[str]
    heads: frozenset[str]
    rows: Floats | None
    """(k, d) unit rows; None while it has no vector."""


@dataclass(frozen=True, slots=True)
class Concept:
    """What the vocabulary says of one concept and this question."""

    cosines: Floats
    """(texts,): the best of its sentences against each text."""
    words: frozenset[str]
    """Terms of its sentences."""
    speakers: dict[PassageId, str]
    """Passage → `concept` where its own name is the concept's, `described` where the concept is named elsewhere
    in it.
    """


@dataclass(frozen=True, slots=True)
class Found:
    """Everything one search learned, aligned: `dense[i, j]` is passage i against text j; text 0 is the whole
    question.
    """

    query: Query
    demands: tuple[Demand, ...]
    """What texts 1 … stand for; empty where the question is one demand."""
    vectors: Floats
    """(texts, d)"""
    hits: tuple[Hit, ...]
    """Ranked; every candidate."""
    dense: Floats
    """(hits, texts); nan where a passage has no vector."""
    lexical: Floats
    """(hits, texts), each 0 to 1."""
    fused: Floats
    """(hits, texts), each 0 to 1."""
    idf: dict[str, float]
    """Of the question's terms."""
    known: dict[str, int]
    """Passages that hold each term of the question."""
    concepts: dict[str, Concept]
    """Concepts of the vocabulary that come near any text of the question, by key."""


@dataclass(frozen=True, slots=True)
class Lean:
    """What a follow-up leans on."""

    text: str
    """Its own words."""
    path: str
    heading_path: tuple[str, ...]
    """The section last talked about."""


@dataclass(slots=True)
class Searcher:
    """One open store with what has been read of it; belongs to one generation."""

    store: Store
    encoder: Encoder
    vocabulary: bool = True
    """Whether general concepts help to find."""
    _read: dict[PassageId, Read] = field(default_factory=dict)
    _spans: tuple[list[str], list[int]] | None = None
    _words: dict[str, frozenset[str]] = field(default_factory=dict)
    _speakers: dict[str, dict[PassageId, str]] = field(default_factory=dict)

    def find(self, query: Query, only: Collection[PassageId] | None = None, lean: Lean | None = None) -> Found:
        """All candidates for the question, scored and ordered; `only` restricts before ranking.

        `lean` makes of a follow-up more than a question about its subject: its own words, and the section last
        talked about.
        """
        query = self._joined(query)
        demands = query.demands[: TEXTS - 1] if len(query.demands) > 1 else ()
        if lean is not None:
            demands = (Demand(lean.text, 1.0),)
        texts = [query.core or query.text, *(d.text for d in demands)]
        vectors = np.stack([self.encoder.question(t) for t in texts])
        bags = [query.terms, *(tuple(dict.fromkeys(_terms(query, d.text))) for d in demands)]
        known = self.store.frequencies(sorted({t for bag in bags for t in bag}))
        idf = {t: math.log(1 + (self.store.passages_count + 1) / (n + 0.5)) for t, n in known.items()}
        rarest = sorted((t for t in query.terms if known.get(t)), key=lambda t: (known[t], t))[:RAREST]
        ids = set(self.store.containing(rarest, CANDIDATES, only)) if rarest else set()
        for near in self.store.near(vectors, CANDIDATES, only):
            ids.update(near)
        concepts = self._concepts(vectors) if self.vocabulary else {}
        for concept in concepts.values():
            ids.update(i for i in concept.speakers if only is None or i in only)
        reads = self.read(sorted(ids))
        ordered = sorted(reads)
        rows = [(i, reads[i]) for i in ordered]
        return self._ranked(query, demands, vectors, bags, rows, idf, known, concepts, lean)

    def _joined(self, query: Query) -> Query:
        """The question with what people write apart and notes together ("roll it back": rollback)."""
        spoken = [w for w in words(query.text) if w.lower() not in _BETWEEN]
        pairs = {stem(a + b) for a, b in pairwise(spoken) if a.isalpha() and b.isalpha()}
        known = self.store.frequencies(sorted(pairs - set(query.terms)))
        more = tuple(t for t in sorted(known) if known[t] and english.rarity(t) > 0.3)
        return replace(query, terms=(*query.terms, *more)) if more else query

    def _ranked(
        self,
        query: Query,
        demands: tuple[Demand, ...],
        vectors: Floats,
        bags: Sequence[tuple[str, ...]],
        reads: list[tuple[PassageId, Read]],
        idf: dict[str, float],
        known: dict[str, int],
        concepts: dict[str, Concept],
        lean: Lean | None,
    ) -> Found:
        dense, lexical, fused = self.scores(vectors, bags, [r for _, r in reads], idf)
        weights = [d.weight for d in demands]
        if lean is not None:
            near = np.array([_nearness(lean, r.passage) for _, r in reads], dtype=np.float32).reshape(-1, 1)
            fused = fused + near
        score = np.round(blended(fused, weights), 6)
        hits = [
            Hit(
                i,
                r.passage,
                None if np.isnan(dense[n, 0]) else round(float(dense[n, 0]), 6),
                round(float(lexical[n, 0]), 6),
                float(score[n]),
            )
            for n, (i, r) in enumerate(reads)
        ]
        order = sorted(
            range(len(hits)),
            key=lambda n: (-hits[n].score, hits[n].passage.path, hits[n].passage.start, hits[n].passage.end),
        )
        return Found(
            query,
            demands,
            vectors,
            tuple(hits[n] for n in order),
            dense[order],
            lexical[order],
            fused[order],
            idf,
            known,
            concepts,
        )

    def scores(
        self, vectors: Floats, bags: Sequence[Sequence[str]], reads: Sequence[Read], idf: dict[str, float]
    ) -> tuple[Floats, Floats, Floats]:
        """(passages, texts) of cosines, lexical scores and both fused; a passage without a vector is fused by its
        words alone.
        """
        dense = np.full((len(reads), len(bags)), np.nan, dtype=np.float32)
        for n, read in enumerate(reads):
            if read.rows is not None:
                dense[n] = (read.rows @ vectors.T).max(axis=0)
        dense = np.round(dense, 6)
        average = self.average(reads)
        lexical = np.array([[_bm25(bag, r, idf, average) for bag in bags] for r in reads], dtype=np.float32).reshape(
            len(reads), len(bags)
        )
        lexical = lexical / (lexical + HALF)
        bounded = np.clip((dense - FLOOR) / (1 - FLOOR), 0, 1)
        both = DENSE * bounded + (1 - DENSE) * lexical
        return dense, lexical, np.where(np.isnan(dense), lexical, both).astype(np.float32)

    def read(self, ids: Collection[PassageId]) -> dict[PassageId, Read]:
        """The passages with their words and vectors, each read once."""
        missing = [i for i in ids if i not in self._read]
        if missing:
            rows = self.store.vectors(missing)
            for i, passage in self.store.passages(missing).items():
                heads = frozenset(t for h in passage.heading_path[1:] for t in terms(h))
                self._read[i] = Read(passage, Counter(terms(f"{passage.label} {passage.text}")), heads, rows.get(i))
        return {i: self._read[i] for i in ids if i in self._read}

    def _concepts(self, vectors: Floats) -> dict[str, Concept]:
        """The concepts whose sentences come nearest to any text of the question, and the passages that name them."""
        rows, matrix = self.store.concepts().rows, self.store.concepts().matrix
        if not rows:
            return {}
        if self._spans is None:
            starts = [n for n in range(len(rows)) if n == 0 or rows[n][0] != rows[n - 1][0]]
            self._spans = [rows[n][0] for n in starts], starts
        keys, starts = self._spans
        best = np.maximum.reduceat(matrix @ vectors.T, starts, axis=0)
        chosen = {
            int(n) for column in range(best.shape[1]) for n in np.argsort(-best[:, column], kind="stable")[:CONCEPTS]
        }
        named = [keys[n] for n in sorted(chosen)]
        self._learn(named)
        return {
            k: Concept(best[n], self._words[k], self._speakers[k]) for k, n in zip(named, sorted(chosen), strict=True)
        }

    def _learn(self, keys: Sequence[str]) -> None:
        missing = [k for k in keys if k not in self._speakers]
        if not missing:
            return
        found = self.store.topic(missing)
        wanted = set(missing)
        sentences: dict[str, list[str]] = {}
        for topic_key, _, sentence in self.store.concepts().rows:
            if topic_key in wanted:
                sentences.setdefault(topic_key, []).append(sentence)
        for k in missing:
            self._words[k] = frozenset(t for s in sentences.get(k, ()) for t in terms(s))
            self._speakers[k] = {}
            for mention in found.get(k, ())[:SPEAKERS]:
                if mention.kind in (CONCEPT, DESCRIBED) and self._speakers[k].get(mention.passage) != CONCEPT:
                    self._speakers[k][mention.passage] = mention.kind

    def average(self, reads: Sequence[Read]) -> float:
        """Terms of a middling passage: a fixed length, so that scores do not hang on which candidates there are."""
        return 16.0


def blended(fused: Floats, weights: Sequence[float]) -> Floats:
    """(passages,) scores: the whole question and the best demand half each; a demand that must not be takes a
    little off.
    """
    if fused.shape[1] < 2 or not weights:
        return fused[:, 0]
    parts = fused[:, 1:] * np.array([max(w, 0.0) for w in weights], dtype=np.float32)
    against = fused[:, 1:] * np.array([max(-w, 0.0) for w in weights], dtype=np.float32)
    return np.asarray(0.5 * fused[:, 0] + 0.5 * parts.max(axis=1) - 0.1 * against.max(axis=1), dtype=np.float32)


def _nearness(lean: Lean, passage: Passage) -> float:
    if passage.path != lean.path:
        return 0.0
    return SAME_SECTION if passage.heading_path == lean.heading_path else SAME_NOTE


def _terms(query: Query, text: str) -> list[str]:
    wanted = frozenset(query.terms)
    written_together = [t for t in query.terms if t not in frozenset(terms(query.text))]
    return [*(t for t in terms(text) if t in wanted), *written_together]


def _bm25(bag: Sequence[str], read: Read, idf: dict[str, float], average: float) -> float:
    total = 0.0
    norm = _K1 * (1 - _B + _B * read.words.total() / average)
    for term in bag:
        count = read.words.get(term, 0) + (_HEADING if term in read.heads else 0.0)
        if count:
            total += idf.get(term, 0.0) * count * (_K1 + 1) / (count + norm)
    return total
