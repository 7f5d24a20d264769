"""Lines that open an admonition, a tab or a directive → the title that people read."""

from __future__ import annotations

import re

_TITLES = (
    re.compile(r"(?:!!!|\?\?\?\+?)[ \t]*(?P<kind>[A-Za-z][\w-]*)?[^\"]*(?:\"(?P<title>.*)\")?\s*$"),
    re.compile(r"===[!+]*[ \t]*\"(?P<title>.*)\"(?P<kind>)\s*$"),
    re.compile(r"\[!(?P<kind>[A-Za-z][\w-]*)\][+-]?\s*(?P<title>.*)$"),
    re.compile(r":{3,}[ \t]*\{?(?P<kind>[A-Za-z][\w.-]*)\}?[ \t]*\[?(?P<title>[^\]{}]*)\]?.*$"),
)


def title(line: str) -> str | None:
    """Such as `Warning: Mind the gap`; None for a line that is not written like that."""
    text = line.strip(" \t>")
    for pattern in _TITLES:
        match = pattern.match(text)
        if match:
            kind, name = (match["kind"] or "").replace("-", " ").strip(), (match["title"] or "").strip()
            parts = [kind.capitalize(), name if name.casefold() != kind.casefold() else ""]
            return ": ".join(part for part in parts if part) or None
    return None
