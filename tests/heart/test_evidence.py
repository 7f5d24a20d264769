"""The order in which passages are quoted."""

from __future__ import annotations

from collections.abc import Callable

from assistant.answering.evidence import distinct, overlap, rank_evidence
from assistant.question.expectations import quantity
from tests.heart.conftest import Stages


def test_passages_inside_one_another_are_quoted_once(stages: Callable[..., Stages]) -> None:
    asked = stages("send one request in ten to the new version")
    kept = [asked.result.hits[n].passage for n in distinct(asked.result, range(len(asked.result.hits)))]
    assert not any(overlap(one, other) for n, one in enumerate(kept) for other in kept[n + 1 :])


def test_a_line_that_gives_the_quantity_comes_first(stages: Callable[..., Stages]) -> None:
    asked = stages("How long are events kept in the stream?")
    order = rank_evidence(asked.result, None, quantity("How long are events kept in the stream?"))
    assert asked.texts(order)[0] == "Events are kept for 24 hours"


def test_without_a_name_no_heading_is_quoted(stages: Callable[..., Stages]) -> None:
    asked = stages("Queue Service")
    kinds = {asked.result.hits[n].passage.kind for n in rank_evidence(asked.result, None, None)}
    assert not kinds & {"heading", "label"}


def test_the_lines_of_the_name_to_be_given_come_first(stages: Callable[..., Stages]) -> None:
    asked = stages("Which strategy keeps two environments that are the same?")
    best = asked.topics[0]
    order = rank_evidence(asked.result, best, None)
    assert order[0] in best.speakers
    assert "two identical environments" in asked.texts(order)[0]
