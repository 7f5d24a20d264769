"""An HTML block → the words that a browser would show."""

from __future__ import annotations

import html
import re

_HIDDEN = re.compile(r"<!--.*?(?:-->|\Z)|<(script|style)\b.*?(?:</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"<[/!?]?[a-zA-Z][^<>]*>")


def html_text(source: str) -> str:
    """Single spaces, entities decoded; without tags, comments, scripts and styles."""
    return " ".join(html.unescape(_TAG.sub(" ", _HIDDEN.sub(" ", source))).split())
