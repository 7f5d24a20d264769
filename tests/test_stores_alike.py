"""The same notes in a folder's index and in a database's: every question to the one is answered as by the other."""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import islice
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.storage import Matrix, Store, Writer
from assistant.storage.sqlite import vector_file
from assistant.system.collection import Collection, IndexPlace
from assistant.text import tokenizer
from tests.conftest import scale
from tests.test_store import ENCODER, indexed, rows_of

WORDS = (
    *("canary", "queue", "rollback", "weight", "traffic", "stable", "token", "Title", "part", "null", "NULL"),
    *(
        "naïve",
        "Straße",
        "日本",
        "🦜",
        "a\0b",
        "\ue000",
        "\ue0001",
        "{x,y}",
        'q"uote',
        "back\\slash",
        "100%",
        "?",
        "%s",
    ),
)
Step = tuple[list[tuple[str, list[str], tuple[str, str, str], list[str]]], int]
"""Notes, each with its path, lines, title and headings, tags; how many texts get a vector."""
texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=5).map(" ".join)
notes = st.tuples(
    st.sampled_from(["a.md", "b.md", "é/c.md", "%s?.md"]),
    st.lists(texts, max_size=7),
    st.tuples(texts, texts, texts),
    st.lists(st.sampled_from(["Blue", "x"]), max_size=1),
)
steps = st.lists(st.tuples(st.lists(notes, min_size=1, max_size=3), st.integers(0, 9)), min_size=1, max_size=4)


def written(place: IndexPlace, published: Sequence[Step]) -> None:
    """Publishes a generation for each step: notes with lines are put, others dropped; of the texts that wait the first
    so many get a vector, all where it is 9."""
    for changed, embedded in published:
        with Writer(place) as writer:
            writer.begin(ENCODER.identity, "1")
            for path, lines, headings, tags in changed:
                if lines[:1] == ["?"]:
                    writer.notes.refuse(indexed(path, lines).file, 3, "cannot be read")
                elif lines:
                    writer.notes.put(indexed(path, lines, tags, headings))
                else:
                    writer.notes.drop(path)
            keys = writer.concepts.unmatched()
            writer.concepts.set_concepts(
                keys,
                {key: {word: key == word for word in WORDS[:4] if word in key} for key in keys},
                {word: [f"{word} sentence", f"of {word}"] for word in WORDS[:4]},
                lambda names: [(word, name, 0.1 + n, 1 / 3) for name in names for n, word in enumerate(name.split())],
            )
            writer.publish()
            waiting = writer.texts.waiting() if embedded == 9 else writer.texts.waiting(embedded)
            writer.texts.put_vectors([(number, rows_of(text)) for number, text in waiting])
            writer.concepts.gather()
            writer.file_vectors(finished=embedded == 9)


def told(store: Store) -> Iterator[tuple[str, object]]:
    """Every public method of a store by name, and what it says."""
    ids = store.passage_ids()
    some, paths = ids[::2], sorted(store.note_files())
    chunks = store.chunks(ids)
    of_chunks = sorted(set(chunks.values()))
    names = store.concepts().names
    terms = [term for word in WORDS for term in tokenizer.terms(word)]
    queries = np.stack([ENCODER.question(text) for text in ("canary", "queue rollback", "日本 🦜")])
    yield "generation", store.generation
    yield "identity", (store.identity, store.versions)
    yield "counts", (store.notes_count, store.passages_count, store.pending, store.waiting())
    yield "note_files", (store.note_files(), store.refused())
    yield "lines", [store.lines(path, *span) for path in [*paths, "absent"] for span in ((1, 99), (2, 3), (9, 1))]
    yield "passages", (list(store.passages(ids).items()), list(store.passages(some[::-1]).items()))
    yield "passage_ids", ids
    yield "passages_of", [store.passages_of(paths[:n]) for n in range(4)]
    yield "section_passages", [store.section_passages(path, anchor) for path in paths for anchor in ("first-part", "x")]
    yield "headings", (store.headings(), store.sections())
    yield "under", [store.under(path) for path in [*store.headings(), ["part"], ["queue"], ["absent"]]]
    yield "tagged", [store.tagged(tag) for tag in ("blue", "X", "absent")]
    yield "chunks", (chunks, store.stored_chunks(of_chunks), [store.chunk_passages(of_chunks, n) for n in (1, 9)])
    yield "mentions", (store.mentions(ids), store.mentions(some))
    yield "topic", [store.topic([m.key for m in store.topics()], n) for n in (-1, 0, 1, 9)]
    yield "topics", store.topics()
    yield "spelled_out", [store.spelled_out(letters) for letters in ("c", "q", "n", "🦜", "z")]
    for only in (None, some, []):
        for limit in (1, 3, 99):
            yield "bm25_candidates", [store.bm25_candidates([term], limit, only) for term in sorted({*terms})]
            yield "bm25_candidates of several", store.bm25_candidates([*terms, "absent"], limit, only)
            yield "nearest_passages", [list(each.items()) for each in store.nearest_passages(queries, limit, only)]
            yield "nearest_chunks", [list(each.items()) for each in store.nearest_chunks(queries, limit, only)]
        ranked = store._snapshot.ranked([*dict.fromkeys(terms)], only)
        yield "BM25 to the last bit", sorted((number, float(score).hex()) for number, score in ranked)
    yield "frequencies", store.frequencies([*terms, "absent"])
    yield "vectors", in_bytes(store.vectors(ids)) + in_bytes(store.chunk_vectors(of_chunks))
    yield "lacking", store.lacking(ids, names)
    yield "concepts", (names, store.concepts().named.tobytes(), store.concepts().centres.tobytes())
    yield "concept_rows", in_bytes(store.concept_rows(names))
    yield "likely_concepts", [store.likely_concepts(terms, n) for n in (1, 9)]
    yield "concept_weights", store.concept_weights(terms)
    yield "concept_names", (store.concept_names(names), store.concept_names([*WORDS]))
    yield "concept_topics", store.concept_topics([*WORDS])
    yield "warnings", (store.warnings, store.take_notices(), store.sound(), store.current())


def in_bytes(rows: Mapping[Any, Matrix]) -> list[tuple[object, bytes]]:
    return [(key, matrix.tobytes()) for key, matrix in rows.items()]


ELSEWHERE = {"open", "close", "rest", "read_ahead", "lend", "committed"}
"""Methods that say nothing, are called for what the others say afterwards, or differ on purpose."""


@settings(max_examples=max(1, round(8 * scale)))
@given(steps, st.booleans())
def test_every_question_is_answered_alike(
    new_collection: Callable[[], Collection],
    tmp_path_factory: pytest.TempPathFactory,
    published: list[Step],
    coded: bool,
) -> None:
    folder, collection = tmp_path_factory.mktemp("alike") / "index", new_collection()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vector_file, "CODED_FROM", 1 if coded else 10_000)
        written(folder, published)
    written(collection, published)
    with closing(Store.open(folder)) as one, closing(Store.open(collection)) as other:
        assert one.committed is None
        assert other.committed is not None
        for lent in (False, True):
            if lent:
                waiting = one.lacking(one.passage_ids(), WORDS[:4])
                for store in (one, other):
                    store.lend({number: rows_of(text) for number, text in islice(waiting, 5)})
                    store.rest()
            for (what, first), (same, second) in zip(told(one), told(other), strict=True):
                assert (what, first) == (same, second)


def test_every_method_of_a_store_is_compared() -> None:
    names = {name for name in vars(Store) if not name.startswith("_")}
    assert names - set(re.findall(r"store\.(\w+)", inspect.getsource(told))) == ELSEWHERE
