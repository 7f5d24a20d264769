"""A fenced block → its language, the names in it that a reader would ask for, and where it does not parse."""

from __future__ import annotations

import ast
import json
import re
import textwrap
import warnings
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from assistant.records import LineNumber, Problem

if TYPE_CHECKING:
    import tree_sitter
    import yaml

VERSION = 2
"""Raised when `problems` or `names` would say something else of the same fence."""

LIMIT, LINE_LIMIT, DEPTH_LIMIT = 10_000, 2_000, 64
"""Most characters, characters of a line and open brackets of a fence that is checked: parsers can be quadratic."""

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
    | \{\{.{0,200}?\}\} | \{%.{0,200}?%\} | --8<--                # templates and included files
    | (?:^|[\s\[{(,])(?:\.\.\.|…)(?:$|[\s\]}),])      # something left out
    | ^[ \t]*(?:\$|>|>>>|%|In\ \[\d+\]:)(?:[ \t]|$)   # prompts
    | ^[\w.~-]{1,40}@[\w.~-]{1,80}[^\n$\#]{0,80}[$\#][ \t]
    """,
    re.VERBOSE | re.MULTILINE,
)

_BRACKET = re.compile(r"[()\[\]{}]")
_LINE = re.compile(r"\bline (\d+)")
_NOTEBOOK = re.compile(r"^[ \t]*[!%]{1,2}[A-Za-z]", re.MULTILINE)
_HEREDOC = re.compile(r"<<-?[ \t]*['\"]?[A-Za-z_]\w*['\"]?[ \t]*$", re.MULTILINE)
_ITEM = re.compile(r"^ *(?:- +)*")
_KEY_WITHOUT_BLANK = re.compile(r"[\w.-]+:(?!//)\S")
# How rows of output, tables, logs and drawings begin, and commands do not.
_OUTPUT = re.compile(
    r"""^(?:
      [^\w\s.~/$"'`#()\[{}!:&|;<>\\-]                # symbols, percentages, emoji
    | //|\||\+|<|-{3,}|\{"|\[\W?\d|\d|-+\+
    | [A-Z][\w/-]*(?:[ ][\w/()-]+){0,3}[:,](?:\s|$)   # Name: value
    | [A-Z]+:                                          # INFO:
    | [A-Z][A-Z()_-]*(?:[ ]{2,}[A-Z][A-Z()_-]*)+       # NAME   READY
    | [a-z]+[ ]-[ ]
    )""",
    re.VERBOSE | re.MULTILINE,
)


def language(info: str) -> str:
    """The canonical name of an info string's language; an unknown word itself in lower case, "" for none."""
    word = _word(info)
    return _ALIASES.get(word, word)


def problems(code: str, info: str, first_line: LineNumber) -> tuple[Problem, ...] | None:
    """The first place where a fence does not parse, () where it does; None where it was not checked.

    Not checked are languages without a parser, placeholders, prompts, transcripts, fragments, and what is over a limit.
    """
    check = _CHECKS.get(language(info))
    if check is None or _word(info) in _TRANSCRIPTS or _unlikely(code) or _PLACEHOLDER.search(code):
        return None
    try:
        found = check(textwrap.dedent(code))
    except Exception:  # noqa: BLE001 - a fragment, or a parser's own limit or slip: it says nothing about the code
        return None
    if found is None:
        return ()
    row, message = found
    last = max(len(code.rstrip("\n").split("\n")) - 1, 0)
    line = LineNumber(first_line + min(max(row, 0), last))
    return (Problem(line, _LINE.sub(lambda match: f"line {int(match[1]) + first_line - 1}", message)),)


def _unlikely(code: str) -> bool:
    """Whether it is so long, or so deeply nested, that only a machine or an attacker writes it."""
    if len(code) > LIMIT or max(map(len, code.split("\n"))) > LINE_LIMIT:
        return True
    depth = 0
    for bracket in _BRACKET.findall(code):
        depth += 1 if bracket in "([{" else -1
        if depth > DEPTH_LIMIT:
            return True
    return False


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


# A check takes dedented code and gives the 0-based row and the message of the first mistake, None where it parses;
# it raises where the code cannot be judged.
_Mistake = tuple[int, str] | None


class _Fragment(Exception):
    """Code that was never meant to stand alone."""


def _python(code: str) -> _Mistake:
    if _NOTEBOOK.search(code):
        raise _Fragment
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(code, "<fence>", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except IndentationError as error:
        opened = _LINE.search(error.msg)
        if error.msg.startswith("expected an indented block") and opened and not _code_after(code, int(opened[1])):
            raise _Fragment from None  # its body was left out
        return (error.lineno or 1) - 1, error.msg
    except SyntaxError as error:
        return (error.lineno or 1) - 1, re.sub(r" \(detected at line \d+\)", "", error.msg)
    return None


def _code_after(code: str, row: int) -> bool:
    """Whether anything but blanks and comments stands on this 0-based row or below."""
    return any(text.strip() and not text.lstrip().startswith("#") for text in code.split("\n")[row:])


def _json(code: str) -> _Mistake:
    if re.search(r"^\s*(?://|#|/\*)|[,\[{]\s*(?://|#|/\*)", code, re.MULTILINE):
        raise _Fragment
    try:
        json.loads(code)
    except json.JSONDecodeError as error:
        return error.lineno - 1, error.msg
    return None


def _yaml(code: str) -> _Mistake:
    import yaml

    if _HEREDOC.search(code):
        raise _Fragment  # a command that pipes YAML into something
    try:
        if _flat(code) and _composes(code):
            return None
        for _ in yaml.compose_all(code, Loader=yaml.BaseLoader):
            pass
    except yaml.MarkedYAMLError as error:
        if code.lstrip("\n").startswith(" "):
            raise _Fragment from None  # cut from the middle: its first row is deeper than a later one
        return _mistaken_row(code, error), str(error.problem or error.context)
    except yaml.reader.ReaderError as error:
        return code[: error.position].count("\n"), f"character U+{error.character:04X} is not allowed"
    return None


def _flat(code: str) -> bool:
    """Whether libyaml may be asked: nothing is so deep that it could leave the stack, and no tab that it lets pass."""
    brackets = code.count("[") + code.count("{")
    return brackets <= _DEEP and "\t" not in code and all(len(row) <= _DEEP for row in code.split("\n"))


_DEEP = 200


def _composes(code: str) -> bool:
    """Whether libyaml takes it, in a tenth of the time; what it refuses, and why, is for PyYAML's own parser to say."""
    import yaml

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
    """Of a mark, whose own count takes more characters for line ends than a note does."""
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


def _terraform(code: str) -> _Mistake:
    if "=" not in code and "{" not in code:
        raise _Fragment  # commands
    import tree_sitter_hcl

    mistake = _first_mistake(_parsed(code, tree_sitter_hcl.language()))
    if mistake is None:
        return None
    if mistake.is_error:
        inside = _first_mistake(*mistake.children)
        if inside is None:
            return _behind_bodies(mistake), "not a complete block or attribute"
        mistake = inside
    closer = _HCL_CLOSERS.get(mistake.type, mistake.type)
    return _opening_row(mistake), f"{closer!r} is missing" if closer else "not a complete value"


_HCL_CLOSERS = {"quoted_template_end": '"', "heredoc_identifier": "", "identifier": "", "<<": "", "<<-": ""}
"""What the grammar calls a token, as it is written; "" where it is only the grammar's guess."""


def _opening_row(missing: tree_sitter.Node) -> int:
    """The row of what a missing token should close: the grammar puts it rows later, each alone in nodes of its own."""
    around = missing.parent
    while around is not None and around.start_byte == missing.start_byte:
        around = around.parent
    return (missing if around is None or around.is_error else around).start_point.row


def _behind_bodies(error: tree_sitter.Node) -> int:
    """The row of what stands behind the sound lines of an erroneous run, else its first row."""
    for before, node in pairwise(error.children):
        if before.type == "body":
            return node.start_point.row
    return error.start_point.row


def _bash(code: str) -> _Mistake:
    import tree_sitter_bash

    root = _parsed(code.rstrip("\\\n "), tree_sitter_bash.language())
    if root.has_error and _OUTPUT.search(code):
        raise _Fragment  # the grammar takes most output for commands: what it says of the rest is luck
    mistake = _first_mistake(root)
    if mistake is None:
        return None
    if mistake.is_error:
        return _left_open(mistake), "not a complete command"
    return (mistake.parent or mistake).start_point.row, f"{mistake.type.replace('_', ' ')!r} is missing"


def _parsed(code: str, grammar: object) -> tree_sitter.Node:
    import tree_sitter

    parser = tree_sitter.Parser(tree_sitter.Language(grammar))
    return parser.parse(code.encode("utf-8", "replace")).root_node


def _first_mistake(*nodes: tree_sitter.Node) -> tree_sitter.Node | None:
    """The first node below, in the order of the text, that is an error or was put in to make the rest parse."""
    waiting = list(reversed(nodes))
    while waiting:
        node = waiting.pop()
        if node.is_missing or node.is_error:
            return node
        if node.has_error:
            waiting.extend(reversed(node.children))
    return None


def _left_open(error: tree_sitter.Node) -> int:
    """The row of the last thing an erroneous run opens and does not close, else its first row."""
    opened: list[tree_sitter.Node] = []
    for child in error.children:
        if opened and child.type == _CLOSERS[opened[-1].type]:
            opened.pop()
        elif child.type in _CLOSERS:
            opened.append(child)
    return (opened[-1] if opened else error).start_point.row


_CLOSERS = dict(
    pair.split()
    for pair in (
        *("( )", "$( )", "(( ))", "{ }", "${ }", "[ ]", "[[ ]]", '" "', "` `"),
        *("if fi", "case esac", "for done", "while done", "until done", "select done"),
    )
)

_CHECKS: dict[str, Callable[[str], _Mistake]] = {
    "python": _python,
    "json": _json,
    "yaml": _yaml,
    "terraform": _terraform,
    "bash": _bash,
}

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
