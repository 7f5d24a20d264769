"""Which passages are candidates, and in which order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from assistant.errors import BadRequest
from assistant.question.parser import parse
from assistant.records import Request
from assistant.retrieval import scoring
from assistant.retrieval.result import FollowUpContext
from assistant.retrieval.retriever import HybridRetriever
from assistant.retrieval.scope import restrict


def test_the_line_that_answers_comes_first(retriever: HybridRetriever) -> None:
    result = retriever.retrieve(parse("How long are messages kept?"))
    assert result.hits[0].passage.text == "Messages are kept for 7 days"


def test_other_words_find_it_too(retriever: HybridRetriever) -> None:
    result = retriever.retrieve(parse("a handful of people should get the update before everybody else"))
    assert "a few users see the new version first" in " ".join(h.passage.text for h in result.hits[:3])


def test_words_written_apart_find_a_word_written_together(retriever: HybridRetriever) -> None:
    assert "rollback" in retriever.retrieve(parse("how do I roll back")).query.terms


def test_order_is_by_score_then_place(retriever: HybridRetriever) -> None:
    hits = retriever.retrieve(parse("kept")).hits
    assert list(hits) == sorted(hits, key=lambda h: (-h.score, h.passage.path, h.passage.start, h.passage.end))


def test_columns_are_aligned_with_hits_and_texts(retriever: HybridRetriever) -> None:
    query = parse("We need two environments that are the same. Each job must be done by one worker.")
    result = retriever.retrieve(query)
    shape = (len(result.hits), 1 + len(result.search.requirements))
    assert len(result.search.requirements) == 2
    assert result.scores.dense.shape == result.scores.lexical.shape == result.scores.fused.shape == shape
    assert [p.passage for p in result.passages] == [h.passage for h in result.hits]


def test_scores_do_not_depend_on_other_questions(retriever: HybridRetriever) -> None:
    before = retriever.retrieve(parse("instant rollback"))
    retriever.retrieve(parse("partitions"))
    assert [h.score for h in retriever.retrieve(parse("instant rollback")).hits] == [h.score for h in before.hits]


def test_a_follow_up_prefers_the_section_talked_about(retriever: HybridRetriever) -> None:
    context = FollowUpContext("how long are they kept", "messaging.md", ("Messaging", "Streaming Service"))
    result = retriever.retrieve(parse("Streaming Service, how long are they kept"), context=context)
    assert result.hits[0].passage.text == "Events are kept for 24 hours"


@pytest.mark.parametrize("heading", ["Queue Service", "Messaging > Queue Service", "queue service"])
def test_a_heading_restricts_what_is_found(retriever: HybridRetriever, heading: str) -> None:
    scope = restrict(retriever.store, Request("kept", under=heading))
    result = retriever.retrieve(parse("How long is it kept?"), scope)
    assert {h.passage.heading_path[-1] for h in result.hits} == {"Queue Service"}


def test_a_misspelt_heading_is_refused_with_the_nearest(retriever: HybridRetriever) -> None:
    with pytest.raises(BadRequest, match="Queue Service"):
        restrict(retriever.store, Request("kept", under="Queu Servise"))


def test_no_heading_restricts_nothing(retriever: HybridRetriever) -> None:
    assert restrict(retriever.store, Request("kept")) is None


def test_the_section_around_a_line_counts(retriever: HybridRetriever, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in the line itself says what it is about."""

    def rank() -> int:
        hits = retriever.retrieve(parse("exactly one worker")).hits
        texts = [hit.passage.text for hit in hits if hit.passage.kind not in ("heading", "label")]
        return texts.index("Messages are kept for 7 days")

    among = rank()
    monkeypatch.setattr("assistant.retrieval.retriever.CONTEXT", 0.0)
    assert among < rank()


def test_passages_of_a_chunk_share_its_score(retriever: HybridRetriever) -> None:
    hits = retriever.retrieve(parse("How long are messages kept?")).hits
    ids = [hit.id for hit in hits]
    batch, which = retriever.reader.chunks(ids)
    assert len(which) == len(ids)
    sections = {(hit.passage.heading_path, int(which[n])) for n, hit in enumerate(hits)}
    assert batch.size == len(sections)  # each section of these notes is one chunk


def test_a_chunk_without_a_vector_counts_by_its_words(retriever: HybridRetriever) -> None:
    batch, _ = retriever.reader.chunks(retriever.store.passage_ids())
    bare = replace(batch, held=batch.held[:0], starts=batch.starts[:0], matrix=None)
    vector = retriever.encoder.question("messages kept")[None]
    dense, lexical, fused = scoring.fused_scores(
        vector, [("messag", "kept")], bare, {"messag": 3.0, "kept": 3.0}, retriever.reader.term_numbers
    )
    assert np.isnan(dense).all()
    assert np.array_equal(fused, lexical)
    assert fused.max() > 0
