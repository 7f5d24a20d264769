"""An answer → text to copy, and a text → the user's clipboard."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Literal

from assistant.records import Answer
from assistant.rendering.blocks import (
    CodeBlock,
    DisplayBlock,
    Nearest,
    Options,
    Question,
    Shortfall,
    Source,
    Sources,
    Statements,
    Verdict,
    arrange,
)
from assistant.rendering.display import AS_RECORDED, display_blocks

_ORDER = (Question, Shortfall, Verdict, Options, Statements, CodeBlock, Nearest, Sources)

Way = Literal["tmux", "osc52", "local"]
"""tmux's buffer, the terminal's OSC 52, or a program of this machine."""
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


def pipe(text: str, way: Way) -> str:
    """Hands clean text to the first clipboard program that takes it and returns the program's name; "" where there is
    none, so that the terminal must be asked. Blocks for as long as the program does."""
    programs = ((("tmux", "load-buffer", "-w", "-"),) if way == "tmux" else _LOCAL) if way != "osc52" else ()
    return next((words[0] for words in programs if shutil.which(words[0]) and _run(words, text)), "")


def _run(words: tuple[str, ...], text: str) -> bool:
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
    """The answer as plain text: the record's own characters, no hard breaks, no bars."""
    blocks = arrange(display_blocks(answer, AS_RECORDED), _ORDER)
    return "\n\n".join(part for block in blocks for part in _parts(block)) + "\n"


def _parts(block: DisplayBlock) -> Iterator[str]:
    match block:
        case Question():
            yield block.text
        case Shortfall():
            if block.outcome == "not_in_notes":
                yield "The notes do not answer this."
            if block.missing:
                yield f"The notes say nothing about: {', '.join(block.missing)}"
        case Verdict(name):
            yield name.name
        case Options():
            for option in block.items:
                yield f"{option.label}) {option.text}{' (best)' if option.best else ''}"
        case Statements():
            yield "\n".join(f"{one.text} {_numbers(one.citations)}".rstrip() for one in block.items)
        case CodeBlock():
            yield block.code.rstrip("\n")
        case Nearest() | Sources():
            yield "\n".join(map(_source_line, block.items))


def _source_line(source: Source) -> str:
    return f"[{source.number}] {source.path}:{source.line}  {' › '.join(source.heading_path)}"


def _numbers(citations: tuple[int, ...]) -> str:
    return " ".join(f"[{number}]" for number in citations)
