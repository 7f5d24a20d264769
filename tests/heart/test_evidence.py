"""The order in which passages are quoted."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from assistant.answering.evidence import (
    answers_below,
    asked_by_name,
    defines,
    distinct,
    overlap,
    rank_evidence,
    repeats,
)
from assistant.question.expectations import defined, quantity
from assistant.question.parser import parse
from assistant.records import LineNumber, Passage
from assistant.text.tokenizer import key
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


def line(text: str, kind: str = "paragraph", label: str = "", fence: tuple[int, int] | None = None) -> Passage:
    return Passage(
        path="a.md",
        heading_path=("A",),
        anchor="a",
        kind=kind,  # type: ignore[arg-type]  # a plain string here
        label=label,
        start=LineNumber(1),
        end=LineNumber(1),
        text=text,
        titled=True,
        fence=(LineNumber(fence[0]), LineNumber(fence[1])) if fence else None,
    )


ERROR = "push fails: remote rejected the branch, protected branch hook declined"


@pytest.mark.parametrize(
    ("passage", "expected"),
    [
        (line("! [remote rejected] main (protected branch hook declined)", "step", fence=(1, 1)), False),
        (line("! remote rejected the branch, protected (see the log of 4 May)", "step", fence=(1, 1)), True),
        (line("The remote rejected the branch."), True),
        (line("The remote rejected the branch since it is protected by a rule."), False),
        (line("remote rejected", "tree", fence=(1, 1)), False),
    ],
)
def test_a_passage_repeats_a_question_that_holds_all_it_says(passage: Passage, expected: bool) -> None:
    assert repeats(parse(ERROR), passage) == expected


def test_items_beside_a_repeated_one_answer_nothing() -> None:
    item = line("Retries", "item")
    under, beside = line("Three of them", "item", label="Retries"), line("Timeouts", "item")
    assert answers_below(item, [beside, under]) == [under]
    assert answers_below(line("Retries"), [line("B", "heading"), beside, under]) == [beside]


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("What is a dead letter queue?", "dead letter queue"),
        ("whats a pod", "pod"),
        ("what does HPA mean?", "hpa"),
        ("escape-time meaning", "escap time"),
        ("Define idempotency.", "idempot"),
        ("What is the timeout of a queue, by default?", ""),
        ("How do I drain a node?", ""),
        ("What is the difference between the queue and the stream?", ""),
    ],
)
def test_a_question_may_ask_what_something_is(question: str, name: str) -> None:
    assert key(defined(question)) == name


@pytest.mark.parametrize(
    ("passage", "expected"),
    [
        (line("Queue: point-to-point, one reader a message", "definition"), True),
        (line("Messaging: Queue (async)", "definition"), False),
        (line("Queue; Use: work; Order: none", "row"), True),
        (line("It is old. A queue (FIFO) is a list that is read from its front."), True),
        (line("A queue is full after a day."), False),
        (line("A dead letter queue is a queue."), False),
    ],
)
def test_a_passage_may_say_what_something_is(passage: Passage, expected: bool) -> None:
    assert defines(passage, key(defined("What is a queue?"))) == expected


def test_what_defines_a_thing_and_what_is_asked_for_word_by_word_come_first(stages: Callable[..., Stages]) -> None:
    for question, first in (
        ("What is a canary release?", "Canary release: "),
        ("Events are kept for 24 hours", "Events are"),
    ):
        asked = stages(question)
        assert asked.texts(rank_evidence(asked.result, None, None))[0].startswith(first)


def test_a_heading_is_asked_for_by_its_name(stages: Callable[..., Stages]) -> None:
    for question, expected in (("show me the yaml for Canary release", True), ("Canary fees", False)):
        asked = stages(question)
        assert asked_by_name(asked.understanding.query, asked.result) == expected
