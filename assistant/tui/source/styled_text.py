"""Spans of a note → a text with the styles of the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content, Span

if TYPE_CHECKING:
    from assistant.notes.display_blocks import Spans

_STYLES = {
    "strong": "bold",
    "emphasis": "italic",
    "strike": "strike",
    "code": "$text-accent",
    "link": "underline",
    "image": "italic dim",
}


def styled(spans: Spans, style: str = "") -> Content:
    """Spans as one text; `style` goes below their own."""
    text, marks = "", list[Span]()
    for span in spans:
        end = len(text) + len(span.text)
        marks += [Span(len(text), end, _STYLES[name]) for name in span.style.split()]
        text += span.text
    return Content(text, [*([Span(0, len(text), style)] if style and text else []), *marks])
