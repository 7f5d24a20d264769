"""Turns → a Markdown file: questions as headings, quotes as quotes, snippets in fences, sources as links."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from assistant.errors import BadRequest
from assistant.records import Answer
from assistant.rendering.blocks import (
    CodeBlock,
    DisplayBlock,
    Nearest,
    OptionItem,
    Options,
    Question,
    RequirementItem,
    Requirements,
    Shortfall,
    Source,
    Sources,
    StatementItem,
    Statements,
    Understood,
    Verdict,
    arrange,
)
from assistant.rendering.display import AS_RECORDED, display_blocks
from assistant.text import sanitize
from assistant.tui.history.turn import Turn

_ORDER = (Shortfall, Verdict, Requirements, Options, Statements, CodeBlock, Nearest, Sources)
"""Of the blocks below the question."""
_MARKS = re.compile(r"([\\`*_\[\]<>#|~!&$])")
_LEAD = re.compile(r"^(\s*)([-+=]|\d+[.)])")


def markdown(turns: Iterable[Turn], folder: Path, title: str) -> str:
    """The whole file; links are relative to `folder`, in which it is to lie."""
    parts = [f"# {_escaped(title)}"]
    for turn in turns:
        if turn.answer is not None:
            parts += _turn(turn, turn.answer, folder)
    return "\n\n".join(parts) + "\n"


def save(path: Path, text: str, notes: Path | None) -> None:
    """Writes the whole file, then renames it, never over another one; BadRequest, also for a path inside `notes`, which
    is None where they are in no folder."""
    if _inside(path, notes):
        raise BadRequest("That is in the notes folder, where it would become a note.", "Choose another folder.")
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8")
        try:
            path.open("x").close()  # fails where the name is taken, which a rename alone would not
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except FileExistsError as error:
        raise BadRequest(f"{path.name} exists already.", "Choose another name.") from error
    except OSError as error:
        raise BadRequest(f"{path} cannot be written: {error.strerror}.", "Choose another folder.") from error


def takes_files(folder: Path, notes: Path | None) -> bool:
    """Whether `save` can write a file in the folder."""
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK) and not _inside(folder, notes)


def free_path(folder: Path, stem: str) -> Path:
    """A Markdown file in the folder that does not exist yet, numbered where it must be."""
    path = folder / f"{stem}.md"
    number = 2
    while os.path.lexists(path):  # a link that leads nowhere takes the name, too
        path = folder / f"{stem}-{number}.md"
        number += 1
    return path


def _inside(path: Path, notes: Path | None) -> bool:
    """Whether it is the notes folder or lies in it, links aside."""
    return notes is not None and Path(os.path.realpath(path)).is_relative_to(os.path.realpath(notes))


def _turn(turn: Turn, answer: Answer, folder: Path) -> Iterator[str]:
    """The paragraphs of one turn."""
    blocks = display_blocks(answer, AS_RECORDED)
    for block in arrange(blocks, (Question, Understood)):
        yield from _paragraphs(block, folder)
    if turn.under:
        yield f"Under: {_escaped(' › '.join(turn.under))}"
    for block in arrange(blocks, _ORDER):
        yield from _paragraphs(block, folder)


def _paragraphs(block: DisplayBlock, folder: Path) -> Iterator[str]:
    match block:
        case Question():
            yield f"## {_escaped(' '.join(block.text.split()))}"
        case Understood():
            yield f"Understood as: {_escaped(block.text)}"
        case Shortfall():
            if block.outcome == "not_in_notes":
                yield "**The notes do not answer this.**"
            if block.missing:
                yield f"The notes say nothing about: {_escaped(', '.join(block.missing))}"
        case Verdict(name):
            path = _escaped(" › ".join(name.heading_path))
            yield f"**{_escaped(name.name)}** ({name.strength}), {path}"
        case Requirements():
            yield "\n".join(map(_requirement, block.items))
        case Options():
            yield from map(_option, block.items)
        case Statements():
            yield from map(_statement, block.items)
        case CodeBlock():
            yield from _snippet(block)
        case Nearest() | Sources():
            heading = "Nearest headings" if isinstance(block, Nearest) else "Sources"
            yield f"{heading}:\n\n" + "\n".join(_source(one, folder) for one in block.items)


def _requirement(item: RequirementItem) -> str:
    supporters = ", ".join(f"{_escaped(one.name)} {_refs(one.citations)}" for one in item.supporters)
    support = supporters or ("in the notes" if item.supported else "not in the notes")
    return f"- {'✓' if item.supported else '✗'} {_escaped(item.text)}: {support}"


def _option(item: OptionItem) -> str:
    support = f"{item.support}, best" if item.best else item.support
    return f"{_escaped(item.label)}) {_escaped(item.text)} ({support}) {_refs(item.citations)}"


def _statement(item: StatementItem) -> str:
    quoted = "\n".join(f"> {_escaped(line)}" for line in item.text.split("\n"))
    return f"{quoted} {_refs(item.citations)}"


def _snippet(block: CodeBlock) -> Iterator[str]:
    runs = [len(run) for run in re.findall(r"`+", block.code)]
    mark = "`" * max(3, max(runs, default=0) + 1)
    language = re.sub(r"[^\w+#.-]", "", block.language)
    code = "\t".join(sanitize.block(part) for part in block.code.split("\t"))  # a Makefile needs its tabs
    yield f"{_escaped(block.caption or 'Snippet')} ({sanitize.line(block.syntax)}) [{block.citation}]"
    yield f"{mark}{language}\n{code}{'' if code.endswith(chr(10)) else chr(10)}{mark}"


def _source(source: Source, folder: Path) -> str:
    """A note is linked to where it has an address or is in a folder that is known."""
    place, path = f"{_escaped(source.path)}:{source.line}", _escaped(" › ".join(source.heading_path))
    if source.url or source.file != source.path:
        place = f"[{place}]({source.url or _relative(source, folder)})"
    return f"- \\[{source.number}\\] {place} {path}"


def _relative(source: Source, folder: Path) -> str:
    """The address of a source's file and heading, seen from the folder."""
    target = quote(Path(os.path.relpath(source.file, folder)).as_posix(), errors="surrogateescape")
    return target + (f"#{quote(source.anchor)}" if source.anchor else "")


def _refs(numbers: Sequence[int]) -> str:
    return " ".join(f"\\[{number}\\]" for number in numbers)


def _escaped(text: str) -> str:
    """Safe to show, and read back by a Markdown reader as the characters it is."""
    shown = _MARKS.sub(r"\\\1", sanitize.line(text))
    return _LEAD.sub(_escape_lead, shown)


def _escape_lead(lead: re.Match[str]) -> str:
    """What would open a list or underline a heading: the backslash goes before a mark, behind a number."""
    blank, mark = lead[1], lead[2]
    return f"{blank}{mark[:-1]}\\{mark[-1]}"
