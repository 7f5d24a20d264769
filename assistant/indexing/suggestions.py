"""A store → questions to begin with, as the notes suggest them; whether the notes answer them is asked elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby, zip_longest

from assistant.records import Passage
from assistant.storage import Store, StoredMention, StoredSection
from assistant.text.stop_words import content
from assistant.text.structuring import is_structuring
from assistant.text.tokenizer import key, stem, words
from assistant.text.word_frequency import rarity
from assistant.topics.names import is_name, is_phrase

MOST = 48
"""Questions that are suggested."""
_SEARCHED = 2_000
"""Passages that written questions are taken from: a screen must not wait for a million."""
_ASKS = re.compile(r"^\W*Q\s*[:.]\s*(?P<question>[^\n]{8,160}?\?)", re.IGNORECASE)
_OPENS = re.compile(r"(?i)(?:how|what|when|where|why|which|who|can|could|do|does|is|are|should|\w+ing)\b")
_QUESTION = re.compile(r"(?i)(?:how (?:to|do|does|can)|what (?:is|are|does)|why (?:do|does|is|are|use)) .*|.*\?")
_NUMBERING = re.compile(r"^\s*\d+[.)]\s*")
_LEAST, _LONGEST = 3, 80
"""Words of a heading that asks, at least; characters, at most."""
_NAME_WORDS = 3
"""Words of a name that is suggested, at most."""
_RARE = 0.4
"""Rarity in English from which one word names something."""
_SIBLINGS = range(2, 7)
"""Headings under a common one of which two are compared."""
_POINTS = re.compile(r"(?i)\b(?:this|that|these|those|it|its|they|them|here|there)\b")
"""Words of a heading that only its note explains."""


def suggestions(store: Store) -> tuple[str, ...]:
    """Questions that the notes write, what they define, names under a common heading, in turn, then titles, and what
    headings name; each once."""
    sections = store.sections()
    passages = store.passages(store.passage_ids()[:_SEARCHED]).values()
    mentions = store.topics()
    first = (_written(passages, sections), _named(mentions, "definition"), _compared(sections))
    in_turn = chain.from_iterable(zip_longest(*(list(_different(kind)) for kind in first)))
    every = chain(in_turn, _titles(sections), _named(mentions, "heading"))
    return tuple(_different(question for question in every if question is not None))[:MOST]


def _different(questions: Iterable[str]) -> Iterator[str]:
    """Without those that only repeat the content of one before."""
    known: set[frozenset[str]] = set()
    for question in questions:
        asked = frozenset(content(question))
        if asked and asked not in known:
            known.add(asked)
            yield question


def _written(passages: Iterable[Passage], sections: Sequence[StoredSection]) -> Iterator[str]:
    """Questions of pairs, then headings that ask."""
    for passage in passages:
        match = _ASKS.match(passage.label) or _ASKS.match(passage.text)
        if match:
            yield " ".join(match["question"].split())
    for section in sections:
        heading = _NUMBERING.sub("", section.heading_path[-1])
        asks = _QUESTION.fullmatch(heading) and len(words(heading)) >= _LEAST and len(heading) <= _LONGEST
        if asks and section.passages and content(heading) and not _POINTS.search(heading):
            yield heading


def _titles(sections: Sequence[StoredSection]) -> Iterator[str]:
    """Titles of notes that say what they are about, evenly spread."""
    titles = [section.heading_path[0] for section in sections if len(section.heading_path) == 1]
    telling = [t for t in titles if len(words(t)) >= _LEAST and len(t) <= _LONGEST and not _POINTS.search(t)]
    yield from telling[:: max(1, len(telling) // MOST)]


def _named(mentions: Sequence[StoredMention], kind: str) -> Iterator[str]:
    """What definitions, or headings, name, the names of most places first."""
    places: dict[str, int] = {}
    named: dict[str, str] = {}
    for mention in mentions:
        places[mention.key] = places.get(mention.key, 0) + 1
        if mention.kind == kind and _names_something(mention.name) and not _is_plural(mention.name):
            named.setdefault(mention.key, mention.name)
    for topic in sorted(named, key=lambda topic: (-places[topic], topic)):
        yield f"What is {named[topic]}?"


def _compared(sections: Sequence[StoredSection]) -> Iterator[str]:
    """The first two names among the headings under a common one."""
    below = sorted(sections, key=lambda section: (section.path, section.heading_path[:-1], section.line))
    for (_, above), group in groupby(below, key=lambda section: (section.path, section.heading_path[:-1])):
        names = [_NUMBERING.sub("", section.heading_path[-1]) for section in group if section.passages]
        if len(above) < 2 or len(names) not in _SIBLINGS or not all(map(_names_something, names[:2])):
            continue
        one, other = (frozenset(content(name)) for name in names[:2])
        if not (one <= other or other <= one):
            yield f"{names[0]} vs {names[1]}"


def _names_something(name: str) -> bool:
    """Whether a heading can be a name: begins with a capital or code, no sentence, and not words that structure."""
    if (
        not is_name(name)
        or len(name.split()) > _NAME_WORDS
        or is_phrase(name)
        or is_structuring(key(name))
        or name[:1].islower()
    ):
        return False
    return any(rarity(term) >= _RARE for term in content(name)) and _OPENS.match(name) is None


def _is_plural(name: str) -> bool:
    last = name.split()[-1].lower()
    return last.endswith("s") and stem(last) != last
