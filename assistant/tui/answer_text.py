"""An answer → the plain text that is copied."""

from __future__ import annotations

from collections.abc import Iterator

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
    address = f"  {source.url}" if source.url else ""
    return f"[{source.number}] {source.path}:{source.line}  {' › '.join(source.heading_path)}{address}"


def _numbers(citations: tuple[int, ...]) -> str:
    return " ".join(f"[{number}]" for number in citations)
