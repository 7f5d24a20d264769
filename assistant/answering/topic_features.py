"""What a topic is ranked by: features that a person can name."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from assistant.answering.evidence_names import beside
from assistant.answering.topic import Topic
from assistant.records import NAMING_KINDS
from assistant.retrieval.query_expansion import ConceptMatches
from assistant.retrieval.result import RetrievalResult
from assistant.text import word_frequency
from assistant.text.excerpts import plain
from assistant.text.tokenizer import stem

Floats = NDArray[np.float32]

FEATURES = (
    "passage",  # its best passage for the whole question, behind the best topic's
    "demands",  # mean over the requirements of its best passage for each, behind
    "several",  # mean of its best three passages, behind
    "called",  # how near one of its passages comes to the names of the likely concepts, by meaning, behind
    "hinted",  # … by words
    "meant",  # share of the likeliest concept of its name
    "named",  # share of its words that the question says
    "often",  # passages that speak for it, on a logarithmic scale
    "rarity",  # of its rarest word in English
    "one_word",  # it is one word
    "target",  # an arrow or an answer points to it
    "definition",  # a line defines it
    "code_asked",  # a detail or a tool is asked for, and it stands in code
    "read",  # how surely the reader finds that one of them answers
    "likely",  # how likely the reader finds that it is what is asked for
    "owner",  # it stands over the best of the first lines that do not hold it, behind the first
    "everywhere",  # share of the first lines that hold it
    "beside",  # the noun that is asked for stands next to it in one of them, or is the kind of its place in code
    "marked",  # a line marks it: code, bold, a link
    "subject",  # it is the subject of a line, or the first cell of a row
    "command",  # a line of code begins with it
    "code_noun",  # a thing of code is asked for, and it is written as one
    "owned",  # how surely the reader finds that a line below it answers
    "top",  # it stands in the first line
    "first_in",  # how near the line's beginning it stands
)
"""In the order of a topic's `features`, and of the weights that `scripts/fit` writes."""

FIRST = 12
"""Lines that are looked at for names."""
_OWN = FEATURES.index("read")
_SHAPED = re.compile(r"^--?\w|\w[_./:]\w|[a-z][A-Z]")
_FLOOR = -0.4
"""How far behind the best topic a topic's passages count at most."""
_KINDS_OF_CODE = {stem(kind): kind for kind in ("resource", "command", "value")}
"""Nouns that are kinds of places in code."""
_IN_CODE = frozenset(("resource", "comment", "identifier"))
_SHARP = 0.03
"""How far behind the likeliest concept a concept still counts (the temperature of the softmax)."""
_INSIDE = 0.7
"""What a concept counts for a name that holds the concept's name and more."""


def describe(topics: Sequence[Topic], result: RetrievalResult) -> Floats:
    """(topics, len(FEATURES))."""
    rows = np.array([n for t in topics for n in t.speakers], dtype=np.intp)
    scale = np.array([v for t in topics for v in t.speakers.values()], dtype=np.float32)
    sizes = np.array([len(t.speakers) for t in topics], dtype=np.intp)
    starts = np.cumsum(sizes) - sizes
    scored = result.scores.fused[rows] * scale[:, None]
    passage = np.maximum.reduceat(scored, starts, axis=0)
    question = frozenset(result.query.terms)
    detailed = result.query.intent in ("detail", "tool")
    shares = _concept_shares(topics, result.search.concepts)
    keys = [t.key.split() for t in topics]
    rarest, one_word = np.array([_shape(t.key, t.name) for t in topics]).T
    columns: dict[str, Floats | list[float]] = {
        "passage": _behind(passage[:, 0]),
        "demands": _behind(_mean(passage, [r.weight for r in result.search.requirements])),
        "several": _behind(_best_three(scored[:, 0], sizes, starts)),
        "called": _behind(np.maximum.reduceat(result.scores.called[rows], starts)),
        "hinted": np.maximum.reduceat(result.scores.hinted[rows], starts),
        "meant": [shares.get(t.key, 0.0) for t in topics],
        "named": [0.0 if question.isdisjoint(own) else sum(t in question for t in own) / len(own) for own in keys],
        "often": np.log1p(sizes),
        "rarity": rarest,
        "one_word": one_word,
        "target": ["target" in t.kinds for t in topics],
        "definition": ["definition" in t.kinds for t in topics],
        "code_asked": [detailed and not _IN_CODE.isdisjoint(t.kinds) for t in topics],
    }
    columns |= _in_lines(topics, result)
    table = np.empty((len(topics), len(FEATURES)), dtype=np.float32)
    for n, feature in enumerate(FEATURES):
        table[:, n] = columns[feature]
    return table


def first_lines(result: RetrievalResult) -> list[int]:
    """Positions of the first candidates that are lines, headings and labels aside."""
    lines = (n for n, hit in enumerate(result.hits) if hit.passage.kind not in NAMING_KINDS)
    return list(islice(lines, FIRST))


def _in_lines(topics: Sequence[Topic], result: RetrievalResult) -> dict[str, list[float]]:
    """What the first lines say of each topic."""
    first = first_lines(result)
    passages = [result.hits[n].passage for n in first]
    texts = [plain(p.text) for p in passages]
    over = [plain(f"{p.heading_path[-1]} | {p.label}") for p in passages]
    behind = [max(result.hits[n].score - result.hits[first[0]].score, _FLOOR) for n in first]
    answers = [0.0] * len(first)
    if result.answers is not None:
        answers = [1 / (1 + math.exp(-max(-30.0, float(result.answers[n])))) for n in first]
    nouns, of_code = result.query.nouns, result.query.of_code
    named_kinds = [kind for noun, kind in _KINDS_OF_CODE.items() if noun in nouns]
    columns: dict[str, list[float]] = {name: [] for name in FEATURES[_OWN:]}
    spans = result.spans
    for topic in topics:
        name = plain(topic.name)
        holds = [k for k, text in enumerate(texts) if _stands(name, text)]
        owned = [k for k, text in enumerate(over) if k not in holds and _stands(name, text)]
        single = " " not in topic.name and bool(_SHAPED.search(topic.name))
        shaped = single or not topic.kinds.isdisjoint(("shape", "command", "value"))
        resource = "resource" in topic.kinds
        marked = not topic.kinds.isdisjoint(("span", "bold", "link"))
        columns["read"].append(max((answers[k] for k in holds), default=0.0))
        columns["likely"].append(0.0 if spans is None else spans.likelihood(topic.name))
        columns["owner"].append(max((behind[k] for k in owned), default=_FLOOR))
        columns["everywhere"].append(len(holds) / max(1, len(first)))
        told = not topic.kinds.isdisjoint(named_kinds)
        columns["beside"].append(told or any(beside(topic.name, passages[k].text, nouns) for k in holds))
        columns["marked"].append(marked)
        columns["subject"].append(not topic.kinds.isdisjoint(("subject", "cell")))
        columns["command"].append("command" in topic.kinds)
        columns["code_noun"].append(of_code and (shaped or resource or "span" in topic.kinds))
        columns["owned"].append(max((answers[k] for k in owned), default=0.0))
        columns["top"].append(0 in holds)
        columns["first_in"].append(max((1 - texts[k].find(name) / max(1, len(texts[k])) for k in holds), default=0.0))
    return columns


def _stands(name: str, text: str) -> bool:
    """Whether the name stands in the text as whole words."""
    at = text.find(name)
    while at >= 0:
        end = at + len(name)
        if not (at and text[at - 1].isalnum() and name[0].isalnum()) and not (
            end < len(text) and text[end].isalnum() and name[-1].isalnum()
        ):
            return True
        at = text.find(name, at + 1)
    return False


@lru_cache(maxsize=50_000)
def _shape(topic_key: str, name: str) -> tuple[float, float]:
    """The kind of name: rarity of its rarest word, and whether it is one word."""
    rarest = max(map(word_frequency.rarity, topic_key.split()), default=0.0)
    return rarest, float(len(name.split()) == 1)


def _best_three(values: Floats, sizes: NDArray[np.intp], starts: NDArray[np.intp]) -> Floats:
    """(topics,): the mean of each topic's three best of `values`, or of as many as it has."""
    order = np.lexsort((-values, np.repeat(np.arange(len(sizes)), sizes)))
    place = np.arange(len(values)) - np.repeat(starts, sizes)
    kept = np.where(place < 3, values[order], 0)
    return np.asarray(np.add.reduceat(kept, starts) / np.minimum(sizes, 3), dtype=np.float32)


def _concept_shares(topics: Sequence[Topic], concepts: ConceptMatches) -> dict[str, float]:
    """Topic key → the share of the likeliest concept of its name, among the concepts of all these topics' names."""
    wanted = {t.key for t in topics}
    links: dict[str, list[tuple[str, float]]] = {}
    for concept, keys in concepts.topics.items():
        if not wanted.isdisjoint(keys):
            links[concept] = [(k, 1.0 if whole else _INSIDE) for k, whole in keys.items() if k in wanted]
    if not links:
        return {}
    best = max(concepts.near[c] for c in links)
    weights = {c: math.exp((concepts.near[c] - best) / _SHARP) for c in links}
    total = sum(weights.values())
    shares: dict[str, float] = {}
    for concept, linked in links.items():
        for topic_key, value in linked:
            shares[topic_key] = max(shares.get(topic_key, 0.0), value * weights[concept] / total)
    return shares


def _behind(column: Floats) -> Floats:
    """How far each topic is behind the best, at most `_FLOOR`."""
    return np.asarray(np.maximum(column - column.max(), _FLOOR))


def _mean(table: Floats, weights: Sequence[float]) -> Floats:
    """(topics,): over the requirements, by their weights; the whole question where it is one requirement."""
    kept = np.maximum(np.array(weights, dtype=np.float32), 0)
    return np.asarray(table[:, 1:] @ kept / kept.sum() if kept.sum() > 0 else table[:, 0])
