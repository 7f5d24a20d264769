"""The command: options, standard streams and exit codes; answers come from `engine`, their looks from `render`.

stdout carries answers and nothing else; whatever goes to stderr passes through `visible`.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, closing, nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

import click

from assistant import __version__
from assistant.errors import AssistantError, BadRequest, Broken, EmptyQuestion, Exit
from assistant.system.settings import Flags, Settings, colours, debugging, load, make_private, named_editor
from assistant.system.streams import Progress, end_line, on_terminal, say, silence, terminal_width, write

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from assistant.engine import Engine, Request
    from assistant.indexing.report import BuildReport
    from assistant.records import Answer

_Function = TypeVar("_Function", bound=Callable[..., object])
_OUTCOMES = {"answered": Exit.ANSWERED, "partial": Exit.PARTIAL, "not_in_notes": Exit.NOT_IN_NOTES}
_FLAGS = "assistant.flags"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code; no exception leaves it."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")  # a Latin-1 locale must not end an answer
    try:
        return _run(list(words))  # click empties the list it is given
    except KeyboardInterrupt:
        end_line()
        return Exit.INTERRUPTED
    except BrokenPipeError:
        silence()
        return Exit.ANSWERED
    except Exception as error:
        return _failed(error, json=_asks_for_json(words))


def _run(words: list[str]) -> int:
    """Not click's own `main`, which prints usage errors and exits by itself."""
    completed = _complete()
    if completed is not None:
        return completed
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
    """Prints what a shell asks for when Tab is pressed, or its script; None where no shell asks."""
    for name in ("assistant", "notes-assistant"):
        variable = f"_{name.replace('-', '_').upper()}_COMPLETE"
        if asked := os.environ.get(variable):
            from click.shell_completion import shell_complete

            return shell_complete(group, {}, name, variable, asked)
    return None


def _failed(error: Exception, *, json: bool) -> int:
    """Says what went wrong, on stdout too where JSON was asked for; returns the exit code."""
    known = _known(error)
    say(f"Error: {known}")
    if json:
        from assistant.rendering.answer_json import error_json

        with suppress(OSError, AssistantError):
            write(error_json(known) + "\n")
    return known.exit


def _known(error: Exception) -> AssistantError:
    """The error as one the user can read; a bug of ours shows its traceback only to those who ask for it."""
    if isinstance(error, AssistantError):
        return error
    if isinstance(error, ImportError) and not (error.name or "").startswith("assistant"):
        reason = (str(error).splitlines() or [""])[0]
        return Broken(
            f"A library that is needed cannot be loaded ({reason}).", "`assistant doctor` says what mends it."
        )
    if debugging(os.environ):
        import traceback

        for line in "".join(traceback.format_exception(error)).rstrip().split("\n"):
            say(line)
    return AssistantError(
        f"This is a bug of the program ({type(error).__name__}: {error}).",
        "Run it again with ASSISTANT_DEBUG=1 to see where, and report what it prints.",
    )


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


def _keep(context: click.Context, parameter: click.Parameter, value: object) -> None:
    """Gathers what is said before and after the command's name; the later one counts."""
    if value is not None and parameter.name:
        context.meta.setdefault(_FLAGS, {})[parameter.name] = value


def _folder(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return _kind(incomplete, "dir")


def _file(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return _kind(incomplete, "file")


def _kind(incomplete: str, kind: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type=kind)]


def _page(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    from assistant.cli import pages

    return [CompletionItem(page.name, help=page.title) for page in pages.pages() if page.name.startswith(incomplete)]


def _everywhere(*, hidden: bool) -> Callable[[_Function], _Function]:
    """The options of every command; the help of the group alone lists them."""

    def option(*names: str, help: str, **more: Any) -> Callable[[_Function], _Function]:
        return click.option(*names, help=help, hidden=hidden, expose_value=False, callback=_keep, **more)

    options = [
        option("--notes", metavar="DIR", shell_complete=_folder, help="Folder of Markdown notes."),
        option("--index", metavar="DIR", shell_complete=_folder, help="Folder of the index."),
        option("--model", metavar="NAME", help="Embedding model: a name or a folder."),
        option("--refresh/--no-refresh", default=None, help="Insist on a fresh index, or take it as is."),
        option("--background/--no-background", default=None, help="Whether work may go on after the answer."),
        option("--vocabulary/--no-vocabulary", default=None, help="Whether general terms help to find."),
        option("--quiet", is_flag=True, default=None, help="No progress on stderr."),
    ]

    def add(function: _Function) -> _Function:
        for one in reversed(options):
            function = one(function)
        return function

    return add


def _settings(context: click.Context, **more: Any) -> Settings:
    said: dict[str, Any] = {**context.meta.get(_FLAGS, {}), **more}
    if "refresh" in said:
        said["refresh"] = "insist" if said["refresh"] else "never"
    return load(Flags(**said), os.environ, _here())


def _here() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise BadRequest("The current folder no longer exists.", "Change to another one.") from None


def _assistant(settings: Settings, *, complete: bool = False, progress: Callable[..., None] | None = None) -> Engine:
    import threading

    if not debugging(os.environ):  # what fails in a thread is raised where its result is wanted
        threading.excepthook = lambda _: None
    from assistant.engine import Engine

    return Engine.from_settings(
        settings, progress=None if settings.quiet else progress or Progress(), complete=complete
    )


class _Group(click.Group):
    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """As click does it, with a title that says where they may stand."""
        with formatter.section("Options (before or behind the command)"):
            formatter.write_dl([row for one in self.get_params(ctx) if (row := one.get_help_record(ctx))])
        self.format_commands(ctx, formatter)


@click.group(
    cls=_Group,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="notes-assistant")
@_everywhere(hidden=False)
@click.pass_context
def group(context: click.Context) -> int:
    """\b
    Answers questions about a folder of Markdown notes with quotations from it:
      assistant --notes ~/notes ask "How do I rotate the keys?"
    """
    if context.invoked_subcommand is None:
        if _on_a_terminal():
            return _chat(_settings(context), plain=False, history=True)
        say(context.get_help(), lines=True)
        return Exit.USAGE
    return Exit.ANSWERED


@group.command(short_help="Answer one question.")
@click.argument("question", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print the answer as one JSON object.")
@click.option("--batch", metavar="FILE", shell_complete=_file, help="Answer one JSON object a line; - reads stdin.")
@click.option("--code", is_flag=True, help="Ask for a snippet.")
@click.option("--language", metavar="LANG", help="Ask for a snippet in this language.")
@click.option("--under", metavar="HEADING", help="Search only under this heading (A > B: a path).")
@click.option("--tag", metavar="TAG", help="Search only notes with this tag.")
@click.option("--limit", type=click.IntRange(1, 8), default=8, metavar="N", help="Citations at the most, 1 to 8.")
@click.option("--explain", is_flag=True, help="Say why each passage was found.")
@click.option("--open", "opened", type=click.IntRange(1, 8), metavar="N", help="Open citation N in your editor.")
@click.option("--format", "form", type=click.Choice(["text", "json", "quickfix"]), default=None, help="How to print.")
@_everywhere(hidden=True)
@click.pass_context
def ask(
    context: click.Context,
    question: tuple[str, ...],
    as_json: bool,
    batch: str | None,
    code: bool,
    language: str | None,
    under: str | None,
    tag: str | None,
    limit: int,
    explain: bool,
    opened: int | None,
    form: str | None,
) -> int:
    """Answer one QUESTION (several words are joined), or the one that stdin holds.

    \b
      assistant ask which strategy gives instant rollback
      assistant ask --language yaml "a retry policy" | less
      assistant ask --json "..." | jq .verdict.name

    Exit code: 0 answered, 4 partly, 1 not in notes, 2 wrong usage, 3 cannot.
    """
    from assistant.engine import Request
    from assistant.text.sanitize import replace_surrogates

    if as_json and form not in (None, "json"):
        raise BadRequest(f"--json and --format {form} exclude each other.", "Choose one.")
    if batch is not None and (question or opened is not None or form not in (None, "json")):
        raise BadRequest("--batch excludes QUESTION, --open and other formats.", "Put the questions in the file.")
    like = Request(
        "",
        code=code or language is not None,
        language=replace_surrogates(language) if language is not None else None,
        under=replace_surrogates(under) if under is not None else None,
        tag=replace_surrogates(tag) if tag is not None else None,
        limit=limit,
        explain=explain,
    )
    settings = _settings(context)
    if batch is not None:
        return _batch(settings, batch, like)
    request = replace(like, question=_question(question))
    with closing(_assistant(settings)) as assistant:
        return _one(assistant, request, "json" if as_json else form or "text", opened)


def _question(words: tuple[str, ...]) -> str:
    """From the words, or from stdin where there are none or `-`; EmptyQuestion where a terminal is all there is."""
    from assistant.cli.batch import piped
    from assistant.text.sanitize import replace_surrogates

    if words and words != ("-",):
        return replace_surrogates(" ".join(words))
    if sys.stdin is None or (not words and sys.stdin.isatty()):
        raise EmptyQuestion("Nothing was asked.", 'Write the question behind it: assistant ask "…".')
    return piped(sys.stdin.buffer)


def _one(assistant: Engine, request: Request, form: str, opened: int | None) -> int:
    answer = assistant.ask(request)
    for warning in answer.warnings:
        say(f"Warning: {warning}")
    code = _OUTCOMES[answer.outcome]
    try:
        write(_printed(answer, form))
    except BrokenPipeError:
        silence()
        return code
    finally:
        assistant.finish_later()
    if opened is not None:
        _open(answer, opened)
    return code


def _printed(answer: Answer, form: str) -> str:
    if form == "json":
        from assistant.rendering.answer_json import answer_json

        return answer_json(answer) + "\n"
    if form == "quickfix":
        from assistant.rendering.quickfix import quickfix

        return quickfix(answer)
    from assistant.rendering import terminal

    width = terminal_width()
    return terminal.text(answer, width or 80, colour=width is not None and colours(os.environ))


def _open(answer: Answer, number: int) -> None:
    from assistant.system import editor

    cited = next((one for one in answer.citations if one.number == number), None)
    if cited is None:
        raise BadRequest(f"There is no citation {number}; there are {len(answer.citations)}.", "Choose another number.")
    editor.start(editor.command(named_editor(os.environ), Path(answer.notes, cited.path), cited.start_line))


def _batch(settings: Settings, name: str, like: Request) -> int:
    with closing(_assistant(settings, complete=True)) as assistant, _lines(name) as stream:
        return _answers(assistant, stream, like)


def _lines(name: str) -> BinaryIO:
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


def _answers(assistant: Engine, stream: BinaryIO, like: Request) -> int:
    """One line out for each line in, as soon as it is known; an error is the line's own and the run goes on."""
    from assistant.cli import batch
    from assistant.rendering.answer_json import answer_json, error_json

    code = Exit.ANSWERED
    told: set[str] = set()
    for name, request in batch.lines(stream, like):
        try:
            if isinstance(request, BadRequest):
                raise request
            answer = assistant.ask(request)
            line = answer_json(answer)
            for warning in answer.warnings:
                if warning not in told:
                    say(f"Warning: {warning}")
            told.update(answer.warnings)
        except Exception as error:
            code = Exit.CANNOT
            line = error_json(_known(error), name)
        try:
            write(line + "\n")
        except BrokenPipeError:
            silence()
            return code
    return code


@group.command(short_help="Ask and read in a full screen; the default on a terminal.")
@click.option("--plain", is_flag=True, help="Ask and answer line by line, without a screen.")
@click.option("--no-history", is_flag=True, help="Write nothing of this session down.")
@_everywhere(hidden=True)
@click.pass_context
def chat(context: click.Context, plain: bool, no_history: bool) -> int:
    """Ask and read in a full screen; `assistant` alone starts it too.

    \b
      assistant --notes ~/notes
      assistant chat --plain --no-history
    """
    if not plain and not _on_a_terminal():
        raise BadRequest("The chat needs a terminal.", 'For one answer: assistant ask "…"; or chat --plain.')
    return _chat(_settings(context), plain=plain, history=not no_history)


def _on_a_terminal() -> bool:
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))


def _chat(settings: Settings, *, plain: bool, history: bool) -> int:
    if plain or os.environ.get("TERM", "dumb") in ("", "dumb", "unknown"):
        from assistant.tui import plain as line_by_line

        width = terminal_width()
        with closing(_assistant(settings)) as assistant:
            line_by_line.run(
                assistant, line_by_line.read_line, width or 80, colour=width is not None and colours(os.environ)
            )
        return Exit.ANSWERED
    from assistant import tui

    gc.set_threshold(700, 10, 10)  # as it ever was: widgets hold each other in cycles
    with suppress(OSError):
        make_private(settings.cache)
    tui.run(settings, history=history)
    return Exit.ANSWERED


@group.command(short_help="Bring the index up to date; `ask` does so by itself.")
@click.option("--full", is_flag=True, help="Start over instead of reading only what changed.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as one JSON object.")
@click.option("--watch", "watched", is_flag=True, help="Go on, and take in each change as it is saved.")
@click.option("--no-wait", is_flag=True, help="Leave it to another process that is already at it.")
@_everywhere(hidden=True)
@click.pass_context
def index(context: click.Context, full: bool, as_json: bool, watched: bool, no_wait: bool) -> int:
    """Bring the index up to date and say what changed; `ask` does so by itself.

    With --watch it goes on until Ctrl-C, and prints what changed each time.

    \b
      assistant index
      assistant --notes ~/notes index --watch
    """
    settings = _settings(context)
    with _bars(settings) as progress, closing(_assistant(settings, progress=progress)) as assistant:
        if no_wait and assistant.busy():
            say("Another process is bringing the index up to date.")
            return Exit.ANSWERED
        report = assistant.update(full=full, wait=not no_wait)
    _print_report(report, as_json)
    if watched:
        with closing(_assistant(settings)) as assistant:
            _follow(assistant, as_json)
    return Exit.ANSWERED


def _bars(settings: Settings) -> AbstractContextManager[Callable[..., None] | None]:
    if settings.quiet or not on_terminal():
        return nullcontext()
    from assistant.cli.progress import Bars

    return Bars()


def _follow(assistant: Engine, as_json: bool) -> None:
    """Until Ctrl-C. What is wrong with the notes or the index is said once, and may be mended meanwhile."""
    told = ""
    for _ in assistant.changes():
        try:
            report = assistant.update()
        except AssistantError as error:
            if str(error) != told:
                say(f"Error: {error}")
            told = str(error)
            continue
        told = ""
        if report.added or report.changed or report.removed or report.embedded or report.reason:
            _print_report(report, as_json)


def _print_report(report: BuildReport, as_json: bool) -> None:
    for sentence in (report.reason, *(f"Warning: {warning}" for warning in report.warnings)):
        if sentence and not as_json:
            say(sentence)
    write(_reported(report, as_json) + "\n")


def _reported(report: BuildReport, as_json: bool) -> str:
    if as_json:
        import json
        from dataclasses import asdict

        return json.dumps(asdict(report))
    kinds = (
        (report.added, "added"),
        (report.changed, "changed"),
        (report.removed, "removed"),
        (report.unchanged, "unchanged"),
    )
    counts = ", ".join(f"{number:,} {kind}" for number, kind in kinds if number)
    pending = f", {report.pending:,} still without a vector" if report.pending else ""
    return (
        f"Notes: {counts}. Passages: {report.embedded:,} embedded, {report.reused:,} reused{pending}. "
        f"{report.seconds:.1f} s, generation {report.generation}."
    )


@group.command(short_help="List what a verdict can name.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a topic and line.")
@_everywhere(hidden=True)
@click.pass_context
def topics(context: click.Context, as_json: bool) -> int:
    """List what a verdict can name, each with its heading and line.

    \b
      assistant topics | fzf
      assistant topics --json | jq -r .name
    """
    with closing(_assistant(_settings(context))) as assistant:
        found = assistant.topics()
    if as_json:
        import json
        from dataclasses import asdict

        lines = [json.dumps(asdict(topic)) for topic in found]
    else:
        from assistant.text import sanitize

        lines = [
            sanitize.line(f"{t.name}  {t.path}:{t.line}  {' › '.join(t.heading_path[1:] or t.heading_path)}")
            for t in found
        ]
    write("".join(f"{line}\n" for line in lines))
    return Exit.ANSWERED


@group.command(short_help="Say what does not work, and what mends it.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as one JSON object.")
@_everywhere(hidden=True)
@click.pass_context
def doctor(context: click.Context, as_json: bool) -> int:
    """NotesSnapshot at packages, model, index, notes and terminal, and say what mends each problem.

    \b
      assistant doctor
      assistant doctor --json | jq .healthy

    Exit code: 0 healthy, 3 not.
    """
    import time
    from dataclasses import asdict

    from assistant.cli import diagnosis as surgery
    from assistant.text import sanitize

    settings: Settings | AssistantError
    try:
        settings = _settings(context)
    except AssistantError as error:
        settings = error  # what is installed can be looked at all the same
    encoding = (sys.stdout and sys.stdout.encoding) or "unknown"
    findings = surgery.examine(settings, os.environ, _said(context), time.time(), encoding)
    healthy = all(finding.healthy for finding in findings)
    if as_json:
        import json

        write(json.dumps({"healthy": healthy, "findings": [asdict(one) for one in findings]}) + "\n")
    else:
        rows = []
        for one in findings:
            rows.append(sanitize.line(f"{'✓' if one.healthy else '✗'} {one.part}: {one.says}"))
            if one.remedy:
                rows.append(sanitize.line(f"    mend it: {one.remedy}"))
        write("\n".join(rows) + "\n")
    return Exit.ANSWERED if healthy else Exit.CANNOT


def _said(context: click.Context) -> list[str]:
    """The options that say which notes, index and model are meant, as they were given."""
    flags = context.meta.get(_FLAGS, {})
    return [word for name in ("notes", "index", "model") if name in flags for word in (f"--{name}", flags[name])]


@group.command(name="help", short_help="List, show or ask the documentation pages.")
@click.argument("words", nargs=-1, shell_complete=_page)
@_everywhere(hidden=True)
@click.pass_context
def help_(context: click.Context, words: tuple[str, ...]) -> int:
    """List the documentation pages, show one, or answer a question from them.

    \b
      assistant help
      assistant help how-an-answer-is-found
      assistant help how do I correct a wrong verdict
    """
    from assistant.cli import pages
    from assistant.text import sanitize

    asked = " ".join(words)
    if not asked:
        rows = [sanitize.line(f"{page.name}  {page.title}") for page in pages.pages()]
        write("\n".join([*rows, "", "assistant help NAME shows one; assistant help QUESTION asks them."]) + "\n")
        return Exit.ANSWERED
    page = pages.named(asked)
    if page is not None:
        write("\n".join(map(sanitize.line, page.path.read_text("utf-8").split("\n"))))
        return Exit.ANSWERED
    from assistant.engine import Request
    from assistant.text.sanitize import replace_surrogates

    like = _settings(context, notes=str(pages.FOLDER))
    place = replace(like, index=like.cache / "help", fallback_index=like.cache / "help")
    with closing(_assistant(place, complete=True)) as assistant:  # a few pages: seconds, once
        return _one(assistant, Request(replace_surrogates(asked)), "text", None)
