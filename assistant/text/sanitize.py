"""Any text → text that is safe to print on a terminal, and how wide it is there.

Control characters become their Unicode pictures (ESC is `␛`); C1 controls, bidi controls, other invisible format
characters, line and paragraph separators and lone surrogates become `<U+202E>`. Zero-width joiners stay: emoji and
several scripts need them. The result is for display only: the text cannot be had back from it.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

TAB = 4
"""Columns between tab stops."""

# Every Cc, Cf, Zl, Zp and Cs of Unicode but the joiners and the visible Arabic, Syriac, Kaithi and hieroglyphic signs;
# a test compares it with `unicodedata`.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f]"
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_WIDE = frozenset("WF")
# Blocks without a wide or a combining letter: Latin, the marks of typography, arrows, boxes.
_NARROW = re.compile("[\x20-\x7e\xa0-\xac\xae-\u02ff\u2010-\u2027\u2030-\u205e\u2190-\u21ff\u2500-\u25af]*")


def replace_surrogates(text: str) -> str:
    """The text with U+FFFD for lone surrogates, which neither UTF-8 nor the database can hold."""
    return _SURROGATE.sub("\ufffd", text)


def line(text: str) -> str:
    """As one line, for names, headings and messages: line ends become visible too, a tab becomes a blank."""
    if text.isascii() and text.isprintable():
        return text
    return _UNSAFE.sub(_visible, text.replace("\t", " "))


def block(text: str) -> str:
    r"""As several lines, for code and help: `\n`, `\r\n` stay line ends, tabs become blanks up to the next stop."""
    if text.isascii() and text.isprintable():
        return text
    return "\n".join(_UNSAFE.sub(_visible, row.expandtabs(TAB)) for row in text.replace("\r\n", "\n").split("\n"))


def width(text: str) -> int:
    """Columns that safe text of one line takes in a terminal: 2 for wide letters, 0 for marks that combine."""
    return len(text) if text.isascii() or _NARROW.fullmatch(text) else sum(map(_columns, text))


def wrap(text: str, columns: int) -> list[str]:
    """Lines of at most `columns` of safe text, cut at blanks, inside words that are longer; never empty."""
    rows: list[str] = []
    row = ""
    for word in text.split():
        if row and width(row) + 1 + width(word) <= columns:
            row = f"{row} {word}"
            continue
        if row:
            rows.append(row)
        *full, row = _pieces(word, columns)
        rows.extend(full)
    return [*rows, row] if row or not rows else rows


def clip(text: str, columns: int) -> str:
    """The start of safe text that fits, its last column an ellipsis where something was left out."""
    if width(text) <= columns:
        return text
    start = _pieces(text, columns - 1)[0].rstrip()
    return (start if width(start) < columns else "") + "…"


def _pieces(word: str, columns: int) -> list[str]:
    """The word in runs of at most `columns`; a letter wider than that stands alone."""
    pieces, used = [""], 0
    for letter in word:
        wide = _columns(letter)
        if used + wide > columns and pieces[-1]:
            pieces.append("")
            used = 0
        pieces[-1] += letter
        used += wide
    return pieces


@lru_cache(maxsize=4096)
def _columns(letter: str) -> int:
    if letter.isascii():
        return 1
    if unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in _WIDE else 1


def _visible(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else f"<U+{code:04X}>"
