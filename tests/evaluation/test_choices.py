"""Multiple-choice questions are asked in every rotation, and picks are told by the question's own labels."""

from __future__ import annotations

from collections.abc import Mapping

from assistant import Answer, Assistant
from tests.evaluation import choices
from tests.evaluation.choices import ChoiceQuestion

QUESTION = ChoiceQuestion("1", "Which fruit keeps?", {"A": "pear", "B": "apple", "C": "a bruised plum"}, frozenset("B"))


class Picker(Assistant):
    """Picks the first option, or the one that is the apple."""

    def __init__(self, wanted: str) -> None:
        self.wanted = wanted

    def ask(self, question: str, *, options: Mapping[str, str] | None = None, **more: object) -> Answer:
        assert options is not None
        picked = next((label for label, text in options.items() if text == self.wanted), "A")
        return Answer(question, "answered", choice=picked)


def test_a_pick_that_follows_the_text_is_right_in_every_rotation() -> None:
    (result,) = choices.ask(Picker("apple"), [QUESTION])
    assert (result.picks, result.share) == (("B", "B", "B"), 1)


def test_a_pick_that_follows_the_letter_counts_as_luck() -> None:
    results = choices.ask(Picker("always the first"), [QUESTION])
    assert results[0].picks == ("A", "B", "C")
    figures = choices.figures(results)
    assert (figures["right"], figures["picks that move with the order"]) == ("0.33/1", 1)
    assert figures["right where the longest option is wrong"] == "0.33/1"
