"""Two small notes, indexed once with the real model, for the tests of how answers are found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from assistant.answering import decision, naming, weights
from assistant.answering.decision import Decision
from assistant.answering.topic import Topic
from assistant.indexing import build
from assistant.models.lazy import LazyEncoder, LazyReader
from assistant.question.understanding import Understanding, understand
from assistant.reading.reading import read
from assistant.records import Request
from assistant.retrieval.result import RetrievalResult
from assistant.retrieval.retriever import HybridRetriever
from assistant.storage import Store

NOTES = Path(__file__).parent / "notes"


@dataclass(frozen=True, slots=True)
class Stages:
    """What the stages of the pipeline make of one question, up to the decision."""

    understanding: Understanding
    result: RetrievalResult
    topics: list[Topic]
    decision: Decision

    def texts(self, order: list[int]) -> list[str]:
        """Of the hits at these positions."""
        return [self.result.hits[n].passage.text for n in order]


@pytest.fixture(scope="session")
def retriever(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HybridRetriever]:
    encoder, index = LazyEncoder("", prepared), tmp_path_factory.mktemp("heart")
    build.refresh(NOTES, index, lambda: encoder)
    with Store.open(index) as store:
        yield HybridRetriever(store, encoder)


@pytest.fixture(scope="session")
def stages(retriever: HybridRetriever, prepared: Path) -> Callable[..., Stages]:
    """Runs the stages for a question; further arguments are those of `Request`."""
    reader = LazyReader(prepared)

    def run(question: str, **more: object) -> Stages:
        understanding = understand(Request(question, **more), None, retriever.store)  # type: ignore[arg-type]
        result = read(retriever.retrieve(understanding.query), reader, retriever.reader)
        fitted = weights.load()
        topics = naming.rank_topics(result, retriever.reader, fitted)
        decided = decision.decide(understanding, result, topics, retriever.reader, fitted)
        return Stages(understanding, result, topics, decided)

    return run
