"""How far a build is, as bars on the terminal that stderr is; nowhere else."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from assistant.text import sanitize

_OFTEN = 8
"""Times a second that the bars are drawn."""


class _Rate(ProgressColumn):
    """Steps a second; nothing before there are any."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f}/s" if task.speed else "", style="progress.data.speed")


class Bars:
    """One bar for each step that counts, with its rate and the time that is left, and a line for each that does not.

    Call it as a build does; use it as a context manager, which takes the bars away again.
    """

    def __init__(self) -> None:
        self._steps: dict[str, TaskID] = {}
        self._shown = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.completed:,} of {task.total:,}", markup=False),
            _Rate(),
            TimeRemainingColumn(compact=True),
            console=Console(file=sys.stderr, markup=False, highlight=False),
            transient=True,
            refresh_per_second=_OFTEN,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __call__(self, what: str, done: int = 0, of: int = 0) -> None:
        if not of:
            if what not in self._steps:
                self._steps[what] = TaskID(-1)
                self._shown.console.print(f"{sanitize.line(what)} …")
        elif what in self._steps:
            self._shown.update(self._steps[what], completed=done, total=of)
        else:
            self._steps[what] = self._shown.add_task(sanitize.line(what), total=of, completed=done)

    def __enter__(self) -> Self:
        self._shown.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._shown.stop()
