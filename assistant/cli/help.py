"""`assistant help`: lists the documentation pages, shows one, or answers a question from them."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import click

from assistant.cli import pages
from assistant.cli.options import common_options, open_engine, settings_of
from assistant.exit_codes import Exit
from assistant.system.streams import write
from assistant.text import sanitize

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


def _complete_page(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    return [CompletionItem(page.name, help=page.title) for page in pages.pages() if page.name.startswith(incomplete)]


@click.command("help", short_help="List, show or search the documentation pages.")
@click.argument("words", nargs=-1, shell_complete=_complete_page)
@common_options(hidden=True)
@click.pass_context
def command(context: click.Context, words: tuple[str, ...]) -> int:
    """List the documentation pages, show one, or answer a question from them.

    \b
      assistant help
      assistant help how-an-answer-is-found
      assistant help how do I correct a wrong verdict
    """
    text = " ".join(words)
    if not text:
        write(_list())
        return Exit.ANSWERED
    page = pages.named(text)
    if page is not None:
        write("\n".join(map(sanitize.line, page.path.read_text("utf-8").split("\n"))))
        return Exit.ANSWERED
    return _answer(context, text)


def _list() -> str:
    rows = [sanitize.line(f"{page.name}  {page.title}") for page in pages.pages()]
    return (
        "\n".join([*rows, "", "assistant help NAME shows a page; assistant help QUESTION answers from the pages."])
        + "\n"
    )


def _answer(context: click.Context, question: str) -> int:
    """Answers from the pages, which have an index of their own in the user's cache."""
    from assistant.cli.ask import answer_one
    from assistant.records import Request

    settings = settings_of(context, notes=str(pages.FOLDER)).with_pages(pages.FOLDER)
    with closing(open_engine(settings, complete=True)) as engine:  # a few pages: seconds, once
        return answer_one(engine, Request(sanitize.replace_surrogates(question)))
