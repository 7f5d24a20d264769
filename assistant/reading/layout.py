"""What the reader reads: a passage with its heading path and the words next to it.

Training and use share this form; another one needs another adapter.
"""

from __future__ import annotations

from collections.abc import Iterable

from assistant.records import Passage
from assistant.text.tokenizer import terms

_TEXT, _HEADINGS, _AROUND = 44, 14, 7
"""Words at most."""
_LONGEST = 1_000
"""Words of a passage that are looked at."""
_STOPS = ".!?:;,)}|"
"""Signs behind which a part of a text begins."""
SEPARATOR = " [SEP] "
"""The tokeniser's own mark."""


def of_passage(read: Passage, section: Iterable[Passage], wanted: frozenset[str] = frozenset()) -> str:
    """The text of a passage, of a long one the part that holds most of the terms `wanted`; `section` are the passages
    of its section, by line, which may hold it."""
    before = after = ""
    for other in section:
        if other.kind in ("heading", "label"):
            continue
        if other.end < read.start:
            before = other.text
        elif other.start > read.end:
            after = other.text
            break
    around = f"{' '.join(before.split()[-_AROUND:])} | {_first(after, _AROUND)}"
    return SEPARATOR.join((_best(read.text, wanted), _headings(read), around))


def of_line(line: str, heading: str = "") -> str:
    """The text of a line without neighbours."""
    return SEPARATOR.join((_first(line, _TEXT), heading, "|"))


def _headings(read: Passage) -> str:
    path = read.heading_path if read.titled else read.heading_path[1:]
    label = read.label if read.label not in path else ""
    # The end says most: the section's own heading and the label.
    return " ".join(" > ".join(part for part in (*path, label) if part).split()[-_HEADINGS:])


def _best(text: str, wanted: frozenset[str]) -> str:
    """The words of a text from the start of the sentence, or part of one, from which they hold most of these terms."""
    words = text.split(None, _LONGEST)[:_LONGEST]
    if len(words) <= _TEXT or not wanted:
        return " ".join(words[:_TEXT])
    said = [wanted.intersection(terms(word)) for word in words]
    starts = [0, *(n for n in range(1, len(words)) if words[n - 1][-1] in _STOPS), len(words) - _TEXT]
    held = {start: len(frozenset[str]().union(*said[start : start + _TEXT])) for start in starts}
    best = min(max(held, key=lambda start: (held[start], -start)), len(words) - _TEXT)
    return " ".join(words[best : best + _TEXT])


def _first(text: str, words: int) -> str:
    return " ".join(text.split(None, words)[:words])
