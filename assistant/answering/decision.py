"""What was found → whether the notes answer the question: a small logistic model of features that a person can name."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from assistant.answering.naming import Topic
from assistant.answering.weights import Constants
from assistant.records import Outcome
from assistant.retrieval.feature_cache import IndexedPassage
from assistant.retrieval.retriever import Floats, HybridRetriever, RetrievalResult
from assistant.text import word_frequency
from assistant.text.stop_words import ASKING, FORM, is_stop
from assistant.text.tokenizer import parts, terms, words

FEATURES = (
    "lexical", "dense", "gap", "concept", "verdict", "long", "how", "value", "code", "code_gap", "names",
    "focus", "number", "quantity", "no_quantity", "strange", "facet", "lacks", "detail",
)  # fmt: skip
"""What the decision looks at: how well the best passages fit by words and by meaning (headings aside), how far the
best stands out, how near a concept of the vocabulary and how sure a verdict is; how long the question is, whether it
asks how, for a value or for code and how far code falls behind, and how many names it holds; the rarest word that the
best passage's section lacks, a number asked for and none near. The rest counts only where a fact is asked for and no
need is told: a quantity asked for, and none of its kind near; names that the notes never use; an asked-for facet that
the evidence lacks; the share of the question that each near section lacks; and how near the best passage of the section
comes to the question when what both share with the section's heading is taken away.
"""
_PLAIN = 30
"""Passages among which those without a heading's or a label's place are looked for."""
_LENIENT = 0.5
_EVIDENCE = 3
"""Passages that are taken to be the answer when it is asked what they lack."""
_ORDERS = re.compile(
    r"\b(?:ignore|disregard|forget)\s+(?:all\s+|any\s+)?(?:your|the|previous|prior|above)\s+(?:\w+\s+)?(?:instructions?|rules?|prompts?)\b|^\s*(?:system|assistant|developer)\s*:"
    r"|\b(?:print|reveal|show|repeat)\s+(?:me\s+)?your\s+(?:system\s+)?(?:prompt|"
    r"instructions)\b|\bpretend (?:to be|you are|you're)\b|\byou (?:may|can|must) now\b|"
    r"\bact as (?:an?|the)\b|"
    r"\bignore the notes\b|</?(?:quote|system|prompt|notes?|instructions?)>|\bend of (?:notes|prompt|instructions)\b",
    re.IGNORECASE,
)


_QUANTITY = re.compile(
    r"(?i)\bhow (?:many|much|long|often|far|big|large|high|small|old|fast)\b|\b(?:maximum|"
    r"minimum|longest|largest|highest|smallest|limit|price|percentage|latency|size|port)\b"
)


_QUANTITIES = tuple(
    (re.compile(f"(?i){asks}"), re.compile(gives))
    for asks, gives in (
        (
            r"\bhow (?:long|soon|often|old)\b|\b(?:interval|duration|retention|timeout|days|hours|seconds|minutes)\b",
            r"\d\s*-?\s*(?:s|sec|m|min|h|ms)\b|second|minute|hour|day|week|month|year",
        ),
        (
            r"\bhow much (?:does|do|is|are|will)\b.*\b(?:cost|pay|charge)|\b(?:price|cost|charge|fee|bill|pay)\w*\b",
            r"[$€£]\s*\d|\d\s*(?:usd|eur|cents?)|price|pricing|cost|free",
        ),
        (r"\bhow (?:big|large)\b|\b(?:size|biggest|largest)\b", r"\d\s*(?:[kmgt]i?b|bytes?)\b"),
        (
            r"\b(?:per second|throughput|speeds?|bandwidth|how fast)\b",
            r"\d\s*(?:[kmg]bps|rps|qps|iops|/s)|per second|[kmg]b/s",
        ),
        (
            r"\bhow (?:many|much|high|deep|far)\b|\bup to how\b|\bwhat (?:number|percentage|port)\b|"
            r"\b(?:maximum|minimum|most|limit|shortest|longest)\b",
            r"\d",
        ),
    )
)
"""Kinds of quantities: what asks for one, and what a line that gives one looks like."""


@dataclass(frozen=True, slots=True)
class Decision:
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
    phrases: tuple[str, ...]
    """What asks for it."""
    asks: re.Pattern[str]
    """Any of these, as whole words, in lower case."""
    says: tuple[str, ...]
    """What a line that answers holds one of."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the decision takes from a question's text alone."""

    order: bool
    names: tuple[tuple[str, tuple[str, ...]], ...]
    """Names in it, each with its stems."""
    facets: tuple[Facet, ...]
    """That it asks for."""
    number: bool
    """Whether it asks for one, however it is put."""
    quantity: tuple[str, re.Pattern[str]] | None
    """What asks for a quantity of some kind, in lower case, and what a line that gives one looks like."""


def asked(text: str) -> Asked:
    """All of that, of a question as it was tidied; nothing of it waits for a search."""
    low = text.lower()
    return Asked(
        is_order(text),
        tuple(_names(text)),
        tuple(f for f in _facets() if f.asks.search(low)),
        bool(_QUANTITY.search(text)),
        _quantity(text),
    )


def is_order(text: str) -> bool:
    """Whether a text gives the assistant orders instead of asking."""
    return bool(_ORDERS.search(text))


def judge(
    asked: Asked,
    found: RetrievalResult,
    ranked: Sequence[Topic],
    retriever: HybridRetriever,
    constants: Constants,
    *,
    lenient: bool = False,
) -> Decision:
    """Answered, partial (something near, and what it lacks) or not in the notes; `lenient` in a dialogue, where a turn
    says less than a question that stands alone, and with a comparison of two things that the notes name.
    """
    if asked.order:
        return Decision("not_in_notes", 0.0, (), "Orders are not questions. Ask for something the notes may say.", {})
    if not found.query.terms or not found.hits:
        return Decision("not_in_notes", 0.0, (), "Name a subject: a service, a setting, a need.", {})
    values, lacking = describe(asked, found, ranked, retriever)
    total = constants.outcome.get("bias", 0.0) + sum(constants.outcome.get(f, 0.0) * values[f] for f in FEATURES)
    probability = 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))
    if probability >= constants.threshold * (_LENIENT if lenient else 1.0):
        return Decision("answered", probability, (), None, values)
    near = values["dense"] >= 0.4 and _known_share(found) > _MOSTLY and bool(lacking)
    if near:
        hint = "The lines shown are about the subject, not about that. Add it to your notes, or ask without it."
        return Decision("partial", probability, lacking[:4], hint, values)
    hint = "Nothing in the notes comes close. Name the subject as your notes do."
    return Decision("not_in_notes", probability, lacking[:4], hint, values)


def quantity(text: str) -> re.Pattern[str] | None:
    """What a line (lower case) that gives the quantity a question asks for looks like; None where it asks for none."""
    found = _quantity(text)
    return found[1] if found is not None else None


def _quantity(text: str) -> tuple[str, re.Pattern[str]] | None:
    return next(((found[0].lower(), gives) for asks, gives in _QUANTITIES if (found := asks.search(text))), None)


def describe(
    asked: Asked, found: RetrievalResult, ranked: Sequence[Topic], retriever: HybridRetriever
) -> tuple[dict[str, float], tuple[str, ...]]:
    """The features by name, and the question's words that the evidence lacks, most telling first."""
    query, hits = found.query, found.hits
    fact = float(not query.told)
    evidence = found.reads[:_EVIDENCE]
    plain = [n for n, hit in enumerate(hits[:_PLAIN]) if hit.passage.kind not in ("heading", "label", "pointer")]
    section = retriever.section(hits[0].passage)
    held = [retriever.section(h.passage).terms.union(terms(h.passage.heading_path[0])) for h in hits[:_EVIDENCE]]
    near = {t for r in evidence for t in _said(r)}
    weights = {t: word_frequency.rarity(t) for t in query.terms}
    unknown = {t: w for t, w in weights.items() if not found.known.get(t)}
    telling = {t: max(w, 0.1) for t, w in weights.items() if t not in ASKING}
    short = min(1.0, 7 / len(weights))
    strange = [word for word, stems in asked.names if not any(found.known.get(t) for t in stems)]
    lacked = [f for f in asked.facets if not any(_says(f, r) for r in evidence[:2])]
    coded = max((hit.score for hit in hits if hit.passage.fence is not None), default=0.0)
    values = {
        "lexical": float(found.lexical[:10, 0].max()),
        "dense": max((hits[n].dense or 0.0 for n in plain[:10]), default=0.0),
        "gap": hits[0].score - hits[min(5, len(hits) - 1)].score,
        "concept": _concept(found),
        "verdict": ranked[0].confidence if ranked else 0.0,
        "long": math.log1p(len(weights)),
        "how": float(query.ask == "how"),
        "value": float(query.ask == "value"),
        "code": fact * query.code,
        "code_gap": hits[0].score - coded if query.code else 0.0,
        "names": float(len(asked.names)),
        "focus": short * max((w for t, w in weights.items() if t not in held[0]), default=0.0),
        "number": float(asked.number and not any(_NUMBER.search(r.passage.text) for r in evidence[:2])),
        "quantity": fact * (asked.quantity is not None),
        "no_quantity": fact * (asked.quantity is not None and not _given(asked.quantity[1], found, plain, telling)),
        "strange": fact * min(2, len(set(strange))),
        "facet": fact * bool(lacked),
        "lacks": fact * min(_share_without(telling, said) for said in held),
        "detail": _detail(found, retriever, plain[:12], section.heading),
    }
    if retriever.store.pending and _known_share(found) > _MOSTLY:
        # Vectors that are still computed must not decline a question: what rests on them is taken for usual.
        values |= {name: max(values[name], usual) for name, usual in _PENDING.items()}
    uncovered = {t: w for t, w in weights.items() if t not in near}
    quantity = asked.quantity[0] if asked.quantity is not None and values["no_quantity"] else ""
    return values, _lacking(found, list(dict.fromkeys(strange)), quantity, lacked, unknown, uncovered)


def _share_without(telling: Mapping[str, float], said: Collection[str]) -> float:
    """How much of what the question says is not said there."""
    return sum(w for t, w in telling.items() if t not in said) / (sum(telling.values()) or 1.0)


def _concept(found: RetrievalResult) -> float:
    """How near the nearest concept is. Notes that name few concepts are of another field, where a far one says nothing:
    the fewer, the nearer to what is usual it is taken.
    """
    telling = min(1.0, found.concepts.known / _MANY)
    return telling * max(found.concepts.near.values(), default=0.0) + (1 - telling) * _USUAL


_MANY, _USUAL = 60, 0.75
_MOSTLY = 0.5
_PENDING = {"dense": 0.6, "gap": 0.1, "concept": _USUAL, "verdict": 0.5, "detail": 0.55}
"""What an answerable question usually has, in the middle, of what needs vectors."""
_NUMBER = re.compile(
    r"(?i)\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|hundred|thousand|million|half)\b"
)


def _known_share(found: RetrievalResult) -> float:
    """How much of the question is in words that the notes use, by their rarity."""
    asked = {t: word_frequency.rarity(t) for t in found.query.terms}
    short = min(1.0, 7 / len(asked))
    return 1 - short * sum(w for t, w in asked.items() if not found.known.get(t)) / (sum(asked.values()) or 1.0)


def _given(
    pattern: re.Pattern[str], found: RetrievalResult, plain: Sequence[int], telling: Mapping[str, float]
) -> bool:
    """Whether a quantity of the kind stands in one of the passages that hold most of what the question says."""
    reads = found.reads
    covers = {n: sum(w for t, w in telling.items() if t in reads[n].said or t in reads[n].heads) for n in plain}
    enough = 0.5 * max(covers.values(), default=0.0)
    chosen = [n for n in plain if covers[n] >= enough][:6]
    return any(pattern.search(reads[n].passage.text.lower()) for n in chosen)


def _detail(found: RetrievalResult, retriever: HybridRetriever, plain: Sequence[int], heading: Floats | None) -> float:
    """The best cosine of the question with a passage of the first one's section, both without what they share with the
    section's heading: near 0 where only the subject fits."""
    if heading is None:
        return 0.0
    first = found.hits[0].passage
    own = [retriever.row(found.reads[n]) for n in plain if found.hits[n].passage.heading_path == first.heading_path]
    rows = [row for row in own if row is not None]
    if not rows:
        return 0.0
    both = np.stack([found.vectors[0], *rows])
    rest = both - np.outer(both @ heading, heading)
    sizes = np.linalg.norm(rest, axis=1)
    cosines = rest[1:] @ rest[0] / np.maximum(sizes[1:] * sizes[0], 1e-6)
    return round(max(0.0, float(cosines.max())), 6)


def _said(read: IndexedPassage) -> set[str]:
    return {*read.said, *read.heads, *terms(read.passage.heading_path[0])}


def _names(text: str) -> list[tuple[str, tuple[str, ...]]]:
    """Names in the question, each with its stems: a capital inside a sentence, camelCase, digits in a word."""
    found = []
    for sentence in re.split(r"(?<=[.?!:])\s+", text):
        for position, word in enumerate(words(sentence)):
            name = (word[:1].isupper() and (position > 0 or len(parts(word)) > 1)) or (
                len(parts(word)) > 1 and not word.isdigit()
            )
            stems = tuple(t for t in terms(word) if t not in FORM and not is_stop(t))
            if name and stems and len(word) > 1:
                found.append((word, stems))
    return found


@cache
def _facets() -> tuple[Facet, ...]:
    table = tomllib.loads((Path(__file__).parents[1] / "data" / "facets.toml").read_text("utf-8"))
    return tuple(
        Facet(one["name"], tuple(one["asks"]), _whole(one["asks"]), tuple(one["says"])) for one in table["facet"]
    )


def _whole(phrases: Iterable[str]) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, phrases))})(?!\w)")


@cache
def _saying(texts: tuple[str, ...]) -> re.Pattern[str]:
    """Any of them: a word at the beginning of one, signs and very short ones anywhere."""
    return re.compile("|".join(rf"(?<![a-z]){t}" if t.isalpha() and len(t) >= _A_WORD else re.escape(t) for t in texts))


_A_WORD = 3


def _says(facet: Facet, read: IndexedPassage) -> bool:
    passage = read.passage
    return bool(
        _saying(facet.says).search(f"{' '.join(passage.heading_path[1:])} {passage.label} {passage.text}".lower())
    )


def _lacking(
    found: RetrievalResult,
    strange: Sequence[str],
    quantity: str,
    lacked: Sequence[Facet],
    unknown: Mapping[str, float],
    uncovered: Mapping[str, float],
) -> tuple[str, ...]:
    """What the notes say nothing about, as the question writes it: names, an asked-for quantity or facet, words."""
    text = found.query.text.lower()
    by_stem: dict[str, str] = {}
    for word in words(found.query.text):
        for t in terms(word):
            by_stem.setdefault(t, word)
    named = [*strange, quantity]
    named += [next(a for a in f.phrases if _whole((a,)).search(text)) for f in lacked]
    rest = sorted(unknown, key=lambda t: (-unknown[t], t)) + sorted(uncovered, key=lambda t: (-uncovered[t], t))
    said = {w for name in named for w in name.lower().split()}
    named += [by_stem[t] for t in rest if t in by_stem and t not in ASKING and by_stem[t].lower() not in said]
    return tuple(dict.fromkeys(n for n in named if n))
