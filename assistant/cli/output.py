"""A result of the engine → stdout, with its warnings on stderr."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from assistant.system.streams import discard_stdout, say, write

if TYPE_CHECKING:
    from assistant.engine import Engine


def print_result(engine: Engine, warnings: Sequence[str], text: str) -> bool:
    """Prints both, and leaves the rest of the index to the background; whether anybody reads the text."""
    for warning in warnings:
        say(f"Warning: {warning}")
    try:
        write(text)
    except BrokenPipeError:
        discard_stdout()
        return False
    finally:
        engine.finish_later()
    return True
