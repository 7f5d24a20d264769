"""Whether the notes answer the question: a small logistic model of features that a person can name."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from assistant.answering.comparison import sides_of
from assistant.answering.decision_features import FEATURES, MOSTLY, describe, known_share
from assistant.answering.evidence import asked_by_name
from assistant.answering.topic import Topic
from assistant.answering.weights import Weights
from assistant.question import name_asked
from assistant.question.name_asked import WANTED
from assistant.question.understanding import Understanding
from assistant.records import Outcome
from assistant.retrieval.index_reader import IndexReader
from assistant.retrieval.result import RetrievalResult

_LENIENT = 0.5
"""Of the threshold, in a dialogue and for a comparison."""
_NEAR = 0.45
"""The cosine from which passages are about the subject at least."""
_FAR, _FAR_CONCEPT = 0.35, 0.55
"""Nothing in the notes is near, whatever form the question has, where no passage is nearer than the first by words or
by meaning, nor a concept of theirs than the second."""
_MISSING = 4
"""Things that are said to be missing at most."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Answered, partial (something near, and what it lacks) or not in the notes, and what to tell the reader."""

    outcome: Outcome
    probability: float
    """That the notes answer."""
    missing: tuple[str, ...] = ()
    hint: str | None = None
    features: Mapping[str, float] = field(default_factory=dict)
    wants_name: bool = False
    """Whether the question wants a name, or chooses one."""


def decide(
    understanding: Understanding,
    result: RetrievalResult,
    ranked: Sequence[Topic],
    reader: IndexReader,
    weights: Weights,
) -> Decision:
    """More lenient in a dialogue, where a turn says less than a question that stands alone, and with a comparison of
    two things that the notes name.
    """
    if understanding.expectations.is_greeting:
        hint = "Ask a question about your notes, such as “What are these notes about?”"
        return Decision("not_in_notes", 0.0, hint=hint)
    if understanding.expectations.is_order:
        hint = "Orders are not questions. Ask for something the notes may say."
        return Decision("not_in_notes", 0.0, hint=hint)
    if not result.query.terms or not result.hits:
        return Decision("not_in_notes", 0.0, hint="Name a subject: a service, a setting, a need.")
    description = describe(understanding, result, reader)
    probability = _probability(description.features, weights.outcome)
    lenient = understanding.in_dialogue or sides_of(result.query, ranked) is not None
    wants_name = bool(understanding.turn.choices) or _wants_name(result, reader, weights) >= WANTED
    features, concepts = description.features, result.search.concepts.near
    near = max(features["dense"], features["lexical"]) >= _FAR or max(concepts.values(), default=0.0) >= _FAR_CONCEPT
    likely = near and probability >= weights.threshold * (_LENIENT if lenient else 1.0)
    if likely or asked_by_name(understanding.query, result):
        return Decision("answered", probability, features=description.features, wants_name=wants_name)
    missing = description.missing[:_MISSING]
    if description.features["dense"] >= _NEAR and known_share(result) > MOSTLY and missing:
        hint = "The lines shown are about the subject, not about that. Add it to your notes, or ask without it."
        return Decision("partial", probability, missing, hint, description.features, wants_name)
    hint = "Nothing in the notes comes close. Name the subject as your notes do."
    return Decision("not_in_notes", probability, missing, hint, description.features)


def _wants_name(result: RetrievalResult, reader: IndexReader, weights: Weights) -> float:
    """The probability that the question wants a name."""
    meaning = weights.meaning
    if reader.store.identity != meaning.encoder:
        return name_asked.probability(result.query, weights.asked)
    return name_asked.probability(result.query, meaning.asked, float(result.search.whole @ meaning.vector))


def _probability(features: Mapping[str, float], weights: Mapping[str, float]) -> float:
    total = weights.get("bias", 0.0) + sum(weights.get(f, 0.0) * features[f] for f in FEATURES)
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))
