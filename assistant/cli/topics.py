"""`assistant topics`: the names that a verdict may give."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from assistant.cli.options import common_options, open_engine, settings_of
from assistant.exit_codes import Exit
from assistant.system.streams import write
from assistant.text import sanitize

if TYPE_CHECKING:
    from assistant.indexing.topic_list import NamedTopic


@click.command("topics", short_help="List the names that a verdict may give.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line, one for each name.")
@common_options(hidden=True)
@click.pass_context
def command(context: click.Context, as_json: bool) -> int:
    """List the names that a verdict may give, each with its heading and line.

    \b
      assistant topics | fzf
      assistant topics --json | jq -r .name
    """
    with closing(open_engine(settings_of(context))) as engine:
        topics = engine.topics()
    lines = [json.dumps(asdict(topic)) if as_json else _as_text(topic) for topic in topics]
    write("".join(f"{line}\n" for line in lines))
    return Exit.ANSWERED


def _as_text(topic: NamedTopic) -> str:
    headings = " › ".join(topic.heading_path[1:] or topic.heading_path)
    return sanitize.line(f"{topic.name}  {topic.path}:{topic.line}  {headings}")
