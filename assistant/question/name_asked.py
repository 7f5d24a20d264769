"""Whether a question wants a name: features of its form, for a logistic model that `scripts/fit` fits."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from assistant.question.query import Query
from assistant.text.stop_words import content

_BEGINS = r"(?:^|[.!?]\s+)(?:so |and |but |ok )?"
_NO_NOUN = (
    r"is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|must|may|might|am|'s|’s|s|if|about|"
    r"happens?|i|we|you|they|he|she|it|the|a|an|this|that|to|else"
)
_QUANTITY = (
    r"times?|dates?|days?|years?|months?|weeks?|hours?|minutes?|seconds?|age|levels?|prices?|costs?|sizes?|length|"
    r"width|height|depth|weight|speed|distance|temperature|angle|rate|ratio|percentage|share|numbers?|amount|values?|"
    r"limits?|ports?|versions?|order|colou?r|address|deadline|interval|timeout|defaults?|range|threshold|unit|sum|"
    r"total|duration|period|frequency|dose|fee|interest"
)
_FORMS: Mapping[str, re.Pattern[str]] = {
    "which_first": re.compile(r"(?i)^\s*(?:which|wich)\b"),
    "what_noun": re.compile(
        rf"(?i)\b(?:what|wich)(?:\s+(?:kind|sort|type|way|form|flavou?r)s?\s+of)?\s+(?!(?:{_NO_NOUN})\b)[\w-]+"
    ),
    "what_is": re.compile(
        r"(?i)^\s*(?:so |and |but |ok |hey )?what(?:'?s|’s|"
        r" (?:is|are|was|were|does|do|did|happens|happened|has|have|had))\b"
    ),
    "what_should": re.compile(
        r"(?is)\bwhat(?: else)? (?:should|can|could|would|shall|do|must|might) (?:i|we|you|they|one|he|she|people|be)\b"
        r".*\b(?:use|pick|choose|take|get|need|reach|set|put|write|add|call|give|turn|run|look|go|buy|recommend|"
        r"suggest)\b|\bwhat (?:fits|suits|helps|works|would|lets|makes|keeps|gives|tells|does the job|sets|turns|"
        r"prints|shows|can be|should be|protects|holds|covers)\b"
    ),
    "yes_no": re.compile(
        rf"(?i){_BEGINS}(?:is|are|was|were|do|does|did|can|could|may|might|must|should|will|would|has|have|had|am|isn't|"
        r"aren't|doesn't|don't|can't)\s+\w"
    ),
    "how": re.compile(r"(?i)(?:^|[.!?,]\s+|\band )(?:how|why|where|when|who|whom|whose|until when|since when)\b"),
    "value": re.compile(
        rf"(?i)\b(?:what|which)\s+(?:[\w-]+\s+)?(?:{_QUANTITY})\b|"
        r"\b(?:how (?:many|much|long|often|far|big|large|high|old|soon|fast|deep|small|late|hot)|up to how)\b"
    ),
    "wish": re.compile(
        r"(?i)\b(?:wants?|wanted|would like|'d like|’d like|must|should|needs? to|need|has to|have to|so that|"
        r"instead of|as soon as|without|rather than|no longer|we (?:have|run|use|are)|ought|shall|insists?|may not|"
        r"cannot|nobody|everybody)\b"
    ),
    "people": re.compile(
        r"(?i)\b(?:we|our|us|team|my|i|i'm|i'd|i've|somebody|someone|customers?|users?|they|their|she|he|her|his)\b"
    ),
    "error": re.compile(
        r"\b[A-Z]\w*(?:Error|Exception)\b|(?s:\b(?:[Ee]rror|ERROR|FATAL|[Cc]annot|[Cc]ould not|[Ff]ailed|[Dd]enied|"
        r"[Rr]efused|fails with)\b.*:)|\[(?:emerg|alert|crit|error|warn|fatal)\]|\(\d+\)|\": "
    ),
    "trouble": re.compile(
        r"(?i)\b(?:fails?|failed|won't|doesn't|can't|broke|broken|wrong|suddenly|stays?|still|keeps|gone|nothing)\b"
    ),
    "advice": re.compile(r"(?i)\bwhat (?:do|should|can|must) (?:i|we) do\b|\bwhat (?:now|then|next)\b"),
}
FEATURES = (*_FORMS, "long", "code", "need", "noun")
"""The forms, each 0 or 1; content words on a logarithmic scale; whether code is asked for, a need is told, or a noun is
asked for that names a kind of thing."""
WANTED = 0.45
"""The probability from which a question is taken to want a name."""


def describe(query: Query) -> dict[str, float]:
    """By the names of FEATURES."""
    return {
        **{name: float(form.search(query.text) is not None) for name, form in _FORMS.items()},
        "long": math.log1p(len(content(query.text))),
        "code": float(query.wants_code),
        "need": float(query.tells_need),
        "noun": float(query.intent in ("concept", "detail", "tool")),
    }


def probability(query: Query, weights: Mapping[str, float], meaning: float = 0.0) -> float:
    """That the question wants a name; a comparison never does. `meaning` is what its vector says for it, where the
    weights are those beside a vector's."""
    if query.intent == "compare":
        return 0.0
    total = meaning + weights.get("bias", 0.0) + sum(weights.get(f, 0.0) * v for f, v in describe(query).items())
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))
