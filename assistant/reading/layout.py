"""What the reader reads: a passage with its heading path and the words next to it.

Training and use share this form; another one needs another adapter.
"""

from __future__ import annotations

from collections.abc import Iterable

from assistant.records import Passage

_TEXT, _HEADINGS, _AROUND = 44, 14, 7
"""Words at most."""
SEPARATOR = " [SEP] "
"""The tokeniser's own mark."""


def of_passage(read: Passage, section: Iterable[Passage]) -> str:
    """The text of a passage; `section` are the passages of its section, by line, which may hold it."""
    before = after = ""
    for other in section:
        if other.kind in ("heading", "label"):
            continue
        if other.end < read.start:
            before = other.text
        elif other.start > read.end:
            after = other.text
            break
    around = f"{' '.join(before.split()[-_AROUND:])} | {_first(after, _AROUND)}"
    return SEPARATOR.join((_first(read.text, _TEXT), _headings(read), around))


def of_line(line: str, heading: str = "") -> str:
    """The text of a line without neighbours."""
    return SEPARATOR.join((_first(line, _TEXT), heading, "|"))


def _headings(read: Passage) -> str:
    path = read.heading_path if read.titled else read.heading_path[1:]
    label = read.label if read.label not in path else ""
    # The end says most: the section's own heading and the label.
    return " ".join(" > ".join(part for part in (*path, label) if part).split()[-_HEADINGS:])


def _first(text: str, words: int) -> str:
    return " ".join(text.split(None, words)[:words])
