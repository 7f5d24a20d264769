"""markdown-it's inline rules for markup that says nothing: tags of templates, attribute lists, tags of components."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline

from assistant.notes.markdown.markers import ATTRIBUTES

MAX_CHARACTERS = 500
"""Of a tag inside a line."""
_TEMPLATE = (("{{<", ">}}"), ("{{%", "%}}"), ("{%", "%}"), ("{#", "#}"))
"""Tags that say nothing; `{{ name }}` stands for words, so a line keeps it."""
_LIST = re.compile(rf"\{{(?P<colon>:?){ATTRIBUTES}\}}")
_TRAILING_LIST = re.compile(rf"\{{:?(?P<list>{ATTRIBUTES})\}}\s*$")
_ID = re.compile(r"(?:^|\s)#([\w:-]+)")
_COMPONENT = re.compile(
    r"""</?[A-Z][\w.]*(?:\s+[\w:-]+(?:=(?:"[^"<>]*"|'[^'<>]*'|\{[^{}<>]*(?:\{[^{}<>]*\}[^{}<>]*)*\}))?)*\s*/?>"""
)
_TARGET = re.compile(r"\]\((?:[^()\s{}]|\{\{[^{}\n]{0,200}\}\}|\{%[^{}\n]{0,200}%\})*")
_TEMPLATE_IN_TARGET = re.compile(r"\{\{[^{}\n]{0,200}\}\}|\{%[^{}\n]{0,200}%\}")
_ENDS = frozenset(("link_close", "image", "code_inline"))
"""What an attribute list may follow, beside emphasis, whose marks are still text when it is read."""


def add_to(parser: MarkdownIt) -> None:
    """Tokens `markup`, whose content is empty."""
    parser.inline.ruler.before("html_inline", "markup", _rule)


def linkable(content: str) -> str:
    """With a word in place of each tag of a template in a link's target, where CommonMark allows no blank."""
    if "{{" not in content and "{%" not in content:
        return content
    return _TARGET.sub(lambda match: _TEMPLATE_IN_TARGET.sub("x", match[0]), content)


def without_list(heading: str) -> tuple[str, str]:
    """A heading without the attribute list at its end, and the anchor that the list gives; "" for none."""
    match = _TRAILING_LIST.search(heading) if heading.rstrip().endswith("}") else None
    if match is None:
        return heading, ""
    given = _ID.search(match["list"])
    return heading[: match.start()].rstrip(), given[1] if given else ""


def _rule(state: StateInline, silent: bool) -> bool:
    end = _end(state)
    if end is None or end > state.posMax:
        return False
    if not silent:
        state.push("markup", "", 0)
    state.pos = end
    return True


def _end(state: StateInline) -> int | None:
    """Behind the markup that stands here."""
    text, start = state.src, state.pos
    if text[start] == "<":
        tag = _COMPONENT.match(text, start)
        return tag.end() if tag else None
    if text[start] != "{":
        return None
    closer = next((closer for opener, closer in _TEMPLATE if text.startswith(opener, start)), None)
    if closer:
        end = text.find(closer, start + 2, start + MAX_CHARACTERS)
        return end + len(closer) if end >= 0 else None
    attributes = _LIST.match(text, start, start + MAX_CHARACTERS)
    if attributes is None:
        return None
    return attributes.end() if attributes["colon"] or _behind_span(state) else None


def _behind_span(state: StateInline) -> bool:
    """Whether a link, image, code or emphasis has just ended."""
    if state.pending or not state.tokens:
        return False
    before = state.tokens[-1]
    emphasis = before.content in ("*", "_", "~~") and bool(state.delimiters) and state.delimiters[-1].close
    return before.type in _ENDS or emphasis
