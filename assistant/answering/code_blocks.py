"""What was found → the block of code to show first."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.answering.naming import Topic
from assistant.notes import languages
from assistant.question.parser import Query
from assistant.retrieval.retriever import RetrievalResult

_HOME = 0.15
"""What a fence of the section that a follow-up goes on about gains, where code is asked for."""
_DRAWN = 0.75
"""What a drawing counts as an answer to "how do I …", beside code."""
_WHOLE = 0.5
"""What a fence counts as a whole beside the best step in it: a long one holds many words, a step lacks what it is a
step of."""


def fence(
    query: Query, found: RetrievalResult, topic: Topic | None, order: Sequence[int], home: tuple[str, ...] | None
) -> int | None:
    """Position of the fence to show first: asked for, the best of its language; otherwise the one around or
    beside the best lines.
    """
    fences = [
        n
        for n, hit in enumerate(found.hits)
        if hit.passage.kind == "fence" and speaks(query.language, hit.passage.info)
    ]
    if not fences:
        fences = [n for n, hit in enumerate(found.hits) if hit.passage.kind == "fence"]
        if query.language and not query.code:
            return None
    if not fences:
        return None
    inner: dict[int, float] = {n: found.hits[n].score for n in fences}
    drawn = {n: _DRAWN if query.ask == "how" and speaks("drawing", found.hits[n].passage.info) else 1.0 for n in fences}
    for hit in found.hits[:80]:
        if hit.passage.fence is not None and hit.passage.kind != "fence":
            for n in fences:
                fence = found.hits[n].passage
                if fence.path == hit.passage.path and fence.start <= hit.passage.start and hit.passage.end <= fence.end:
                    inner[n] = max(inner[n], hit.score)
    inner = {n: drawn[n] * (_WHOLE * found.hits[n].score + (1 - _WHOLE) * best) for n, best in inner.items()}
    if home is not None and query.code:
        inner = {n: v + _HOME * (found.hits[n].passage.heading_path == home) for n, v in inner.items()}
    if topic is not None and not query.code:
        ours = {n: v + 0.2 * topic.speakers.get(n, 0.0) for n, v in inner.items()}
        near = [found.hits[n].passage.heading_path for n in order[:2]]
        ours = {n: v + (0.1 if found.hits[n].passage.heading_path in near else 0.0) for n, v in ours.items()}
        return max(fences, key=lambda n: (ours[n], -n))
    return max(fences, key=lambda n: (inner[n], -n))


def speaks(language: str, info: str) -> bool:
    if not language:
        return True
    own = languages.language(info)
    return own in ("", "text", "mermaid") if language == "drawing" else own == language
