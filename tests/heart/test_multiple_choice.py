"""Options and their support, whatever their order."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from assistant.answering.multiple_choice import choose
from tests.heart.conftest import Stages

OPTIONS = {"A": "Queue Service", "B": "Streaming Service", "C": "Canary release"}


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("What gives each message to exactly one worker?", "Queue Service"),
        ("What lets many readers get every event again?", "Streaming Service"),
        ("What shows the new version to a few users first?", "Canary release"),
    ],
)
def test_the_supported_option_is_chosen_in_every_order(stages: Callable[..., Stages], question: str, text: str) -> None:
    for shift in range(len(OPTIONS)):
        texts = [*OPTIONS.values()][shift:] + [*OPTIONS.values()][:shift]
        options = dict(zip(OPTIONS, texts, strict=True))
        asked = stages(question, options=options)
        choice = choose(asked.result, asked.topics)
        assert choice.label is not None
        assert options[choice.label] == text


def test_support_is_a_share_and_comes_with_its_passage(stages: Callable[..., Stages]) -> None:
    asked = stages("What gives each message to exactly one worker?", options=OPTIONS)
    choice = choose(asked.result, asked.topics)
    assert [o.label for o in choice.options] == ["A", "B", "C"]
    assert math.isclose(math.fsum(o.support for o in choice.options), 1, abs_tol=1e-6)
    assert all(o.passage is not None for o in choice.options)


def test_two_equal_options_choose_none(stages: Callable[..., Stages]) -> None:
    asked = stages("What gives each message to one worker?", options={"A": "Queue Service", "B": "Queue Service"})
    assert choose(asked.result, asked.topics).label is None
