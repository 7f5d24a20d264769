"""Whether an answer holds what its question wants: named checks, and the ones that decide."""

from __future__ import annotations

import re
from collections.abc import Iterable

from assistant.records import Answer, Citation
from tests.evaluation.questions import Place, Question

TOP_CITATIONS, TOP_STATEMENTS = 3, 4
"""What a reader is assumed to look at, with the verdict and the first snippet."""
GENERIC = {
    *("a", "amazon", "an", "approach", "aws", "azure", "deployment", "deployments", "gcp", "google", "istio"),
    *("kubernetes", "oci", "pattern", "policy", "service", "services", "strategy", "the", "update", "updates"),
}
"""Words that two names of the same thing may differ by."""


def checks(question: Question, answer: Answer) -> dict[str, bool]:
    """Each check that applies to this question, by name."""
    if not question.answerable:
        return {"declined": answer.outcome != "answered", "not_in_notes": answer.outcome == "not_in_notes"}
    passed = {"answered": answer.outcome == "answered"}
    top = answer.citations[:TOP_CITATIONS]
    if question.every_side:
        passed["both_sides"] = all(_under(answer.citations, side) for side in question.sides)
    else:
        passed["heading@1"] = _under(answer.citations[:1], question.sides[0])
        passed["heading@3"] = _under(top, question.sides[0])
    if question.places and question.kind != "compare":
        passed["lines@3"] = any(_overlaps(citation, question.places) for citation in top)
    if question.must_mention:
        text = shown(answer)
        passed["mentions"] = all(any(_mentions(text, one) for one in wanted) for wanted in question.must_mention)
    if question.verdicts:
        name = answer.verdict.name if answer.verdict else ""
        passed["verdict"] = any(same_name(name, accepted) for accepted in question.verdicts)
    if question.snippet:
        first = answer.snippets[0] if answer.snippets else None
        passed["snippet"] = (
            first is not None
            and first.language == question.snippet.language
            and all(text in first.code for text in question.snippet.contains)
        )
    return passed


def is_right(passed: dict[str, bool], faults: list[str]) -> bool:
    """Whether a demanding reader would call the whole answer right; never with a fault."""
    deciding = {"declined", "answered", "verdict", "snippet", "both_sides", "mentions", "heading@3"}
    if "verdict" not in passed:
        deciding.add("lines@3")
    return not faults and all(value for name, value in passed.items() if name in deciding)


def to_the_point(question: Question, answer: Answer) -> float | None:
    """Share of the statements shown first whose source is a gold section or place, 0 to 1; None where none counts."""
    gold = [heading for side in question.sides for heading in side]
    statements = [one for one in answer.statements[:TOP_STATEMENTS] if one.citations]
    if not gold or not statements or answer.outcome == "not_in_notes":
        return None
    by_number = {citation.number: citation for citation in answer.citations}
    sources = [by_number[statement.citations[0]] for statement in statements]
    return sum(_under([one], gold) or _overlaps(one, question.places) for one in sources) / len(sources)


def shown(answer: Answer) -> str:
    """What a reader sees first: verdict, statements, first snippet and quotes."""
    parts = [answer.verdict.name] if answer.verdict else []
    parts += [statement.text for statement in answer.statements[:TOP_STATEMENTS]]
    parts += [snippet.code for snippet in answer.snippets[:1]]
    parts += [citation.quote for citation in answer.citations[:TOP_CITATIONS]]
    return "\n".join(parts)


def same_name(name: str, accepted: str) -> bool:
    """Whether the accepted name's words stand in the name in order, or both are equal but for generic words."""
    words, wanted = _words(name), _words(accepted)
    if any(words[at : at + len(wanted)] == wanted for at in range(len(words))):
        return bool(wanted)
    specific = [word for word in words if word not in GENERIC]
    return bool(specific) and specific == [word for word in wanted if word not in GENERIC]


def _words(name: str) -> list[str]:
    """Lower-case words; camel case counts as several."""
    return re.findall(r"[a-z0-9]+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).lower())


def _under(citations: Iterable[Citation], headings: Iterable[str]) -> bool:
    """Whether a citation's heading path ends with one of these."""
    tails = tuple(f" > {heading}".lower() for heading in headings)
    return any(f" > {' > '.join(citation.heading_path)}".lower().endswith(tails) for citation in citations)


def _overlaps(citation: Citation, places: Iterable[Place]) -> bool:
    return any(
        place.path in (None, citation.path) and place.first <= citation.end_line and citation.start_line <= place.last
        for place in places
    )


def _mentions(text: str, wanted: str) -> bool:
    """Whether the text holds it in any case; a number only where no digit stands beside it."""
    if wanted.isdigit():
        return re.search(rf"(?<!\d){wanted}(?!\d)", text) is not None
    return wanted.lower() in text.lower()
