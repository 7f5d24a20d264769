"""Web addresses of quoted notes, for readers who do not have the files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import quote

from assistant.answering.verification import Quoted


def web_link(base: str, path: str, anchor: str) -> str:
    """Of a heading of a note; `base` is what stands before the paths of all notes."""
    encoded = quote(path, safe="/", errors="surrogateescape")
    return base + encoded + (f"#{quote(anchor, safe='')}" if anchor else "")


def with_links(quotes: Iterable[Quoted], base: str) -> tuple[Quoted, ...]:
    """The same quotes with their addresses; as they are where `base` is ""."""
    if not base:
        return tuple(quotes)
    return tuple(replace(quoted, url=web_link(base, quoted.path, quoted.anchor)) for quoted in quotes)
