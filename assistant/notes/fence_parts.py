"""The lines of a fence → its parts that are retrieved by themselves: drawn lines, commented steps, runs of code."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from assistant.records import PassageKind

_PLAIN_LANGUAGES = ("", "text", "mermaid", "plaintext", "txt", "plain", "ascii")
"""Languages whose fences may hold a drawing."""
_STEP_LINES = 14
"""Lines of code below a comment that belong to the text of its step."""
_DRAWING = re.compile(r"[├└│┌┐┘┬┴┼─↓↑▼▲→←⇒]|(?:^|\s)(?:\|--|\+--|`--|\\--|->|-->|=>)(?:\s|$)")
_BRANCH = re.compile(r"^[\s│|]*(?:[├└]|\|--|\+--|`--)")
_DRAWN_MARKS = re.compile(r"^[\s├└│┌┐┘┬┴┼─↓↑▼▲|`+\\>-]+")
_COMMENT = re.compile(
    r"^\s*(?:#+(?!!)|//+|--(?=\s)|;+(?=\s)|/\*+|\*(?=\s)|<!--|%+(?=\s)|REM\s)\s*(.*?)\s*(?:\*/|-->)?\s*$"
)
_TRAILING_COMMENT = re.compile(r"^(?P<code>.*\S)\s+(?:#|//)\s+(?P<comment>\S.*)$")


class Part(NamedTuple):
    """A part of a fence; rows are 0-based, both inclusive."""

    kind: PassageKind
    text: str
    label: str
    """The line of a drawing that this one branches off; "" for anything else."""
    first: int
    last: int


def parts(lines: Sequence[str], language: str) -> Iterator[Part]:
    """The parts of a fence in that language, in line order; they may overlap, and leave lines out."""
    if language in _PLAIN_LANGUAGES and any(map(_DRAWING.search, lines)):
        yield from _drawn_lines(lines)
    elif any(map(_comment, lines)):
        yield from _steps(lines)
    else:
        yield from _commented_lines(lines)
        yield from _runs(lines)


def _drawn_lines(lines: Sequence[str]) -> Iterator[Part]:
    """One part for each line of a drawing that has words."""
    trunk = ""
    for row, line in enumerate(lines):
        text = _DRAWN_MARKS.sub("", line).strip()
        if not re.search(r"\w", text):
            continue
        branch = _BRANCH.match(line) is not None
        if not branch:
            trunk = text.rstrip(":").strip()
        yield Part("tree", text, trunk if branch else "", row, row)


def _steps(lines: Sequence[str]) -> Iterator[Part]:
    """Comments, each with the code below it, and lines with a comment behind their code."""
    row = 0
    while row < len(lines):
        if not _comment(lines[row]):
            yield from _commented_line(lines[row], row)
            row += 1
            continue
        begin = row
        while row < len(lines) and _comment(lines[row]):
            row += 1
        comments = [_comment(line) for line in lines[begin:row]]
        end = row
        while end < len(lines) and lines[end].strip() and not _comment(lines[end]) and not _is_separator(lines[end]):
            end += 1
        if len(comments) > 1:
            yield from (Part("code", text, "", begin + n, begin + n) for n, text in enumerate(comments))
        code = "\n".join(lines[row : min(end, row + _STEP_LINES)])
        yield Part("step", f"{' '.join(comments)}\n{code}".strip(), "", begin, end - 1)


def _commented_lines(lines: Sequence[str]) -> Iterator[Part]:
    for row, line in enumerate(lines):
        yield from _commented_line(line, row)


def _commented_line(line: str, row: int) -> Iterator[Part]:
    if trailing := _TRAILING_COMMENT.match(line):
        yield Part("code", f"{trailing['code'].strip()} {trailing['comment']}", "", row, row)


def _runs(lines: Sequence[str]) -> Iterator[Part]:
    """What blank lines and separators part, where that is more than one run of lines."""
    runs, begin = [], 0
    for row in range(len(lines) + 1):
        if row == len(lines) or not lines[row].strip() or _is_separator(lines[row]):
            if row > begin:
                runs.append((begin, row))
            begin = row + 1
    if len(runs) > 1:
        yield from (Part("code", "\n".join(lines[begin:end]), "", begin, end - 1) for begin, end in runs)


def _comment(line: str) -> str:
    """The words of a line that is only a comment; "" for any other line, shebangs and bare marks included."""
    match = _COMMENT.match(line)
    return match[1] if match and re.search(r"\w", match[1]) else ""


def _is_separator(line: str) -> bool:
    return line.strip() in ("---", "...", "***")
