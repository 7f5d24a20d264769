"""A request → the ranked passages, without an answer on top."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice, takewhile

from assistant.question.understanding import understand
from assistant.reading.reading import Reader, read
from assistant.records import FoundPassage, Hit, Passage, Request
from assistant.retrieval.retriever import HybridRetriever
from assistant.retrieval.scope import restrict

_INTRODUCING = ("label", "pointer")
"""Kinds that say nothing without what stands below them."""
FLOOR = 0.15
"""Scores below it are reached by passages that share no telling word with the query and are no nearer to it than any
short text is (measured, DECISIONS.md)."""


def search(
    request: Request,
    retriever: HybridRetriever,
    reader: Reader,
    most: int,
    stopped: Callable[[], None] = lambda: None,
) -> tuple[tuple[FoundPassage, ...], tuple[str, ...]]:
    """At most `most` passages, in the order in which an answer would be composed of them, and what must be known of how
    the text was read; none that scores less than FLOOR, and no lines that stand in a passage before.

    `stopped` is called when candidates are retrieved, and may raise. BadRequest where nothing is called as `under` or
    `tag` say; IndexDamaged.
    """
    understanding = understand(request, None, retriever.store)
    scope = restrict(retriever.store, request, retriever.left_out)
    candidates = retriever.retrieve(understanding.query, scope)
    stopped()
    result = read(candidates, reader, retriever.reader)
    return tuple(islice(_found(result.hits, retriever), most)), understanding.notices


def _found(hits: Sequence[Hit], retriever: HybridRetriever) -> Iterator[FoundPassage]:
    given: list[Passage] = []
    for hit in takewhile(lambda hit: hit.score >= FLOOR, hits):
        passage = hit.passage
        if passage.kind in _INTRODUCING or any(_covers(one, passage) for one in given):
            continue
        given.append(passage)
        lines = retriever.reader.lines(passage.path, passage.start, passage.end)
        yield FoundPassage(
            passage.path,
            passage.heading_path,
            passage.anchor,
            passage.kind,
            passage.start,
            passage.end,
            "\n".join(lines),
            hit.score,
        )


def _covers(given: Passage, passage: Passage) -> bool:
    return given.path == passage.path and given.start <= passage.start and passage.end <= given.end
