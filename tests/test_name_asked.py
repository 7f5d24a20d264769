"""Whether a question wants a name: with the shipped numbers, on questions of no set."""

from __future__ import annotations

import pytest

from assistant.answering import weights
from assistant.question import name_asked
from assistant.question.name_asked import FEATURES, WANTED
from assistant.question.parser import parse


def wants(question: str) -> bool:
    return name_asked.probability(parse(question), weights.load().asked) >= WANTED


@pytest.mark.parametrize(
    "question",
    [
        "Which oven keeps the steam in?",
        "what kind of flour should I take for a dense loaf",
        "Which flag turns the light off?",
        "We bake for three hundred people every night and nobody may wait for bread. What fits?",
        "Our loaves must rise slowly in the cold without anybody watching them over night.",
    ],
)
def test_a_name_is_wanted(question: str) -> None:
    assert wants(question)


@pytest.mark.parametrize(
    "question",
    [
        "How long does the dough rest?",
        "What is a poolish?",
        "sourdough starter",
        "Is rye flour strong enough?",
        "How do I fold the dough?",
        "BakeError: the oven could not be opened",
        "What temperature does the oven need?",
        "What is the difference between a poolish and a biga?",
    ],
)
def test_no_name_is_wanted(question: str) -> None:
    assert not wants(question)


def test_every_feature_is_described_and_weighed() -> None:
    assert set(name_asked.describe(parse("Which one?"))) == set(FEATURES)
    assert weights.load().asked.keys() == {*FEATURES, "bias"}
