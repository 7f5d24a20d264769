"""The names that a verdict can give, found in the notes: headings, labels, definitions, targets of pairs and
arrows, names in code.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from assistant.notes.chunker import DEFINITION
from assistant.notes.identifiers import identifiers
from assistant.records import Mention, Passage
from assistant.text import line_spans
from assistant.text.stop_words import is_stop, word_list
from assistant.text.tokenizer import key, stem
from assistant.text.word_frequency import rarity
from assistant.topics.vocabulary import Spotter

VERSION = 14
"""Raise it when any mention of an unchanged note would come out differently."""

_WORDS = 6
CONCEPT, DESCRIBED = "concept", "described"
"""Kinds of mentions that name a concept of the vocabulary and no topic."""
_SPLIT = re.compile(
    r"\s+(?:or|and/or|vs\.?|versus)\s+|\s*(?:→|⇒|->|=>|\s\.{3,}\s|\s\+\s|/(?=\s)|;|\|)\s*|,\s+(?:or\s+)?"
)
_ANSWER = re.compile(r"\bA(?:nswer)?\s*[:.)]\s*(?P<answer>\S.*)$", re.DOTALL)
_ARROW = re.compile(r"(?:→|⇒|->|=>|\s=\s|\s\.{3,}\s)\s*(?P<target>[^→⇒=]+)$")
_PROPER = re.compile(
    r"(?<![\w-])(?:[A-Z][A-Za-z0-9]*(?:[-/&][A-Za-z0-9]+)*|[a-z]+[A-Z]\w*)(?:[ -](?:(?:for|of|"
    r"on)\s)?[A-Z0-9][A-Za-z0-9]*(?:[-/&][A-Za-z0-9]+)*){0,4}"
)
_BRACKETS = re.compile(r"\s*\(([^)]*)\)")
_TRAILING = frozenset(map(key, word_list("name_tails")))
_NO_NAME_BEGINS, _NO_NAME_ENDS = word_list("no_name_begins_with"), word_list("no_name_ends_with")
_DRAWN = re.compile(r"[├└│┌┐┘┬┴┼─]+")
_NUMBERED = re.compile(
    r"^(?:\d+[.)]|[A-Za-z]\)|(?:step|scenario|part|chapter|phase|option)\s+\d+\s*[:.-]?)\s*", re.IGNORECASE
)
_LEADS = re.compile(
    r"^(?:use|using|with|via|the|a|an|configure|enable|create|choose|set up|setup|add|deploy)\s+", re.IGNORECASE
)


TELLING = ("heading", "label", "definition", "target", "resource", "comment", "phrase", "identifier", "body")
"""Kinds of places, those first that most make a name one; "body" is what only stands below it."""
_RANK = {kind: rank for rank, kind in enumerate(TELLING)}
_OWN, _LESS = 1.0, {"body": 0.95, "phrase": 0.9}
"""How much of a passage's score counts for a name that is its own, stands over it, or only in it."""


class Naming(NamedTuple):
    """A name by which a verdict can call what a passage speaks for; a tuple, since a question looks at hundreds."""

    key: str
    """`merged`: what makes two names one topic."""
    name: str
    """As the most telling place of the passage writes it, first."""
    rank: int
    """Of that place in TELLING."""
    kinds: frozenset[str]
    """Of all places of the passage that give the name."""
    worth: float
    """How much of the passage's score counts for the name."""


@lru_cache(maxsize=50_000)
def merged(topic_key: str) -> str:
    """A key without the type word at its end: the queue service is the queue."""
    words = topic_key.split()
    while len(words) > 1 and words[-1] in _TRAILING:
        words.pop()
    return " ".join(words)


def namings(passage: Passage, mentioned: Iterable[tuple[str, str, str]]) -> tuple[Naming, ...]:
    """What a passage can be called: what it mentions, as (key, name, kind) in order, then its heading and its label."""
    over = (single for name in (passage.heading_path[-1], passage.label.split(", ")[0]) for single in names(name)[:1])
    spoken = [*mentioned, *((key(single), single, "body") for single in over)]
    found: dict[str, list[tuple[int, str, str]]] = {}
    for topic_key, name, kind in spoken:
        if kind not in (CONCEPT, DESCRIBED) and merged(topic_key):
            found.setdefault(merged(topic_key), []).append((_RANK[kind], name, kind))
    return tuple(_naming(topic_key, places) for topic_key, places in found.items())


def _naming(topic_key: str, places: Sequence[tuple[int, str, str]]) -> Naming:
    rank, name, _ = min(places, key=lambda place: place[0])
    kinds = frozenset(kind for _, _, kind in places)
    return Naming(topic_key, name, rank, kinds, max(_LESS.get(kind, _OWN) for kind in kinds))


def mentions(passages: tuple[Passage, ...], spotter: Spotter | None = None) -> tuple[Mention, ...]:
    """Every name with the passage that speaks for it, in passage order; one name once a passage and kind.

    Kinds `concept` and `described` hold names of the vocabulary's concepts: in the passage's own name, and
    elsewhere in it.
    """
    found: dict[tuple[str, str, int, int], Mention] = {}
    by_start = sorted(range(len(passages)), key=lambda n: passages[n].start)
    for passage in passages:
        spoken = ((name, kind, passage) for kind, text in _named(passage) for name in names(text))
        for name, kind, speaker in (*spoken, *_coded_names(passage, passages, by_start)):
            found.setdefault((name, kind, speaker.start, speaker.end), Mention(name, kind, speaker.start, speaker.end))
        for kind, text in _spoken(passage) if spotter is not None else ():
            for name, written in spotter.spots(text) if spotter is not None else ():
                spotted = (
                    [(name, kind), (written, "phrase")]
                    if (kind == DESCRIBED or passage.kind == "pair") and _is_name(written)
                    else [(name, kind)]
                )
                for each, what in spotted:
                    found.setdefault(
                        (each, what, passage.start, passage.end), Mention(each, what, passage.start, passage.end)
                    )
    return tuple(found.values())


def _coded_names(
    fence: Passage, passages: tuple[Passage, ...], by_start: Sequence[int]
) -> Iterator[tuple[str, str, Passage]]:
    """The names in a fence, each with the narrowest passage around its line; `by_start` orders the passages."""
    if fence.kind != "fence":
        return
    first = bisect_left(by_start, fence.start, key=lambda n: passages[n].start)
    last = bisect_right(by_start, fence.end, lo=first, key=lambda n: passages[n].start)
    inside = [p for p in map(passages.__getitem__, sorted(by_start[first:last])) if p.end <= fence.end]
    named = identifiers(fence.text, fence.info)
    narrowest = line_spans.narrowest((fence.start + row for _, row in named), [(p.start, p.end) for p in inside])
    for name, row in named:
        at = narrowest.get(fence.start + row)
        yield name, "resource" if name[:1].isupper() else "identifier", fence if at is None else inside[at]


def _spoken(passage: Passage) -> Iterator[tuple[str, str]]:
    """Where the vocabulary is looked for: a passage's own name, and what it says."""
    if passage.kind in ("heading", "label"):
        yield CONCEPT, passage.text
    elif passage.kind == "definition":
        named = DEFINITION.match(passage.text)
        yield CONCEPT, named["name"] if named else ""
        yield DESCRIBED, passage.text
    elif passage.kind == "pair":
        answer = _ANSWER.search(passage.text)
        yield CONCEPT, answer["answer"] if answer else ""
    elif passage.kind in ("step", "code"):
        yield CONCEPT, passage.text.split("\n")[0]
    elif passage.kind == "tree":
        yield CONCEPT, passage.text
    elif passage.kind != "fence":
        yield DESCRIBED, passage.text


@lru_cache(maxsize=20_000)
def names(text: str) -> tuple[str, ...]:
    """The single names in a naming text: alternatives split, brackets and numbering off, at most six words each."""
    whole = _NUMBERED.sub("", _DRAWN.split(text.strip())[-1])
    short = [i for i in _BRACKETS.findall(whole) if re.fullmatch(r"[A-Z][A-Za-z0-9-]{1,9}|[a-z]+[A-Z]\w*", i.strip())]
    pieces = [_LEADS.sub("", p).strip(" .:;,!\"'`*_-–—") for p in _SPLIT.split(_BRACKETS.sub("", whole))]
    return tuple(name.strip() for name in (*pieces, *short) if _is_name(name))


def _is_name(text: str) -> bool:
    """Whether a text can stand as a name: a few words, whole brackets, no function word at either end."""
    spoken = text.split()
    return (
        1 <= len(spoken) <= _WORDS
        and len(text) <= 60
        and re.match(r"-*[^\W\d_][^\W_]", text) is not None
        and ": " not in text
        and re.search(r"[?,;!{}<>\"=|*`\[\]]", text) is None
        and text.count("(") == text.count(")")
        and spoken[0].lower() not in _NO_NAME_BEGINS
        and not (spoken[0].islower() and is_stop(stem(spoken[0])))
        and spoken[-1] not in _NO_NAME_ENDS
        and re.fullmatch(r"\d+", spoken[-1]) is None
        and re.fullmatch(r"[vV]?\d+(?:\.\d+)+", text) is None
    )


def _named(passage: Passage) -> Iterator[tuple[str, str]]:
    text = passage.text
    if passage.kind in ("heading", "label"):
        yield passage.kind, text
    elif passage.kind == "definition":
        named = DEFINITION.match(text)
        if named:
            quoted = named["name"].lstrip().startswith(('"', "“", "'", "‘"))
            if not quoted:
                yield "definition", named["name"]
            if quoted or _all_proper(named["rest"]):
                yield from _answered(named["rest"])
            yield from _targets(named["rest"])
    elif passage.kind == "row":
        first, *others = text.split("; ")
        yield "definition", first
        yield from (("target", cell.split(": ")[-1]) for cell in others if _all_proper(cell.split(": ")[-1]))
        yield from _targets(text)
    elif passage.kind == "pair":
        answer = _ANSWER.search(text)
        if answer:
            yield from _answered(_first_sentence(answer["answer"]))
    elif passage.kind in ("item", "paragraph", "pointer"):
        yield from _targets(text)
        yield from (("definition", name) for name in _within(text))
        if passage.kind == "item" and len(text.split()) <= 4:
            yield "phrase", text
    elif passage.kind == "tree":
        yield from (("target" if n else "phrase", piece) for n, piece in enumerate(_SPLIT.split(text)))
    elif passage.kind == "code" and _DRAWN.search(text):
        for line in text.split("\n"):
            yield from (("target" if n else "phrase", piece) for n, piece in enumerate(_SPLIT.split(line)))
    elif passage.kind in ("step", "code"):
        yield from _coded(passage)


def _first_sentence(text: str) -> str:
    return re.split(r"(?<=[.!?])\s+(?=[A-Z])", text, maxsplit=1)[0]


def _within(text: str) -> Iterator[str]:
    """Names that a later sentence of a paragraph defines ("… Kahm yeast: harmless, skim it.")."""
    for sentence in re.split(r"(?<=[.!?])\s+(?=[A-Z])", text)[1:]:
        named = re.match(r"([A-Z][^:.,;]{2,40}):\s+\S", sentence)
        if named and len(named[1].split()) <= 4:
            yield named[1]


def _all_proper(text: str) -> bool:
    """Whether a text is nothing but names: one or a few, brackets aside ("Cloud SQL or Spanner (regional)")."""
    pieces = [p.strip(" .") for p in _SPLIT.split(_BRACKETS.sub("", text)) if p.strip(" .")]
    return bool(pieces) and len(pieces) <= 4 and all(_PROPER.fullmatch(p) for p in pieces)


def _answered(answer: str) -> Iterator[tuple[str, str]]:
    for piece in _SPLIT.split(_BRACKETS.sub("", answer)):
        for part in re.split(r"\s+with\s+|\s+using\s+|\s+via\s+", piece):
            yield "target", part
    for inner in _BRACKETS.findall(answer):
        yield "phrase", inner


def _targets(text: str) -> Iterator[tuple[str, str]]:
    arrow = _ARROW.search(text)
    if arrow:
        yield "target", arrow["target"]
    yield from (("phrase", name) for name in _proper(text))


def _proper(text: str) -> Iterator[str]:
    """The proper names in a text; one common English word alone is none, however it is written."""
    for match in _PROPER.finditer(text):
        stems = key(match[0]).split()
        if len(stems) > 1 or any(rarity(t) >= _TELLING for t in stems):
            yield match[0]


_TELLING = 0.4
"""Rarity in general English from which one capitalised word is taken for a name."""


def _coded(passage: Passage) -> Iterator[tuple[str, str]]:
    lines = passage.text.split("\n")
    if passage.kind == "step":
        comment = lines[0]
        bare = _BRACKETS.sub("", comment)
        if len(bare.split()) <= 5:
            yield "comment", bare
        yield from (("phrase", name) for name in _proper(comment))
    else:
        first = re.match(r"^[\"']?([A-Za-z_][\w.-]*)[\"']?\s*[:=]", passage.text)
        if first:
            yield "identifier", first[1]
        yield from (("phrase", m[0]) for m in _PROPER.finditer(passage.text) if " " in m[0])
        trailing = re.search(r"\s([A-Z][a-z]+(?: [a-z]+){1,3})$", lines[0])
        if trailing and len(lines) == 1:
            yield "comment", trailing[1]
