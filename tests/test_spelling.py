"""Mistyped words are read as what was meant; rare, foreign and invented words are left alone."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.question import spelling
from assistant.records import Request
from assistant.text.tokenizer import stem, terms
from tests.asking import asking

NOTES = frozenset(
    terms("Queues hold messages until a consumer deletes them; the default timeout is 30 seconds. autoscaler")
)


def frequencies(wanted: Sequence[str]) -> dict[str, int]:
    return {term: int(term in NOTES) for term in wanted}


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("whats the defualt timeout", "whats the default timeout"),
        ("how long do mesages stay", "how long do messages stay"),
        ("put asside, then retry", "put aside, then retry"),
        ("the autoscaer does nothing", "the autoscaler does nothing"),
        ("can it be done automaticaly?", "can it be done automatically?"),
    ],
)
def test_a_slip_of_the_fingers_is_read_as_the_word(typed: str, meant: str) -> None:
    assert spelling.repaired(typed, frequencies)[0] == meant


@pytest.mark.parametrize(
    "text",
    [
        "How do I make tempeh? The rennet is for a Gouda.",
        "What should I feed a canary that is moulting?",
        "an itemised bill must be sterilised",
        "it mustn't and it shouldn’t",
        "qwz fjrk plomt vxx brzzk hnn",
        "run kubectl get mesages.v1 or open /var/mesages or see mesages-old",
        "Mesages is a product",
        "numpy, kubeflow and mongodb",
    ],
)
def test_what_may_be_meant_as_written_is_left_alone(text: str) -> None:
    assert spelling.repaired(text, frequencies) == (text, {})


def test_a_word_of_the_notes_is_never_changed() -> None:
    def with_typo(wanted: Sequence[str]) -> dict[str, int]:
        return {term: int(term in NOTES or term == stem("mesages")) for term in wanted}

    assert spelling.repaired("how long do mesages stay", with_typo)[1] == {}


@given(st.text(max_size=200))
def test_nothing_but_the_words_named_is_changed(text: str) -> None:
    after, read_as = spelling.repaired(text, frequencies)
    for word, other in read_as.items():
        assert word in text
        assert other in after
    if not read_as:
        assert after == text


def test_an_answer_says_how_it_read_a_word(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "queues.md").write_text("# Queues\n\n## Visibility\n\nThe visibility timeout is 30 seconds.\n", "utf-8")
    with closing(asking(notes, tmp_path / "index")) as made:
        answer = made.ask(Request("how long is the visibility timeuot"))
    assert "“timeuot” was read as “timeout”." in answer.warnings
    assert answer.question == "how long is the visibility timeuot"
    assert answer.standalone_question is None
    assert answer.citations


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("what lands in the DLQ?", "what lands in the Dead letter queue?"),
        ("how many DLQs are there", "how many Dead letter queue are there"),
        ("what lands in the dlq", "what lands in the Dead letter queue"),
        ("the API of the xyz", "the API of the xyz"),
    ],
)
def test_an_abbreviation_is_read_as_the_name_it_stands_for(typed: str, meant: str) -> None:
    names = {"dlq": "Dead letter queue"}
    assert spelling.spelled_out(typed, lambda wanted: dict.fromkeys(wanted, 0) | {"api": 3}, names.get)[0] == meant


def test_an_abbreviation_is_looked_up_in_the_names_of_the_notes(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "queues.md").write_text(
        "# Queues\n\n## Dead letter queue\n\nKeeps what failed five times.\n\n## Visibility timeout\n\n30 seconds.\n",
        "utf-8",
    )
    with closing(asking(notes, tmp_path / "index")) as made:
        answer = made.ask(Request("when does something land in the DLQ"))
    assert "“DLQ” was read as “Dead letter queue”." in answer.warnings
    assert answer.citations[0].heading_path[-1] == "Dead letter queue"


@pytest.mark.parametrize("text", ["a" * 5000, "q" * 25, " ".join(f"zqx{letter * 3}j" for letter in "abcdefghijklmnop")])
def test_what_cannot_be_a_mistyped_word_is_not_looked_up(text: str) -> None:
    """A word of thousands of letters has a hundred thousand slips, and a foreign text some for each word."""

    def never(stems: Sequence[str]) -> dict[str, int]:
        raise AssertionError(stems[:3])

    assert spelling.repaired(text, never) == (text, {})
