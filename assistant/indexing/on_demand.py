"""A question to notes whose vectors are still being computed → the vectors it needs first, those of its candidates."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import islice
from pathlib import Path

from assistant.models.encoder import Encoder
from assistant.records import PassageId
from assistant.storage import Matrix, Store, StoreError, TextId, Writer

PASSAGES = 64
"""Passages, the best by words, that get a vector at once."""
CONCEPTS = 4
"""Concepts of the vocabulary, the likeliest by words, whose sentences get theirs."""
_RAREST = 12
"""Terms of the question that full text is asked for."""


def vectors(
    store: Store,
    encoder: Encoder,
    terms: Sequence[str],
    only: Collection[PassageId] | None,
    known: Mapping[str, Matrix],
) -> dict[TextId, tuple[str, Matrix]]:
    """Those of the question's candidates' texts that have no vector, each with one; what is in `known`, by text, is not
    computed again."""
    frequencies = store.frequencies(sorted(set(terms)))
    rarest = sorted((term for term, n in frequencies.items() if n), key=lambda term: (frequencies[term], term))
    ids = list(islice(store.bm25_candidates(rarest[:_RAREST], PASSAGES, only), PASSAGES))
    lacking = store.lacking(ids, store.likely_concepts(terms, CONCEPTS))
    new = [text for _, text in lacking if text not in known]
    computed = {**known, **dict(zip(new, encoder.passages(new), strict=True))}
    return {number: (text, computed[text]) for number, text in lacking}


def keep(index: Path, identity: str, computed: Mapping[str, Matrix]) -> bool:
    """Puts them into the index; False where another process writes to it, or nobody can: a build computes them
    again."""
    try:
        with Writer(index) as writer:
            if writer.state.identity == identity:
                ids = writer.texts.find(computed)
                writer.texts.put_vectors((number, computed[text]) for text, number in ids.items())
                writer.concepts.gather()
    except StoreError:
        return False
    return True
