"""Whether a question wants a name: with the shipped numbers, on questions of no set."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.answering import decision_features, topic_features, weights
from assistant.models.lazy import LazyEncoder
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


@pytest.mark.parametrize("vocabulary", [True, False])
def test_every_feature_that_is_fitted_is_weighed(vocabulary: bool) -> None:
    fitted = weights.load(vocabulary=vocabulary)
    assert fitted.names.features.keys() == set(topic_features.FEATURES)
    assert fitted.outcome.keys() == {*decision_features.FEATURES, "bias"}


def test_every_feature_is_described_and_weighed() -> None:
    assert set(name_asked.describe(parse("Which one?"))) == set(FEATURES)
    assert weights.load().asked.keys() == {*FEATURES, "bias"}


@pytest.fixture(scope="module")
def encoder(prepared: Path) -> LazyEncoder:
    return LazyEncoder("", prepared)


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("Name of the mill by the river where we bought the dark rye?", True),
        ("Our loaves must rise slowly in the cold without anybody watching them over night.", True),
        ("oven setting for a dark crust", False),
        ("The crust tears at the side each time although the dough was tight. Why?", False),
    ],
)
def test_with_its_vector_a_question_is_understood_beyond_its_form(
    encoder: LazyEncoder, question: str, wanted: bool
) -> None:
    meaning, query = weights.load().meaning, parse(question)
    vector = encoder.question(query.text)
    probability = name_asked.probability(query, meaning.asked, float(vector @ meaning.vector))
    assert (probability >= WANTED) == wanted


def test_the_vector_is_weighed_of_the_encoder_that_ships(encoder: LazyEncoder) -> None:
    for vocabulary in (True, False):
        meaning = weights.load(vocabulary=vocabulary).meaning
        assert meaning.encoder == encoder.identity
        assert meaning.vector.shape == (encoder.dimension,)
        assert meaning.asked.keys() == {*FEATURES, "bias"}
