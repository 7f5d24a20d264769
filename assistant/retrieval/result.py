"""What retrieval knows of one question: the candidates, their scores, and the concepts it may mean."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from assistant.question.query import Query, Requirement
from assistant.records import Hit, Passage, PassageId
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
class Search:
    """What one question is looked up by; text 0 is the whole question, texts 1 … its requirements."""

    query: Query
    requirements: tuple[Requirement, ...]
    """Empty where the question is one requirement."""
    vectors: Floats
    """(texts, d)"""
    whole: Floats
    """(d,): of the question as it is asked, with the sentences that only ask."""
    terms: tuple[tuple[str, ...], ...]
    """Of each text."""
    idf: dict[str, float]
    """Of the question's terms."""
    frequencies: dict[str, int]
    """Passages that hold each term of the question."""
    concepts: ConceptMatches
    """The general concepts that the question may mean."""
    scope: Collection[PassageId] | None = None
    """What it was restricted to; None for all notes."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of passages, a row a passage."""

    dense: Floats
    """(passages, texts): cosines; nan where a passage has no vector."""
    lexical: Floats
    """(passages, texts), each 0 to 1."""
    fused: Floats
    """(passages, texts), each 0 to 1, and what a follow-up adds: of the passage alone, by which names are ranked."""
    in_chunk: Floats
    """The same, with the score of the chunk around it, by which passages are."""
    called: Floats
    """(passages,): how near each comes to what things of the likely concepts are called, by its vector; 0 to 1."""
    hinted: Floats
    """(passages,): the same by its words; 0 and up."""

    def take(self, order: Sequence[int]) -> Scores:
        """The rows at these places, in their order."""
        every = (getattr(self, each.name) for each in fields(self))
        return Scores(*(column[order] for column in every))


class AnswerSpans(Protocol):
    """Where the answer stands in the passages that were read."""

    def likelihood(self, name: str) -> float:
        """How likely the name is what is asked for where it stands best: a logarithm, 0 at most."""

    def likeliest(self, number: int) -> Iterator[tuple[int, str]]:
        """The likeliest few words, each with the position of its hit; best first."""


@dataclass(frozen=True, slots=True)
class RetrievalResult:
    """The candidates for one question, ranked; `hits`, `passages` and the rows of `scores` are aligned."""

    search: Search
    hits: tuple[Hit, ...]
    passages: tuple[IndexedPassage, ...]
    """What `hits` were scored by."""
    scores: Scores
    answers: Floats | None = None
    """(hits,): logits of the reader that a passage answers, minus infinity for those it did not read; None before."""
    spans: AnswerSpans | None = None
    """What the reader makes of the words of the passages it read; None before."""
    options: tuple[OptionEvidence, ...] = ()
    """One for each option of the question, in the given order."""

    @property
    def query(self) -> Query:
        """The question as it was looked up."""
        return self.search.query
