"""The pipeline: a request → the cited answer, stage by stage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from assistant.answering.comparison import compared_names
from assistant.answering.compose import compose
from assistant.answering.decision import decide
from assistant.answering.explanation import explanation
from assistant.answering.largest_parts import overview
from assistant.answering.naming import rank_topics
from assistant.answering.verification import check_quotes
from assistant.answering.weights import Weights
from assistant.question.follow_up import Subject, next_subject
from assistant.question.understanding import Understanding, understand
from assistant.reading.reading import Reader, read
from assistant.records import Answer, Request, Stage
from assistant.retrieval.result import FollowUpContext
from assistant.retrieval.retriever import HybridRetriever
from assistant.retrieval.scope import restrict


def answer(
    request: Request,
    before: Subject | None,
    retriever: HybridRetriever,
    reader: Reader,
    weights: Weights,
    reached: Callable[[Stage], None] = lambda stage: None,
) -> tuple[Answer, Subject | None]:
    """The answer, and what the dialogue is about after it.

    `before` is what it was about so far; `reached` is called at the end of each stage, and may raise. BadRequest
    where nothing is called as `under` or `tag` say; IndexDamaged.
    """
    understanding = understand(request, before, retriever.store)
    scope = restrict(retriever.store, request, retriever.left_out)
    if understanding.expectations.is_overview:
        parts = overview(understanding.query.text, retriever.reader, request.limit, scope)
        check_quotes(parts, retriever.reader)
        return replace(parts, question=request.question, warnings=understanding.notices), before
    candidates = retriever.retrieve(understanding.query, scope, _context(understanding))
    reached("found")
    result = read(candidates, reader, retriever.reader)
    reached("read")
    topics = rank_topics(result, retriever.reader, weights, understanding.turn.choices)
    decision = decide(understanding, result, topics, retriever.reader, weights)
    composed = compose(understanding, result, topics, decision, retriever, request.limit)
    check_quotes(composed, retriever.reader)
    finished = replace(
        composed,
        question=request.question,
        standalone_question=understanding.turn.standalone,
        warnings=understanding.notices,
        explain=explanation(result, topics, decision) if request.explain else None,
    )
    return finished, next_subject(finished, understanding.turn, compared_names(result.query)) or before


def _context(understanding: Understanding) -> FollowUpContext | None:
    """What retrieval takes from the dialogue; None where the question stands alone."""
    turn = understanding.turn
    if turn.subject is None:
        return None
    return FollowUpContext(turn.own_words or understanding.query.text, turn.subject.path, turn.subject.heading_path)
