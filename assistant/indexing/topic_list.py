"""A store → the topics that most could be a name, each with its place; a verdict may name others, too."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from assistant.storage import Store, StoredMention
from assistant.text import word_frequency
from assistant.text.structuring import is_structuring
from assistant.topics.extraction import TELLING
from assistant.topics.names import merged

_TITLES = frozenset(("heading", "label"))
_TITLE_WORDS, _NAME_WORDS = 6, 4
"""Words of a title, and of any other name, at most."""
_RARE, _TELLING = 0.6, 0.45
"""How rare in English the rarest word of a name is that stands in one place only, and of one in several places."""


@dataclass(frozen=True, slots=True)
class NamedTopic:
    """A topic, and the place that most makes it a name."""

    name: str
    path: str
    line: int
    heading_path: tuple[str, ...]
    kind: str
    """heading, label, definition, target, resource, phrase or identifier."""


def named_topics(store: Store) -> tuple[NamedTopic, ...]:
    """Every topic that could be a name once, by path, line and name."""
    best: dict[str, StoredMention] = {}
    places = Counter[str]()
    for mention in store.topics():
        if mention.kind in TELLING and mention.kind != "comment":
            topic_key = merged(mention.key)
            places[topic_key] += 1
            known = best.get(topic_key)
            if topic_key and (known is None or TELLING.index(mention.kind) < TELLING.index(known.kind)):
                best[topic_key] = mention
    passages = store.passages(sorted({mention.passage for mention in best.values()}))
    topics = (
        NamedTopic(mention.name, at.path, at.start, at.heading_path, mention.kind)
        for topic_key, mention in best.items()
        if _could_be_a_name(mention, topic_key, places[topic_key])
        for at in (passages[mention.passage],)
    )
    return tuple(sorted(topics, key=lambda topic: (topic.path, topic.line, topic.name)))


def _could_be_a_name(mention: StoredMention, topic_key: str, places: int) -> bool:
    """Not what structures a text, no sentence, and outside titles no word of everyday English."""
    own = topic_key.split()
    if is_structuring(topic_key):
        return False
    if mention.kind in _TITLES:
        return len(mention.name.split()) <= _TITLE_WORDS
    rarest = max(map(word_frequency.rarity, own))
    return len(mention.name.split()) <= _NAME_WORDS and rarest >= (_TELLING if places > 1 else _RARE)
