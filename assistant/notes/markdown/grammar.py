"""Lines → markdown-it tokens, and the fences that people write where CommonMark sees none."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from threading import Lock

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_block.hr import hr
from markdown_it.token import Token

NESTING = (1000, 100, 30)
"""Levels tried in turn, from the first that is not too much work; the next only where one does not fit on Python's
stack after all."""
INLINE = 100
"""Levels of brackets and emphasis inside a line."""
WORK = 1_000_000
"""Lines times levels that may be looked at: a line that goes on with a deep quotation is tried at each level."""
FRAMES = 3 * NESTING[0]
"""Calls that reading so many levels may take, two a level, with some to spare."""
LONG_LINE = 10_000
ROUNDS = 8
"""How often a note is read again once loose fences are out of the way."""
_OPENING = re.compile(
    r"(?P<prefix>\s*(?:>\s*|[-*+]\s+|\d{1,9}[.)]\s+)*)(?P<mark>`{3,}|~{3,})\s*(?P<info>.*)$", re.DOTALL
)
_FILLER = "x"
_LOCK = Lock()

Environment = MutableMapping[str, object]


@dataclass(frozen=True, slots=True)
class LooseFence:
    """A fence inside indented code or a paragraph; 0-based lines, marks included."""

    first: int
    last: int
    info: str
    prefix: str
    """What stands before the opening mark."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A note as markdown-it reads it; lines are 0-based, ends exclusive."""

    tokens: list[Token]
    loose: tuple[LooseFence, ...] = ()
    """In order; each lies within one paragraph or code token, whose content has filler in its place."""
    references: tuple[tuple[int, int], ...] = ()
    environment: Environment = field(default_factory=dict)
    complete: bool = True
    """False where something is nested too deep to have a token."""


def parse(lines: Sequence[str]) -> Parsed:
    """Every block token of the note; inline tokens keep their content unread."""
    source, loose = list(lines), list[LooseFence]()
    for _ in range(ROUNDS):
        parsed = _read(source)
        fences = list(_loose(parsed.tokens, source))
        if not fences:
            break
        loose += fences
        for fence in fences:
            source[fence.first : fence.last + 1] = [fence.prefix + _FILLER] * (fence.last + 1 - fence.first)
    else:
        parsed = _read(source)
    loose.sort(key=lambda fence: fence.first)
    if not loose:
        return parsed
    if not _within(loose, parsed.tokens):
        return _read(lines)
    return Parsed(parsed.tokens, tuple(loose), parsed.references, parsed.environment, parsed.complete)


def _read(lines: Sequence[str]) -> Parsed:
    text = "".join(f"{line}\n" for line in lines)
    for nesting in [levels for levels in NESTING if levels * len(lines) <= WORK] or NESTING[-1:]:
        environment: Environment = {}
        try:
            with _deep_stack():
                tokens = blocks_only(nesting).parse(text, environment)
        except RecursionError:
            continue
        complete = all(token.level < nesting - 1 for token in tokens)
        return Parsed(tokens, (), _references(environment), environment, complete)
    return Parsed([], complete=False)


@cache
def blocks_only(nesting: int) -> MarkdownIt:
    """CommonMark with GitHub's tables and strike-through; `parse` stops at blocks, `inline` reads the rest."""
    parser = MarkdownIt("commonmark", {"maxNesting": nesting}).enable(["table", "strikethrough"])
    parser.core.ruler.enableOnly(["normalize", "block"])
    parser.block.ruler.at("hr", _rule, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    return parser


def _rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A thematic break, but none on a very long line: it is looked for again at each level of `- - - - …`."""
    return state.eMarks[start] - state.bMarks[start] <= LONG_LINE and hr(state, start, end, silent)


@contextmanager
def _deep_stack() -> Iterator[None]:
    """Room for deep nesting from every caller, so that a note's outline does not depend on where it is made."""
    with _LOCK:
        before = sys.getrecursionlimit()
        sys.setrecursionlimit(before + FRAMES)
        try:
            yield
        finally:
            sys.setrecursionlimit(before)


def _references(environment: Environment) -> tuple[tuple[int, int], ...]:
    named, more = environment.get("references", {}), environment.get("duplicate_refs", [])
    entries = [*(named.values() if isinstance(named, dict) else ()), *(more if isinstance(more, list) else ())]
    return tuple(sorted({(entry["map"][0], entry["map"][1]) for entry in entries}))


def _loose(tokens: Sequence[Token], lines: Sequence[str]) -> Iterator[LooseFence]:
    """Marks inside indented code or a paragraph with the line that closes them."""
    stops = [t.map[0] for t in tokens if t.map and (_opens_section(t) or (t.type == "fence" and t.info.strip()))]
    stops.append(len(lines))
    stops.reverse()
    closing = _Closing(lines)
    after = 0
    for token in tokens:
        if token.type not in ("paragraph_open", "code_block") or token.map is None:
            continue
        while stops[-1] <= token.map[0] and len(stops) > 1:
            stops.pop()
        for number in range(token.map[0], token.map[1]):
            opening = _OPENING.match(lines[number]) if number >= after else None
            if opening is None or ("`" in opening["mark"] and "`" in opening["info"]):
                continue
            last = closing.find(opening["mark"], number + 1, stops[-1])
            if last is not None:
                after = last + 1
                yield LooseFence(number, last, opening["info"].strip(), opening["prefix"])


def _opens_section(token: Token) -> bool:
    return token.type == "heading_open" and token.level == 0


class _Closing:
    """Looks for closing marks, and for none of a kind twice: thousands that are never closed cost one look."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._missing: dict[tuple[str, int], int] = {}

    def find(self, mark: str, start: int, stop: int) -> int | None:
        """The first line from `start` before `stop` that closes `mark`."""
        if len(mark) >= self._missing.get((mark[0], stop), len(mark) + 1):
            return None
        for number in range(start, stop):
            closing = _OPENING.match(self._lines[number])
            if closing and closing["mark"].startswith(mark) and not closing["info"].strip():
                return number
        self._missing[mark[0], stop] = len(mark)
        return None


def _within(loose: Sequence[LooseFence], tokens: Sequence[Token]) -> bool:
    """Whether each fence lies in one token that can be split around it."""
    spans = iter([t.map for t in tokens if t.type in ("paragraph_open", "code_block") and t.map])
    span = next(spans, None)
    for fence in loose:
        while span and span[1] <= fence.first:
            span = next(spans, None)
        if not span or not span[0] <= fence.first <= fence.last < span[1]:
            return False
    return True
