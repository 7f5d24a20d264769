"""A note's outline → passages: the small units that are retrieved and quoted.

Notes are mostly lists and code, so a passage is one item, pair, row, drawn line or commented step. Its heading path and
the label above it are embedded with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from assistant.notes import languages, syntax_check
from assistant.notes.fence_parts import parts
from assistant.records import Block, LineNumber, Note, Outline, Passage, PassageKind, Section
from assistant.text.excerpts import sentences

VERSION = 6
"""Raise it when any passage of an unchanged note would come out differently."""

_LABEL_WORDS = 9
"""Most words of a label."""
_NAME_WORDS = 6
"""Most words of the name that a definition defines."""
_WHOLE_STEP = 1000
"""Characters of a step that is its whole fence, whose text is a passage of its own too."""
_QUESTION = re.compile(r"^\W*(?:Q|Question)\s*\d*\s*[:.)]\s*", re.IGNORECASE)
_REPLY = re.compile(r"^\W*(?:A|Answer)\s*[:.)]\s*", re.IGNORECASE)
DEFINITION = re.compile(r"^(?P<name>[^\s:][^:]{0,60}?)\s*(?::|\s[–—-])\s+(?P<rest>\S.*)$", re.DOTALL)
_POINTER = re.compile(r"^[\s>*+\d.)-]*(?:\*\*|__)?!?\[[^\]]*\]\((?!#)[^)]*\)[\s.:*_]*$")


def passages(outline: Outline, note: Note) -> tuple[Passage, ...]:
    """Every passage of the note, by first line, wider before narrower; none for a table of contents or front matter."""
    unordered = (passage for section in outline.sections for passage in _SectionChunker(outline, note, section).read())
    return tuple(sorted(unordered, key=lambda passage: (passage.start, -passage.end)))


def embedded(passage: Passage) -> str:
    """The text a passage is embedded as: headings below the title, label, then its own words."""
    head = [h for h in passage.heading_path[1:] if h] or ([passage.heading_path[0]] if passage.titled else [])
    if passage.kind == "heading":
        return " > ".join(head)
    label = f" - {passage.label}" if passage.label and passage.label not in head else ""
    return f"{' > '.join(head)}{label}: {passage.text}" if head or label else passage.text


class _SectionChunker:
    """Reads one section's blocks once, in order, and keeps the labels that hold for what follows."""

    def __init__(self, outline: Outline, note: Note, section: Section) -> None:
        self.outline, self.note, self.section = outline, note, section
        self.labels: dict[int | None, str] = {}
        """By the position of the item that contains a block; None for blocks outside items."""
        self.intro = ""
        """The sentence ending with a colon right before the next block."""
        self.titles: dict[int | None, str] = {}
        """By position: the title of an admonition or tab, until a label in it takes its place."""
        self.intros: dict[int | None, str] = {}
        """By the position of what contains them: the sentence right before a run of tabs."""

    def read(self) -> Iterator[Passage]:
        """The passages in the order of their blocks; those of one fence overlap."""
        blocks = self.section.blocks
        skip = -1
        for position, block in enumerate(blocks):
            if position <= skip or block.contents or block.kind in ("rule", "front_matter", "reference"):
                continue
            label = self._label(block)
            if block.kind == "heading":
                yield self._passage(block, "heading", block.plain, "")
            elif block.kind == "fence":
                yield from self._fence(block, label)
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

    def _remember(self, position: int, block: Block) -> None:
        """Keeps the words of an item, a label and a title for what stands below them."""
        if block.kind == "marker":
            self._open(position, block)
            return
        self.intro = ""
        self.intros.pop(block.parent, None)
        if block.kind == "item":
            own = DEFINITION.match(block.plain)
            self.labels[position] = _short(block.lead.rstrip(": ") or (own["name"] if own else block.plain))
        if block.kind == "paragraph":
            if _is_label(block):
                self.labels[block.parent] = block.plain.strip().rstrip(":：").strip()
                self.titles.pop(block.parent, None)
            elif block.plain.rstrip().endswith(":"):
                self.intro = _short(sentences(block.plain.strip())[-1].rstrip(":"))

    def _open(self, position: int, marker: Block) -> None:
        """Lets a title hold for what stands in its admonition or tab, behind the words that introduce it; what has no
        title leaves everything as it was."""
        outer = self.labels.get(marker.parent, "")
        if marker.plain:
            if self.intro:
                self.intros[marker.parent] = self.intro
            self.intro = ""
            self.titles[position] = title = _short(marker.plain)
            outer = outer.rstrip(".:： ") or self.intros.get(marker.parent, "")
            outer = f"{_short(outer)}, {title}" if outer else title
        self.labels[position] = outer

    def _label(self, block: Block) -> str:
        """The label that holds for a block; for a fence the sentence before it says more than what is around both."""
        label = self.labels.get(block.parent, "")
        if block.kind != "fence" or not self.intro:
            return label
        title = self.titles.get(block.parent)
        return f"{self.intro}, {title}" if title else label or self.intro

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

    def _pair(self, position: int) -> Passage | None:
        """A question with its answer: `Q:`/`A:` in one block or two, or a heading that asks with its first block."""
        blocks, block = self.section.blocks, self.section.blocks[position]
        following = blocks[position + 1] if position + 1 < len(blocks) else None
        if _QUESTION.match(block.plain):
            if any(_REPLY.match(self._line(number)) for number in range(block.start, block.end + 1)):
                return self._passage(block, "pair", block.plain, "")
            if following is not None and _REPLY.match(following.plain):
                return self._at("pair", f"{block.plain} {following.plain}", "", block.start, following.end)
        above = position - 1
        while above >= 0 and blocks[above].kind == "marker" and above != block.parent:
            above -= 1
        before = blocks[above] if above >= 0 else None
        if before is not None and before.kind == "heading" and before.plain.rstrip().endswith("?"):
            return self._at("pair", f"{before.plain} {block.plain}", "", before.start, block.end)
        return None

    def _prose(self, block: Block, label: str) -> Iterator[Passage]:
        if _is_label(block):
            yield self._passage(block, "label", block.plain.strip().rstrip(":：").strip(), "")
            return
        numbers = [number for number in range(block.start, block.end + 1) if self._line(number).strip()]
        if block.kind == "paragraph" and len(numbers) > 1 and all(_opens_bold(self._line(n)) for n in numbers):
            for number in numbers:
                text = _unmarked(self._line(number))
                yield self._at(self._kind(block, self._line(number), text), text, label, number, number)
            return
        yield self._passage(block, self._kind(block, self._line(block.start), block.plain), block.plain, label)

    def _kind(self, block: Block, line: str, text: str) -> PassageKind:
        if _POINTER.match(line):
            return "pointer"
        named = DEFINITION.match(text)
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

    def _fence(self, block: Block, label: str) -> Iterator[Passage]:
        if block.body is None or not block.plain.strip():
            return
        first, last = block.body
        lines = self.note.lines[first - 1 : last]
        yield replace(
            self._at("fence", block.plain, label, first, last),
            fence=(first, last),
            info=block.info,
            problems=syntax_check.problems(block.plain, block.info, first),
        )
        for part in parts(lines, languages.language(block.info)):
            start, end = first + part.first, first + part.last
            text = part.text[:_WHOLE_STEP] if part.kind == "step" and (start, end) == (first, last) else part.text
            both = f"{label}, {part.label}" if label and part.label else label or part.label
            yield replace(self._at(part.kind, text, both, start, end), fence=(first, last), info=block.info)


def _is_label(block: Block) -> bool:
    """Whether a paragraph is one bold run, with or without a colon, that introduces what follows."""
    text = block.plain.strip()
    bare = text.rstrip(":： ")
    return bool(
        block.kind == "paragraph"
        and block.lead
        and block.lead.rstrip(":： ") == bare
        and len(bare.split()) <= _LABEL_WORDS
    )


def _unmarked(line: str) -> str:
    """One line without list marks, emphasis, link targets and tags of templates."""
    text = re.sub(r"^\s*(?:[-*+>]\s+|\d+[.)]\s+)*", "", line)
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)(?:\{[^{}]*\})?", r"\1", re.sub(r"\{%[^{}]*%\}", "", text))
    return re.sub(r"(\*\*|__|`)", "", text).strip()


def _opens_bold(line: str) -> bool:
    return line.lstrip().startswith(("**", "__"))


def _short(text: str) -> str:
    return " ".join(text.split()[:_LABEL_WORDS])
