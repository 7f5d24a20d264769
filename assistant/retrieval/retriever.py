"""From a question to ranked candidates.

FAISS and full text propose candidates, and so do the concepts of the vocabulary that the question may mean; all of them
get the scores of `scoring`. Order is `(-score, path, line)`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from assistant.models.encoder import Encoder
from assistant.question.query import Query, Requirement
from assistant.records import NAMING_KINDS, Hit, Passage, PassageId
from assistant.retrieval import scoring
from assistant.retrieval.feature_cache import IndexedPassage
from assistant.retrieval.index_reader import IndexReader
from assistant.retrieval.options import option_evidence
from assistant.retrieval.query_expansion import ConceptMatches, QueryExpander
from assistant.retrieval.result import Floats, FollowUpContext, RetrievalResult, Scores, Search
from assistant.storage import Store
from assistant.text import word_frequency
from assistant.text.tokenizer import stem, terms, words

CANDIDATES = 160
"""Passages proposed by each of: the whole question's vector, and the words."""
OF_A_REQUIREMENT = 60
"""Passages proposed by each requirement's vector, where a question has several."""
CHUNKS = 24
"""Chunks, those nearest to the question, whose passages become candidates."""
OF_A_CHUNK = 40
"""Passages, the first, that are read of each."""
CONTEXT = 1.0
"""What the score of the chunk that a passage stands in counts beside the passage's own."""
EXPANSION = 0.2
"""The most that a passage gains for similarity to the names of the likely concepts; only for needs and code, since a
fact is in the words of its question."""
_HINT = 0.5
SAME_SECTION, SAME_NOTE = 0.07, 0.03
"""What a follow-up adds to passages of the section, and of the note, last talked about."""
_BETWEEN = frozenset(("it", "them", "that", "this", "the", "a", "my", "all"))
"""Words that may stand between two that notes write as one ("roll *it* back")."""
_RARE = 0.3
"""Rarity in general English from which a word written together is looked for."""

Scope = Collection[PassageId] | None
"""The passages that may be found; None for all."""
Prefetch = Callable[[Sequence[str], Scope], bool]
"""Computes the vectors that a question of these terms needs first; whether any were new."""


@dataclass(slots=True)
class HybridRetriever:
    """Full text and vectors of one open store, with what has been read of it; belongs to one generation."""

    store: Store
    encoder: Encoder
    vocabulary: bool = True
    """Use the built-in vocabulary for query expansion."""
    prefetch: Prefetch = lambda terms, scope: False
    left_out: frozenset[str] = frozenset()
    """Paths of notes that no answer may be made of."""
    reader: IndexReader = field(init=False)
    _expander: QueryExpander | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._forget()

    def retrieve(self, query: Query, scope: Scope = None, context: FollowUpContext | None = None) -> RetrievalResult:
        """All candidates for the question, scored and ordered; `scope` restricts before ranking.

        `context` makes of a follow-up more than a question about its subject: its own words, and the section last
        talked about. IndexDamaged, ModelUnusable.
        """
        if self.prefetch(query.terms, scope):
            self._forget()  # passages were read as if they had no vectors
        written = query.terms
        query = self._with_joined_words(query)
        requirements = query.searched if context is None else (Requirement(context.own_words, 1.0),)
        bags = [query.terms, *(_terms_of(query, r.text) for r in requirements)]
        known = self.store.frequencies(sorted({t for bag in bags for t in bag}))
        candidates = self._by_words(query, known, scope)
        weights = self._expander.lexical_weights(query.terms) if self._expander is not None else None
        # Last, since it waits for the texts that are encoded in the background.
        vectors = np.stack([self.encoder.question(t) for t in (query.searched_text, *(r.text for r in requirements))])
        whole = vectors[0] if query.searched_text == query.text else self.encoder.question(query.text)
        candidates |= self._by_meaning(vectors, scope)
        concepts = ConceptMatches()
        if self._expander is not None and weights is not None:
            concepts = self._expander.expand(vectors, [r.weight for r in requirements], weights)
            candidates.update(i for i in concepts.speakers if scope is None or i in scope)
        passages = self.reader.passages(sorted(candidates))
        idf = scoring.inverse_frequencies(known, self.store.passages_count)
        search = Search(query, requirements, vectors, whole, tuple(bags), idf, known, concepts, scope)
        result = self._rank(search, passages, context)
        if not query.options:
            return result
        return replace(result, options=option_evidence(result, written, self.store, self.encoder, self.reader))

    def _forget(self) -> None:
        self.reader = IndexReader(self.store)
        self._expander = QueryExpander(self.store) if self.vocabulary else None

    def _by_words(self, query: Query, known: Mapping[str, int], scope: Scope) -> set[PassageId]:
        terms = scoring.rarest({term: known.get(term, 0) for term in query.terms})
        candidates = set(self.store.bm25_candidates(terms, CANDIDATES, scope))
        self.reader.passages(candidates)  # read into the cache while the question is being encoded
        return candidates

    def _by_meaning(self, vectors: Floats, scope: Scope) -> set[PassageId]:
        whole = self.store.nearest_passages(vectors[:1], CANDIDATES, scope)
        each = self.store.nearest_passages(vectors[1:], OF_A_REQUIREMENT, scope)
        (chunks,) = self.store.nearest_chunks(vectors[:1], CHUNKS, scope)
        around = self.store.chunk_passages(sorted(chunks), OF_A_CHUNK)
        candidates = {number for near in (*whole, *each) for number in near}
        return candidates.union(around if scope is None else (i for i in around if i in scope))

    def _with_joined_words(self, query: Query) -> Query:
        """The question with what people write apart and notes together ("roll it back": rollback)."""
        spoken = [w for w in words(query.text) if w.lower() not in _BETWEEN]
        joined = {stem(a + b) for a, b in pairwise(spoken) if a.isalpha() and b.isalpha()}
        known = self.store.frequencies(sorted(joined - set(query.terms)))
        more = tuple(t for t in sorted(known) if known[t] and word_frequency.rarity(t) > _RARE)
        return replace(query, terms=(*query.terms, *more)) if more else query

    def _rank(
        self, search: Search, by_id: Mapping[PassageId, IndexedPassage], context: FollowUpContext | None
    ) -> RetrievalResult:
        query, ids = search.query, sorted(by_id)
        passages = [by_id[i] for i in ids]
        weight = scoring.OF_A_NEED if query.tells_need else scoring.DENSE
        scores = self._score(search, by_id, ids, weight)
        if context is not None:
            near = _nearness(context, [p.passage for p in passages])
            scores = replace(scores, fused=scores.fused + near, in_chunk=scores.in_chunk + near)
        expanded = weight * scores.called + (1 - weight) * scores.hinted / (scores.hinted + _HINT)
        gain = EXPANSION if query.tells_need or query.wants_code else 0.0
        blended = scoring.blended(scores.in_chunk, [r.weight for r in search.requirements])
        total = np.round(blended + gain * expanded, 6).tolist()
        cosines, words_of = scores.dense[:, 0].tolist(), np.round(scores.lexical[:, 0], 6).tolist()
        order = scoring.ranked(total, passages)
        hits = (Hit(ids[n], passages[n].passage, _known(cosines[n]), words_of[n], total[n]) for n in order)
        return RetrievalResult(search, tuple(hits), tuple(passages[n] for n in order), scores.take(order))

    def _score(
        self, search: Search, by_id: Mapping[PassageId, IndexedPassage], ids: Sequence[PassageId], weight: float
    ) -> Scores:
        batch, (chunks, around) = self.reader.batch([by_id[i] for i in ids]), self.reader.chunks(ids)
        numbers = self.reader.term_numbers
        dense, lexical, own = scoring.fused_scores(search.vectors, search.terms, batch, search.idf, numbers, weight)
        _, _, context = scoring.fused_scores(search.vectors, search.terms, chunks, search.idf, numbers, weight)
        # What a heading is about is said below it: the chunk gives context to its lines, not to the heading itself.
        lines = np.array([by_id[i].passage.kind not in NAMING_KINDS for i in ids], dtype=np.float32)
        shared = CONTEXT * lines[:, None] * context[around]
        in_chunk = np.asarray((own + shared) / (1 + CONTEXT), dtype=np.float32)
        return Scores(dense, lexical, own, in_chunk, *scoring.suggested(batch, search.concepts, numbers))


def _known(cosine: float) -> float | None:
    return None if math.isnan(cosine) else cosine


def _nearness(context: FollowUpContext, passages: Sequence[Passage]) -> Floats:
    """(passages, 1): what each gains for standing in the section, or the note, last talked about."""

    def gain(passage: Passage) -> float:
        if passage.path != context.path:
            return 0.0
        return SAME_SECTION if passage.heading_path == context.heading_path else SAME_NOTE

    return np.array([gain(p) for p in passages], dtype=np.float32).reshape(-1, 1)


def _terms_of(query: Query, text: str) -> tuple[str, ...]:
    """The question's terms that a clause holds, and those that the question writes apart."""
    wanted, written = frozenset(query.terms), frozenset(terms(query.text))
    joined = [t for t in query.terms if t not in written]
    return tuple(dict.fromkeys([*(t for t in terms(text) if t in wanted), *joined]))
