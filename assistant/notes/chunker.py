"""A note's outline → passages: the small units that are found and quoted.

Notes are mostly lists and code, so a passage is one item, pair, row, tree line or commented step, and each carries its
heading path and the label above it into what is embedded (decision 1 of the design).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from assistant.notes import languages, syntax_check
from assistant.records import Block, LineNumber, Note, Outline, Passage, PassageKind, Section

VERSION = 2
"""Raise it when any passage of an unchanged note would come out differently."""

_LABEL_WORDS = 9
_NAME_WORDS = 6
_STEP_LINES = 14
_TREE = re.compile(r"[├└│┌┐┘┬┴┼─↓↑▼▲→←⇒]|(?:^|\s)(?:\|--|\+--|`--|\\--|->|-->|=>)(?:\s|$)")
_TREE_MARKS = re.compile(r"^[\s├└│┌┐┘┬┴┼─↓↑▼▲|`+\\>-]+")
_COMMENT = re.compile(
    r"^\s*(?:#+(?!!)|//+|--(?=\s)|;+(?=\s)|/\*+|\*(?=\s)|<!--|%+(?=\s)|REM\s)\s*(.*?)\s*(?:\*/|-->)?\s*$"
)
_TRAILING = re.compile(r"^(?P<code>.*\S)\s+(?:#|//)\s+(?P<comment>\S.*)$")
_QUESTION = re.compile(r"^\W*(?:Q|Question)\s*\d*\s*[:.)]\s*", re.IGNORECASE)
_REPLY = re.compile(r"^\W*(?:A|Answer)\s*[:.)]\s*", re.IGNORECASE)
NAMED = re.compile(r"^(?P<name>[^\s:][^:]{0,60}?)\s*(?::|\s[–—-])\s+(?P<rest>\S.*)$", re.DOTALL)
_POINTER = re.compile(r"^[\s>*+\d.)-]*(?:\*\*|__)?!?\[[^\]]*\]\((?!#)[^)]*\)")


def passages(outline: Outline, note: Note) -> tuple[Passage, ...]:
    """Every passage of the note, by first line, wider before narrower; none for a table of contents or front matter."""
    found = [p for s in outline.sections for p in _Reader(outline, note, s).read()]
    found.sort(key=lambda p: (p.start, -p.end))
    return tuple(found)


def embedded(passage: Passage) -> str:
    """The text a passage is embedded as: headings below the title, label, then its own words."""
    head = [h for h in passage.heading_path[1:] if h] or ([passage.heading_path[0]] if passage.titled else [])
    if passage.kind == "heading":
        return " > ".join(head)
    label = f" - {passage.label}" if passage.label and passage.label not in head else ""
    return f"{' > '.join(head)}{label}: {passage.text}" if head or label else passage.text


class _Reader:
    """Walks one section's blocks once, with the label in force."""

    def __init__(self, outline: Outline, note: Note, section: Section) -> None:
        self.outline, self.note, self.section = outline, note, section
        self.labels: dict[int | None, str] = {}
        self.intro = ""

    def read(self) -> Iterator[Passage]:
        blocks = self.section.blocks
        skip = -1
        for position, block in enumerate(blocks):
            if position <= skip or block.contents or block.kind in ("rule", "front_matter", "reference"):
                continue
            label = self._label(block)
            if block.kind == "heading":
                yield self._passage(block, "heading", block.plain, "")
            elif block.kind == "fence":
                yield from self._fence(block, label or self.intro)
            elif block.kind == "code":
                yield self._passage(block, "code", block.plain, label)
            elif block.kind == "row":
                yield from self._row(block, label)
            elif block.kind in ("paragraph", "item", "html") and block.plain.strip():
                pair = self._pair(position)
                if pair is not None:
                    yield pair
                    skip = position + (1 if pair.end > block.end else 0)
                else:
                    yield from self._prose(block, label)
            self._remember(position, block)

    def _label(self, block: Block) -> str:
        """The parent item's words, else the label in force at this depth, else a heading that asks."""
        if block.parent is not None:
            return self.labels.get(block.parent, "")
        return self.labels.get(None, "")

    def _remember(self, position: int, block: Block) -> None:
        self.intro = ""
        if block.kind == "item":
            own = NAMED.match(block.plain)
            self.labels[position] = _short(block.lead.rstrip(": ") or (own["name"] if own else block.plain))
        if block.kind == "paragraph":
            if is_label(block):
                self.labels[block.parent] = block.plain.strip().rstrip(":：").strip()
            elif block.plain.rstrip().endswith(":"):
                self.intro = _short(re.split(r"(?<=[.!?])\s+", block.plain.strip())[-1].rstrip(":"))

    def _passage(self, block: Block, kind: PassageKind, text: str, label: str) -> Passage:
        return self._at(kind, text, label, block.start, block.end)

    def _at(self, kind: PassageKind, text: str, label: str, start: int, end: int) -> Passage:
        section = self.section
        return Passage(
            path=self.note.path,
            heading_path=section.heading_path,
            anchor=section.anchor,
            kind=kind,
            label=label,
            start=LineNumber(start),
            end=LineNumber(end),
            text=" ".join(text.split()) if kind not in ("fence", "code", "step") else text,
            titled=self.outline.titled,
        )

    def _line(self, number: int) -> str:
        return self.note.lines[number - 1]

    # ---- prose

    def _pair(self, position: int) -> Passage | None:
        """A question with its answer: `Q:`/`A:` in one block or two, or a heading that asks with its first block."""
        blocks, block = self.section.blocks, self.section.blocks[position]
        following = blocks[position + 1] if position + 1 < len(blocks) else None
        if _QUESTION.match(block.plain):
            asked = next((n for n in range(block.start, block.end + 1) if _REPLY.match(self._line(n))), None)
            if asked is not None:
                return self._passage(block, "pair", block.plain, "")
            if following is not None and _REPLY.match(following.plain):
                return self._at("pair", f"{block.plain} {following.plain}", "", block.start, following.end)
        before = blocks[position - 1] if position else None
        if before is not None and before.kind == "heading" and before.plain.rstrip().endswith("?"):
            return self._at("pair", f"{before.plain} {block.plain}", "", before.start, block.end)
        return None

    def _prose(self, block: Block, label: str) -> Iterator[Passage]:
        if is_label(block):
            yield self._passage(block, "label", block.plain.strip().rstrip(":：").strip(), "")
            return
        lines = [n for n in range(block.start, block.end + 1) if self._line(n).strip()]
        if block.kind == "paragraph" and len(lines) > 1 and all(_opens_bold(self._line(n)) for n in lines):
            for number in lines:
                text = unmarked(self._line(number))
                yield self._at(self._kind(block, self._line(number), text), text, label, number, number)
            return
        yield self._passage(block, self._kind(block, self._line(block.start), block.plain), block.plain, label)

    def _kind(self, block: Block, line: str, text: str) -> PassageKind:
        if _POINTER.match(line):
            return "pointer"
        named = NAMED.match(text)
        if named and len(named["name"].split()) <= _NAME_WORDS:
            return "definition"
        return "item" if block.kind == "item" else "paragraph"

    def _row(self, block: Block, label: str) -> Iterator[Passage]:
        if block.cells == block.header or not any(c.strip() for c in block.cells):
            return
        columns = (*block.header, *[""] * len(block.cells))
        text = "; ".join(
            f"{h}: {c}" if h and i else c
            for i, (h, c) in enumerate(zip(columns, block.cells, strict=False))
            if c.strip()
        )
        yield self._passage(block, "row", text, label)

    # ---- code

    def _fence(self, block: Block, label: str) -> Iterator[Passage]:
        if block.body is None or not block.plain.strip():
            return
        first, last = block.body
        inside = [self._line(n) for n in range(first, last + 1)]
        language = languages.language(block.info)
        whole = replace(
            self._at("fence", block.plain, label, first, last),
            fence=(first, last),
            info=block.info,
            problems=syntax_check.problems(block.plain, block.info, first),
        )
        yield whole
        drawn = language in ("", "text", "mermaid", "plaintext", "txt", "plain", "ascii") and any(
            map(_TREE.search, inside)
        )
        parts = _tree(inside, first) if drawn else _steps(inside, first)
        for kind, text, above, start, end in parts:
            if kind == "step" and (start, end) == (first, last):
                text = text[:1000]
            shown = f"{label}, {above}" if label and above else label or above
            yield replace(self._at(kind, text, shown, start, end), fence=(first, last), info=block.info)


def is_label(block: Block) -> bool:
    """Whether a paragraph is one bold run, with or without a colon, that introduces what follows."""
    text = block.plain.strip()
    bare = text.rstrip(":： ")
    return bool(
        block.kind == "paragraph"
        and block.lead
        and block.lead.rstrip(":： ") == bare
        and len(bare.split()) <= _LABEL_WORDS
    )


def unmarked(line: str) -> str:
    """One line without list marks, emphasis and link targets."""
    text = re.sub(r"^\s*(?:[-*+>]\s+|\d+[.)]\s+)*", "", line)
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return re.sub(r"(\*\*|__|`)", "", text).strip()


def _opens_bold(line: str) -> bool:
    return line.lstrip().startswith(("**", "__"))


def _short(text: str) -> str:
    return " ".join(text.split()[:_LABEL_WORDS])


_Part = tuple[PassageKind, str, str, int, int]


def _tree(lines: list[str], first: int) -> Iterator[_Part]:
    """One passage a drawn line that says something; branches carry the line they hang from."""
    above = ""
    for offset, line in enumerate(lines):
        branch = bool(re.match(r"^[\s│|]*(?:[├└]|\|--|\+--|`--)", line))
        text = _TREE_MARKS.sub("", line).strip()
        if not re.search(r"\w", text):
            continue
        if not branch:
            above = text.rstrip(":").strip()
        yield "tree", text, above if branch else "", first + offset, first + offset


def _steps(lines: list[str], first: int) -> Iterator[_Part]:
    """Commented steps, each with its code; lines with a trailing comment; runs between blank lines where nothing
    is commented.
    """
    offset, commented = 0, False
    while offset < len(lines):
        if _comment(lines[offset]):
            end = offset
            while end + 1 < len(lines) and _comment(lines[end + 1]):
                end += 1
            notes = [_comment(lines[n]) for n in range(offset, end + 1)]
            body_end = end
            while (
                body_end + 1 < len(lines)
                and lines[body_end + 1].strip()
                and not _comment(lines[body_end + 1])
                and not _breaks(lines[body_end + 1])
            ):
                body_end += 1
            if end > offset:
                yield from (
                    ("code", note, "", first + offset + n, first + offset + n) for n, note in enumerate(notes) if note
                )
            code = "\n".join(lines[end + 1 : min(body_end, end + _STEP_LINES) + 1])
            yield "step", f"{' '.join(n for n in notes if n)}\n{code}".strip(), "", first + offset, first + body_end
            offset, commented = end + 1, True
        else:
            trailing = _TRAILING.match(lines[offset])
            if trailing:
                yield "code", f"{trailing['code'].strip()} {trailing['comment']}", "", first + offset, first + offset
            offset += 1
    if not commented:
        yield from _runs(lines, first)


def _runs(lines: list[str], first: int) -> Iterator[_Part]:
    start = 0
    runs = []
    for offset in range(len(lines) + 1):
        if offset == len(lines) or not lines[offset].strip() or _breaks(lines[offset]):
            if offset > start:
                runs.append((start, offset - 1))
            start = offset + 1
    if len(runs) > 1:
        yield from (("code", "\n".join(lines[a : b + 1]), "", first + a, first + b) for a, b in runs)


def _comment(line: str) -> str:
    """The words of a line that is only a comment; "" for any other line, shebangs and bare marks included."""
    match = _COMMENT.match(line)
    return match[1] if match and re.search(r"\w", match[1]) else ""


def _breaks(line: str) -> bool:
    return line.strip() in ("---", "...", "***")
