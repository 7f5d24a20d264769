"""Turns → a Markdown file: questions as headings, quotes as quotes, snippets in fences, sources as links."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import quote

from assistant.errors import BadRequest
from assistant.records import Answer, Citation, Snippet
from assistant.text import sanitize
from assistant.tui.cards.rows import confidence, state_of
from assistant.tui.turns import Turn

_MARKS = re.compile(r"([\\`*_\[\]<>#|~!&$])")
_LEADS = re.compile(r"^(\s*)([-+=]|\d+[.)])")


def markdown(turns: Iterable[Turn], folder: Path, title: str) -> str:
    """The whole file; links are relative to `folder`, in which it is to lie."""
    parts = [f"# {_escaped(title)}"]
    for turn in turns:
        if turn.answer is not None:
            parts += _turn(turn, turn.answer, folder)
    return "\n\n".join(parts) + "\n"


def save(path: Path, text: str, notes: Path) -> None:
    """Written whole, then renamed, never over another file; BadRequest."""
    real = Path(os.path.realpath(path))
    if real.is_relative_to(os.path.realpath(notes)):
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


def free(folder: Path, stem: str) -> Path:
    """A name in the folder that is not taken."""
    path = folder / f"{stem}.md"
    number = 2
    while path.exists():
        path = folder / f"{stem}-{number}.md"
        number += 1
    return path


def _turn(turn: Turn, answer: Answer, folder: Path) -> list[str]:
    parts = [f"## {_escaped(' '.join(answer.question.split()))}"]
    if answer.standalone_question is not None:
        parts.append(f"Understood as: {_escaped(answer.standalone_question)}")
    if turn.under:
        parts.append(f"Under: {_escaped(' › '.join(turn.under))}")
    if answer.outcome == "not_in_notes":
        parts.append("**The notes do not answer this.**")
    if answer.missing:
        parts.append(f"The notes say nothing about: {_escaped(', '.join(answer.missing))}")
    if answer.verdict is not None:
        where = _escaped(" › ".join(answer.verdict.heading_path))
        parts.append(f"**{_escaped(answer.verdict.name)}** ({confidence(answer.verdict.confidence)}), {where}")
    parts += _requirements(answer)
    for option in answer.options:
        best = ", best" if option.label == answer.choice else ""
        parts.append(
            f"{_escaped(option.label)}) {_escaped(option.text)} ({option.support:.2f}{best}) {_refs(option.citations)}"
        )
    for one in answer.statements:
        quoted = "\n".join(f"> {_escaped(line)}" for line in one.text.split("\n"))
        parts.append(f"{quoted} {_refs(one.citations)}")
    for snippet in answer.snippets:
        parts += _snippet(snippet)
    if answer.citations:
        heading = "Nearest headings" if answer.outcome == "not_in_notes" else "Sources"
        parts.append(
            f"{heading}:\n\n" + "\n".join(_source(one, Path(answer.notes), folder) for one in answer.citations)
        )
    return parts


def _requirements(answer: Answer) -> list[str]:
    rows = []
    for one in answer.requirements:
        met = ", ".join(f"{_escaped(s.name)} {_refs(s.citations)}" for s in one.support)
        said = met or ("in the notes" if one.supported else "not in the notes")
        rows.append(f"- {'✓' if one.supported else '✗'} {_escaped(one.text)}: {said}")
    return ["\n".join(rows)] if rows else []


def _snippet(snippet: Snippet) -> list[str]:
    runs = [len(run) for run in re.findall(r"`+", snippet.code)]
    mark = "`" * max(3, max(runs, default=0) + 1)
    caption = snippet.caption or "Snippet"
    language = re.sub(r"[^\w+#.-]", "", snippet.language)
    code = "\t".join(sanitize.block(part) for part in snippet.code.split("\t"))  # a Makefile needs its tabs
    return [
        f"{_escaped(caption)} ({state_of(snippet)[0]}) [{snippet.citation}]",
        f"{mark}{language}\n{code}{'' if code.endswith(chr(10)) else chr(10)}{mark}",
    ]


def _source(cited: Citation, notes: Path, folder: Path) -> str:
    target = quote(_relative(notes / cited.path, folder), errors="surrogateescape")
    anchor = f"#{quote(cited.anchor)}" if cited.anchor else ""
    where = _escaped(" › ".join(cited.heading_path))
    return f"- \\[{cited.number}\\] [{_escaped(cited.path)}:{cited.start_line}]({target}{anchor}) {where}"


def _relative(path: Path, folder: Path) -> str:
    return Path(os.path.relpath(path, folder)).as_posix()


def _refs(numbers: Sequence[int]) -> str:
    return " ".join(f"\\[{number}\\]" for number in numbers)


def _escaped(text: str) -> str:
    """Safe to show, and read back by a Markdown reader as the characters it is."""
    shown = _MARKS.sub(r"\\\1", sanitize.line(text))
    return _LEADS.sub(lambda found: f"{found[1]}\\{found[2]}" if not found[2][0].isdigit() else _number(found), shown)


def _number(found: re.Match[str]) -> str:
    return f"{found[1]}{found[2][:-1]}\\{found[2][-1]}"
