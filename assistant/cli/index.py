"""`assistant index`: updates the index, once or after each change, and prints what changed."""

from __future__ import annotations

from contextlib import AbstractContextManager, closing, nullcontext
from typing import TYPE_CHECKING

import click

from assistant.cli.options import common_options, open_engine, settings_of
from assistant.errors import AssistantError
from assistant.exit_codes import Exit
from assistant.system.streams import can_rewrite_lines, say, write

if TYPE_CHECKING:
    from assistant.cli.progress import Bars
    from assistant.engine import Engine
    from assistant.indexing.report import BuildReport
    from assistant.system.settings import Settings


@click.command("index", short_help="Update the index; `ask` does so by itself.")
@click.option("--full", is_flag=True, help="Rebuild everything, not only what changed.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as one JSON object.")
@click.option("--watch", is_flag=True, help="Keep running, and index each change as it is saved.")
@click.option("--no-wait", is_flag=True, help="Exit if another process is indexing.")
@common_options(hidden=True)
@click.pass_context
def command(context: click.Context, full: bool, as_json: bool, watch: bool, no_wait: bool) -> int:
    """Update the index and print what changed; `ask` updates it too.

    With --watch it runs until Ctrl-C, and prints what changed each time.

    \b
      assistant index
      assistant --notes ~/notes index --watch
    """
    settings = settings_of(context, takes_corpus=True)
    with _bars(settings) as progress, closing(open_engine(settings, progress=progress)) as engine:
        if no_wait and engine.busy():
            say("Another process is updating the index.")
            return Exit.ANSWERED
        report = engine.update(full=full, wait=not no_wait)
    _print_report(report, as_json)
    if watch:
        with closing(open_engine(settings)) as engine:
            _follow(engine, as_json)
    return Exit.ANSWERED


def _bars(settings: Settings) -> AbstractContextManager[Bars | None]:
    if settings.quiet or not can_rewrite_lines():
        return nullcontext()
    from assistant.cli.progress import Bars

    return Bars()


def _follow(engine: Engine, as_json: bool) -> None:
    """Updates after each change until Ctrl-C. An error is printed once and does not end it: the user may remove its
    cause meanwhile."""
    last_error = ""
    for _ in engine.changes():
        try:
            report = engine.update()
        except AssistantError as error:
            if str(error) != last_error:
                say(f"Error: {error}")
            last_error = str(error)
            continue
        last_error = ""
        if report.added or report.changed or report.removed or report.embedded or report.reason:
            _print_report(report, as_json)


def _print_report(report: BuildReport, as_json: bool) -> None:
    for sentence in (report.reason, *(f"Warning: {warning}" for warning in report.warnings)):
        if sentence and not as_json:
            say(sentence)
    write((_as_json(report) if as_json else _as_text(report)) + "\n")


def _as_json(report: BuildReport) -> str:
    import json
    from dataclasses import asdict

    return json.dumps(asdict(report))


def _as_text(report: BuildReport) -> str:
    kinds = (
        (report.added, "added"),
        (report.changed, "changed"),
        (report.removed, "removed"),
        (report.unchanged, "unchanged"),
    )
    counts = ", ".join(f"{number:,} {kind}" for number, kind in kinds if number)
    pending = f", {report.pending:,} not yet embedded" if report.pending else ""
    return (
        f"Notes: {counts}. Passages: {report.embedded:,} embedded, {report.reused:,} reused{pending}. "
        f"{report.seconds:.1f} s, generation {report.generation}."
    )
