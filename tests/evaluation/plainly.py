"""Every fence, tree line, definition and pair of a folder of notes, asked for plainly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assistant.notes.chunker import DEFINITION
from assistant.notes.languages import language
from assistant.records import Answer, Passage

_FIRST = 3
"""Citations, the first, among which the passage is to be."""


@dataclass(frozen=True, slots=True)
class Plain:
    """A question with the passages any of which answers it."""

    kind: str
    question: str
    answers: tuple[Passage, ...]

    def is_right(self, answer: Answer) -> bool:
        """Whether it is answered with one of them: a fence as the first block of code, else among the first
        citations."""
        if answer.outcome != "answered":
            return False
        if self.kind == "fence":
            shown = [answer.citations[s.citation - 1] for s in answer.snippets[:1]]
        else:
            shown = list(answer.citations[:_FIRST])
        return any(
            cited.path == p.path and cited.start_line <= p.start and p.end <= cited.end_line
            for cited in shown
            for p in self.answers
        )


def plain_questions(passages: Sequence[Passage]) -> Iterator[Plain]:
    """One for each passage of these kinds, those of the same words once."""
    asked: dict[tuple[str, str], list[Passage]] = {}
    for passage in passages:
        question = _question(passage)
        if question is not None:
            asked.setdefault((passage.kind, question), []).append(passage)
    for (kind, question), answers in asked.items():
        yield Plain(kind, question, tuple(answers))


def _question(passage: Passage) -> str | None:
    """As somebody asks who knows what it is called."""
    if passage.kind == "tree":
        return passage.text
    if passage.kind == "pair":
        return passage.text.partition("?")[0].removeprefix("Q:").strip() + "?"
    if passage.kind == "definition":
        defined = DEFINITION.match(passage.text)
        return f"What is {defined['name']}?" if defined else None
    if passage.kind == "fence":
        return f"show me the {language(passage.info) or 'drawing'} for {passage.label or passage.heading_path[-1]}"
    return None
