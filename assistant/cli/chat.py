"""`assistant chat`, and `assistant` alone on a terminal: a full screen, or line by line."""

from __future__ import annotations

import gc
import os
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import click

from assistant.cli.options import common_options, open_engine, settings_of
from assistant.errors import BadRequest
from assistant.exit_codes import Exit
from assistant.system.settings import colours, make_private
from assistant.system.streams import interactive, terminal_width

if TYPE_CHECKING:
    from assistant.system.settings import Settings

_PYTHONS_THRESHOLD = (700, 10, 10)
"""The garbage collector's own: widgets refer to each other in cycles."""


@click.command("chat", short_help="Start the full-screen chat; the default on a terminal.")
@click.option("--plain", is_flag=True, help="Chat line by line instead of full-screen.")
@click.option("--no-history", is_flag=True, help="Do not save this session.")
@common_options(hidden=True)
@click.pass_context
def command(context: click.Context, plain: bool, no_history: bool) -> int:
    """Start the full-screen chat, as `assistant` alone does.

    \b
      assistant --notes ~/notes
      assistant chat --plain --no-history
    """
    if not plain and not interactive():
        raise BadRequest(
            "The chat needs a terminal.", 'For one answer: assistant ask "…"; line by line: assistant chat --plain.'
        )
    return start(settings_of(context), plain=plain, history=not no_history)


def start(settings: Settings, *, plain: bool = False, history: bool = True) -> int:
    """Runs the chat until the user ends it; line by line where `plain` or where the terminal cannot do more."""
    if plain or os.environ.get("TERM", "dumb") in ("", "dumb", "unknown"):
        _line_by_line(settings)
    else:
        from assistant import tui

        gc.set_threshold(*_PYTHONS_THRESHOLD)
        with suppress(OSError):
            make_private(settings.cache)
        tui.run(settings, history=history)
    return Exit.ANSWERED


def _line_by_line(settings: Settings) -> None:
    from assistant.tui import plain

    width = terminal_width()
    with closing(open_engine(settings)) as engine:
        plain.run(engine, plain.read_line, width or 80, colour=width is not None and colours(os.environ))
