"""Places in notes → addresses of the page, and which addresses a note's links may lead to."""

from __future__ import annotations

import re
from urllib.parse import quote

_ALLOWED = re.compile(r"(?:https?://|mailto:)[^\s\x00-\x20\x7f]+", re.IGNORECASE)


def note_address(path: str, start: int | None = None, end: int | None = None) -> str:
    """Of a note, or of lines of it (1-based, inclusive), which are shown marked."""
    address = f"/notes/{quote(path, errors='surrogateescape')}"
    if start is None:
        return address
    return f"{address}?from={start}&to={start if end is None else end}#L{start}"


def heading_address(path: str, anchor: str) -> str:
    """Of a heading by its anchor; of the note's top where that is ""."""
    return note_address(path) + (f"#{quote(anchor)}" if anchor else "")


def outside_address(address: str) -> str | None:
    """The address where a browser may be sent there: of the web or of mail; else None."""
    return address if _ALLOWED.fullmatch(address) else None
