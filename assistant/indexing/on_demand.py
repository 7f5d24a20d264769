"""A question to notes whose vectors are still being computed → the vectors it needs first, those of its candidates."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from assistant.models.encoder import Encoder
from assistant.records import PassageId
from assistant.retrieval.scoring import rarest
from assistant.storage import Matrix, Store, StoreError, TextId
from assistant.system.collection import IndexPlace

PASSAGES = 64
"""Passages, the best by words, that get a vector at once."""
CONCEPTS = 4
"""Concepts of the vocabulary, the likeliest by words, whose sentences get theirs."""


class Prefetcher:
    """Keeps the vectors that questions needed and the index lacks, until the index has them."""

    def __init__(self, encoder: Callable[[], Encoder]) -> None:
        """`encoder` may take minutes."""
        self._encoder = encoder
        self._vectors: dict[str, Matrix] = {}
        """By text."""

    def lend(self, store: Store, terms: Sequence[str], only: Collection[PassageId] | None) -> bool:
        """Lends a store that is not finished the vectors that a question of these terms needs first; whether any were
        new to it."""
        if not store.waiting():
            self._vectors.clear()
            return False
        lacking = prefetch(store, self._encoder(), terms, only, self._vectors)
        self._vectors |= dict(lacking.values())
        store.lend({number: matrix for number, (_, matrix) in lacking.items()})
        return bool(lacking)

    def keep(self, index: IndexPlace, identity: str) -> None:
        """Puts the vectors, made by the encoder `identity`, into the index, where no other process writes."""
        if self._vectors:
            keep(index, identity, self._vectors)


def prefetch(
    store: Store,
    encoder: Encoder,
    terms: Sequence[str],
    only: Collection[PassageId] | None,
    known: Mapping[str, Matrix],
) -> dict[TextId, tuple[str, Matrix]]:
    """The texts without a vector of the candidates for these terms, each with its unit rows (k, d); those of texts in
    `known` are not computed again."""
    likely = rarest(store.frequencies(sorted(set(terms))))
    ids = store.bm25_candidates(likely, PASSAGES, only)[:PASSAGES]
    lacking = store.lacking(ids, store.likely_concepts(terms, CONCEPTS))
    new = [text for _, text in lacking if text not in known]
    vectors = {**known, **dict(zip(new, encoder.passages(new), strict=True))}
    return {number: (text, vectors[text]) for number, text in lacking}


def keep(index: IndexPlace, identity: str, vectors: Mapping[str, Matrix]) -> bool:
    """Puts vectors, by text, into the index; False where another process writes to it, or nobody can: a build computes
    them again."""
    from assistant.storage import Writer

    try:
        with Writer(index) as writer:
            if writer.identity == identity:
                ids = writer.texts.find(vectors)
                writer.texts.put_vectors((number, vectors[text]) for text, number in ids.items())
                writer.concepts.gather()
    except StoreError:
        return False
    return True
