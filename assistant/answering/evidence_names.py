"""The best candidates' own lines → the names that they give: marked words, subjects, first cells, words written as in
code, commands.

The index knows the names of headings, labels and definitions; what one line calls by name is looked for when the line
is among the first.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from assistant.records import Passage
from assistant.text import word_frequency
from assistant.text.stop_words import is_stop
from assistant.text.tokenizer import key, stem, terms, words
from assistant.topics.names import PROPER_NAME, names

_LINES, _LINE = 12, 500
"""Lines of a passage, and characters of each, that are looked at."""
_MOST_WORDS, _MOST_CHARACTERS = 4, 48
"""Of a name."""
_RARE = 0.5
"""Rarity in English from which a word in small letters may call something by its name."""
_BESIDE = 2
"""Words between a name and the noun that is asked for, at most."""
_SPAN = re.compile(r"`+([^`\n]+?)`+")
_BOLD = re.compile(r"(\*\*|__)(?=\S)([^*_\n]+?)(?<=\S)\1")
_ITALIC = re.compile(r"(?<![*\w])([*_])(?=[^\s*_])([^*_\n]+?)(?<=\S)\1(?![*\w])")
_GLOSSED = re.compile(r"(?<![\w-])(\w[\w-]*(?: \w[\w-]*)?)(?: = | \()")
_LINK = re.compile(r"(?<!!)\[([^\]\n]+)\](?:\(|\[)")
_SUBJECT = re.compile(
    r"^[\s>*+\-\d.)|`]*(?:(?:The|An?)\s+)?(?P<name>[\w@./$<>&'-]+(?: [\w@./$<>&'-]+){0,3}?)(?<![.])[`*_]*"
    r"(?:\s*(?::|=|→|–|—)\s|\s+-\s|\s+(?:is|are|was|lets?|gives?|shows?|means|makes?|keeps?|takes?|sends?|runs?|holds?|"
    r"does|has|have|can|will|may|returns?|allows?|provides?|sets?|tells?|prints?|creates?|removes?|turns?)\s)"
)
_SHAPE = re.compile(
    r"(?<![\w/.`-])(?:--?[A-Za-z][\w-]*|[$@]?[A-Za-z]\w*(?:[./:][A-Za-z_]\w*(?:-\w+)*)+|[A-Za-z]\w*_\w+|"
    r"[A-Z]?[a-z0-9]+[A-Z]\w*|[a-z][a-z0-9]*(?:-[a-z0-9]+)+|/[\w./-]+)(?![\w-])"
)
_COMMAND = re.compile(r"^\s*(?:[$>%❯#]\s+)?(?:sudo\s+)?([a-z][\w.-]*)(?:\s+([a-z][a-z-]+)(?=\s|$))?")
_NO_NAME = re.compile(r"(?i)https?|www|e\.?g|i\.?e|etc")
_NOT_FIRST = frozenset(
    ("how", "what", "when", "where", "why", "which", "this", "that", "these", "those", "here", "click", "see")
)
"""Words that ask or point, and begin no name."""
_WORDED = frozenset(("bold", "glossed", "link", "cell", "subject", "read"))
"""Kinds of names that are words of a text, and not code."""
_MARKED = frozenset(("span", "bold", "cell"))
"""Kinds of names that may be a single letter or a number."""
_SAID = frozenset(("subject", "glossed", "read", "proper", "rare"))
"""Kinds of words that nothing marks as a name: they neither begin nor end with a function word."""
_GOES_ON = re.compile(r"[\w,] $")
"""What stands before the middle of a sentence."""
_LOWER = re.compile(r"(?<![\w/.@#&-])[a-z][a-z0-9]{3,}(?![\w/@-])")
_VALUE = re.compile(r"[:=]\s*[\"']?([A-Za-z][\w.-]*)[\"']?\s*(?:#.*)?$")


class FoundName(NamedTuple):
    """A name in a line of a candidate."""

    key: str
    name: str
    place: int
    """Of the candidate among the hits."""
    kind: str
    """span, bold, link, glossed (`X = …`, `X (…)`), subject, cell, shape, command, value, proper (a capital in the
    middle of a sentence), rare (a word that is not of everyday English), over (the label, heading or title), or read:
    by the reader."""


def named_by_reader(place: int, words_said: str, asked: Collection[str]) -> FoundName | None:
    """A few words in which the reader finds what is asked for; None where they can be no name. Small letters are one
    only with a word that is not of everyday English, and without one of the question, whose terms are `asked`: the
    others describe."""
    said = re.split(r"\s*[(\[]|\s[-–—]\s|: ", words_said, maxsplit=1)[0]
    name = None if re.search(r"[,\"“”]|[’']s\b", said) else _tidied(said, "read")
    plain = name is not None and name.islower() and name.replace(" ", "").isalpha()
    if name is None or (plain and not _calls_something(terms(name), asked)):
        return None
    return FoundName(key(name), name, place, "read")


def _calls_something(own: Sequence[str], asked: Collection[str]) -> bool:
    rare = any(word_frequency.rarity(term) >= _RARE for term in own)
    return rare and (len(own) == 1 or set(own).isdisjoint(asked))


def found_names(place: int, passage: Passage, lines: Sequence[str]) -> Iterator[FoundName]:
    """The names in the lines of a candidate, `place` its position among the hits."""
    for line in lines[:_LINES]:
        for kind, text in _of_line(line[:_LINE], passage):
            name = _tidied(text, kind)
            if name is not None:
                yield FoundName(key(name), name, place, kind)
    for over in dict.fromkeys((passage.label, passage.heading_path[-1], passage.heading_path[0])):
        yield from (FoundName(key(name), name, place, "over") for name in names(over))


def _of_line(line: str, passage: Passage) -> Iterator[tuple[str, str]]:
    if passage.fence is not None:
        yield from (("shape", match[0]) for match in _SHAPE.finditer(line))
        command = _COMMAND.match(line)
        if command:
            yield "command", command[1]
            if command[2]:
                yield "command", f"{command[1]} {command[2]}"
        value = _VALUE.search(line)
        if value:
            yield "value", value[1]
        return
    yield from (("span", match[1]) for match in _SPAN.finditer(line))
    yield from (("bold", match[2]) for match in _BOLD.finditer(line))
    yield from (("bold", match[2]) for match in _ITALIC.finditer(line))
    yield from (("glossed", match[1]) for match in _GLOSSED.finditer(line))
    yield from (("link", match[1]) for match in _LINK.finditer(line))
    bare = re.sub(r"\]\([^)]*\)|\*\*|`", "", line)
    if passage.kind == "row":
        yield "cell", bare.strip().strip("|").split("|")[0]
    else:
        subject = _SUBJECT.match(bare)
        if subject:
            yield "subject", subject["name"]
    yield from (("shape", match[0]) for match in _SHAPE.finditer(bare))
    proper = (match for match in PROPER_NAME.finditer(bare) if _GOES_ON.search(bare[: match.start()]))
    yield from (("proper", match[0]) for match in proper)
    rare = (match[0] for match in _LOWER.finditer(bare))
    yield from (("rare", word) for word in rare if word_frequency.rarity(stem(word)) == word_frequency.UNKNOWN)


def _tidied(text: str, kind: str) -> str | None:
    """The name in a text; None where it can be none."""
    name = re.sub(r"<[^>]*>$|\(\)$|\([^)]*\)$", "", text.strip().strip("`*\"'").strip()).strip(" .,:;!?\"'")
    if kind in _SAID:
        name = re.sub(r"(?i)^(?:the|an?)\s+", "", name)
    if not name or len(name) > _MOST_CHARACTERS or len(name.split()) > _MOST_WORDS or not key(name):
        return None
    own = name.split()
    if _NO_NAME.fullmatch(name) or (
        kind in _WORDED and len(own) > 1 and own[0].lower() in _NOT_FIRST and not own[0].isupper()
    ):
        return None
    if kind in _SAID and any(is_stop(stem(word)) or "n't" in word for word in (own[0], own[-1])):
        return None
    if sum(c.isalnum() for c in name) < (1 if kind in _MARKED else 2) or re.search(r"[{}<>|;]|\bor\b|[.] | = ", name):
        return None
    return name if kind in _MARKED or not name.isdigit() else None


def beside(name: str, text: str, nouns: frozenset[str]) -> bool:
    """Whether one of the nouns stands next to the name in the text."""
    if not nouns:
        return False
    own, every = [w.lower() for w in words(name)], words(text)
    lower = [w.lower() for w in every]
    for at in range(len(lower) - len(own) + 1):
        if lower[at : at + len(own)] == own:
            around = every[max(0, at - _BESIDE) : at] + every[at + len(own) : at + len(own) + _BESIDE]
            if any(stem(word) in nouns for word in around):
                return True
    return False
