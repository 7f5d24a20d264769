"""What a question is understood to ask, before anything is looked up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.question import parser


def test_a_sentence_that_only_asks_is_not_looked_up() -> None:
    query = parser.parse("Orders pile up in front of slow workers. Which service fits?")
    assert query.core == "Orders pile up in front of slow workers."
    assert query.intent == "concept"


def test_what_is_put_aside_does_not_count() -> None:
    query = parser.parse("We have a CDN and a warehouse. Ignore all of that: I need a timer that fires every night.")
    assert "warehous" not in query.terms
    assert "timer" in query.terms


@pytest.mark.parametrize(
    ("text", "weight"),
    [("no second environment", -0.5), ("they already run a mesh", 0.4), ("every job must be done once", 1.0)],
)
def test_a_clause_counts_by_what_it_says(text: str, weight: float) -> None:
    (demand,) = parser.parse(text).requirements
    assert demand.weight == weight


@pytest.mark.parametrize(
    ("text", "code", "language"),
    [
        ("Show me the yaml for retries", True, "yaml"),
        ("draw the flow", True, "drawing"),
        ("which command lists the queues?", True, "bash"),
        ("Where do retries belong?", False, ""),
    ],
)
def test_code_is_asked_for_in_its_language(text: str, code: bool, language: str) -> None:
    query = parser.parse(text)
    assert (query.wants_code, query.language) == (code, language)


def test_options_inside_a_question_are_options() -> None:
    query = parser.parse("Which one keeps order? A) a queue B) a log C) a cache")
    assert query.options == (("A", "a queue"), ("B", "a log"), ("C", "a cache"))
    assert query.text == "Which one keeps order?"


def test_lines_of_one_sentence_are_one_question() -> None:
    typed = "Which strategy gives\ninstant rollback and\nzero downtime?"
    assert parser.parse(typed) == parser.parse(typed.replace("\n", " "))


def test_items_paragraphs_and_sentences_on_lines_of_their_own_stay_apart() -> None:
    query = parser.parse("Workers need\n- a timer\n- a queue\n\nStores are slow.\nOrders pile up")
    spoken = [d.text for d in query.requirements]
    assert spoken == ["Workers need", "- a timer", "- a queue", "Stores are slow", "Orders pile up"]


@given(st.text(max_size=400))
def test_any_text_is_a_question(text: str) -> None:
    query = parser.parse(text)
    assert len(set(query.terms)) == len(query.terms)
    assert all(d.text in query.text for d in query.requirements)


@pytest.mark.parametrize(
    "text",
    [
        "The auditor wants records that nobody can change for seven years, whoever tries, from any of our many sites. "
        "Copies alone won't do, and the project has a budget code.",
        "No plain text may travel between the pods of this namespace, and each side has to prove who it is with a "
        "certificate that is renewed by itself. No code changes, please.",
    ],
)
def test_code_that_is_part_of_a_story_is_not_asked_for(text: str) -> None:
    assert not parser.parse(text).wants_code


@pytest.mark.parametrize(
    ("text", "ask"),
    [
        ("Which release channels does it have?", "list"),
        ("Which three kinds of roles are there?", "list"),
        ("Which service keeps order?", "concept"),
        ("We have many workers and one is slow. Which services do you recommend?", "concept"),
    ],
)
def test_asking_for_all_of_a_kind_is_no_choice(text: str, ask: str) -> None:
    assert parser.parse(text).intent == ask
