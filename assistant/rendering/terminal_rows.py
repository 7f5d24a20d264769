"""Rows of styled text → text for a terminal, plain or with rich's styles and links."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

NARROWEST, WIDEST = 24, 100
"""Columns that text is laid out in at the least and at the most, however wide the terminal."""


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a row that looks the same."""

    text: str
    """Safe for a terminal, without line ends."""
    style: str = ""
    """As rich names it; "" for none."""
    link: str = ""


Row = list[Span]


def columns(width: int) -> int:
    """Those that text is laid out in on a terminal of that width."""
    return min(max(width, NARROWEST), WIDEST)


def printed(rows: Iterable[Row], colour: bool) -> str:
    """Each row with its line end; `colour` adds ANSI styles and OSC 8 links (and imports rich)."""
    if colour:
        return _coloured(rows)
    return "".join("".join(span.text for span in row).rstrip() + "\n" for row in rows)


def link(path: str, line: int) -> str:
    """A `file://` address; "" for a path that is not absolute."""
    try:
        raw = path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raw = path.encode("utf-8", "replace")
    return f"file://{quote(raw)}#{line}" if path.startswith("/") else ""


def _coloured(rows: Iterable[Row]) -> str:
    """The same rows with the terminal's styles; never wrapped, parsed as markup or highlighted."""
    from rich.console import Console
    from rich.style import Style
    from rich.text import Text

    console = Console(force_terminal=True, markup=False, emoji=False, highlight=False, legacy_windows=False)
    with console.capture() as captured:
        for row in rows:
            line = Text(end="\n")
            for span in row:
                line.append(span.text, Style.parse(span.style) + Style(link=span.link or None))
            console.print(line, soft_wrap=True)
    return captured.get()
