"""The options that every command takes, the settings they lead to, and the engine those settings ask for."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from assistant.cli.progress import ProgressLine
from assistant.errors import BadRequest
from assistant.system.collection import Collection, is_address
from assistant.system.settings import Flags, Settings, load
from assistant.text.sanitize import replace_surrogates

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from assistant.engine import Engine
    from assistant.indexing.report import Progress

_Function = TypeVar("_Function", bound=Callable[..., object])
PASSAGES = 100
"""That a search lists at the most."""
_FLAGS = "assistant.flags"
"""Where click's context keeps the options that were given, by name."""


def common_options(*, hidden: bool) -> Callable[[_Function], _Function]:
    """Adds them to a command; only the help of the group lists them, so a command hides them."""

    def option(*names: str, help: str, **more: Any) -> Callable[[_Function], _Function]:
        return click.option(*names, help=help, hidden=hidden, expose_value=False, callback=_remember, **more)

    options = [
        option("--notes", metavar="DIR", shell_complete=complete_folder, help="Folder of Markdown notes."),
        option("--index", metavar="DIR|URL", shell_complete=complete_folder, help="Folder or database of the index."),
        option("--model", metavar="NAME", help="Embedding model: a name or a folder."),
        option("--refresh/--no-refresh", default=None, help="Require a fresh index, or use it as it is."),
        option("--background/--no-background", default=None, help="Finish indexing in the background."),
        option("--vocabulary/--no-vocabulary", default=None, help="Use the built-in vocabulary for search."),
        option("--quiet", is_flag=True, default=None, help="Show no progress on stderr."),
    ]

    def add(function: _Function) -> _Function:
        for add_one in reversed(options):
            function = add_one(function)
        return function

    return add


def complete_folder(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Lets the shell complete the name of a folder."""
    return _shell_completes(incomplete, "dir")


def complete_file(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Lets the shell complete the name of a file."""
    return _shell_completes(incomplete, "file")


def clean_text(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """The value of an option without lone surrogates, as its callback."""
    return None if value is None else replace_surrogates(value)


def output_format(as_json: bool, form: str | None) -> str:
    """The one that `--json` and `--format` name, text by itself; BadRequest where they disagree."""
    if as_json and form not in (None, "json"):
        raise BadRequest(f"--json and --format {form} cannot be combined.", "Choose one.")
    return "json" if as_json else form or "text"


def at_most(option: str, value: int | None, most: int) -> None:
    """Looks at the value of an option whose range depends on other options; UsageError, worded as click words it."""
    if value is not None and not 1 <= value <= most:
        raise click.BadParameter(
            f"{value} is not in the range 1<=x<={most}.", click.get_current_context(), param_hint=f"'{option}'"
        )


def settings_of(context: click.Context, **overrides: Any) -> Settings:
    """The settings from the options of the command line, the environment and the settings file; BadRequest, NoNotes.

    `overrides` are fields of Flags that count more than the command line.
    """
    flags: dict[str, Any] = {**context.meta.get(_FLAGS, {}), **overrides}
    if "refresh" in flags:
        flags["refresh"] = "insist" if flags["refresh"] else "never"
    return load(Flags(**flags), os.environ, _current_folder())


def location_options(context: click.Context) -> list[str]:
    """The given options that name notes, index and model, as words of a command line, without a password."""
    flags = context.meta.get(_FLAGS, {})
    shown = {**flags, "index": _without_password(flags["index"], flags.get("notes", ""))} if "index" in flags else flags
    return [word for name in ("notes", "index", "model") if name in shown for word in (f"--{name}", shown[name])]


def _without_password(index: str, notes: str) -> str:
    """A folder as it is, the address of a database without user and password."""
    if not is_address(index):
        return index
    try:
        return str(Collection.parse(index, Path(notes).name or "NAME"))
    except BadRequest:
        return "URL"


def open_engine(settings: Settings, *, complete: bool = False, progress: Progress | None = None) -> Engine:
    """The engine, which opens nothing yet; it reports to `progress`, else to a line on stderr, or to nobody if quiet.

    `complete`: the index is finished before a question is answered.
    """
    from assistant.engine import Engine

    shown = None if settings.quiet else progress or ProgressLine()
    return Engine.from_settings(settings, progress=shown, complete=complete)


def _remember(context: click.Context, parameter: click.Parameter, value: object) -> None:
    """Gathers the options given before and after the command's name; the later one counts."""
    if value is not None and parameter.name:
        context.meta.setdefault(_FLAGS, {})[parameter.name] = value


def _shell_completes(incomplete: str, kind: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type=kind)]


def _current_folder() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise BadRequest("The current folder no longer exists.", "Change to another folder.") from None
