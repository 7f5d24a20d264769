"""Spans of a note → a text with the styles of the screen, and where the links stand in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content, Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assistant.notes.display_blocks import Spans
    from assistant.tui.source.note_row import TextLink

_STYLES = {
    "strong": "bold",
    "emphasis": "italic",
    "strike": "strike",
    "code": "$text-accent",
    "link": "underline",
    "image": "italic dim",
}


def text_links(spans: Spans) -> Iterator[TextLink]:
    """The links in the text of all spans, in order."""
    at = begin = 0
    target = ""
    for span in spans:
        if span.target != target:
            if target:
                yield begin, at, target
            begin, target = at, span.target
        at += len(span.text)
    if target:
        yield begin, at, target


def styled(spans: Spans, style: str = "") -> Content:
    """Spans as one text; `style` goes below their own."""
    text, marks = "", list[Span]()
    for span in spans:
        end = len(text) + len(span.text)
        marks += [Span(len(text), end, _STYLES[name]) for name in span.style.split()]
        text += span.text
    return Content(text, [*([Span(0, len(text), style)] if style and text else []), *marks])
