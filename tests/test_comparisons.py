"""The two sides of a comparison, and the choice between them."""

from __future__ import annotations

import pytest

from assistant.answering import comparison
from assistant.answering.naming import Topic
from assistant.question import parser
from assistant.text.tokenizer import key
from assistant.topics.extraction import TELLING
from assistant.topics.names import merged


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
    sides = comparison.named(parser.parse(question), KNOWN)
    assert sides is not None
    assert [side.name for side in sides] == ["Queue Service", "Streaming Service"]


def test_a_side_is_the_longest_name_in_its_part_of_the_question() -> None:
    sides = comparison.named(parser.parse("Queue versus a retention policy on the bucket?"), KNOWN)
    assert sides is not None
    assert sides[1].name == "Retention policy"


def test_one_name_is_no_comparison() -> None:
    assert comparison.named(parser.parse("The queue or something else?"), KNOWN) is None


def test_among_takes_the_topics_that_a_name_calls() -> None:
    assert [t.name for t in comparison.among(KNOWN, ("the queue", "a topic"))] == ["Queue Service"]
