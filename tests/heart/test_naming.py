"""Which name is given, and how sure it is."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from assistant.answering import naming
from assistant.answering.topic import Topic, names
from assistant.answering.topic_features import FEATURES
from assistant.records import LineNumber, Passage
from assistant.text.tokenizer import key
from assistant.topics.extraction import TELLING
from assistant.topics.names import merged
from tests.heart.conftest import Stages


def topic(name: str, passage: float = 0.0, kind: str = "heading") -> Topic:
    features = np.zeros(len(FEATURES), dtype=np.float32)
    features[FEATURES.index("passage")] = passage
    return Topic(merged(key(name)), name, TELLING.index(kind), {0: 1.0}, {kind}, features)


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("Which strategy shows the new version to a few users first?", "Canary release"),
        ("Which service gives each message to exactly one worker?", "Queue Service"),
        ("Which service lets many readers get every event, and read it again?", "Streaming Service"),
    ],
)
def test_the_name_that_fits_is_ranked_first(stages: Callable[..., Stages], question: str, name: str) -> None:
    assert stages(question).topics[0].name == name


def test_confidences_of_all_topics_sum_to_one(stages: Callable[..., Stages]) -> None:
    confidences = [t.confidence for t in stages("Which strategy gives an instant rollback?").topics]
    assert confidences == sorted(confidences, reverse=True)
    assert math.fsum(confidences) <= 1 + 1e-6


def test_a_name_stands_in_a_passage_that_speaks_for_it(stages: Callable[..., Stages]) -> None:
    answered = stages("Which strategy gives an instant rollback?")
    best = answered.topics[0]
    assert any(names(answered.result.hits[n].passage, best.name) for n in best.speakers)


def test_a_higher_score_is_a_surer_name() -> None:
    ranked = naming.rank([topic("Rake", -0.3), topic("Spade", 0.0)], {"passage": 5.0}, 1.0)
    assert [t.name for t in ranked] == ["Spade", "Rake"]
    assert ranked[0].confidence > ranked[1].confidence


def test_equal_scores_are_ordered_by_name() -> None:
    ranked = naming.rank([topic("Spade"), topic("Rake")], {}, 1.0)
    assert [t.name for t in ranked] == ["Rake", "Spade"]


def test_a_choice_among_names_leaves_only_theirs() -> None:
    known = [topic("Queue Service"), topic("Streaming Service"), topic("Bucket")]
    assert [t.name for t in naming.among(known, ("the queue", "a topic"))] == ["Queue Service"]


def test_a_name_that_the_question_says_is_not_asked_for(stages: Callable[..., Stages]) -> None:
    result = stages("queueservice is down, which other service gives each message to one worker?").result
    known = ("QueueService", "Queue Service", "Streaming Service", "Strengths", "Please note")
    names_left = naming.askable([topic(name) for name in known], result)
    assert [t.name for t in names_left] == ["Queue Service", "Streaming Service"]


def test_neither_a_piece_of_a_sentence_nor_an_everyday_word_is_what_is_asked_for(stages: Callable[..., Stages]) -> None:
    result = stages("Which strategy gives an instant rollback?").result
    known = [topic(name) for name in ("Blue-green deployment", "Services you may like")]
    known += [topic("traffic", kind="phrase"), topic("kubectl", kind="phrase"), topic("Canary", kind="phrase")]
    assert [t.name for t in naming.askable(known, result)] == ["Blue-green deployment", "kubectl", "Canary"]


@pytest.mark.parametrize(
    ("name", "trait"), [("Update pods", True), ("Rolling", False), ("Rolling Deployment", False), ("Strategies", False)]
)
def test_what_a_definition_says_of_its_subject_is_a_trait(name: str, trait: bool) -> None:
    text = "Rolling: Update pods incrementally, zero downtime"
    path, line = ("Notes", "Rolling Deployment"), LineNumber(1)
    defining = Passage("n.md", path, "", "definition", "Strategies", line, line, text)
    assert naming.is_trait(name, defining) is trait
    assert not naming.is_trait(name, replace(defining, kind="item"))
