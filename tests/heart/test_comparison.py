"""The two sides of a comparison, and the lines that tell them apart."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from assistant.answering import comparison
from assistant.answering.topic import Topic
from assistant.question import parser
from assistant.retrieval.retriever import HybridRetriever
from assistant.text.tokenizer import key
from assistant.topics.extraction import TELLING
from assistant.topics.names import merged
from tests.heart.conftest import Stages


def topic(name: str, kind: str = "heading") -> Topic:
    return Topic(merged(key(name)), name, TELLING.index(kind), kinds={kind})


KNOWN = [topic("Queue Service"), topic("Streaming Service"), topic("Retention policy", "definition"), topic("Bucket")]


@pytest.mark.parametrize(
    "question",
    [
        "Queue or Streaming: what's the difference?",
        "What is the difference between the queue service and streaming?",
        "When do I take the queue and when streaming?",
        "Queue vs Streaming for a bucket of events",
        "How do the queue and streaming differ?",
    ],
)
def test_the_sides_are_what_the_question_sets_against_each_other(question: str) -> None:
    sides = comparison.sides_of(parser.parse(question), KNOWN)
    assert sides is not None
    assert [side.name for side in sides] == ["Queue Service", "Streaming Service"]


def test_a_side_is_the_longest_name_in_its_part_of_the_question() -> None:
    sides = comparison.sides_of(parser.parse("Queue versus a retention policy on the bucket?"), KNOWN)
    assert sides is not None
    assert sides[1].name == "Retention policy"


@pytest.mark.parametrize("question", ["The queue or something else?", "How long does the queue keep messages?"])
def test_one_name_is_no_comparison(question: str) -> None:
    assert comparison.sides_of(parser.parse(question), KNOWN) is None


def test_a_row_that_names_both_is_not_needed_for_each_side(
    stages: Callable[..., Stages], retriever: HybridRetriever
) -> None:
    asked = stages("Queue Service vs Streaming Service: how long is something kept?")
    sides = comparison.sides_of(asked.understanding.query, asked.topics)
    assert sides is not None
    told = comparison.compare(sides, asked.result, asked.topics, retriever)
    assert "Messages are kept for 7 days" in [passage.text for passage in told.first]
    assert "Events are kept for 24 hours" in [passage.text for passage in told.second]


def test_the_names_as_written_are_kept_for_which_of_them() -> None:
    query = parser.parse("Blue-green or canary: what's the difference?")
    assert comparison.compared_names(query) == ("Blue-green", "canary")
    assert comparison.compared_names(parser.parse("Which service fits?")) == ()


def test_a_comparison_stays_in_its_scope(retriever: HybridRetriever, stages: Callable[..., Stages]) -> None:
    asked = stages("Queue Service vs Streaming Service: how long is something kept?")
    sides = comparison.sides_of(asked.understanding.query, asked.topics)
    assert sides is not None
    kept = frozenset(list(retriever.store.passage_ids())[::2])
    within = retriever.retrieve(asked.understanding.query, kept)
    told = comparison.compare(sides, within, asked.topics, retriever)
    passages = {p.passage for p in retriever.reader.passages(kept).values()}
    assert told.first
    assert passages.issuperset((*told.both, *told.first, *told.second))
