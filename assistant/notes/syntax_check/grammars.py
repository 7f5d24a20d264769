"""Terraform and Bash, by tree-sitter's grammars, with the row where the author went wrong."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from assistant.notes.syntax_check.mistake import Fragment, Mistake

if TYPE_CHECKING:
    import tree_sitter

_HCL_CLOSERS = {"quoted_template_end": '"', "heredoc_identifier": "", "identifier": "", "<<": "", "<<-": ""}
"""What the grammar calls a token, as it is written; "" where it is only the grammar's guess."""
_CLOSERS = dict(
    pair.split()
    for pair in (
        *("( )", "$( )", "(( ))", "{ }", "${ }", "[ ]", "[[ ]]", '" "', "` `"),
        *("if fi", "case esac", "for done", "while done", "until done", "select done"),
    )
)
"""What opens something in Bash → what closes it."""
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


def check_terraform(code: str) -> Mistake | None:
    """The first mistake of Terraform's grammar, by tree-sitter; Fragment for commands."""
    if "=" not in code and "{" not in code:
        raise Fragment  # commands
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


def check_bash(code: str) -> Mistake | None:
    """The first mistake of Bash's grammar, by tree-sitter; Fragment for what a terminal printed."""
    import tree_sitter_bash

    root = _parsed(code.rstrip("\\\n "), tree_sitter_bash.language())
    if root.has_error and _OUTPUT.search(code):
        raise Fragment  # the grammar takes most output for commands: what it says of the rest is luck
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
