"""Candidates → the topics that may be the verdict, ranked, each with a calibrated confidence.

A verdict is a topic, not a passage: a name the notes use, with every candidate passage that speaks for it. Topics are
ranked by a listwise linear model over `topic_features`; `scripts/fit` writes its weights.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np

from assistant.answering.evidence_names import FoundName, found_names, named_by_reader
from assistant.answering.topic import Topic, names
from assistant.answering.topic_features import FEATURES, describe, first_lines
from assistant.answering.weights import Weights
from assistant.records import Passage
from assistant.retrieval.index_reader import IndexReader
from assistant.retrieval.result import RetrievalResult
from assistant.text import word_frequency
from assistant.text.excerpts import plain
from assistant.text.structuring import is_structuring
from assistant.text.tokenizer import position, stem, terms, words
from assistant.topics.extraction import TELLING
from assistant.topics.names import is_phrase, merged

_TOP = 40
"""Passages a text of the question that may bring topics."""
_BELOW = TELLING.index("body")
_IN_LINE = TELLING.index("phrase")
_FIRST = 12
"""Topics, the best ranked, whose names are looked for in their passages."""
_BY_READER = 5
"""Names that the reader finds, at most."""
_MEMBERS = 3
"""Lines among the first that define something below a name that is the class of them."""
_DEFINED = re.compile(r"\s[–—-]\s|[:;=]|\s(?:is|are)\s")
"""Where what is defined ends."""
_IN_SENTENCES = frozenset(("phrase", "body"))
"""Kinds of places where words stand that nothing marks as a name."""
_SPEAKERS = 20
"""Passages of a topic in which its name is looked for."""


def rank_topics(
    result: RetrievalResult, reader: IndexReader, weights: Weights, choices: Collection[str] = ()
) -> list[Topic]:
    """The topics that may be named, best first. `choices` are names that a follow-up chooses from: then only theirs,
    by what speaks for one of them alone.
    """
    topics = speaking_topics(result, reader)
    if choices:
        topics = among(topics, choices) or topics
    elif result.query.intent != "compare":
        topics = askable(topics, result)
    ranked = _quotable(rank(topics, weights.names.features, weights.names.temperature), result)
    return _by_own_evidence(ranked, result) if choices else ranked


def speaking_topics(result: RetrievalResult, reader: IndexReader) -> list[Topic]:
    """Every topic that a well-ranked passage, or one that names a near concept, speaks for; with features, by key."""
    places = _telling_hits(result)
    topics: dict[str, Topic] = {}
    below: dict[str, dict[int, float]] = {}
    for n, namings in zip(places, reader.namings([result.hits[n].id for n in places]), strict=True):
        for topic_key, name, rank_of_place, kinds, worth in namings:
            topic = topics.get(topic_key)
            if topic is None:
                topic = topics[topic_key] = Topic(topic_key, name, rank_of_place)
            elif rank_of_place < topic.rank:
                topic.name, topic.rank = name, rank_of_place
            topic.kinds |= kinds
            (topic.speakers if rank_of_place != _BELOW else below.setdefault(topic_key, {}))[n] = worth
    for found in _in_evidence(result, reader):
        topic = topics.get(found.key)
        if topic is None:
            topic = topics[found.key] = Topic(found.key, found.name, _IN_LINE)
        topic.kinds.add(found.kind)
        topic.speakers.setdefault(found.place, 1.0)
    for topic_key, speakers in below.items():
        topics[topic_key].speakers |= speakers
    by_key = [topics[k] for k in sorted(topics)]
    if by_key:
        for topic, features in zip(by_key, describe(by_key, result), strict=True):
            topic.features = features
    return by_key


def _in_evidence(result: RetrievalResult, reader: IndexReader) -> Iterator[FoundName]:
    """The names in the first candidates' own lines, those that the reader finds first."""
    likeliest = () if result.spans is None else result.spans.likeliest(_BY_READER)
    for n, said in likeliest:
        found = named_by_reader(n, said, result.query.terms)
        # What the reader read around the passage, its headings aside, is said by another one.
        passage = result.hits[n].passage
        if found is None or not merged(found.key) or not names(passage, found.name):
            continue
        if not is_trait(found.name, passage):
            yield found._replace(key=merged(found.key))
    for n in first_lines(result):
        passage = result.hits[n].passage
        lines = reader.lines(passage.path, passage.start, passage.end)
        for found in found_names(n, passage, lines):
            topic_key = merged(found.key)
            if topic_key:
                yield found._replace(key=topic_key)


def is_trait(name: str, passage: Passage) -> bool:
    """Whether a wording only says something of what the passage defines: it stands behind the defined name, and not
    over the passage."""
    if passage.kind != "definition":
        return False
    defined = _DEFINED.split(passage.text, maxsplit=1)[0]
    return plain(name) not in plain(f"{defined} | {passage.label} | {' | '.join(passage.heading_path)}")


def rank(topics: Sequence[Topic], weights: Mapping[str, float], temperature: float) -> list[Topic]:
    """The topics by score, best first, then by key; confidences by a softmax over all of them."""
    if not topics:
        return []
    vector = np.array([weights.get(f, 0.0) for f in FEATURES], dtype=np.float64)
    table = np.concatenate([t.features for t in topics]).reshape(len(topics), -1)
    scores = np.round(table.astype(np.float64) @ vector, 6).tolist()
    for topic, score in zip(topics, scores, strict=True):
        topic.score = score
    ranked = sorted((t for t in topics if t.speakers), key=lambda t: (-t.score, t.key))
    if ranked:
        behind = np.array([t.score for t in ranked]) - ranked[0].score
        shares = np.exp(behind / temperature)
        for topic, share in zip(ranked, shares / shares.sum(), strict=True):
            topic.confidence = float(share)
    return ranked


def askable(topics: Sequence[Topic], result: RetrievalResult) -> list[Topic]:
    """Those topics that can be what is asked for: the question does not say every word of them, they are no heading
    that only structures, not the class that is asked for ("Deployment Strategies", asked for a strategy), no piece of
    a sentence, and no everyday word in small letters that nothing marks."""
    said = frozenset(result.query.terms)

    def is_said(topic: Topic) -> bool:
        # "teamviewer" says TeamViewer, whose parts are words of their own.
        return said.issuperset(topic.key.split()) or (len(words(topic.name)) == 1 and stem(topic.name) in said)

    def is_class(topic: Topic) -> bool:
        last = topic.name.split()[-1].lower()
        if not last.endswith("s") or stem(last) not in result.query.nouns or last in question:
            return False
        below = (p for p in lines if topic.name in (p.label, p.heading_path[-1]))
        return sum(p.kind in ("definition", "row") for p in below) >= _MEMBERS

    question = frozenset(words(result.query.text.lower()))
    lines = [result.hits[n].passage for n in first_lines(result)]

    def can_be_asked_for(topic: Topic) -> bool:
        if is_said(topic) or is_structuring(topic.key) or is_class(topic):
            return False
        return not (is_phrase(topic.name) or _is_everyday(topic))

    return [t for t in topics if can_be_asked_for(t)]


def _is_everyday(topic: Topic) -> bool:
    plain = topic.name.isalpha() and topic.name.islower() and topic.kinds <= _IN_SENTENCES
    return plain and word_frequency.rarity(stem(topic.name)) < word_frequency.UNKNOWN


def among(topics: Sequence[Topic], choices: Collection[str]) -> list[Topic]:
    """Those topics that one of these names calls."""
    wanted = [terms(name) for name in choices]
    return [t for t in topics if any(position(t.key.split(), name) is not None for name in wanted)]


def _telling_hits(result: RetrievalResult) -> list[int]:
    """Positions of the passages that rank well for any text of the question, and of those that name a near concept."""
    chosen: set[int] = set(range(min(_TOP, len(result.hits))))
    for column in range(result.scores.fused.shape[1]):
        order = np.argsort(-result.scores.fused[:, column], kind="stable")
        chosen.update(int(n) for n in order[:_TOP])
    chosen.update(n for n, hit in enumerate(result.hits) if hit.id in result.search.concepts.speakers)
    return sorted(chosen)


def _quotable(ranked: Sequence[Topic], result: RetrievalResult) -> list[Topic]:
    """The topics whose name stands word for word in a passage that speaks for it; only such a name can be given."""

    def stands(topic: Topic) -> bool:
        return any(names(result.hits[n].passage, topic.name) for n in list(topic.speakers)[:_SPEAKERS])

    return [*(t for t in ranked[:_FIRST] if stands(t)), *ranked[_FIRST:]]


def _by_own_evidence(ranked: Sequence[Topic], result: RetrievalResult) -> list[Topic]:
    """The topics by what speaks for one alone of what the question says in its own words (the last text)."""

    def best(topic: Topic) -> float:
        others = {n for t in ranked if t is not topic for n in t.speakers}
        alone = [n for n in topic.speakers if n not in others]
        return max((float(result.scores.fused[n, -1]) for n in alone), default=0.0)

    return sorted(ranked, key=lambda t: (-best(t), t.key))
