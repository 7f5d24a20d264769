"""Follow-ups, as they stand alone."""

from __future__ import annotations

import pytest

from assistant.question.follow_up import Subject, Turn, next_subject, resolve
from assistant.records import Answer, Candidate, Citation, LineNumber

BEFORE = Subject("Queue Service", "a.md", ("Messaging", "Queue Service"))


def names_nothing(text: str) -> bool:
    return False


@pytest.mark.parametrize(
    "text", ["and how do I delete it?", "show the yaml", "what if I don't?", "and if I only want what's new?"]
)
def test_what_is_left_out_is_put_in_front(text: str) -> None:
    turn = resolve(text, BEFORE, names_nothing)
    assert turn.standalone == f"Queue Service, {text}"
    assert (turn.subject, turn.own_words) == (BEFORE, text)


@pytest.mark.parametrize(
    "text", ["archive logs", "LexoRank", "what is a canary?", "how do I get out of iex", "/etc/hosts", "app.yaml"]
)
def test_keywords_and_a_complete_question_lean_on_nothing(text: str) -> None:
    turn = resolve(text, BEFORE, names_nothing)
    assert (turn.question, turn.subject) == (text, None)


@pytest.mark.parametrize("text", ["max size", "in python", "yaml example", "what is the limit?", "how does it scale?"])
def test_a_trait_a_form_and_a_pronoun_lean_on_the_subject(text: str) -> None:
    assert resolve(text, BEFORE, names_nothing).subject == BEFORE


def test_a_change_of_subject_is_heard() -> None:
    turn = resolve("OK. Different thing: how do I encrypt traffic?", BEFORE, names_nothing)
    assert (turn.question, turn.subject) == ("how do I encrypt traffic?", None)


def test_a_question_that_names_its_own_subject_stands_alone() -> None:
    turn = resolve("how does a canary release reach all users step by step?", BEFORE, lambda _: True)
    assert turn.standalone is None


def test_the_first_question_leans_on_nothing() -> None:
    assert resolve("and then?", None, names_nothing).subject is None


def test_which_of_them_asks_about_both_sides() -> None:
    compared = Subject("Queue", "a.md", ("Queue",), ("Queue", "Stream"))
    assert resolve("which of them for many readers?", compared, names_nothing).question.startswith("Queue or Stream, ")


def test_the_subject_is_the_verdict_and_stays_while_a_dialogue_leans_on_it() -> None:
    cited = Citation(1, "a.md", ("Messaging", "Stream"), "stream", 3, 3, "text")
    verdict = Candidate("Stream", ("Messaging", "Stream"), 0.9, (1,))
    answered = Answer("q", "answered", citations=(cited,), verdict=verdict)
    assert next_subject(answered, Turn("which one?")) == Subject(
        "Stream", "a.md", ("Messaging", "Stream"), question="which one?"
    )
    leant = Turn("Queue Service, and the limit?", None, BEFORE, "and the limit?")
    kept = Subject("Queue Service", "a.md", BEFORE.heading_path, question="and the limit?")
    assert next_subject(answered, leant) == kept
    assert next_subject(Answer("q", "not_in_notes"), leant) == BEFORE


def test_an_ellipsis_takes_up_what_was_asked_and_keeps_it() -> None:
    before = Subject("Stream", "a.md", ("Stream",), question="how do I start from the oldest one?")
    turn = resolve("and from a fixed position?", before, names_nothing)
    assert turn.question == "Stream, how do I start from the oldest one, and from a fixed position?"
    assert next_subject(Answer("q", "answered", citations=(CITED,)), turn) == before


def test_a_pronoun_points_back_even_where_a_topic_is_named() -> None:
    assert resolve("how do I deploy it?", BEFORE, lambda _: True).subject == BEFORE
    assert resolve("and if it's a plain machine that reads a bucket?", BEFORE, lambda _: True).subject is None


CITED = Citation(1, "a.md", ("Stream",), "stream", 3, 3, "text")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("ok, mesh again: how often is a call repeated?", "mesh: how often is a call repeated?"),
        ("back to the canary: who watches it?", "the canary: who watches it?"),
    ],
)
def test_a_subject_that_is_taken_up_again_is_heard(text: str, meant: str) -> None:
    turn = resolve(text, BEFORE, names_nothing)
    assert (turn.question, turn.subject) == (meant, None)


def test_back_to_what_only_points_is_no_subject() -> None:
    assert resolve("back to the first one: what does it cost?", BEFORE, names_nothing).subject == BEFORE


def test_a_verdict_that_is_hardly_sure_is_no_subject() -> None:
    cited = Citation(1, "a.md", ("Messaging", "Streams"), "streams", 3, 3, "Streams keep order.")
    unsure = Candidate("Retention", ("Messaging", "Retention"), 0.1, (1,))
    answer = Answer("q", "answered", verdict=unsure, citations=(cited,))
    found = next_subject(answer, Turn("what keeps order?"))
    assert found is not None
    assert found.name == "Streams"


@pytest.mark.parametrize(
    ("heading", "question", "subject"),
    [
        ("Store A Wet Sourdough", "how do I knead sourdough that is wet", "Wet Sourdough"),
        ("Summary", "What is a canary deployment?", "canary deployment"),
        ("Blue-Green Deployment", "how is a deployment rolled back", "Blue-Green Deployment"),
        ("Queue Service", "Where do messages wait?", "Queue Service"),
    ],
)
def test_the_subject_is_what_was_talked_about(heading: str, question: str, subject: str) -> None:
    cited = Citation(1, "a.md", ("Notes", heading), "a", LineNumber(1), LineNumber(1), "q", stale=False)
    after = next_subject(Answer(question, "answered", citations=(cited,)), Turn(question))
    assert after is not None
    assert after.name == subject
