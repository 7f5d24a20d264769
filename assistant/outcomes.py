"""What was found → whether the notes answer the question: a small logistic model of features that a person can name."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from assistant import english
from assistant.constants import Constants
from assistant.questions import ASKING, FORM, is_stop
from assistant.records import Outcome
from assistant.search import Found, Read, Searcher
from assistant.terms import parts, stem, terms, words
from assistant.verdicts import Topic

FEATURES = (
    "best", "dense", "lexical", "gap", "unknown", "strange_names", "facet",
    "long", "concept", "verdict", "verb", "focus", "number", "short_best", "code",
)  # fmt: skip
_EVIDENCE = 3
"""Passages that are taken to be the answer when it is asked what they lack."""
_ORDERS = re.compile(
    r"\b(?:ignore|disregard|forget)\s+(?:all\s+|any\s+)?(?:your|the|previous|prior|above)\s+(?:\w+\s+)?(?:instructions?|rules?|prompts?)\b|^\s*(?:system|assistant|developer)\s*:"
    r"|\b(?:print|reveal|show|repeat)\s+(?:me\s+)?your\s+(?:system\s+)?(?:prompt|"
    r"instructions)\b|\bpretend (?:to be|you are|you're)\b|\byou (?:may|can|must) now\b|"
    r"\bact as (?:an?|the)\b",
    re.IGNORECASE,
)


_QUANTITY = re.compile(
    r"(?i)\bhow (?:many|much|long|often|far|big|large|high|small|old|fast)\b|\b(?:maximum|"
    r"minimum|longest|largest|highest|smallest|limit|price|percentage|latency|size|port)\b"
)


@dataclass(frozen=True, slots=True)
class Judged:
    """The decision, what it rests on, and what to tell the reader."""

    outcome: Outcome
    probability: float
    """That the notes answer."""
    missing: tuple[str, ...]
    hint: str | None
    features: dict[str, float]


@dataclass(frozen=True, slots=True)
class Facet:
    """Something a question may ask about a subject."""

    name: str
    asks: tuple[str, ...]
    says: tuple[str, ...]


def is_order(text: str) -> bool:
    """Whether a text gives the assistant orders instead of asking."""
    return bool(_ORDERS.search(text))


def judge(found: Found, ranked: Sequence[Topic], searcher: Searcher, constants: Constants) -> Judged:
    """Answered, partial (something near, and what it lacks) or not in the notes."""
    if is_order(found.query.text):
        return Judged("not_in_notes", 0.0, (), "Orders are not questions. Ask for something the notes may say.", {})
    if not found.query.terms or not found.hits:
        return Judged("not_in_notes", 0.0, (), "Name a subject: a service, a setting, a need.", {})
    values, lacking = describe(found, ranked, searcher)
    total = constants.outcome.get("bias", 0.0) + sum(constants.outcome.get(f, 0.0) * values[f] for f in FEATURES)
    probability = 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))
    if probability >= constants.threshold:
        return Judged("answered", probability, (), None, values)
    near = values["dense"] >= 0.4 and values["unknown"] < 0.5 and bool(lacking)
    if near:
        hint = "The lines shown are about the subject, not about that. Add it to your notes, or ask without it."
        return Judged("partial", probability, lacking[:4], hint, values)
    hint = "Nothing in the notes comes close. Name the subject as your notes do."
    return Judged("not_in_notes", probability, lacking[:4], hint, values)


def describe(found: Found, ranked: Sequence[Topic], searcher: Searcher) -> tuple[dict[str, float], tuple[str, ...]]:
    """The features by name, and the question's words that the evidence lacks, most telling first."""
    hits = found.hits
    evidence = searcher.read([h.id for h in hits[:_EVIDENCE]])
    reads = [evidence[h.id] for h in hits[:_EVIDENCE] if h.id in evidence]
    section = _section(found, searcher)
    near = {t for r in reads for t in _said(r)}
    asked = {t: english.rarity(t) for t in found.query.terms}
    total = sum(asked.values()) or 1.0
    uncovered = {t: w for t, w in asked.items() if t not in near}
    unknown = {t: w for t, w in asked.items() if not found.known.get(t)}
    strange = _strange(found)
    facets = [f for f in _facets() if _asks(f, found.query.text)]
    lacked = [f for f in facets if not any(_says(f, r) for r in reads[:2])]
    verb = _verb(found.query.text)
    short = min(1.0, 7 / len(asked))
    values = {
        "best": hits[0].score,
        "dense": max((h.dense or 0.0 for h in hits[:10]), default=0.0),
        "lexical": float(found.lexical[:10, 0].max()),
        "gap": hits[0].score - hits[min(5, len(hits) - 1)].score,
        "unknown": short * sum(unknown.values()) / total,
        "strange_names": float(min(2, len(strange))),
        "facet": float(bool(lacked)),
        "long": math.log1p(len(asked)),
        "concept": max((float(c.cosines[0]) for c in found.concepts.values()), default=0.0),
        "verdict": ranked[0].confidence if ranked else 0.0,
        "verb": float(bool(verb) and verb not in near),
        "focus": short * max((w for t, w in asked.items() if t not in section), default=0.0),
        "number": float(
            bool(_QUANTITY.search(found.query.text)) and not any(re.search(r"\d", r.passage.text) for r in reads[:2])
        ),
        "short_best": short * hits[0].score,
        "code": float(found.query.code),
    }
    return values, _lacking(found, strange, lacked, unknown, uncovered)


def _said(read: Read) -> set[str]:
    return set(read.words) | set(read.heads) | set(terms(read.passage.heading_path[0]))


def _section(found: Found, searcher: Searcher) -> set[str]:
    """Every term of the section that the best passage stands in."""
    passage = found.hits[0].passage
    ids = searcher.store.section_passages(passage.path, passage.anchor)[:200]
    return {t for r in searcher.read(ids).values() for t in _said(r)}


def _strange(found: Found) -> list[str]:
    """Names in the question (a capital inside a sentence, camelCase, digits in a word) that the notes never use."""
    strange = []
    for sentence in re.split(r"(?<=[.?!:])\s+", found.query.text):
        for position, word in enumerate(words(sentence)):
            name = (word[:1].isupper() and (position > 0 or len(parts(word)) > 1)) or (
                len(parts(word)) > 1 and not word.isdigit()
            )
            stems = [t for t in terms(word) if t not in FORM and not is_stop(t)]
            if name and stems and len(word) > 1 and not any(found.known.get(t) for t in stems) and word not in strange:
                strange.append(word)
    return strange


def _verb(text: str) -> str:
    """The stem of VERB in "how do I VERB"; "" for other questions and for verbs that say nothing."""
    match = re.search(
        r"(?i)\bhow (?:do|can|could|would|should|to)\s+(?:(?:i|you|we|one)\s+)?(?:\w+ly\s+)?(?P<verb>[a-z]+)", text
    )
    verb = stem(match["verb"]) if match else ""
    return "" if not verb or is_stop(verb) or verb in FORM or verb in _EMPTY else verb


_EMPTY = frozenset(
    stem(w)
    for w in [
        "do",
        "make",
        "get",
        "have",
        "set",
        "configure",
        "create",
        "use",
        "put",
        "add",
        "let",
        "work",
        "write",
        "start",
        "turn",
        "send",
        "reach",
    ]
)


@cache
def _facets() -> tuple[Facet, ...]:
    text = (Path(__file__).parent / "data" / "facets.md").read_text("utf-8")
    found = []
    for part in text.split("\n## ")[1:]:
        name, _, body = part.partition("\n")
        rows = dict(re.findall(r"^- (asks|says): (.*)$", body, re.MULTILINE))
        found.append(Facet(name.strip(), tuple(_list(rows["asks"])), tuple(_list(rows["says"]))))
    return tuple(found)


def _list(row: str) -> Iterable[str]:
    return (w.strip() for w in row.split(",") if w.strip())


def _asks(facet: Facet, text: str) -> bool:
    low = text.lower()
    return any(_whole(a).search(low) for a in facet.asks)


@cache
def _whole(phrase: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(phrase)}(?!\w)")


@cache
def _opening(word: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![a-z]){re.escape(word)}")


def _says(facet: Facet, read: Read) -> bool:
    low = f"{' '.join(read.passage.heading_path[1:])} {read.passage.label} {read.passage.text}".lower()
    return any((s in low) if not s.isalpha() or len(s) < 3 else _opening(s).search(low) for s in facet.says)


def _lacking(
    found: Found, strange: list[str], lacked: list[Facet], unknown: dict[str, float], uncovered: dict[str, float]
) -> tuple[str, ...]:
    """What the notes say nothing about, as the question writes it."""
    by_stem: dict[str, str] = {}
    for word in words(found.query.text):
        for t in terms(word):
            by_stem.setdefault(t, word)
    named = [*strange]
    named += [
        next(a for a in f.asks if re.search(rf"(?<!\w){re.escape(a)}(?!\w)", found.query.text.lower())) for f in lacked
    ]
    rest = sorted(unknown, key=lambda t: (-unknown[t], t)) + sorted(uncovered, key=lambda t: (-uncovered[t], t))
    named += [by_stem[t] for t in rest if t in by_stem and t not in ASKING]
    return tuple(dict.fromkeys(n for n in named if n))
