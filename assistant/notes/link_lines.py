"""The lines of a note → the links in them, by their marks alone: quick, for thousands of notes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

_FENCE = re.compile(r"[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*(?P<mark>`{3,}|~{3,})")
_CODE = re.compile(r"(?<!`)(`+)(?!`)[^`](?:.*?[^`])?\1(?!`)")
_INLINE = re.compile(r"\]\(\s*(?:<(?P<pointed>[^<>]*)>|(?P<bare>[^\s()<]*(?:\([^\s()]*\)[^\s()]*)*))")
_WIKI = re.compile(r"\[\[(?P<target>(?![\s|])[^\[\]|\\]{1,500}(?<!\s))(?:\\?\|[^\[\]]{0,500})?\]\](?![(\[])")
_LABEL = re.compile(r"\[(?P<label>[^\[\]]{1,999})\](?!\()")
_DEFINITION = re.compile(r" {0,3}\[(?P<label>[^\[\]^][^\[\]]{0,998})\]:[ \t]*(?:<(?P<pointed>[^<>]*)>|(?P<bare>\S+))")
_LONG = 20_000
"""Letters of a line that is not looked through: the source pane shows no link in it either."""


class LineLink(NamedTuple):
    """A link of one line."""

    line: int
    """1-based."""
    target: str
    """As written, a wiki link in its brackets."""


def links(lines: Sequence[str]) -> Iterator[LineLink]:
    """Every link of a note by line, none in code; a picture's address is one, one by reference is where it is used."""
    named = dict[str, str]()
    texts = list(_outside_code(lines))
    for _, text in texts:
        if "]:" in text and (match := _DEFINITION.match(text)):
            named.setdefault(_label(match["label"]), match["pointed"] or match["bare"] or "")
    for line, text in texts:
        for match in _INLINE.finditer(text) if "](" in text else ():
            if target := match["pointed"] or match["bare"]:
                yield LineLink(line, target)
        for match in _WIKI.finditer(text) if "[[" in text else ():
            yield LineLink(line, f"[[{match['target']}]]")
        for match in _LABEL.finditer(text) if named and not _DEFINITION.match(text) else ():
            if target := named.get(_label(match["label"]), ""):
                yield LineLink(line, target)


def _outside_code(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Number and text of the lines that may have a link, code taken out."""
    mark = ""
    for line, text in enumerate(lines, 1):
        if "```" in text or "~~~" in text:
            found = _FENCE.match(text)
            if mark:
                if text.strip(" \t>").startswith(mark) and not text.strip(" \t>").strip(mark[0]):
                    mark = ""
                continue
            if found and "`" not in text[found.end() :]:
                mark = found["mark"]
                continue
        if not mark and "[" in text and "]" in text and len(text) <= _LONG:
            yield line, _CODE.sub(" ", text) if "`" in text else text


def _label(text: str) -> str:
    return " ".join(text.split()).casefold()
