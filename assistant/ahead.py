"""A question to notes whose vectors are still being computed → the vectors it needs first, those of its candidates."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import islice
from pathlib import Path

from assistant.encoder import Encoder
from assistant.records import PassageId
from assistant.store import Matrix, Store, StoreError, TextId, Writer

PASSAGES = 64
"""Passages, the best by words, that get a vector at once."""
CONCEPTS = 6
"""Concepts of the vocabulary, the likeliest by words, whose sentences get theirs."""
_RAREST = 12
"""Terms of the question that full text is asked for."""


def vectors(
    store: Store,
    encoder: Encoder,
    terms: Sequence[str],
    only: Collection[PassageId] | None,
    known: dict[TextId, Matrix],
) -> dict[TextId, Matrix]:
    """What of the question's candidates has no vector, with one each; those in `known` are not computed again."""
    frequencies = store.frequencies(sorted(set(terms)))
    rarest = sorted((term for term, n in frequencies.items() if n), key=lambda term: (frequencies[term], term))
    ids = list(islice(store.containing(rarest[:_RAREST], PASSAGES, only), PASSAGES))
    lacking = store.lacking(ids, store.likely_concepts(terms, CONCEPTS))
    new = [(number, text) for number, text in lacking if number not in known]
    found = {number: known[number] for number, _ in lacking if number in known}
    return found | {
        number: rows for (number, _), rows in zip(new, encoder.passages([text for _, text in new]), strict=True)
    }


def keep(index: Path, identity: str, computed: dict[TextId, Matrix]) -> bool:
    """Puts them into the index; False where another process writes to it, or nobody can: a build computes them
    again."""
    try:
        with Writer(index) as writer:
            if writer.state.identity == identity:
                writer.put_vectors(computed.items())
                writer.gather_concepts()
    except StoreError:
        return False
    return True
