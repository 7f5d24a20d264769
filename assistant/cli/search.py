"""`assistant search`: the passages of the notes that fit a query best, without an answer on top."""

from __future__ import annotations

import os
from contextlib import closing
from typing import TYPE_CHECKING

import click

from assistant.cli.batch import typed
from assistant.cli.options import PASSAGES, clean_text, common_options, open_engine, output_format, settings_of
from assistant.cli.output import open_in_editor, print_result
from assistant.errors import BadRequest
from assistant.exit_codes import Exit
from assistant.records import Request
from assistant.system.settings import colours
from assistant.system.streams import say, terminal_width

if TYPE_CHECKING:
    from assistant.engine import Engine
    from assistant.records import SearchResult

LIMIT = 10
"""Passages that are listed where no number is given."""


@click.command("search", short_help="List the passages that fit best.")
@click.argument("query", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print the passages as one JSON object.")
@click.option("--under", metavar="HEADING", callback=clean_text, help="Search only under this heading or path A > B.")
@click.option("--tag", metavar="TAG", callback=clean_text, help="Search only notes with this tag.")
@click.option(
    "--limit", type=click.IntRange(1, PASSAGES), default=LIMIT, metavar="N", help="Maximum number of passages."
)
@click.option("--open", "rank", type=click.IntRange(1, PASSAGES), metavar="N", help="Open passage N in your editor.")
@click.option("--format", "form", type=click.Choice(["text", "json", "quickfix"]), default=None, help="Output format.")
@common_options(hidden=True)
@click.pass_context
def command(
    context: click.Context,
    query: tuple[str, ...],
    as_json: bool,
    under: str | None,
    tag: str | None,
    limit: int,
    rank: int | None,
    form: str | None,
) -> int:
    """List the passages that fit QUERY (its words are joined, or what stdin
    holds), best first: rank, score from 0 to 1, file:line, headings, lines.

    \b
      assistant search instant rollback
      assistant search --limit 50 --format quickfix "message broker"
      assistant search --json rollback | jq -r '.passages[].path'

    Exit code: 0 found, 1 nothing found, 2 wrong usage, 3 failed.
    """
    form = output_format(as_json, form)
    settings = settings_of(context)
    request = Request(typed(query, "search"), under=under, tag=tag)
    with closing(open_engine(settings)) as engine:
        return list_passages(engine, request, limit, form, rank)


def list_passages(engine: Engine, request: Request, limit: int, form: str, rank: int | None = None) -> int:
    """Prints the passages as text, json or quickfix, opens the one of that rank in the user's editor, and returns the
    exit code; the errors of `Engine.search`, BadRequest where there is no such passage."""
    result = engine.search(request, limit=limit)
    is_read = print_result(engine, result.warnings, _text(result, form))
    if form == "text" and not result.passages:
        say("Nothing in the notes comes close. Name the subject as your notes do.")
    if rank is not None and is_read:
        _open_passage(result, rank)
    return Exit.ANSWERED if result.passages else Exit.NOT_IN_NOTES


def _text(result: SearchResult, form: str) -> str:
    if form == "json":
        from assistant.rendering.search_json import search_json

        return search_json(result) + "\n"
    if form == "quickfix":
        from assistant.rendering.search_quickfix import search_quickfix

        return search_quickfix(result)
    from assistant.rendering.search_text import search_text

    width = terminal_width()
    return search_text(result, width, colour=width is not None and colours(os.environ))


def _open_passage(result: SearchResult, rank: int) -> None:
    if rank > len(result.passages):
        raise BadRequest(f"There is no passage {rank}: {len(result.passages)} are listed.", "Choose another number.")
    passage = result.passages[rank - 1]
    open_in_editor(result.notes, passage.path, passage.start_line)
