"""A line of Markdown → runs of text with their emphasis and links, each with the line of the note it stands on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Literal

from markdown_it import MarkdownIt
from markdown_it.common.utils import normalizeReference
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from assistant.notes.display_blocks import BREAK, DisplaySpan, Spans
from assistant.notes.markdown import inline, inline_rules
from assistant.notes.markdown.grammar import INLINE, Environment
from assistant.text import sanitize

_MARK = re.compile(r"[!&*<\[\\_`{~]|:(?:fontawesome|material|octicons|simple)-| \n")
"""A text without any of these has no inline markup."""
_ICON = re.compile(r":(?:fontawesome|material|octicons|simple)-[a-z0-9-]+:")
_TAG = re.compile(
    r"</?(?:a|abbr|b|big|center|cite|code|dd|del|details|dfn|div|dl|dt|em|figcaption|figure|font|i|img|ins|kbd|li|mark"
    r"|ol|p|picture|pre|q|s|samp|small|source|span|strike|strong|sub|summary|sup|table|tbody|td|th|thead|tr|tt|u|ul"
    r"|var|wbr)\b|<!--",
    re.IGNORECASE,
)
"""Tags that are not shown; a name in angle brackets, such as `<host>`, is."""
_BREAK_TAG = re.compile(r"<br\b", re.IGNORECASE)
_STYLES = {"strong": "strong", "em": "emphasis", "s": "strike", "link": "link"}
_WIKI = re.compile(r"\[\[(?P<target>(?![\s|])[^\[\]|\n]{1,500}(?<!\s))(?:\|(?P<alias>[^\[\]\n]{0,500}))?\]\](?![(\[])")
"""As Obsidian and wikis write links; a blank behind the brackets is a test of the shell."""


class _LinkParser(MarkdownIt):
    """Takes every address for a link: none is ever opened, and a reader may want to copy it."""

    def validateLink(self, url: str) -> bool:
        return True


@cache
def _parser() -> MarkdownIt:
    """As the notes are read for the index, wiki links beside."""
    parser = _LinkParser("commonmark", {"maxNesting": INLINE}).enable("strikethrough")
    inline_rules.add_to(parser)
    parser.inline.ruler.before("link", "wiki_link", _wiki_link)
    return parser


def _wiki_link(state: StateInline, silent: bool) -> bool:
    match = _WIKI.match(state.src, state.pos) if state.src[state.pos] == "[" and not state.linkLevel else None
    references = state.env.get("references", {})
    if match is None or normalizeReference(match[0][2:-2]) in references:
        return False
    if not silent:
        state.push("link_open", "a", 1).attrSet("href", f"[[{match['target']}]]")
        state.push("text", "", 0).content = (match["alias"] or match["target"]).strip()
        state.push("link_close", "a", -1)
    state.pos = match.end()
    return True


class _PlacedState(StateInline):
    """Tokens know where in the text they begin."""

    def push(self, ttype: str, tag: str, nesting: Literal[-1, 0, 1]) -> Token:
        at = self.pos
        token = super().push(ttype, tag, nesting)
        token.meta["at"] = at
        return token


def spans(content: str, environment: Environment, first: int, style: str = "") -> Spans:
    """Of a text that begins on line `first` (1-based) of the note; `style` is added to that of every span.

    A text that is too long or too deeply nested to be read keeps its marks.
    """
    if len(content) > inline.MAX_CHARACTERS or content.count("[") > inline.MAX_BRACKETS or not _MARK.search(content):
        return _as_written(content, first, style)
    content = inline_rules.linkable(content)
    parser, tokens = _parser(), list[Token]()
    state = _PlacedState(content, parser, environment, tokens)
    try:
        parser.inline.tokenize(state)
        for rule in parser.inline.ruler2.getRules(""):
            rule(state)
    except RecursionError:
        return _as_written(content, first, style)
    return tuple(_read(tokens, content, first, style))


def plain(cell: Sequence[DisplaySpan]) -> str:
    """The text of spans."""
    return "".join(span.text for span in cell)


def _as_written(content: str, first: int, style: str) -> Spans:
    rows = content.split("\n")
    texts = [f"{row.strip()} " for row in rows[:-1]] + [rows[-1].strip()]
    return tuple(
        DisplaySpan(sanitize.line(text), style, line) for line, text in enumerate(texts, first) if text.strip()
    )


def _read(tokens: Sequence[Token], content: str, first: int, style: str) -> Iterator[DisplaySpan]:
    styles = [style] if style else []
    line, target = first, ""
    for token in tokens:
        name = token.type.removesuffix("_open").removesuffix("_close")
        if name == "link":
            target = str(token.attrGet("href") or "")
        if name in _STYLES and token.nesting:
            styles.append(_STYLES[name]) if token.nesting > 0 else styles.remove(_STYLES[name])
        elif token.type in ("softbreak", "hardbreak"):
            yield DisplaySpan(BREAK if token.type == "hardbreak" else " ", " ".join(styles), line, target)
            line = first + content.count("\n", 0, token.meta["at"]) + 1
        elif token.type == "html_inline" and _BREAK_TAG.match(token.content):
            yield DisplaySpan(BREAK, " ".join(styles), line, target)
        else:
            text, own = _text(token)
            if text:
                shown = sanitize.line(text.replace("\n", " "))
                yield DisplaySpan(shown, " ".join([*styles, *own]), line, target)


def _text(token: Token) -> tuple[str, tuple[str, ...]]:
    """What a token shows, and the styles of its own."""
    if token.type == "code_inline":
        return token.content, ("code",)
    if token.type == "image":
        return f"[image: {token.content.strip()}]" if token.content.strip() else "[image]", ("image",)
    if token.type == "html_inline":
        return ("" if _TAG.match(token.content) else token.content), ()
    if token.type == "text":
        return _ICON.sub("", token.content), ()
    return token.content, ()
