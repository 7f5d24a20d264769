"""The chat line by line, in the form of `ask`: for screen readers, for terminals that can do no more, for pipes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from assistant.errors import AssistantError
from assistant.records import Request
from assistant.rendering import terminal
from assistant.system.streams import say, write

if TYPE_CHECKING:
    from assistant.engine import Engine

_CONVERSATION = "chat"


def run(engine: Engine, read: Callable[[], str], width: int, *, colour: bool) -> None:
    """Answers one question a line until the input ends, which `read` says with EOFError; an error ends no session."""
    say("Ask a question; an empty line starts a new topic, ctrl+d ends.")
    while True:
        try:
            question = read()
        except EOFError:
            return
        if not question.strip():
            engine.resume(_CONVERSATION, None)
            say("New topic.")
            continue
        try:
            answer = engine.ask(Request(question, conversation=_CONVERSATION))
        except AssistantError as error:
            say(f"Error: {error}")
            continue
        for warning in answer.warnings:
            say(f"Warning: {warning}")
        write(terminal.text(answer, width, colour=colour) + "\n")


def read_line() -> str:
    """Prompts on stderr; the next line of stdin without its line end, EOFError where there is none."""
    sys.stderr.write("> ")
    sys.stderr.flush()
    text = sys.stdin.readline()
    if not text:
        raise EOFError
    return text.rstrip("\n")
