"""What the decision whether the notes answer looks at: sixteen features, and what the evidence lacks."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from assistant.answering.evidence import overlap
from assistant.question.expectations import Expectations, Facet
from assistant.question.understanding import Understanding
from assistant.records import NAMING_KINDS
from assistant.retrieval.feature_cache import IndexedPassage
from assistant.retrieval.index_reader import IndexReader
from assistant.retrieval.result import RetrievalResult
from assistant.text import word_frequency
from assistant.text.stop_words import ASKING
from assistant.text.tokenizer import terms, words

FEATURES = (
    "lexical",  # how well the best passages fit by words
    "dense",  # … and by meaning, headings aside
    "answers",  # the reader's best logit
    "second",  # … and the best of a passage elsewhere
    "concept",  # how near the nearest concept of the vocabulary is
    "long",  # terms of the question, on a logarithmic scale
    "how",  # it asks how
    "code",  # it asks for code, and tells no need
    "code_gap",  # how far the best code is behind the best passage, where code is asked for, 0.1 at the most
    "names",  # names in the question
    "focus",  # rarity of the rarest word that the best passage's section lacks
    "number",  # a number is asked for, and none is near
    "no_quantity",  # a quantity is asked for, none of its kind is near, and no need is told
    "strange",  # names that the notes never use, 2 at the most; no need is told
    "facet",  # an asked-for facet that the evidence lacks; no need is told
    "lacks",  # share of the question that every near section lacks; no need is told
)
"""In the order in which `scripts/fit` writes their weights; shares and cosines are 0 to 1, questions of yes and no 0 or
1."""
_PLAIN = 30
"""Passages among which those without a heading's or a label's place are looked for."""
_EVIDENCE = 3
"""Passages that are taken to be the answer when it is asked what they lack."""
_SHORT = 7
"""Terms of a short question, of which each word that the notes do not know counts in full."""
_MANY, _USUAL = 60, 0.75
"""Concepts that notes of computing name, and how near the nearest one usually is."""
_PARTED = re.compile(r"[^\w\s'’/-]")
"""A mark that parts two phrases."""
_PHRASE = 3
"""Words of a phrase that is said to be missing, at most."""
_GAP = 0.1
"""How far behind code counts: that code is asked for is often a mistake ("how long is the code that …")."""
_CERTAIN = 8.0
"""Logits beyond which nothing is more certain."""
_PENDING = {"dense": 0.6, "concept": _USUAL}
"""What an answerable question usually has, in the middle, of what needs vectors."""
MOSTLY = 0.5
"""The share of a question from which the notes are taken to know its words."""
_NUMBER = re.compile(
    r"(?i)\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|hundred|thousand|million|half)\b"
)


@dataclass(frozen=True, slots=True)
class Description:
    """A question beside its evidence."""

    features: dict[str, float]
    missing: tuple[str, ...]
    """What the evidence lacks, most telling first."""


def describe(understanding: Understanding, result: RetrievalResult, reader: IndexReader) -> Description:
    """Of a question that has terms and a result that has hits."""
    expected = understanding.expectations
    evidence = _Evidence.gather(expected, result, reader)
    features = {
        **_strength(result, evidence),
        **_form(result, expected),
        **_coverage(result, expected, evidence),
    }
    features = {name: features[name] for name in FEATURES}
    if reader.store.pending and known_share(result) > MOSTLY:
        # Vectors that are still computed must not decline a question: what rests on them is taken for usual.
        features |= {name: max(features[name], usual) for name, usual in _PENDING.items()}
    return Description(features, _missing(result, expected, evidence, asks_quantity=bool(features["no_quantity"])))


def known_share(result: RetrievalResult) -> float:
    """How much of the question is in words that the notes use, by their rarity."""
    rarity = {t: word_frequency.rarity(t) for t in result.query.terms}
    short = min(1.0, _SHORT / len(rarity))
    unknown = sum(w for t, w in rarity.items() if not result.search.frequencies.get(t))
    return 1 - short * unknown / (sum(rarity.values()) or 1.0)


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What the best passages and their sections say, and what of the question they do not."""

    best: tuple[IndexedPassage, ...]
    """The first few."""
    plain: list[int]
    """Positions of hits that are neither headings nor labels nor pointers."""
    sections: list[frozenset[str]]
    """The terms of the sections of the best, the note's title among them."""
    rarity: dict[str, float]
    """Of the question's terms, in general English."""
    strange: tuple[str, ...]
    """Names in the question that the notes never use."""
    lacked: tuple[Facet, ...]
    """Asked-for facets that the best passages do not speak of."""

    @classmethod
    def gather(cls, expected: Expectations, result: RetrievalResult, reader: IndexReader) -> _Evidence:
        hits = result.hits
        best = result.passages[:_EVIDENCE]
        plain = [n for n, hit in enumerate(hits[:_PLAIN]) if hit.passage.kind not in NAMING_KINDS]
        sections = [
            reader.section_terms(hit.passage).union(terms(hit.passage.heading_path[0])) for hit in hits[:_EVIDENCE]
        ]
        strange = (word for word, stems in expected.names if not any(result.search.frequencies.get(t) for t in stems))
        lacked = (facet for facet in expected.facets if not any(_speaks_of(facet, p) for p in best[:2]))
        return cls(
            best,
            plain,
            sections,
            {t: word_frequency.rarity(t) for t in result.query.terms},
            tuple(strange),
            tuple(lacked),
        )


def _strength(result: RetrievalResult, evidence: _Evidence) -> dict[str, float]:
    """How well the best passages and the nearest concept fit, and what the reader finds."""
    hits = result.hits
    return {
        "lexical": float(result.scores.lexical[:10, 0].max()),
        "dense": max((hits[n].dense or 0.0 for n in evidence.plain[:10]), default=0.0),
        **_read(result),
        "concept": _nearest_concept(result),
    }


def _read(result: RetrievalResult) -> dict[str, float]:
    """How sure the reader is that a passage answers, and another one that shares no line with it."""
    logits = np.full(len(result.hits), -np.inf) if result.answers is None else result.answers
    order = np.argsort(-logits, kind="stable").tolist()
    best = result.hits[order[0]].passage
    other = next((n for n in order if not overlap(result.hits[n].passage, best)), order[0])
    bounded = np.clip(logits, -_CERTAIN, _CERTAIN)
    return {"answers": float(bounded[order[0]]), "second": float(bounded[other])}


def _form(result: RetrievalResult, expected: Expectations) -> dict[str, float]:
    """What kind of question it is."""
    query, hits = result.query, result.hits
    best_code = max((hit.score for hit in hits if hit.passage.fence is not None), default=0.0)
    fact = float(not query.tells_need)
    return {
        "long": math.log1p(len(set(query.terms))),
        "how": float(query.intent == "how"),
        "code": fact * query.wants_code,
        "code_gap": min(_GAP, hits[0].score - best_code) if query.wants_code else 0.0,
        "names": float(len(expected.names)),
    }


def _coverage(result: RetrievalResult, expected: Expectations, evidence: _Evidence) -> dict[str, float]:
    """What of the question the best passages and their sections lack."""
    fact = float(not result.query.tells_need)
    rarity = evidence.rarity
    telling = {t: max(w, 0.1) for t, w in rarity.items() if t not in ASKING}
    short = min(1.0, _SHORT / len(rarity))
    quantity = expected.quantity
    return {
        "focus": short * max((w for t, w in rarity.items() if t not in evidence.sections[0]), default=0.0),
        "number": float(expected.number and not any(_NUMBER.search(p.passage.text) for p in evidence.best[:2])),
        "no_quantity": fact * (quantity is not None and not _gives(quantity.answers, result, evidence.plain, telling)),
        "strange": fact * min(2, len(set(evidence.strange))),
        "facet": fact * bool(evidence.lacked),
        "lacks": fact * min(_share_without(telling, said) for said in evidence.sections),
    }


def _share_without(telling: Mapping[str, float], said: Collection[str]) -> float:
    """How much of what the question says is not said there."""
    return sum(w for t, w in telling.items() if t not in said) / (sum(telling.values()) or 1.0)


def _nearest_concept(result: RetrievalResult) -> float:
    """How near the nearest concept is. Notes that name few concepts are of another field, where a far one says nothing:
    the fewer, the nearer to what is usual it is taken.
    """
    telling = min(1.0, result.search.concepts.known / _MANY)
    return telling * max(result.search.concepts.near.values(), default=0.0) + (1 - telling) * _USUAL


def _gives(
    pattern: re.Pattern[str], result: RetrievalResult, plain: Sequence[int], telling: Mapping[str, float]
) -> bool:
    """Whether a quantity of the kind stands in one of the passages that hold most of what the question says."""
    passages = result.passages
    covered = {
        n: sum(w for t, w in telling.items() if t in passages[n].terms or t in passages[n].heading_terms) for n in plain
    }
    enough = 0.5 * max(covered.values(), default=0.0)
    chosen = [n for n in plain if covered[n] >= enough][:6]
    return any(pattern.search(passages[n].passage.text.lower()) for n in chosen)


def _speaks_of(facet: Facet, indexed: IndexedPassage) -> bool:
    passage = indexed.passage
    return facet.answered_by(f"{' '.join(passage.heading_path[1:])} {passage.label} {passage.text}".lower())


def _missing(
    result: RetrievalResult, expected: Expectations, evidence: _Evidence, *, asks_quantity: bool
) -> tuple[str, ...]:
    """What the notes say nothing about: names and words as the question writes them, the noun of an asked-for quantity,
    a facet."""
    text = result.query.text
    by_stem: dict[str, str] = {}
    for word in words(text):
        for t in terms(word):
            by_stem.setdefault(t, word)
    named = list(dict.fromkeys(evidence.strange))
    if expected.quantity is not None and asks_quantity:
        named.append(expected.quantity.noun)
    named += [facet.asked_in(text.lower()) or facet.name for facet in evidence.lacked]
    near = {t for p in evidence.best for t in (*p.terms, *p.heading_terms, *terms(p.passage.heading_path[0]))}
    unknown = {t: w for t, w in evidence.rarity.items() if not result.search.frequencies.get(t)}
    uncovered = {t: w for t, w in evidence.rarity.items() if t not in near}
    rest = sorted(unknown, key=lambda t: (-unknown[t], t)) + sorted(uncovered, key=lambda t: (-uncovered[t], t))
    listed = {w for name in named for w in name.lower().split()}
    named += [by_stem[t] for t in rest if t in by_stem and t not in ASKING and by_stem[t].lower() not in listed]
    return tuple(_phrases(named, text))


def _phrases(named: Sequence[str], text: str) -> Iterator[str]:
    """These names and words, those that stand next to each other in the question as one phrase; each once."""
    wanted = {name.lower() for name in named}
    phrase_of: dict[str, str] = {}
    for part in _PARTED.split(text):
        for is_named, run in groupby(words(part), key=lambda word: word.lower() in wanted):
            own = list(run)
            if is_named and len(own) <= _PHRASE:
                phrase_of |= {word.lower(): " ".join(own) for word in own}
    seen: set[str] = set()
    for name in named:
        phrase = phrase_of.get(name.lower(), name)
        if phrase and phrase.lower() not in seen:
            seen |= {phrase.lower(), *phrase.lower().split()}
            yield phrase
