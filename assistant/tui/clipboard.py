"""A text → the user's clipboard, by whichever way leads there."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import Literal

from assistant.records import Answer, Citation

Way = Literal["tmux", "osc52", "local"]
_LOCAL = (
    ("pbcopy",),
    ("wl-copy",),
    ("xclip", "-selection", "clipboard"),
    ("clip.exe",),
)
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_SECONDS = 2.0
"""How long a clipboard's own program may take."""


def clean(text: str) -> tuple[str, int]:
    """The text without control characters but newline and tab, and how many were left out."""
    kept = _CONTROLS.sub("", text)
    return kept, len(text) - len(kept)


def piped(text: str, way: Way) -> str:
    """Hands clean text to the program that leads to the clipboard and names it; "" where none does and the terminal
    is to be asked. Blocks for as long as the program does."""
    programs = ((("tmux", "load-buffer", "-w", "-"),) if way == "tmux" else _LOCAL) if way != "osc52" else ()
    return next((words[0] for words in programs if shutil.which(words[0]) and _piped(words, text)), "")


def _piped(words: tuple[str, ...], text: str) -> bool:
    try:
        # xclip stays to serve the clipboard: it must not hold our streams.
        done = subprocess.run(
            words,
            input=text.encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


def answer_text(answer: Answer) -> str:
    """The record's own text: no hard breaks, no bars."""
    parts = [answer.question]
    if answer.outcome == "not_in_notes":
        parts.append("The notes do not answer this.")
    if answer.missing:
        parts.append(f"The notes say nothing about: {', '.join(answer.missing)}")
    if answer.verdict is not None:
        parts.append(answer.verdict.name)
    for option in answer.options:
        best = " (best)" if option.label == answer.choice else ""
        parts.append(f"{option.label}) {option.text}{best}")
    if answer.statements:
        parts.append("\n".join(f"{one.text} {_numbers(one.citations)}".rstrip() for one in answer.statements))
    parts += [one.code.rstrip("\n") for one in answer.snippets]
    if answer.citations:
        parts.append("\n".join(map(source_line, answer.citations)))
    return "\n\n".join(parts) + "\n"


def source_line(cited: Citation) -> str:
    return f"[{cited.number}] {cited.path}:{cited.start_line}  {' › '.join(cited.heading_path)}"


def _numbers(citations: tuple[int, ...]) -> str:
    return " ".join(f"[{number}]" for number in citations)
