"""Whether the lines that an answer quotes stand in the notes as they are now."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from assistant.errors import AssistantError
from assistant.records import Answer, Note

_LEAD = re.compile(r"[\s>#*+\-\d.)|(\[\]`]*\Z")
"""What may stand in front of a quote in its first line, where it was not quoted with it: marks of Markdown."""
_ENDS = (".", "!", "?", ":", ";", "。", "：", "！", "？")
"""What ends a sentence: a quote may be one of several in a line."""


class CitedText(NamedTuple):
    """A run of lines of a note."""

    path: str
    text: str


def cited_texts(answer: Answer, paths: Collection[str]) -> tuple[CitedText, ...]:
    """What an answer quotes from these notes, its code included."""
    of = {cited.number: cited.path for cited in answer.citations}
    quotes = [CitedText(cited.path, cited.quote) for cited in answer.citations]
    codes = [CitedText(of[one.citation], one.code) for one in answer.snippets if one.citation in of]
    return tuple(one for one in dict.fromkeys([*quotes, *codes]) if one.path in paths)


def all_stand(texts: Iterable[CitedText], read: Callable[[str], Note]) -> bool:
    """Whether each text stands in its note, wherever and however indented; `read` may raise an AssistantError."""
    notes: dict[str, str] = {}
    for path, text in texts:
        if path not in notes:
            try:
                notes[path] = _levelled("\n".join(read(path).lines))
            except AssistantError:
                return False
        if not stands(text, notes[path]):
            return False
    return True


def stands(text: str, note: str) -> bool:
    """Whether a text stands in a note of which each line is stripped, as whole lines or as whole sentences of them."""
    wanted = _levelled(text).strip("\n")
    at = note.find(wanted)
    while at >= 0 and wanted:
        end = at + len(wanted)
        before = note[note.rfind("\n", 0, at) + 1 : at]
        behind = note[end : note.find("\n", end) if "\n" in note[end:] else len(note)]
        begins = _LEAD.match(before) is not None or before.rstrip().endswith(_ENDS)
        if begins and (not behind.strip() or wanted.endswith(_ENDS)):
            return True
        at = note.find(wanted, at + 1)
    return not wanted


def _levelled(text: str) -> str:
    """Each line without the blanks around it."""
    return "\n".join(line.strip() for line in text.split("\n"))
