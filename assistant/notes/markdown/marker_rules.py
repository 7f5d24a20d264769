"""markdown-it's block rules for markers: only where a block may begin, so never in a fence or in indented code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock

from assistant.notes.markdown import markers
from assistant.notes.markdown.markers import Marker

_FIRST = frozenset("!?=:[{-<ie")
"""What a marker can begin with."""
_INTERRUPTS = ["paragraph", "reference", "blockquote", "list"]


def add_to(parser: MarkdownIt) -> None:
    """Tokens `marker` (lines of their own) and `marker_open`/`marker_close` (around what is indented below them); a
    token's `info` is the title, its `meta` the names of what it opens and closes."""
    parser.block.ruler.before("table", "marker", _rule, {"alt": _INTERRUPTS})


def _rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    position, last = state.bMarks[start] + state.tShift[start], state.eMarks[start]
    if position >= last or state.src[position] not in _FIRST or last - position > markers.MAX_CHARACTERS:
        return False
    text = state.src[position:last]
    around = markers.container(text)
    if state.is_code_block(start) and not (around and state.level):  # in an item its author only indented too far
        return False
    if around is not None:
        if not silent:
            _read_inside(state, start, end, around)
        return True
    found = markers.single(text) or _of_lines(state, start, end, text, silent)
    if found is None:
        return False
    if not silent:
        _push(state, "marker", 0, start, found)
        state.line = start + found.lines
    return True


def _of_lines(state: StateBlock, start: int, end: int, text: str, silent: bool) -> Marker | None:
    """A marker that may go on for some lines; one that interrupts a paragraph has to be beyond doubt."""
    if text.startswith("[!"):
        begins = bool(state.tokens) and state.tokens[-1].type == "blockquote_open"
        return markers.alert(text) if begins else None
    read = markers.reader(text)
    if read is None:
        return None
    if read is markers.component and silent and not text.startswith("</"):
        return None
    if read is markers.module and (silent or state.level or state.sCount[start]):
        return None
    return read([text, *_following(state, start, end)])


def _following(state: StateBlock, start: int, end: int) -> Iterator[str]:
    """The lines below up to a blank one or the end of what is around, as many as a marker may have."""
    for line in range(start + 1, min(end, start + markers.MAX_LINES)):
        if state.isEmpty(line) or state.sCount[line] < state.blkIndent:
            return
        yield state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]][: markers.MAX_CHARACTERS]


def _read_inside(state: StateBlock, start: int, end: int, marker: Marker) -> None:
    """Read what is indented by four columns below the marker as blocks of its own."""
    indent, stop = state.sCount[start] + 4, start + 1
    for line in range(start + 1, end):
        if not state.isEmpty(line):
            if state.sCount[line] < indent:
                break
            stop = line + 1
    before = state.lineMax, state.blkIndent, state.parentType
    _push(state, "marker_open", 1, start, marker)
    state.lineMax, state.blkIndent, state.parentType = stop, indent, "root"
    state.md.block.tokenize(state, start + 1, stop)
    state.lineMax, state.blkIndent, state.parentType = before
    state.push("marker_close", "", -1)
    state.line = stop


def _push(state: StateBlock, kind: str, nesting: Literal[0, 1], start: int, marker: Marker) -> None:
    token = state.push(kind, "", nesting)
    token.block, token.map = True, [start, start + marker.lines]
    token.info, token.meta = marker.title, {"opens": marker.opens, "closes": marker.closes}
