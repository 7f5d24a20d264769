"""Multiple-choice questions, each asked in every rotation of its options.

Right letters are far from evenly spread in such exams, so the mean over the rotations counts; a pick that moves with
the order is luck and is counted apart.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from assistant import Assistant
from tests.evaluation.scoring import Figures


@dataclass(frozen=True, slots=True)
class ChoiceQuestion:
    """A question with its options."""

    id: str
    text: str
    options: dict[str, str]
    """Label to text."""
    correct: frozenset[str]
    """Labels."""

    @property
    def longest_is_right(self) -> bool:
        """Whether whoever always picks the longest option has it."""
        return max(sorted(self.options), key=lambda label: len(self.options[label])) in self.correct


@dataclass(frozen=True, slots=True)
class ChoiceResult:
    """What was picked in each rotation."""

    question: ChoiceQuestion
    picks: tuple[str | None, ...]
    """The question's own label of each rotation's pick; None where nothing was picked."""

    @property
    def share(self) -> float:
        """Right picks of all rotations, 0 to 1."""
        return sum(pick in self.question.correct for pick in self.picks) / len(self.picks)

    def __str__(self) -> str:
        return f"{self.question.id} picks {', '.join(map(str, self.picks))}; right: {', '.join(self.question.correct)}"


def read(path: Path) -> list[ChoiceQuestion]:
    records = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return [ChoiceQuestion(r["id"], r["question"], r["options"], frozenset(r["correct"])) for r in records]


def ask(assistant: Assistant, questions: Sequence[ChoiceQuestion]) -> list[ChoiceResult]:
    return [ChoiceResult(question, tuple(_picks(assistant, question))) for question in questions]


def _picks(assistant: Assistant, question: ChoiceQuestion) -> Iterator[str | None]:
    labels = sorted(question.options)
    for shift in range(len(labels)):
        own_label = dict(zip(labels, labels[shift:] + labels[:shift], strict=True))
        options = {shown: question.options[own] for shown, own in own_label.items()}
        yield own_label.get(assistant.ask(question.text, options=options).choice or "")


def figures(results: Sequence[ChoiceResult]) -> Figures:
    hard = [one for one in results if not one.question.longest_is_right]
    return {
        "questions": len(results),
        "right": f"{sum(one.share for one in results):.2f}/{len(results)}",
        "right where the longest option is wrong": f"{sum(one.share for one in hard):.2f}/{len(hard)}",
        "picks that move with the order": sum(len(set(one.picks)) > 1 for one in results),
        "rotations without a pick": sum(one.picks.count(None) for one in results),
    }
