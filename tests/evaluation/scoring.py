"""Questions asked through the public class, each answer judged, and the figures of a set."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from assistant import Answer, Assistant
from tests.evaluation.checks import checks, is_right, to_the_point
from tests.evaluation.faults import faults
from tests.evaluation.questions import Question

Figures = dict[str, object]
"""What is committed and printed: a name to a count (`"86/110"`), a number, or counts by name."""
FORMS = ("keyword", "whatis", "howto", "which", "value", "yesno", "error")
"""Tags with a count of their own."""


@dataclass(frozen=True, slots=True)
class Result:
    """One question with its answer, judged."""

    question: Question
    answer: Answer
    passed: dict[str, bool]
    faults: list[str]

    @property
    def right(self) -> bool:
        return is_right(self.passed, self.faults)

    def __str__(self) -> str:
        failed = ", ".join(name for name, value in self.passed.items() if not value)
        return f"{self.question.id} [{self.question.group}] fails {'; '.join([failed or '-', *self.faults])}"


def ask(assistant: Assistant, questions: Iterable[Question]) -> list[Result]:
    """Asks in order. An empty question may be refused, which counts as declined; any other error is a fault."""
    return [_result(assistant, question) for question in questions]


def _result(assistant: Assistant, question: Question) -> Result:
    try:
        answer = assistant.ask(question.text, conversation=question.conversation)
    except Assistant.Error as error:
        refused = [] if error.code == "empty_question" else [f"error: {error.code}"]
        return judged(question, Answer(question.text, "not_in_notes"), assistant.notes, refused)
    return judged(question, answer, assistant.notes)


def judged(question: Question, answer: Answer, notes: Path, more_faults: Sequence[str] = ()) -> Result:
    return Result(question, answer, checks(question, answer), [*faults(answer, notes), *more_faults])


def figures(results: Sequence[Result]) -> Figures:
    """What is compared between two versions; shares as counts, so that a difference can be read."""
    answerable = [one for one in results if one.question.answerable]
    rest = [one for one in results if not one.question.answerable]
    verdicts = [one for one in results if "verdict" in one.passed]
    pointed = [share for one in answerable if (share := to_the_point(one.question, one.answer)) is not None]
    forms = by(results, lambda one: [form for form in FORMS if form in one.question.forms])
    return {
        "questions": len(results),
        "with a fault": sum(bool(one.faults) for one in results),
        "right, of the answerable": count(answerable, lambda one: one.right),
        "declined, of the answerable": count(answerable, lambda one: one.answer.outcome != "answered"),
        "declined, of the unanswerable": count(rest, lambda one: one.right),
        "verdict right": count(verdicts, lambda one: one.passed["verdict"]),
        "Brier score of verdicts": brier(verdicts),
        "first statements to the point": round(sum(pointed) / max(1, len(pointed)), 3),
        "a name where none was asked for": sum(
            one.question.kind in ("lookup", "snippet", "compare") and one.answer.verdict is not None for one in results
        ),
        "right by kind": by(results, lambda one: [one.question.group]),
        **({"right by form": forms} if forms else {}),
    }


def by(results: Sequence[Result], names: Callable[[Result], Iterable[str]]) -> dict[str, str]:
    """How many are right under each name that a result goes by, in the order in which the names turn up."""
    known = dict.fromkeys(name for one in results for name in names(one))
    return {name: count([one for one in results if name in names(one)], lambda one: one.right) for name in known}


def count(results: Sequence[Result], holds: Callable[[Result], bool]) -> str:
    return f"{sum(map(holds, results))}/{len(results)}"


def brier(verdicts: Sequence[Result]) -> float | None:
    """Mean squared error of the confidences, 0 is best; a missing verdict counts as a sure one that is wrong."""
    if not verdicts:
        return None
    errors = [
        ((one.answer.verdict.confidence if one.answer.verdict else 1.0) - one.passed["verdict"]) ** 2
        for one in verdicts
    ]
    return round(sum(errors) / len(errors), 3)
