"""Code → the names in it that a reader would ask for: kinds, classes, functions, imports, keys, commands."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.notes import languages

_LINE_LENGTH = 500
"""Characters of a line that are searched."""
_COMMENT = re.compile(r"\s*(?:#|//|--|/?\*)")
_KIND = re.compile(r"""(?:^|[\s{,(])["']?kind["']?\s*[:=]\s*["']?([A-Z][\w.-]*)""")
_COMMENTED_KEY = re.compile(
    r"""\s*(?:(?:#|//)\s*)?(?:- +)*["']?([A-Za-z_][\w.-]*)["']?\s*(?::\s|=)\s*\S.*?\s(?:#|//)\s+\S"""
)
_RESOURCE = re.compile(r"""\s*(?:resource|data|module|provider)\s+"([\w.-]+)\"""")
_DEFINED = re.compile(
    r"\b(?:def|class|func(?:tion)?|fn|interface|struct|enum|trait|record|message|service|rpc|proc)\s+"
    r"(?:\([^)]*\)\s*)?([A-Za-z_]\w*)\s*(?=[({:<]|extends|implements|$)"
)
_TYPE = re.compile(r"\btype\s+([A-Z]\w*)(?=\s+(?:struct|interface)\b|\s*=)")
_SHELL_FUNCTION = re.compile(r"\s*([A-Za-z_][\w-]*)\s*\(\)\s*\{")
_CALLED = re.compile(r"\b([A-Z]\w*[a-z]\w*)(?=\(|\.\w+\()|\bnew\s+(?:\w+\.)*([A-Z]\w*)")
_FROM_IMPORT = re.compile(
    r"\s*(?:from\s+\S+\s+import|import(?:\s+type)?)\s+\(?\{?([^'\"]*?)\}?\)?\s*(?:from\s.*)?;?\s*$"
)
_COMMAND = re.compile(r"\s*(?:sudo\s+)?([a-z][\w.-]*(?:\s+[a-z][a-z-]*[a-z](?![\w./=:@$-])){1,2})")


def identifiers(code: str, info: str) -> tuple[tuple[str, int], ...]:
    """The names in a fence's code, each with its 0-based line, in line order, no pair twice; `info` is the info string
    of the fence."""
    shell = languages.language(info) == "bash"
    pairs: dict[tuple[str, int], None] = {}
    for row, text in enumerate(code.split("\n")):
        for name in _names_of_line(text[:_LINE_LENGTH], shell):
            pairs[name, row] = None
    return tuple(pairs)


def _names_of_line(text: str, shell: bool) -> Iterator[str]:
    if match := _COMMENTED_KEY.match(text):
        yield match[1]
    if _COMMENT.match(text):
        return
    for pattern in (_RESOURCE, _SHELL_FUNCTION):
        if match := pattern.match(text):
            yield match[1]
    for pattern in (_KIND, _DEFINED, _TYPE):
        yield from (match[1] for match in pattern.finditer(text))
    yield from _imported(text)
    for match in _CALLED.finditer(text):
        yield match[1] or match[2]
    if shell and (match := _COMMAND.match(text)):
        yield " ".join(match[1].split())


def _imported(text: str) -> Iterator[str]:
    match = _FROM_IMPORT.match(text)
    for part in match[1].split(",") if match else ():
        name = part.split("#")[0].split(" as ")[0].strip()
        if re.fullmatch(r"[A-Za-z_][\w.]*", name):
            yield name
