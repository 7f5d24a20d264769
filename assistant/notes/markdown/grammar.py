"""Lines → markdown-it tokens, markers and loose fences included."""

from __future__ import annotations

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

from assistant.notes.markdown import inline_rules, loose_fences, marker_rules
from assistant.notes.markdown.loose_fences import LooseFence

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
_FILLER = "x"
_LOCK = Lock()

Environment = MutableMapping[str, object]


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
        fences = list(loose_fences.find(parsed.tokens, source))
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
    if not loose_fences.within(loose, parsed.tokens):
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
    marker_rules.add_to(parser)
    inline_rules.add_to(parser)
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
