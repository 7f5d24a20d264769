"""The scorer finds what is wrong with an answer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from assistant.records import Answer, Candidate, Citation, Snippet, Statement
from tests.evaluation import questions
from tests.evaluation.checks import checks, is_right, same_name
from tests.evaluation.faults import faults
from tests.evaluation.questions import Question

NOTE = """# Fruit

## Apple

An **apple** keeps for [seven months](cellar.md) in a cool cellar.

```sh
cellar --cool \\
  --months 7
```
"""
PATH = ("Fruit", "Apple")
CITED = Citation(1, "fruit.md", PATH, "apple", 5, 5, "An **apple** keeps for [seven months](cellar.md)")
CODE = Citation(2, "fruit.md", PATH, "apple", 8, 9, "cellar --cool \\\n  --months 7")
ANSWER = Answer(
    "How long does an apple keep?",
    "answered",
    verdict=Candidate("apple", PATH, 0.9, (1,)),
    statements=(Statement("apple keeps for seven months", (1,)),),
    snippets=(Snippet("sh", "sh", None, "  --months 7", 2, None),),
    citations=(CITED, CODE),
)
FAULTY = {
    "does not exist": replace(ANSWER, citations=(replace(CITED, end_line=11), CODE)),
    "does not hold its quote": replace(ANSWER, citations=(replace(CITED, quote="An apple keeps not"), CODE)),
    "does not stand under": replace(ANSWER, citations=(replace(CITED, heading_path=("Fruit", "Pear")), CODE)),
    "not numbered": replace(ANSWER, citations=(CITED, replace(CODE, number=3))),
    "not in the lines it cites": replace(ANSWER, statements=(Statement("apple keeps", (2,)),)),
    "not a run of lines": replace(ANSWER, snippets=(replace(ANSWER.snippets[0], code="--months 8"),)),
    "of one cited fence": replace(ANSWER, snippets=(replace(ANSWER.snippets[0], language="bash"),)),
    "is not one name": replace(ANSWER, verdict=Candidate("apple or pear", PATH, 0.9, (1,))),
    "do not use the verdict's name": replace(ANSWER, verdict=Candidate("quince", PATH, 0.9, (1,))),
    "nothing is said to be missing": replace(ANSWER, outcome="partial"),
    "answered all the same": replace(ANSWER, outcome="not_in_notes"),
    "without a citation": Answer("?", "answered"),
}
"""What the fault says, and an answer that has it."""
WANTED = Question(
    "1",
    ANSWER.question,
    "lookup",
    sides=(("Fruit > Apple",),),
    places=(questions.Place("fruit.md", 5, 5),),
    must_mention=(("7", "seven"),),
)


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    (tmp_path / "fruit.md").write_text(NOTE)
    return tmp_path


def test_a_faithful_answer_has_no_fault(notes: Path) -> None:
    assert faults(ANSWER, notes) == []


@pytest.mark.parametrize("fault", FAULTY)
def test_a_claim_that_the_notes_do_not_hold_is_a_fault(notes: Path, fault: str) -> None:
    assert any(fault in one for one in faults(FAULTY[fault], notes))


def test_a_citation_of_an_unknown_note_is_a_fault(notes: Path) -> None:
    assert faults(replace(ANSWER, citations=(replace(CITED, path="pear.md"), CODE)), notes)


def test_too_long_a_quote_or_answer_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "long.md").write_text("# Long\n\n" + "word " * 300)
    long = Citation(1, "long.md", ("Long",), "long", 3, 3, ("word " * 300).rstrip())
    answer = Answer(
        "?", "answered", statements=(Statement(long.quote, (1,)), Statement("word", (1,))), citations=(long,)
    )
    assert len(faults(answer, tmp_path)) == 2


def test_an_answer_is_right_when_all_that_decides_holds() -> None:
    assert is_right(checks(WANTED, ANSWER), [])
    assert not is_right(checks(WANTED, ANSWER), ["a fault"])
    assert not is_right(checks(replace(WANTED, must_mention=(("nine",),)), ANSWER), [])
    assert not is_right(checks(replace(WANTED, places=(questions.Place("fruit.md", 1, 1),)), ANSWER), [])
    assert not is_right(checks(replace(WANTED, answerable=False), ANSWER), [])
    named = replace(WANTED, verdicts=("Apple tree", "Apple"), places=(questions.Place("fruit.md", 1, 1),))
    assert is_right(checks(named, ANSWER), [])  # a name decides in place of the lines


@pytest.mark.parametrize(
    ("name", "accepted", "same"),
    [
        ("Amazon SQS queue", "SQS", True),
        ("Blue-Green Deployment", "blue-green", True),
        ("DeadLetterQueue", "dead letter queue", True),
        ("Rolling", "rolling update", True),
        ("Service", "Policy", False),
        ("Canary", "Blue-Green", False),
        ("", "Canary", False),
    ],
)
def test_names_are_compared_word_by_word(name: str, accepted: str, same: bool) -> None:
    assert same_name(name, accepted) is same
