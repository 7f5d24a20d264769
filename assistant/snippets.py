"""A fenced block → its language, the names in it that a reader would ask for, and where it does not parse."""

from __future__ import annotations

import ast
import json
import re
import textwrap
import warnings
from collections.abc import Callable, Iterator

from assistant.records import LineNumber, Problem

VERSION = 1
"""Raised when `problems` or `names` would say something else of the same fence."""

LIMIT = 20_000
"""Characters of a fence that are checked; a longer one is not (a few seconds is the longest that any parser takes)."""

_ALIASES = {
    alias: name
    for name, aliases in {
        "python": "py python3 py3 pycon ipython",
        "yaml": "yml",
        "terraform": "tf hcl",
        "bash": "sh shell zsh console shell-session shellsession sh-session bash-session terminal",
        "javascript": "js node mjs",
        "typescript": "ts",
        "go": "golang",
        "ruby": "rb",
        "rust": "rs",
        "cpp": "c++ cc cxx",
        "csharp": "c# cs",
        "markdown": "md",
        "dockerfile": "docker",
        "powershell": "ps1 pwsh",
        "kotlin": "kt",
        "makefile": "make mk",
        "protobuf": "proto",
        "text": "txt plain plaintext",
    }.items()
    for alias in aliases.split()
}
# Their fences show what a terminal showed, output and all.
_TRANSCRIPTS = frozenset(
    ("console", "shell-session", "shellsession", "sh-session", "bash-session", "terminal", "pycon", "ipython")
)
_PLACEHOLDER = re.compile(
    r"""
      (?<!<)<[A-Za-z](?:[^<>\n]{0,60}[^<>\s])?>        # <name>, but neither << nor a < b and c > d
    | \{\{.*?\}\} | \{%.*?%\} | --8<--                # templates and included files
    | (?:^|[\s\[{(,])(?:\.\.\.|…)(?:$|[\s\]}),])      # something left out
    | ^[ \t]*(?:\$|>|>>>|%|In\ \[\d+\]:)(?:[ \t]|$)   # prompts
    | ^[\w.~-]+@[\w.~-]+[^\n$\#]{0,60}[$\#][ \t]
    """,
    re.VERBOSE | re.MULTILINE,
)


def language(info: str) -> str:
    """The canonical name of an info string's language; an unknown word itself in lower case, "" for none."""
    word = _word(info)
    return _ALIASES.get(word, word)


def problems(code: str, info: str, first_line: LineNumber) -> tuple[Problem, ...] | None:
    """The first place where a fence does not parse, () where it does; None where it was not checked.

    Not checked are languages without a parser, placeholders, prompts, transcripts and more than `LIMIT` characters.
    """
    check = _CHECKS.get(language(info))
    if check is None or _word(info) in _TRANSCRIPTS or len(code) > LIMIT or _PLACEHOLDER.search(code):
        return None
    try:
        found = check(textwrap.dedent(code))
    except (RecursionError, MemoryError, ValueError, OverflowError):
        return None  # a parser's own limit says nothing about the code
    if found is None:
        return ()
    row, message = found
    last = max(len(code.rstrip("\n").split("\n")) - 1, 0)
    return (Problem(LineNumber(first_line + min(max(row, 0), last)), message),)


def names(code: str, info: str) -> tuple[tuple[str, int], ...]:
    """Identifiers that a reader would ask for, each with its 0-based line, in line order, no pair twice."""
    shell = language(info) == "bash"
    found: dict[tuple[str, int], None] = {}
    for row, text in enumerate(code.split("\n")):
        for name in _names_of_line(text[:500], shell):
            found[name, row] = None
    return tuple(found)


def _word(info: str) -> str:
    """First word of an info string less braces, dots and attributes, lower-cased."""
    for word in re.split(r"[\s{},;:]+", info):
        if word and "=" not in word and not word.startswith("#"):
            return word.lstrip(".").removeprefix("language-").lower()
    return ""


# A check takes dedented code and gives the 0-based row and the message of the first mistake, None where it parses.
_Mistake = tuple[int, str] | None


def _python(code: str) -> _Mistake:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(code, "<fence>", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except SyntaxError as error:
        return (error.lineno or 1) - 1, error.msg
    return None


def _json(code: str) -> _Mistake:
    if re.search(r"^\s*(?://|#|/\*)|[,\[{]\s*(?://|#)", code, re.MULTILINE):
        return None
    try:
        json.loads(code)
    except json.JSONDecodeError as error:
        return error.lineno - 1, error.msg
    return None


def _yaml(code: str) -> _Mistake:
    import yaml

    try:
        for _ in yaml.compose_all(code, Loader=yaml.BaseLoader):
            pass
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        return (0 if mark is None else _mistaken_row(code, error)), str(error.problem or error.context)
    except yaml.YAMLError as error:  # a character that YAML forbids
        return 0, str(error).split("\n")[0]
    return None


_KEY_WITHOUT_BLANK = re.compile(r"\s*(?:- +)*[\w.-]+:(?!//)\S")


def _mistaken_row(code: str, error: object) -> int:
    """The row of a mistake that PyYAML notices one or more rows later."""
    problem, context = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    rows = code.split("\n")
    noticed: int = (problem or context).line
    began: int = context.line if context else noticed
    what = getattr(error, "context", None) or ""
    if "simple key" in what or "quoted scalar" in what:
        return began
    if "flow" in what and not rows[began].rstrip().endswith(("[", "{")):
        return began
    # `kind:Name` swallows the rows up to the next key: look back over the rows that one plain scalar may hold.
    for row in range(min(noticed, len(rows)) - 1, max(noticed - 20, -1), -1):
        if _KEY_WITHOUT_BLANK.match(rows[row]):
            return row
        if ": " in rows[row] or rows[row].rstrip().endswith(":"):
            break
    return noticed


def _terraform(code: str) -> _Mistake:
    import hcl2
    from lark.exceptions import LarkError

    try:
        hcl2.parses_to_tree(code)
    except LarkError as error:
        row = getattr(error, "line", 1)
        return (row if isinstance(row, int) and row > 0 else code.count("\n") + 1) - 1, str(error).split("\n")[0]
    return None


def _bash(code: str) -> _Mistake:
    import tree_sitter
    import tree_sitter_bash

    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_bash.language()))
    root = parser.parse(code.encode("utf-8", "replace")).root_node
    node, waiting = root, [root] if root.has_error else []
    while waiting:
        node = waiting.pop()
        if node.is_missing:
            return node.start_point[0], f"{node.type} is missing"
        if node.is_error:
            return node.start_point[0], "this is not a command"
        waiting.extend(child for child in reversed(node.children) if child.has_error or child.is_missing)
    return None


_CHECKS: dict[str, Callable[[str], _Mistake]] = {
    "python": _python,
    "json": _json,
    "yaml": _yaml,
    "terraform": _terraform,
    "bash": _bash,
}

_COMMENT = re.compile(r"\s*(?:#|//|--|/?\*)")
_KIND = re.compile(r"""\s*(?:- +)*["']?kind["']?\s*[:=]\s*["']?([A-Z][\w.-]*)""")
_COMMENTED_KEY = re.compile(
    r"""\s*(?:(?:#|//)\s*)?(?:- +)*["']?([A-Za-z_][\w.-]*)["']?\s*(?::\s|=)\s*\S.*?\s(?:#|//)\s+\S"""
)
_RESOURCE = re.compile(r"""\s*(?:resource|data|module|provider)\s+"([\w.-]+)\"""")
_DEFINED = re.compile(
    r"\b(?:def|class|func(?:tion)?|fn|interface|struct|enum|trait|record|message|service|rpc|proc)\s+"
    r"(?:\([^)]*\)\s*)?([A-Za-z_]\w*)\s*(?=[({:<]|extends|implements|$)"
)
_SHELL_FUNCTION = re.compile(r"\s*([A-Za-z_][\w-]*)\s*\(\)\s*\{")
_CALLED = re.compile(r"\b([A-Z]\w*[a-z]\w*)(?=\(|\.\w+\()|\bnew\s+(?:\w+\.)*([A-Z]\w*)")
_FROM_IMPORT = re.compile(
    r"\s*(?:from\s+\S+\s+import|import(?:\s+type)?)\s+\(?\{?([^'\"]*?)\}?\)?\s*(?:from\s.*)?;?\s*$"
)
_COMMAND = re.compile(r"\s*(?:sudo\s+)?([a-z][\w.-]*(?:\s+[a-z][a-z-]*[a-z](?![\w./=:@$-])){1,2})")


def _names_of_line(text: str, shell: bool) -> Iterator[str]:
    if match := _COMMENTED_KEY.match(text):
        yield match[1]
    if _COMMENT.match(text):
        return
    for pattern in (_KIND, _RESOURCE, _SHELL_FUNCTION):
        if match := pattern.match(text):
            yield match[1]
    for match in _DEFINED.finditer(text):
        yield match[1]
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
