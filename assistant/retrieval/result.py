"""What retrieval knows of one question: the candidates, their scores, and the concepts it may mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assistant.question.query import Query, Requirement
from assistant.records import Hit, Passage
from assistant.retrieval.feature_cache import IndexedPassage
from assistant.retrieval.query_expansion import ConceptMatches

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class FollowUpContext:
    """What a follow-up leans on."""

    own_words: str
    """Its own words, without the subject."""
    path: str
    heading_path: tuple[str, ...]
    """The section last talked about."""


@dataclass(frozen=True, slots=True)
class OptionEvidence:
    """The passage that best supports one option of a multiple-choice question."""

    score: float
    passage: Passage | None


@dataclass(frozen=True, slots=True)
class RetrievalResult:
    """Everything one search learned, aligned: `dense[i, j]` is passage i against text j; text 0 is the question."""

    query: Query
    requirements: tuple[Requirement, ...]
    """What texts 1 … stand for; empty where the question is one requirement."""
    vectors: Floats
    """(texts, d)"""
    hits: tuple[Hit, ...]
    """Ranked; every candidate."""
    dense: Floats
    """(hits, texts); nan where a passage has no vector."""
    lexical: Floats
    """(hits, texts), each 0 to 1."""
    fused: Floats
    """(hits, texts), each 0 to 1."""
    idf: dict[str, float]
    """Of the question's terms."""
    known: dict[str, int]
    """Passages that hold each term of the question."""
    concepts: ConceptMatches
    """The general concepts that the question may mean."""
    passages: tuple[IndexedPassage, ...]
    """What `hits` was scored by, aligned."""
    called: Floats
    """(hits,): how near each comes to what things of the likely concepts are called, by its vector; 0 to 1."""
    hinted: Floats
    """(hits,): the same by its words; 0 and up."""
    options: tuple[OptionEvidence, ...] = ()
    """One for each option of the question, in the given order."""
