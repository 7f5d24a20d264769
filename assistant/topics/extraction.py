"""Passages → the names in them by which a verdict can call something: headings, labels, definitions, targets of pairs
and arrows, names in code; and the concepts of the vocabulary that they name."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from assistant.notes.chunker import DEFINITION
from assistant.notes.identifiers import identifiers
from assistant.records import Mention, Passage
from assistant.text import line_spans
from assistant.topics.names import (
    ALTERNATIVES,
    BRACKETS,
    DRAWN,
    PROPER_NAME,
    is_name,
    names,
    only_names,
    proper_names,
)

if TYPE_CHECKING:
    from assistant.topics.concept_matcher import ConceptMatcher

VERSION = 14
"""Raise it when any mention of an unchanged note would come out differently."""

CONCEPT, DESCRIBED = "concept", "described"
"""Kinds of mentions that name a concept of the vocabulary and no topic."""
TELLING = ("heading", "label", "definition", "target", "resource", "comment", "phrase", "identifier", "body")
"""Kinds of places, those first that most make a name one; "body" is what only stands below it."""
_ANSWER = re.compile(r"\bA(?:nswer)?\s*[:.)]\s*(?P<answer>\S.*)$", re.DOTALL)
_ARROW = re.compile(r"(?:→|⇒|->|=>|\s=\s|\s\.{3,}\s)\s*(?P<target>[^→⇒=]+)$")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")

_KindAndText = tuple[str, str]


def mentions(passages: tuple[Passage, ...], matcher: ConceptMatcher) -> tuple[Mention, ...]:
    """Every name with the lines of the passage that speaks for it, in passage order; a name once a passage and kind.

    Kinds `concept` and `described` hold names of the vocabulary's concepts: in the passage's own name, and
    elsewhere in it.
    """
    by_start = sorted(range(len(passages)), key=lambda position: passages[position].start)
    unique: dict[Mention, None] = {}
    for passage in passages:
        unique.update(dict.fromkeys(_name_mentions(passage)))
        unique.update(dict.fromkeys(_code_mentions(passage, passages, by_start)))
        unique.update(dict.fromkeys(_concept_mentions(passage, matcher)))
    return tuple(unique)


def _name_mentions(passage: Passage) -> Iterator[Mention]:
    for kind, text in _naming_texts(passage):
        for name in names(text):
            yield Mention(name, kind, passage.start, passage.end)


def _code_mentions(fence: Passage, passages: tuple[Passage, ...], by_start: Sequence[int]) -> Iterator[Mention]:
    """The names in a fence, each with the narrowest passage around its line; `by_start` orders the passages."""
    if fence.kind != "fence":
        return
    first = bisect_left(by_start, fence.start, key=lambda position: passages[position].start)
    last = bisect_right(by_start, fence.end, lo=first, key=lambda position: passages[position].start)
    inside = [passage for n in sorted(by_start[first:last]) if (passage := passages[n]).end <= fence.end]
    named_rows = identifiers(fence.text, fence.info)
    lines = (fence.start + row for _, row in named_rows)
    narrowest = line_spans.narrowest(lines, [(passage.start, passage.end) for passage in inside])
    for name, row in named_rows:
        position = narrowest.get(fence.start + row)
        speaker = fence if position is None else inside[position]
        yield Mention(name, "resource" if name[:1].isupper() else "identifier", speaker.start, speaker.end)


def _concept_mentions(passage: Passage, matcher: ConceptMatcher) -> Iterator[Mention]:
    """The concepts that a passage names, and the words that name them where these may be a topic themselves."""
    for kind, text in _concept_texts(passage):
        for concept, written in matcher.find(text):
            yield Mention(concept, kind, passage.start, passage.end)
            if (kind == DESCRIBED or passage.kind == "pair") and is_name(written):
                yield Mention(written, "phrase", passage.start, passage.end)


def _concept_texts(passage: Passage) -> Iterator[_KindAndText]:
    """Where concepts are looked for: a passage's own name (CONCEPT), and what it says (DESCRIBED)."""
    if passage.kind in ("heading", "label", "tree"):
        yield CONCEPT, passage.text
    elif passage.kind == "definition":
        definition = DEFINITION.match(passage.text)
        yield CONCEPT, definition["name"] if definition else ""
        yield DESCRIBED, passage.text
    elif passage.kind == "pair":
        answer = _ANSWER.search(passage.text)
        yield CONCEPT, answer["answer"] if answer else ""
    elif passage.kind in ("step", "code"):
        yield CONCEPT, passage.text.split("\n")[0]
    elif passage.kind != "fence":
        yield DESCRIBED, passage.text


def _naming_texts(passage: Passage) -> Iterator[_KindAndText]:
    """The texts of a passage in which names are looked for, each with the kind of its place."""
    if passage.kind in ("heading", "label"):
        return iter([(passage.kind, passage.text)])
    read = _NAMING_TEXTS.get(passage.kind)
    return read(passage.text) if read is not None else iter(())


def _definition(text: str) -> Iterator[_KindAndText]:
    """Its name; where that is a quotation, or the rest is nothing but names, the names are in the rest."""
    definition = DEFINITION.match(text)
    if definition is None:
        return
    name, rest = definition["name"], definition["rest"]
    is_quotation = name.lstrip().startswith(('"', "“", "'", "‘"))
    if not is_quotation:
        yield "definition", name
    if is_quotation or only_names(rest):
        yield from _answer(rest)
    yield from _targets(rest)


def _row(text: str) -> Iterator[_KindAndText]:
    """Its first cell, and those that are nothing but names."""
    first, *others = text.split("; ")
    yield "definition", first
    for cell in others:
        value = cell.split(": ")[-1]
        if only_names(value):
            yield "target", value
    yield from _targets(text)


def _later_definitions(text: str) -> Iterator[_KindAndText]:
    """Names that a later sentence of a paragraph defines ("… Kahm yeast: harmless, skim it.")."""
    for sentence in _SENTENCE_END.split(text)[1:]:
        definition = re.match(r"([A-Z][^:.,;]{2,40}):\s+\S", sentence)
        if definition and len(definition[1].split()) <= 4:
            yield "definition", definition[1]


def _answer(text: str) -> Iterator[_KindAndText]:
    for piece in ALTERNATIVES.split(BRACKETS.sub("", text)):
        for part in re.split(r"\s+with\s+|\s+using\s+|\s+via\s+", piece):
            yield "target", part
    for inner in BRACKETS.findall(text):
        yield "phrase", inner


def _targets(text: str) -> Iterator[_KindAndText]:
    """What an arrow leads to, and the proper names."""
    arrow = _ARROW.search(text)
    if arrow:
        yield "target", arrow["target"]
    yield from (("phrase", name) for name in proper_names(text))


def _chain(text: str) -> Iterator[_KindAndText]:
    """A drawn line: what stands first, and what its arrows lead to."""
    first, *others = ALTERNATIVES.split(text)
    yield "phrase", first
    yield from (("target", piece) for piece in others)


def _step(text: str) -> Iterator[_KindAndText]:
    """The comment of a step, where it is short, and the proper names in it."""
    comment = text.split("\n")[0]
    bare = BRACKETS.sub("", comment)
    if len(bare.split()) <= 5:
        yield "comment", bare
    yield from (("phrase", name) for name in proper_names(comment))


def _code(text: str) -> Iterator[_KindAndText]:
    """The key that a line sets, names of several words, and a comment behind a single line."""
    first = re.match(r"^[\"']?([A-Za-z_][\w.-]*)[\"']?\s*[:=]", text)
    if first:
        yield "identifier", first[1]
    yield from (("phrase", match[0]) for match in PROPER_NAME.finditer(text) if " " in match[0])
    lines = text.split("\n")
    trailing = re.search(r"\s([A-Z][a-z]+(?: [a-z]+){1,3})$", lines[0])
    if trailing and len(lines) == 1:
        yield "comment", trailing[1]


def _pair(text: str) -> Iterator[_KindAndText]:
    """The names that the first sentence of an answer gives."""
    answer = _ANSWER.search(text)
    if answer:
        yield from _answer(_SENTENCE_END.split(answer["answer"], maxsplit=1)[0])


def _prose(text: str) -> Iterator[_KindAndText]:
    yield from _targets(text)
    yield from _later_definitions(text)


def _item(text: str) -> Iterator[_KindAndText]:
    """As prose; one of a few words is a name as a whole."""
    yield from _prose(text)
    if len(text.split()) <= _FEW_WORDS:
        yield "phrase", text


def _drawing_or_code(text: str) -> Iterator[_KindAndText]:
    if DRAWN.search(text):
        for line in text.split("\n"):
            yield from _chain(line)
    else:
        yield from _code(text)


_FEW_WORDS = 4
_NAMING_TEXTS: dict[str, Callable[[str], Iterator[_KindAndText]]] = {
    "definition": _definition,
    "row": _row,
    "pair": _pair,
    "item": _item,
    "paragraph": _prose,
    "pointer": _prose,
    "tree": _chain,
    "step": _step,
    "code": _drawing_or_code,
}
"""By the kind of a passage: its text → the texts in which names are looked for."""
