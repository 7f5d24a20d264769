"""The order in which passages are quoted."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from assistant.answering.evidence import answers_below, distinct, overlap, rank_evidence, repeats
from assistant.question.expectations import quantity
from assistant.question.parser import parse
from assistant.records import LineNumber, Passage
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
