"""A question → ranked hits: every ranking decision is here.

Dense and lexical scores are each on bounds that are the same for every question, and are added with fixed weights:

- dense: the cosine of the question's vector with the passage's (best window of a long one), from `FLOOR` to 1 as 0
to 1;
- lexical: BM25 over the question's terms with an IDF that stays positive, b, as b / (b + 6);
- a question of several requirements counts a passage by the question as a whole and by the demand that fits it best.

FAISS and full text only propose candidates; all of them get both scores. Order is `(-score, path, line)`.
"""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from assistant.models.encoder import Encoder
from assistant.question.parser import Query, Requirement
from assistant.records import Hit, Passage, PassageId
from assistant.retrieval.feature_cache import FeatureBatch, FeatureCache, IndexedPassage
from assistant.retrieval.query_expansion import ConceptMatches, QueryExpander
from assistant.storage import Store, StoredMention
from assistant.text import excerpts, word_frequency
from assistant.text.tokenizer import stem, terms, words
from assistant.topics.extraction import Naming, namings

Floats = NDArray[np.float32]

CANDIDATES = 160
"""Passages proposed by each of: the whole question's vector, and the words."""
OF_A_DEMAND = 60
"""Passages proposed by each demand's vector, where a question has several."""
RAREST = 12
"""Terms of a question that full text is asked for."""
DENSE = 0.55
"""Weight of the dense part; the lexical one has the rest."""
OF_A_NEED = 0.75
"""The same where a need is told: in other words than the notes', mostly."""
FLOOR = 0.05
"""Cosines below it count as none: unrelated short texts lie about there."""
HALF = 6.0
"""The BM25 that counts as a half."""
EXPANSION = 0.2
"""What a passage gains at most for coming near what things of the likely concepts are called, where a need is told or
code is asked for; a fact is in the words of its question."""
_HINT = 0.5
SAME_SECTION, SAME_NOTE = 0.15, 0.03
"""What a follow-up adds to passages of the section, and of the note, last talked about."""
_BETWEEN = frozenset(("it", "them", "that", "this", "the", "a", "my", "all"))
TEXTS = 14
"""Texts of a question that are encoded at most: itself and its clauses."""
_SECTION = 200
_NOTES = 64
"""Notes whose text is kept at most."""
_K1, _B = 1.2, 0.5
_AVERAGE = 16.0
"""Terms of a middling passage: fixed, so that scores do not hang on which candidates there are."""


@dataclass(frozen=True, slots=True)
class SectionTerms:
    """What one section says."""

    terms: frozenset[str]
    """Of its passages and their headings, those of at most `_SECTION` passages."""
    heading: Floats | None
    """(d,): its heading's unit row; None while it has none."""


@dataclass(frozen=True, slots=True)
class RetrievalResult:
    """Everything one search learned, aligned: `dense[i, j]` is passage i against text j; text 0 is the whole
    question.
    """

    query: Query
    requirements: tuple[Requirement, ...]
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
    concepts: ConceptMatches
    """The general concepts that the question may mean."""
    reads: tuple[IndexedPassage, ...]
    """What `hits` was scored by, aligned."""
    called: Floats
    """(hits,): how near each comes to what things of the likely concepts are called, by its vector; 0 to 1."""
    hinted: Floats
    """(hits,): the same by its words; 0 and up."""


@dataclass(frozen=True, slots=True)
class FollowUpContext:
    """What a follow-up leans on."""

    text: str
    """Its own words."""
    path: str
    heading_path: tuple[str, ...]
    """The section last talked about."""


@dataclass(slots=True)
class HybridRetriever:
    """One open store with what has been read of it; belongs to one generation."""

    store: Store
    encoder: Encoder
    vocabulary: bool = True
    """Whether general concepts help to find."""
    _read: dict[PassageId, IndexedPassage] = field(default_factory=dict)
    _namings: dict[PassageId, tuple[Naming, ...]] = field(default_factory=dict)
    _sections: dict[tuple[str, str], SectionTerms] = field(default_factory=dict)
    _plain: dict[str, str] = field(default_factory=dict)
    _columns: FeatureCache = field(default_factory=FeatureCache)
    _expander: QueryExpander | None = None

    def retrieve(
        self, query: Query, only: Collection[PassageId] | None = None, context: FollowUpContext | None = None
    ) -> RetrievalResult:
        """All candidates for the question, scored and ordered; `only` restricts before ranking.

        `context` makes of a follow-up more than a question about its subject: its own words, and the section last
        talked about.
        """
        query = self._joined(query)
        requirements = asked(query) if context is None else (Requirement(context.text, 1.0),)
        bags = [query.terms, *(tuple(dict.fromkeys(_terms(query, d.text))) for d in requirements)]
        known = self.store.frequencies(sorted({t for bag in bags for t in bag}))
        idf = {t: math.log(1 + (self.store.passages_count + 1) / (n + 0.5)) for t, n in known.items()}
        rarest = sorted((t for t in query.terms if known.get(t)), key=lambda t: (known[t], t))[:RAREST]
        ids = set(self.store.bm25_candidates(rarest, CANDIDATES, only)) if rarest else set()
        self.read(ids)
        expander = self._vocabulary()
        worded = expander.lexical_weights(query.terms) if expander is not None else None
        # As late as can be: the texts are encoded beside what comes before.
        vectors = np.stack([self.encoder.question(t) for t in texts(query, requirements)])
        for near in self.store.nearest_passages(vectors[:1], CANDIDATES, only):
            ids.update(near)
        for near in self.store.nearest_passages(vectors[1:], OF_A_DEMAND, only):
            ids.update(near)
        concepts = ConceptMatches()
        if expander is not None and worded is not None:
            concepts = expander.expand(vectors, [d.weight for d in requirements], worded)
            ids.update(i for i in concepts.speakers if only is None or i in only)
        reads = self.read(sorted(ids))
        rows = [(i, reads[i]) for i in sorted(reads)]
        return self._ranked(query, requirements, vectors, bags, rows, idf, known, concepts, context)

    def _vocabulary(self) -> QueryExpander | None:
        if self._expander is None and self.vocabulary:
            self._expander = QueryExpander(self.store)
        return self._expander

    def section(self, passage: Passage) -> SectionTerms:
        """The section that a passage stands in; read once."""
        place = (passage.path, passage.anchor)
        if place not in self._sections:
            reads = self.read(self.store.section_passages(*place)[:_SECTION]).values()
            headings = (self.row(r) for r in reads if r.passage.kind == "heading")
            said = frozenset[str]().union(*(r.said for r in reads), *(r.heads for r in reads))
            self._sections[place] = SectionTerms(said, next((row for row in headings if row is not None), None))
        return self._sections[place]

    def plain(self, path: str) -> str:
        """A note's text as names are looked for in it: without marks, tags and line ends."""
        if path not in self._plain:
            if len(self._plain) >= _NOTES:
                self._plain.clear()
            self._plain[path] = excerpts.plain(" ".join(self.store.lines(path, 1, sys.maxsize)))
        return self._plain[path]

    def namings(self, ids: Sequence[PassageId]) -> list[tuple[Naming, ...]]:
        """What each of these passages can be called, mentions by name; read once."""
        missing = [i for i in ids if i not in self._namings]
        mentioned: dict[PassageId, list[StoredMention]] = {i: [] for i in missing}
        for mention in self.store.mentions(missing) if missing else ():
            mentioned[mention.passage].append(mention)
        for i, read in self.read(missing).items():
            self._namings[i] = namings(read.passage, (mention[:3] for mention in mentioned[i]))
        return [self._namings[i] for i in ids]

    def _joined(self, query: Query) -> Query:
        """The question with what people write apart and notes together ("roll it back": rollback)."""
        spoken = [w for w in words(query.text) if w.lower() not in _BETWEEN]
        pairs = {stem(a + b) for a, b in pairwise(spoken) if a.isalpha() and b.isalpha()}
        known = self.store.frequencies(sorted(pairs - set(query.terms)))
        more = tuple(t for t in sorted(known) if known[t] and word_frequency.rarity(t) > 0.3)
        return replace(query, terms=(*query.terms, *more)) if more else query

    def _ranked(
        self,
        query: Query,
        requirements: tuple[Requirement, ...],
        vectors: Floats,
        bags: Sequence[tuple[str, ...]],
        reads: list[tuple[PassageId, IndexedPassage]],
        idf: dict[str, float],
        known: dict[str, int],
        concepts: ConceptMatches,
        context: FollowUpContext | None,
    ) -> RetrievalResult:
        every = [r for _, r in reads]
        weight = OF_A_NEED if query.told else DENSE
        table = self.table(every)
        dense, lexical, fused = self.scores(vectors, bags, table, idf, weight)
        called, hinted = suggested(table, concepts, self._columns.numbers)
        weights = [d.weight for d in requirements]
        if context is not None:
            near = np.array([_nearness(context, r.passage) for _, r in reads], dtype=np.float32).reshape(-1, 1)
            fused = fused + near
        expanded = weight * called + (1 - weight) * hinted / (hinted + _HINT)
        gain = EXPANSION if query.told or query.code else 0.0
        score = np.round(blended(fused, weights) + gain * expanded, 6)
        near, words_of, scored = dense[:, 0].tolist(), np.round(lexical[:, 0], 6).tolist(), score.tolist()
        order = _ordered(scored, every)
        hits = [
            Hit(reads[n][0], every[n].passage, None if near[n] != near[n] else near[n], words_of[n], scored[n])
            for n in order
        ]
        return RetrievalResult(
            query,
            requirements,
            vectors,
            tuple(hits),
            dense[order],
            lexical[order],
            fused[order],
            idf,
            known,
            concepts,
            tuple(every[n] for n in order),
            called[order],
            hinted[order],
        )

    def row(self, read: IndexedPassage) -> Floats | None:
        """(d,): the first unit row of a passage; None while it has none."""
        return self._columns.first_row(read)

    def table(self, reads: Sequence[IndexedPassage]) -> FeatureBatch:
        """What these passages are scored by."""
        return self._columns.table(reads)

    def scores(
        self,
        vectors: Floats,
        bags: Sequence[Sequence[str]],
        table: FeatureBatch,
        idf: dict[str, float],
        weight: float = DENSE,
    ) -> tuple[Floats, Floats, Floats]:
        """(passages, texts) of cosines, lexical scores and both fused; a passage without a vector is fused by its
        words alone.
        """
        dense = nearest(table, vectors)
        lexical = bm25(
            table, bags, {t: w * (0.3 + word_frequency.rarity(t)) for t, w in idf.items()}, self._columns.numbers
        )
        lexical = lexical / (lexical + HALF)
        bounded = np.clip((dense - FLOOR) / (1 - FLOOR), 0, 1)
        both = weight * bounded + (1 - weight) * lexical
        return dense, lexical, np.where(np.isnan(dense), lexical, both).astype(np.float32)

    def read(self, ids: Collection[PassageId]) -> dict[PassageId, IndexedPassage]:
        """The passages with their words and vectors, each read once."""
        missing = [i for i in ids if i not in self._read]
        if missing:
            self._read |= self._columns.add(self.store.passages(missing), self.store.vectors(missing))
        return {i: self._read[i] for i in ids if i in self._read}


def asked(query: Query) -> tuple[Requirement, ...]:
    """The requirements that a question is looked for by besides the whole of it; none where it is one demand."""
    return query.requirements[: TEXTS - 1] if len(query.requirements) > 1 else ()


def texts(query: Query, requirements: Sequence[Requirement]) -> list[str]:
    """What of a question is encoded: the whole of it, and each demand."""
    return [query.core or query.text, *(d.text for d in requirements)]


def _ordered(scores: Sequence[float], reads: Sequence[IndexedPassage]) -> list[int]:
    """Places, the best score first, then by path and lines; these are looked up only for scores that tie."""
    tied = {score for score, many in Counter(scores).items() if many > 1}
    passages = [r.passage for r in reads]
    keys = [
        (-score, (at.path, at.start, at.end) if score in tied else _ALONE)
        for score, at in zip(scores, passages, strict=True)
    ]
    return sorted(range(len(keys)), key=keys.__getitem__)


_ALONE = ("", 0, 0)


def nearest(table: FeatureBatch, vectors: Floats) -> Floats:
    """(passages, texts) of cosines, the best row of each passage; nan where a passage has no vector."""
    dense = np.full((table.size, len(vectors)), np.nan, dtype=np.float32)
    if table.matrix is not None:
        dense[table.held] = np.maximum.reduceat(table.matrix @ vectors.T, table.starts, axis=0)
    return np.round(dense, 6)


def suggested(table: FeatureBatch, concepts: ConceptMatches, numbers: Mapping[str, int]) -> tuple[Floats, Floats]:
    """(passages,) twice: how near each comes to what a thing of the likely concepts is called, by its vector and by its
    words; `numbers` are those of all terms.
    """
    if concepts.expected is None or not table.size:
        return np.zeros(table.size, dtype=np.float32), np.zeros(table.size, dtype=np.float32)
    by_vector = np.nan_to_num(nearest(table, concepts.expected[None, :])[:, 0])
    weights = np.zeros(len(numbers))
    for t, weight in concepts.hinted.items():
        if t in numbers:
            # Whole multiples of a small power of two: their sum is exact, and so the same in any order.
            weights[numbers[t]] = round(weight * 2**32) / 2**32
    said = (table.counts >= 1) + table.counts % 1  # once, however often; a heading's half
    by_words = np.bincount(table.owners, weights[table.numbers] * said, table.size)
    return np.clip((by_vector - FLOOR) / (1 - FLOOR), 0, 1), by_words.astype(np.float32)


def bm25(
    table: FeatureBatch, bags: Sequence[Sequence[str]], weights: Mapping[str, float], numbers: Mapping[str, int]
) -> Floats:
    """(passages, texts): the BM25 of each text's terms, by their weights; `numbers` are those of all terms."""
    wanted = list(dict.fromkeys(t for bag in bags for t in bag))
    columns = np.full(len(numbers), -1)
    for n, t in enumerate(wanted):
        if t in numbers:
            columns[numbers[t]] = n
    column = columns[table.numbers]
    met = column >= 0
    counts = np.zeros((table.size, len(wanted)), dtype=np.float32)
    counts[table.owners[met], column[met]] = table.counts[met]
    norm = (_K1 * (1 - _B + _B * table.lengths / _AVERAGE)).astype(np.float32).reshape(-1, 1)
    scored = counts * (_K1 + 1) / (counts + norm) * np.array([weights.get(t, 0.0) for t in wanted], dtype=np.float32)
    members = [frozenset(bag) for bag in bags]
    held = np.array([[t in bag for bag in members] for t in wanted], dtype=np.float32)
    return np.asarray(scored @ held.reshape(len(wanted), len(bags)))


def blended(fused: Floats, weights: Sequence[float]) -> Floats:
    """(passages,) scores: the whole question and the best demand half each; a demand that must not be takes a
    little off.
    """
    if fused.shape[1] < 2 or not weights:
        return fused[:, 0]
    parts = fused[:, 1:] * np.array([max(w, 0.0) for w in weights], dtype=np.float32)
    against = fused[:, 1:] * np.array([max(-w, 0.0) for w in weights], dtype=np.float32)
    return np.asarray(0.5 * fused[:, 0] + 0.5 * parts.max(axis=1) - 0.1 * against.max(axis=1), dtype=np.float32)


def _nearness(context: FollowUpContext, passage: Passage) -> float:
    if passage.path != context.path:
        return 0.0
    return SAME_SECTION if passage.heading_path == context.heading_path else SAME_NOTE


def _terms(query: Query, text: str) -> list[str]:
    wanted = frozenset(query.terms)
    written_together = [t for t in query.terms if t not in frozenset(terms(query.text))]
    return [*(t for t in terms(text) if t in wanted), *written_together]
