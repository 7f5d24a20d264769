"""Python and JSON, by the parsers of the standard library."""

from __future__ import annotations

import ast
import json
import re
import warnings

from assistant.notes.syntax_check.mistake import Fragment, Mistake

_LINE_NUMBER = re.compile(r"\bline (\d+)")
_NOTEBOOK = re.compile(r"^[ \t]*[!%]{1,2}[A-Za-z]", re.MULTILINE)


def check_python(code: str) -> Mistake | None:
    """What Python's own compiler says; Fragment for notebooks and bodies left out."""
    if _NOTEBOOK.search(code):
        raise Fragment
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(code, "<fence>", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except IndentationError as error:
        opened = _LINE_NUMBER.search(error.msg)
        if error.msg.startswith("expected an indented block") and opened and not _code_after(code, int(opened[1])):
            raise Fragment from None  # its body was left out
        return (error.lineno or 1) - 1, error.msg
    except SyntaxError as error:
        return (error.lineno or 1) - 1, re.sub(r" \(detected at line \d+\)", "", error.msg)
    return None


def _code_after(code: str, row: int) -> bool:
    """Whether anything but blanks and comments stands on this 0-based row or below."""
    return any(text.strip() and not text.lstrip().startswith("#") for text in code.split("\n")[row:])


def check_json(code: str) -> Mistake | None:
    """What the standard library's decoder says; Fragment where there are comments."""
    if re.search(r"^\s*(?://|#|/\*)|[,\[{]\s*(?://|#|/\*)", code, re.MULTILINE):
        raise Fragment
    try:
        json.loads(code)
    except json.JSONDecodeError as error:
        return error.lineno - 1, error.msg
    return None
