"""`assistant serve`: the web page, the HTTP API and MCP in one process."""

from __future__ import annotations

import os

import click

from assistant.cli.options import common_options, settings_of
from assistant.server.config import PORT, ServerConfig, checked
from assistant.system.settings import server_token


@click.command("serve", short_help="Serve a web page, an HTTP API and MCP.")
@click.option("--host", default="127.0.0.1", metavar="ADDRESS", help="Address to listen on instead of 127.0.0.1.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=PORT, metavar="N", show_default=True,
    help="Port to listen on; 0 picks a free one.",
)  # fmt: skip
@click.option(
    "--token",
    metavar="TOKEN",
    help="Demand this token. Other users see it in the list of processes: prefer the variable ASSISTANT_TOKEN.",
)
@click.option(
    "--allow-origin", "origins", multiple=True, metavar="ORIGIN",
    help="Let pages of this origin call the API; repeatable.",
)  # fmt: skip
@click.option(
    "--allow-host", "hosts", multiple=True, metavar="NAME",
    help="Answer under this host name too; repeatable.",
)  # fmt: skip
@click.option("--log-questions", is_flag=True, help="Write the text of each question to the log.")
@common_options(hidden=True)
@click.pass_context
def command(
    context: click.Context,
    host: str,
    port: int,
    token: str | None,
    origins: tuple[str, ...],
    hosts: tuple[str, ...],
    log_questions: bool,
) -> int:
    """Serve a web page, an HTTP API and MCP from one process until it is stopped.

    \b
      assistant --notes ~/notes serve
      ASSISTANT_TOKEN="$(cat token)" assistant serve --host 0.0.0.0

    An address that other machines can reach demands a token. SIGTERM and Ctrl+C
    let the answers being made be finished; a second one stops at once.
    """
    wanted = token if token is not None else server_token(os.environ)
    config = checked(ServerConfig(host, port, wanted, origins, hosts, log_questions))
    settings = settings_of(context)
    from assistant.server.run import serve

    return serve(settings, config)
