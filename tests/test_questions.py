"""What a question is understood to ask, before anything is looked up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant import questions


def test_a_sentence_that_only_asks_is_not_looked_up() -> None:
    query = questions.parse("Orders pile up in front of slow workers. Which service fits?")
    assert query.core == "Orders pile up in front of slow workers."
    assert query.ask == "concept"


def test_what_is_put_aside_does_not_count() -> None:
    query = questions.parse("We have a CDN and a warehouse. Ignore all of that: I need a timer that fires every night.")
    assert "warehous" not in query.terms
    assert "timer" in query.terms


@pytest.mark.parametrize(
    ("text", "weight"),
    [("no second environment", -0.5), ("they already run a mesh", 0.4), ("every job must be done once", 1.0)],
)
def test_a_clause_counts_by_what_it_says(text: str, weight: float) -> None:
    (demand,) = questions.parse(text).demands
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
    query = questions.parse(text)
    assert (query.code, query.language) == (code, language)


def test_options_inside_a_question_are_options() -> None:
    query = questions.parse("Which one keeps order? A) a queue B) a log C) a cache")
    assert query.options == (("A", "a queue"), ("B", "a log"), ("C", "a cache"))
    assert query.text == "Which one keeps order?"


@given(st.text(max_size=400))
def test_any_text_is_a_question(text: str) -> None:
    query = questions.parse(text)
    assert len(set(query.terms)) == len(query.terms)
    assert all(d.text in query.text for d in query.demands)
