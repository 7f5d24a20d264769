"""A line of Markdown → its text without marks, the bold run that opens it, and where its links lead."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from markdown_it.token import Token

from assistant.notes.markdown import inline_rules
from assistant.notes.markdown.grammar import INLINE, Environment, blocks_only

MAX_CHARACTERS = 20_000
MAX_BRACKETS = 1_000
"""Longer runs keep their marks, and so do those with more `[`: reading them takes time that grows with the square."""
_BREAK = re.compile(r"<br\b", re.IGNORECASE)
_WORD = re.compile(r"\w")
_MARK = re.compile(r"[&*<\[\\_`{~]|:(?:fontawesome|material|octicons|simple)-")
"""A line without any of these has no inline markup but its end; half of all lines need not be parsed to know that."""
_LINE_END = re.compile(r"(?:(?<! ) +)?\n[ \t]*")
"""With what the parser takes off around it; a run of blanks is tried from its beginning only."""
_ICON = re.compile(r":(?:fontawesome|material|octicons|simple)-[a-z0-9-]+:")
"""Of Material for MkDocs."""
_RAW = re.compile(r"\s*\{%-?\s*raw\s*-?%\}(.*)\{%-?\s*endraw\s*-?%\}\s*$", re.DOTALL)
"""Code that a template is told to leave alone."""
_BADGE = re.compile(r"\bbadge|shields\.io\b|/workflows/[^?#]*\.svg|travis-ci\.", re.IGNORECASE)
"""In the address of an image that shows a number of the day."""
_TASK = re.compile(r"\[[ xX]\]\s+")


@dataclass(frozen=True, slots=True)
class Inline:
    """What one paragraph, heading or cell says."""

    plain: str = ""
    """Single spaces, no marks."""
    lead: str = ""
    written: str = ""
    """As GitHub takes it for an anchor: spaces as they are, without images."""
    targets: tuple[str, ...] = ()
    links_only: bool = False
    """Whether no word stands outside a link."""


def read(content: str, environment: Environment) -> Inline:
    """The text of `content`; with its marks where it is too long or too deeply nested to be read."""
    if len(content) <= MAX_CHARACTERS and not _MARK.search(content):
        return Inline(" ".join(content.split()), "", _LINE_END.sub(" ", content))
    tokens: list[Token] = []
    content = inline_rules.linkable(content)
    parser = blocks_only(INLINE)
    try:
        if len(content) > MAX_CHARACTERS or content.count("[") > MAX_BRACKETS:
            raise RecursionError
        parser.inline.parse(content, parser, environment, tokens)
    except RecursionError:
        plain = " ".join(content.split())
        return Inline(plain, "", plain)
    outside, targets = _outside(tokens)
    return Inline(
        " ".join("".join(_texts(tokens)).split()),
        " ".join("".join(_texts(_opening_bold(tokens))).split()),
        "".join(_texts(tokens, images=False)),
        targets,
        bool(targets) and not _WORD.search(outside),
    )


def item_text(plain: str) -> str:
    """An item's text without the box of a task list."""
    box = _TASK.match(plain)
    return plain[box.end() :] if box else plain


def _texts(tokens: Sequence[Token], images: bool = True) -> Iterator[str]:
    for token in tokens:
        if token.type in ("softbreak", "hardbreak") or (token.type == "html_inline" and _BREAK.match(token.content)):
            yield " "
        elif token.type == "image":
            if images and not _BADGE.search(str(token.attrGet("src") or "")):
                yield from _texts(token.children or ())
        elif token.type == "text":
            yield _ICON.sub("", token.content)
        elif token.type == "code_inline" and (raw := _RAW.match(token.content)):
            yield raw[1].strip()
        elif token.type != "html_inline":
            yield token.content


def _opening_bold(tokens: Sequence[Token]) -> Sequence[Token]:
    """The tokens inside the strong run that comes first, also inside emphasis or a link; none where text does."""
    for number, token in enumerate(tokens):
        if token.type == "strong_open":
            end = next((n for n in range(number, len(tokens)) if _closes(tokens[n], token)), number)
            return tokens[number + 1 : end]
        if token.content.strip() and not _TASK.fullmatch(token.content.strip() + " "):
            break
    return ()


def _closes(token: Token, opening: Token) -> bool:
    return token.type == "strong_close" and token.level == opening.level


def _outside(tokens: Sequence[Token]) -> tuple[str, tuple[str, ...]]:
    """What is written outside links, and where the links lead."""
    texts, targets, depth = list[str](), list[str](), 0
    for token in tokens:
        if token.type == "link_open":
            targets.append(unquote(str(token.attrGet("href") or "")))
        depth += (token.type == "link_open") - (token.type == "link_close")
        if not depth and token.type != "html_inline":
            texts.append(token.content)
    return "".join(texts), tuple(targets)
