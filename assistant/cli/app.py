"""The command `assistant`: its entry, the group of its commands, and what a shell completes.

stdout carries answers and nothing else; whatever goes to stderr is made safe for a terminal.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Sequence
from importlib import import_module

import click

from assistant import __version__
from assistant.cli import failures
from assistant.cli.options import common_options, settings_of
from assistant.errors import BadRequest
from assistant.exit_codes import Exit
from assistant.system.streams import clear_progress, discard_stdout, interactive, say

PROGRAMS = ("assistant", "notes-assistant")
"""The names under which the command is installed."""
COMMANDS = {
    "ask": "assistant.cli.ask",
    "chat": "assistant.cli.chat",
    "doctor": "assistant.cli.doctor",
    "help": "assistant.cli.help",
    "index": "assistant.cli.index",
    "mcp": "assistant.cli.mcp",
    "search": "assistant.cli.search",
    "serve": "assistant.cli.serve",
    "topics": "assistant.cli.topics",
}
"""Name → module whose `command` it is. Only the one that is called is imported: a question must start at once."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code; no exception leaves it."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")  # a Latin-1 locale must not end an answer
    try:
        return _run(list(words))  # click empties the list it is given
    except KeyboardInterrupt:
        clear_progress()
        return Exit.INTERRUPTED
    except BrokenPipeError:
        discard_stdout()
        return Exit.ANSWERED
    except Exception as error:  # noqa: BLE001 - each becomes a sentence and an exit code
        return failures.report(error, json=_asks_for_json(words))


def _run(words: list[str]) -> int:
    """Not click's own `main`, which prints usage errors and exits by itself."""
    completion = _complete()
    if completion is not None:
        return completion
    try:
        with group.make_context("assistant", words) as context:
            code = group.invoke(context)
            return code if isinstance(code, int) else Exit.ANSWERED
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else "assistant"
        message = error.format_message().rstrip(".")
        raise BadRequest(message if message.endswith("?") else f"{message}.", f"See `{path} --help`.") from error


def _complete() -> int | None:
    """Prints the completions that a shell wants when Tab is pressed, or its script; None where no shell wants any."""
    for program in PROGRAMS:
        variable = f"_{program.replace('-', '_').upper()}_COMPLETE"
        if instruction := os.environ.get(variable):
            from click.shell_completion import shell_complete

            return shell_complete(group, {}, program, variable, instruction)
    return None


def _asks_for_json(words: Sequence[str]) -> bool:
    """Read off the bare words, since an error object is owed even where they cannot be parsed."""
    options = list(words[: words.index("--")] if "--" in words else words)
    pairs = zip(options, [*options[1:], ""], strict=False)
    return any(
        word in ("--json", "--batch", "--format=json")
        or word.startswith("--batch=")
        or (word, following) == ("--format", "json")
        for word, following in pairs
    )


class _Group(click.Group):
    """Imports a command when it is called, completed or listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = import_module(COMMANDS[name]).command
        return command

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Without a blank row above it: the screen has to fit 24."""
        with formatter.indentation():
            formatter.write_text(f"\b{inspect.cleandoc(self.help or '').removeprefix(chr(8))}")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """As click does it, with a title that says where they may stand and no blank row above it; those that only
        print something share a row."""
        rows = [
            row
            for one in self.get_params(ctx)
            if not {"--help", "--version"} & set(one.opts) and (row := one.get_help_record(ctx))
        ]
        formatter.write_heading("Options (before or after the command)")
        with formatter.indentation():
            formatter.write_dl([*rows, ("-h, --help, --version", "Show this message, or the version, and exit.")])
        self.format_commands(ctx, formatter)


@click.group(
    cls=_Group,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="notes-assistant")
@common_options(hidden=False)
@click.pass_context
def group(context: click.Context) -> int:
    """\b
    Answers questions about a folder of Markdown notes with quotations from it:
      assistant --notes ~/notes ask "How do I rotate the keys?"
    """
    if context.invoked_subcommand is not None:
        return Exit.ANSWERED
    if not interactive():
        say(context.get_help(), lines=True)
        return Exit.USAGE
    from assistant.cli import chat

    return chat.start(settings_of(context))
