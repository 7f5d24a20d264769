"""`assistant mcp`: serves the notes to one MCP client on stdin and stdout."""

from __future__ import annotations

import sys

import click

from assistant.cli.options import common_options, settings_of
from assistant.errors import BadRequest
from assistant.exit_codes import Exit
from assistant.system.streams import say, write


@click.command("mcp", short_help="Serve the notes to an MCP client on stdin and stdout.")
@click.option("--install", is_flag=True, help="Print the configuration for common clients, and change nothing.")
@common_options(hidden=True)
@click.pass_context
def command(context: click.Context, install: bool) -> int:
    """Serve the notes over the Model Context Protocol until stdin is closed.

    A client starts this command by itself; --install prints what to tell it.

    \b
      assistant --notes ~/notes mcp --install
      claude mcp add notes -- assistant --notes ~/notes mcp

    Exit code: 0 stdin was closed, 2 wrong usage, 3 no notes are named.
    """
    settings = settings_of(context)
    if install:
        from assistant.cli.mcp_clients import blocks

        write(blocks(settings))
        return Exit.ANSWERED
    if sys.stdin is None or sys.stdout is None:
        raise BadRequest("stdin or stdout is closed.", "Let a client start this command, with a pipe for each.")
    if settings.folder is not None and not settings.notes.is_dir():
        say(f"Warning: {settings.notes} is no folder; the tools say so until it is one.")
    if sys.stdin.isatty():
        say("Serving MCP on stdin and stdout, for a client to talk to. `assistant mcp --install` tells how to add it.")
    from assistant.server.service import Service
    from assistant.server.starting import Starting

    starting = Starting(Service.from_settings(settings))
    starting.begin()
    from assistant.server.mcp_server import serve_stdio

    serve_stdio(starting)
    starting.service.follower.stop()
    return Exit.ANSWERED
