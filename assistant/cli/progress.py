"""How far a long step is: a line on stderr, or bars where stderr is a terminal and a build is all there is to see."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from assistant.system.streams import say, show_progress
from assistant.text import sanitize

if TYPE_CHECKING:
    from rich.progress import ProgressColumn, Task, TaskID
    from rich.text import Text

_TERMINAL_SECONDS = 0.1
"""Between two states of the line on a terminal."""
_FILE_SECONDS = 10.0
"""The same where stderr is a file or a pipe."""
_BAR_RATE = 8
"""Times a second that the bars are drawn."""


class ProgressLine:
    """One line that is rewritten on a terminal; elsewhere a line now and then, only for steps that do not count.

    Call it with what is being done and, where the step counts, how far it is.
    """

    def __init__(self) -> None:
        self._on_terminal = sys.stderr is not None and sys.stderr.isatty()
        self._step = ""
        self._step_began = 0.0
        self._next_output = 0.0

    def __call__(self, what: str, done: int = 0, of: int = 0) -> None:
        """Writes nothing where the last output is too recent; `of` is 0 for a step that does not count."""
        now = time.monotonic()
        if what != self._step:
            self._step, self._step_began, self._next_output = what, now, now
        if now < self._next_output or (of and not self._on_terminal):
            return
        text = what + _how_far(done, of, now - self._step_began)
        if self._on_terminal:
            self._next_output = now + _TERMINAL_SECONDS
            show_progress(text)
        else:
            self._next_output = now + _FILE_SECONDS
            say(text)


def _how_far(done: int, total: int, seconds: float) -> str:
    if not total:
        return " …"
    left = f", {_duration(seconds / done * (total - done))} left" if done and seconds > 1 else ""
    return f" {done:,} of {total:,}{left}"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


class Bars:
    """One bar for each step that counts, with its rate and the time that is left, and a line for each that does not.

    Call it as ProgressLine; use it as a context manager, which takes the bars away at the end. Only a build that is
    seen needs rich, so it is loaded here.
    """

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._bars: dict[str, TaskID | None] = {}
        """By step; None for one that does not count."""
        self._display = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.completed:,} of {task.total:,}", markup=False),
            _rate_column(),
            TimeRemainingColumn(compact=True),
            console=Console(file=sys.stderr, markup=False, highlight=False),
            transient=True,
            refresh_per_second=_BAR_RATE,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __call__(self, what: str, done: int = 0, of: int = 0) -> None:
        """`of` is 0 for a step that does not count; its line is printed once."""
        if not of:
            if what not in self._bars:
                self._bars[what] = None
                self._display.console.print(f"{sanitize.line(what)} …")
        elif (bar := self._bars.get(what)) is not None:
            self._display.update(bar, completed=done, total=of)
        else:
            self._bars[what] = self._display.add_task(sanitize.line(what), total=of, completed=done)

    def __enter__(self) -> Self:
        self._display.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._display.stop()


def _rate_column() -> ProgressColumn:
    """Steps a second; empty before the first."""
    from rich.progress import ProgressColumn
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:,.0f}/s" if task.speed else "", style="progress.data.speed")

    return Rate()
