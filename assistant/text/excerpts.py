"""A passage → the lines to quote and the statement they hold: the fewest that answer."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from assistant.records import Passage
from assistant.text.tokenizer import terms

QUOTE_CHARACTERS, QUOTE_LINES = 1_200, 20
"""A longer quote is a dump (the contract)."""
STATEMENT_CHARACTERS = 360
LIST_CHARACTERS = 700
"""The same of a list that is stated with the line that leads to it."""
_SHORTEST = 2
"""Characters of a quote at least (the contract)."""
_WINDOW = 6
_STEP = 12
"""Lines of code that are quoted whole; of more, those round the best one."""
_SENTENCE = re.compile(r"(?<=[.!?])(?<!\be\.g\.)(?<!\bi\.e\.)(?<!\bvs\.)(?<!\bcf\.)\s+(?=[A-Z0-9\"'`*(])")


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What of a passage is shown."""

    passage: Passage
    start: int
    end: int
    quote: str
    """Verbatim: those lines joined with newlines, or a run of text of one of them."""
    text: str
    """The statement: one run inside the quote, without marks and line breaks."""


def excerpt(passage: Passage, lines: Sequence[str], wanted: Mapping[str, float]) -> Excerpt | None:
    """The part of `passage` that says most about `wanted` (term → weight); `lines` are all of its lines. None
    where nothing is left to quote.
    """
    rows = list(lines)
    first, last = _without_blanks(rows, *_quoted_rows(passage, rows, wanted))
    quote = "\n".join(rows[first : last + 1])
    if len(quote) > QUOTE_CHARACTERS:
        quote = _cut(quote, wanted)
    if len(quote.strip()) < _SHORTEST:
        return None
    text = _statement(passage, quote, wanted)
    if plain(text) in plain(quote):
        return Excerpt(passage, passage.start + first, passage.start + last, quote, text)
    # A tag over several lines is gone from the quote as it is compared, and so is what was stated of it.
    best = max(range(first, last + 1), key=lambda n: (weight(rows[n], wanted), -n))
    quote, text = rows[best], rows[best].strip()[:STATEMENT_CHARACTERS]
    if len(quote) > QUOTE_CHARACTERS or len(text) < _SHORTEST or plain(text) not in plain(quote):
        return None
    return Excerpt(passage, passage.start + best, passage.start + best, quote, text)


def excerpt_naming(passage: Passage, lines: Sequence[str], name: str, wanted: Mapping[str, float]) -> Excerpt | None:
    """The excerpt, but a line of the passage that holds `name` where the excerpt does not hold it."""
    usual = excerpt(passage, lines, wanted)
    if usual is None or not name or name.casefold() in usual.quote.casefold():
        return usual
    for offset, line in enumerate(lines):
        if name.casefold() in line.casefold() and len(line) <= QUOTE_CHARACTERS and len(line.strip()) >= _SHORTEST:
            return Excerpt(passage, passage.start + offset, passage.start + offset, line, _plain_line(line))
    return usual


def sentences(text: str) -> list[str]:
    """A text without line breaks, at the ends of its sentences."""
    return _SENTENCE.split(text)


def _quoted_rows(passage: Passage, rows: Sequence[str], wanted: Mapping[str, float]) -> tuple[int, int]:
    """First and last of the rows to quote: all of a short text, of code and long texts those round the best one."""
    if passage.fence is not None:
        return _window(rows, wanted, whole=passage.kind != "fence")
    if len(rows) > QUOTE_LINES or len("\n".join(rows)) > QUOTE_CHARACTERS:
        return _window(rows, wanted, whole=False)
    return 0, len(rows) - 1


def _without_blanks(rows: Sequence[str], first: int, last: int) -> tuple[int, int]:
    while first < last and not rows[first].strip():
        first += 1
    while last > first and not rows[last].strip():
        last -= 1
    return first, last


def plain(text: str) -> str:
    """Text as it is compared: without emphasis marks, link targets, tags and escapes, single-spaced, lower case."""
    return _cached_plain(text) if len(text) <= _CACHED else _plain(text)


def weight(text: str, wanted: Mapping[str, float]) -> float:
    """How much of what is wanted stands in a text: the weights of its terms, each once."""
    distinct = _cached_terms(text) if len(text) <= _CACHED else _terms(text)
    return math.fsum(wanted.get(t, 0.0) for t in distinct)  # the same sum in any order


_CACHED = 2_000
"""Characters of a text up to which results are cached: one question after another meets the same lines."""


def _plain(text: str) -> str:
    text = re.sub(r"!?\[([^\]]*)\](\([^)]*\)|\[[^\]]*\])", r"\1", text)
    text = html.unescape(re.sub(r"</?[a-zA-Z][^<>]*>", "", text))
    return re.sub(r"\s+", " ", re.sub(r"[*_`\\]", "", text)).strip().lower()


def _terms(text: str) -> frozenset[str]:
    return frozenset(terms(text))


_cached_plain = lru_cache(maxsize=4_096)(_plain)
_cached_terms = lru_cache(maxsize=4_096)(_terms)


def _window(rows: Sequence[str], wanted: Mapping[str, float], *, whole: bool) -> tuple[int, int]:
    """First and last of the rows to quote: all where they are few, else a window round the best line."""
    if whole and len(rows) <= _STEP and len("\n".join(rows)) <= QUOTE_CHARACTERS:
        return 0, len(rows) - 1
    weights = [weight(r, wanted) for r in rows]
    best = max(range(len(rows)), key=lambda n: (weights[n], -n))
    first, last = max(0, best - 2), min(len(rows) - 1, best + _WINDOW - 3)
    while first < best and not rows[first].strip():
        first += 1
    return first, last


def _cut(quote: str, wanted: Mapping[str, float]) -> str:
    """A run of an over-long quote: the best sentence of its best line."""
    line = max(quote.split("\n"), key=lambda r: weight(r, wanted))
    sentence = max(_SENTENCE.split(line), key=lambda s: weight(s, wanted))
    return sentence[:QUOTE_CHARACTERS]


def _statement(passage: Passage, quote: str, wanted: Mapping[str, float]) -> str:
    """What is stated of a quote: its text without marks; of a long one its best sentence, else its best line."""
    rows = [r for r in quote.split("\n") if r.strip()]
    for text in (_unmarked(passage, quote, rows, wanted), _best_sentence(passage.text, wanted)):
        short = _shortened(text)
        if plain(short) and plain(short) in plain(quote):
            return short
    best = max(rows, key=lambda r: weight(r, wanted))
    line = _plain_line(best)
    return (line if plain(line) in plain(quote) else best.strip())[:STATEMENT_CHARACTERS]


def _unmarked(passage: Passage, quote: str, rows: Sequence[str], wanted: Mapping[str, float]) -> str:
    if passage.fence is not None:
        return _plain_line(rows[0]) if len(rows) == 1 else _best_lines(rows, wanted)
    if passage.kind == "row":
        return " ".join(_plain_line(quote).strip("| ").split())
    text = " ".join(passage.text.split()) if passage.kind == "pair" else " ".join(_plain_line(r) for r in rows)
    return text if len(text) <= STATEMENT_CHARACTERS else _best_sentences(text, wanted)


def _best_sentence(text: str, wanted: Mapping[str, float]) -> str:
    return max(sentences(text), key=lambda s: weight(s, wanted))


def _shortened(text: str) -> str:
    """The words of a text for which there is room."""
    text = text.strip()
    if len(text) <= STATEMENT_CHARACTERS:
        return text
    return text[: STATEMENT_CHARACTERS + 1].rsplit(None, 1)[0][:STATEMENT_CHARACTERS]


def _best_sentences(text: str, wanted: Mapping[str, float]) -> str:
    """The best sentence with those after it, then those before it, as many as there is room for."""
    every = sentences(text)
    first = max(range(len(every)), key=lambda n: (weight(every[n], wanted), -n))
    last, room = first, STATEMENT_CHARACTERS - len(every[first])
    while last + 1 < len(every) and len(every[last + 1]) < room:
        last += 1
        room -= len(every[last]) + 1
    while first > 0 and len(every[first - 1]) < room:
        first -= 1
        room -= len(every[first]) + 1
    return " ".join(every[first : last + 1])


def _best_lines(rows: Sequence[str], wanted: Mapping[str, float]) -> str:
    """The best line of code, with the line after it where a comment leads it."""
    best = max(range(len(rows)), key=lambda n: (weight(rows[n], wanted), -n))
    led = rows[best].lstrip().startswith(("#", "//")) and best + 1 < len(rows)
    return " ".join(r.strip() for r in rows[best : best + 1 + led])


def _plain_line(line: str) -> str:
    return unmarked(re.sub(r"^\s*(?:>\s?|[-*+]\s+|\d+[.)]\s+|#{1,6}\s+|[│├└─|`]+\s*)*", "", line))


def unmarked(text: str) -> str:
    """A text single-spaced, without strong emphasis, code marks and the targets of links."""
    text = re.sub(r"!?\[([^\]]*)\](\([^)]*\)|\[[^\]]*\])", r"\1", text)
    return " ".join(re.sub(r"(\*\*|__|`)", "", text).split())
