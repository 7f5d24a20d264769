"""A fenced block → the first line that does not parse."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from functools import cache

from assistant.notes import languages
from assistant.notes.syntax_check.mistake import Check
from assistant.records import LineNumber, Problem

VERSION = 2
"""Raise it when the language, the problems or the identifiers of an unchanged fence would come out differently."""

LIMIT, LINE_LIMIT, DEPTH_LIMIT = 10_000, 2_000, 64
"""Most characters, characters of a line and open brackets of a fence that is checked: parsers can be quadratic."""

_PLACEHOLDER = re.compile(
    r"""
      (?<!<)<[A-Za-z](?:[^<>\n]{0,60}[^<>\s])?>        # <name>, but neither << nor a < b and c > d
    | \{\{.{0,200}?\}\} | \{%.{0,200}?%\} | --8<--                # templates and included files
    | (?:^|[\s\[{(,])(?:\.\.\.|…)(?:$|[\s\]}),])      # something left out
    | ^[ \t]*(?:\$|>|>>>|%|In\ \[\d+\]:)(?:[ \t]|$)   # prompts
    | ^[\w.~-]{1,40}@[\w.~-]{1,80}[^\n$\#]{0,80}[$\#][ \t]
    """,
    re.VERBOSE | re.MULTILINE,
)
_BRACKET = re.compile(r"[()\[\]{}]")
_LINE_NUMBER = re.compile(r"\bline (\d+)")


def problems(code: str, info: str, first_line: LineNumber) -> tuple[Problem, ...] | None:
    """The first place where a fence does not parse, () where it does; None where it was not checked.

    Not checked are languages without a parser, placeholders, prompts, transcripts, fragments, and what is over a limit.
    """
    check = _checks().get(languages.language(info))
    if check is None or languages.is_transcript(info) or _over_limit(code) or _PLACEHOLDER.search(code):
        return None
    try:
        mistake = check(textwrap.dedent(code))
    except Exception:  # noqa: BLE001 - a fragment, or a parser's own limit or slip: it says nothing about the code
        return None
    if mistake is None:
        return ()
    row, message = mistake
    last = max(len(code.rstrip("\n").split("\n")) - 1, 0)
    line = LineNumber(first_line + min(max(row, 0), last))
    return (Problem(line, _LINE_NUMBER.sub(lambda match: f"line {int(match[1]) + first_line - 1}", message)),)


@cache
def _checks() -> Mapping[str, Check]:
    """By language. Imported for the first fence: a question reads none."""
    from assistant.notes.syntax_check import grammars, python_json, yaml_check

    return {
        "python": python_json.check_python,
        "json": python_json.check_json,
        "yaml": yaml_check.check_yaml,
        "terraform": grammars.check_terraform,
        "bash": grammars.check_bash,
    }


def _over_limit(code: str) -> bool:
    """Whether it is so long, or so deeply nested, that only a machine or an attacker writes it."""
    if len(code) > LIMIT or max(map(len, code.split("\n"))) > LINE_LIMIT:
        return True
    depth = 0
    for bracket in _BRACKET.findall(code):
        depth += 1 if bracket in "([{" else -1
        if depth > DEPTH_LIMIT:
            return True
    return False
