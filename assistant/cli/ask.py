"""`assistant ask`: one question, or a batch of them."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypedDict, Unpack

import click

from assistant.cli import batch as batches
from assistant.cli import failures
from assistant.cli.options import (
    PASSAGES,
    at_most,
    clean_text,
    common_options,
    complete_file,
    open_engine,
    output_format,
    settings_of,
)
from assistant.cli.output import open_in_editor, print_result
from assistant.errors import BadRequest
from assistant.exit_codes import Exit
from assistant.records import Request
from assistant.system.settings import colours
from assistant.system.streams import discard_stdout, say, terminal_width, write

if TYPE_CHECKING:
    from assistant.engine import Engine
    from assistant.records import Answer

_EXITS = {"answered": Exit.ANSWERED, "partial": Exit.PARTIAL, "not_in_notes": Exit.NOT_IN_NOTES}
"""By the outcome of an answer."""
_CITATIONS = 8
"""At the most, and where no number is given."""


class _RequestOptions(TypedDict):
    """The options that are fields of a Request."""

    code: bool
    language: str | None
    under: str | None
    tag: str | None
    explain: bool


@click.command("ask", short_help="Answer one question.")
@click.argument("question", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print the answer as one JSON object.")
@click.option(
    "--batch", metavar="FILE", shell_complete=complete_file, help="Answer a file of JSON lines; - reads stdin."
)
@click.option("--code", is_flag=True, help="Ask for a code snippet.")
@click.option("--language", metavar="LANG", callback=clean_text, help="Ask for a code snippet in this language.")
@click.option("--under", metavar="HEADING", callback=clean_text, help="Search only under this heading or path A > B.")
@click.option("--tag", metavar="TAG", callback=clean_text, help="Search only notes with this tag.")
@click.option("--limit", type=int, metavar="N", help="Most citations, 1-8; passages, 1-100.")
@click.option("--explain", is_flag=True, help="Show why each passage was retrieved.")
@click.option("--list", "as_list", is_flag=True, help="List passages, without an answer on top.")
@click.option("--open", "number", type=int, metavar="N", help="Open citation or passage N in your editor.")
@click.option("--format", "form", type=click.Choice(["text", "json", "quickfix"]), default=None, help="Output format.")
@common_options(hidden=True)
@click.pass_context
def command(
    context: click.Context,
    question: tuple[str, ...],
    as_json: bool,
    batch: str | None,
    as_list: bool,
    limit: int | None,
    number: int | None,
    form: str | None,
    **fields: Unpack[_RequestOptions],
) -> int:
    """Answer QUESTION (its words are joined), or the question that stdin holds.

    \b
      assistant ask which strategy gives instant rollback
      assistant ask --language yaml "a retry policy" | less
      assistant ask --json "..." | jq .verdict.name

    Exit code: 0 answered, 4 partly, 1 not in notes, 2 wrong usage, 3 failed.
    """
    shape = output_format(as_json, form)
    if batch is not None and (question or number is not None or form not in (None, "json")):
        raise BadRequest(
            "--batch cannot be combined with QUESTION, --open or another format.", "Put the questions in the file."
        )
    fields["code"] = fields["code"] or fields["language"] is not None
    most = PASSAGES if as_list else _CITATIONS
    at_most("--limit", limit, most)
    at_most("--open", number, most)
    if as_list:
        if batch is not None or fields["explain"]:
            raise BadRequest("--list cannot be combined with --batch or --explain.", "Leave one of them out.")
        return _list(context, Request(batches.typed(question, "ask --list"), **fields), limit, shape, number)
    template = Request("", limit=limit or _CITATIONS, **fields)
    settings = settings_of(context)
    if batch is not None:
        with closing(open_engine(settings, complete=True)) as engine, _open_batch(batch) as stream:
            return _answer_batch(engine, stream, template)
    request = replace(template, question=batches.typed(question, "ask"))
    with closing(open_engine(settings)) as engine:
        return answer_one(engine, request, shape, number)


def _list(context: click.Context, request: Request, limit: int | None, form: str, rank: int | None) -> int:
    """As `assistant search` does it."""
    from assistant.cli.search import LIMIT, list_passages

    with closing(open_engine(settings_of(context))) as engine:
        return list_passages(engine, request, limit or LIMIT, form, rank)


def answer_one(engine: Engine, request: Request, form: str = "text", citation: int | None = None) -> int:
    """Prints the answer as text, json or quickfix, opens the citation of that number in the user's editor, and returns
    the exit code; the errors of `Engine.ask`, BadRequest where there is no such citation."""
    answer = engine.ask(request)
    is_read = print_result(engine, answer.warnings, _text(answer, form))
    if citation is not None and is_read:
        _open_citation(answer, citation)
    return _EXITS[answer.outcome]


def _text(answer: Answer, form: str) -> str:
    if form == "json":
        from assistant.rendering.answer_json import answer_json

        return answer_json(answer) + "\n"
    if form == "quickfix":
        from assistant.rendering.quickfix import quickfix

        return quickfix(answer)
    from assistant.rendering import terminal

    width = terminal_width()
    return terminal.text(answer, width or 80, colour=width is not None and colours(os.environ))


def _open_citation(answer: Answer, number: int) -> None:
    cited = next((one for one in answer.citations if one.number == number), None)
    if cited is None:
        raise BadRequest(
            f"There is no citation {number}: the answer has {len(answer.citations)}.", "Choose another number."
        )
    open_in_editor(answer.notes, cited.path, cited.start_line)


def _open_batch(name: str) -> BinaryIO:
    if name == "-":
        if sys.stdin is None:
            raise BadRequest("stdin is closed.", "Name a file for --batch.")
        return sys.stdin.buffer
    try:
        return Path(name).open("rb")
    except OSError as error:
        raise BadRequest(
            f"{name} cannot be read: {error.strerror}.", "Name a file of JSON lines, or - for stdin."
        ) from error


def _answer_batch(engine: Engine, stream: BinaryIO, template: Request) -> int:
    """Prints one line for each line of the stream, as soon as it is known. An error belongs to its line, and the run
    goes on. Each warning is printed once."""
    from assistant.rendering.answer_json import answer_json, error_json

    code = Exit.ANSWERED
    warned: set[str] = set()
    for name, request in batches.lines(stream, template):
        try:
            if isinstance(request, BadRequest):
                raise request
            answer = engine.ask(request)
            line = answer_json(answer)
            for warning in answer.warnings:
                if warning not in warned:
                    say(f"Warning: {warning}")
            warned.update(answer.warnings)
        except Exception as error:  # noqa: BLE001 - an internal error too must not end the other lines
            code = Exit.CANNOT
            line = error_json(failures.readable(error), name)
        try:
            write(line + "\n")
        except BrokenPipeError:
            discard_stdout()
            return code
    return code
