"""An HTML block → the words that a browser would show."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence

_HIDDEN = re.compile(r"<!--.*?(?:-->|\Z)|<(script|style)\b.*?(?:</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE)
_CAPTION = re.compile(r"<figcaption\b.*?(?:</figcaption\s*>|\Z)", re.DOTALL | re.IGNORECASE)
_TITLE = 8
"""Words of a picture's caption up to which it is a title, and says nothing."""
_TAG = re.compile(
    r"""<[/!?]?[a-zA-Z](?:(?:[^<>"'{}]|"[^"<]*"|'[^'<]*'|\{[^{}<]*\})*>|[^<>]*>)"""  # a value may hold what ends a tag
)
_ONLY_TAGS = re.compile(r"\s*(?:</?[a-zA-Z][^<>]*>\s*)*$")
_ONLY_ENDS = re.compile(r"(?:\s*(?:</[a-zA-Z][\w-]*\s*>|<!--[^<>]*-->))+\s*$")


def html_text(source: str) -> str:
    """Single spaces, entities decoded; without tags, comments, scripts and styles."""
    return " ".join(html.unescape(_TAG.sub(" ", _HIDDEN.sub(" ", source))).split())


def html_pieces(lines: Sequence[str], source: str) -> Iterator[tuple[int, int, str]]:
    """The lines of an HTML block, 0-based and inclusive, with its words at those that have any: tags before and behind
    them are pieces of their own, and so is a picture with its title."""
    text, last = html_text(_CAPTION.sub(_unless_title, source)), len(lines) - 1
    text = text if re.search(r"\w", text) else ""
    said = [row for row, line in enumerate(lines) if not _ONLY_TAGS.match(line)] if text else []
    first, end = (said[0], said[-1]) if said else (0, last)
    if first:
        yield 0, first - 1, ""
    yield first, end, text
    if end < last:
        yield end + 1, last, ""


def _unless_title(caption: re.Match[str]) -> str:
    return caption[0] if len(html_text(caption[0]).split()) > _TITLE else ""


def only_ends(source: str) -> bool:
    """Whether it is nothing but closing tags and comments."""
    return _ONLY_ENDS.match(source) is not None
