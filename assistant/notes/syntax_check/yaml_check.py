"""YAML, by PyYAML, with the row where the author went wrong."""

from __future__ import annotations

import re

import yaml

from assistant.notes.syntax_check.mistake import Fragment, Mistake

_HEREDOC = re.compile(r"<<-?[ \t]*['\"]?[A-Za-z_]\w*['\"]?[ \t]*$", re.MULTILINE)
_ITEM = re.compile(r"^ *(?:- +)*")
_KEY_WITHOUT_BLANK = re.compile(r"[\w.-]+:(?!//)\S")
_DEEP = 200
"""Brackets, and characters of a row, up to which libyaml is asked."""


def check_yaml(code: str) -> Mistake | None:
    """What PyYAML says; Fragment for YAML that a command pipes, or that is cut from the middle."""
    if _HEREDOC.search(code):
        raise Fragment  # a command that pipes YAML into something
    try:
        if _flat(code) and _composes(code):
            return None
        for _ in yaml.compose_all(code, Loader=yaml.BaseLoader):
            pass
    except yaml.MarkedYAMLError as error:
        if code.lstrip("\n").startswith(" "):
            raise Fragment from None  # cut from the middle: its first row is deeper than a later one
        return _mistaken_row(code, error), str(error.problem or error.context)
    except yaml.reader.ReaderError as error:
        return code[: error.position].count("\n"), f"character U+{error.character:04X} is not allowed"
    return None


def _flat(code: str) -> bool:
    """Whether libyaml may be asked: nothing is so deep that it could leave the stack, and no tab that it lets pass."""
    brackets = code.count("[") + code.count("{")
    return brackets <= _DEEP and "\t" not in code and all(len(row) <= _DEEP for row in code.split("\n"))


def _composes(code: str) -> bool:
    """Whether libyaml takes it, in a tenth of the time; what it refuses, and why, is for PyYAML's own parser to say."""
    try:
        for _ in yaml.compose_all(code, Loader=yaml.CBaseLoader):
            pass
    except (AttributeError, yaml.YAMLError):  # PyYAML may come without libyaml
        return False
    return True


def _mistaken_row(code: str, error: yaml.MarkedYAMLError) -> int:
    """The row of a mistake that PyYAML may notice rows later."""
    rows = code.split("\n")
    noticed, begun = (_row(code, mark) for mark in (error.problem_mark or error.context_mark, error.context_mark))
    what = error.context or ""
    if error.context_mark and ("simple key" in what or "quoted scalar" in what):
        return begun
    if error.context_mark and "flow" in what and not rows[begun].rstrip().endswith(("[", "{")):
        return begun
    return _scalar_start(rows, noticed) if "mapping values" in (error.problem or "") else noticed


def _row(code: str, mark: yaml.Mark | None) -> int:
    """The 0-based row of a mark; PyYAML itself counts line ends that are none in a note."""
    return code.count("\n", 0, mark.index) if mark else 0


def _scalar_start(rows: list[str], noticed: int) -> int:
    """The first row of the plain scalar that swallowed this row's key: `kind:Name` or `kind Name`."""
    column, start = len(rows[noticed]) - len(_ITEM.sub("", rows[noticed])), noticed
    for row in range(noticed - 1, -1, -1):
        key = _ITEM.sub("", rows[row])
        if not key or key.startswith("#") or ": " in key or key.rstrip().endswith(":"):
            break
        if len(rows[row]) - len(key) == column or _KEY_WITHOUT_BLANK.match(key):
            start = row
        if rows[row].lstrip().startswith("- "):
            break
    return start
