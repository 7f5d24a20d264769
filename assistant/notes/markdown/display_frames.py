"""What stands before the rows of a block: the bars, indentation and markers of what it stands in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class Frame:
    """An item, a quotation, an admonition or a directive."""

    first: str
    rest: str
    line: int = 0
    """The note's line that an item begins on."""
    used: bool = False
    directive: bool = False


class Frames:
    """Those that are open, innermost last."""

    def __init__(self) -> None:
        self._open: list[Frame] = []

    @property
    def unused(self) -> bool:
        """Whether nothing was shown in the innermost one yet."""
        return bool(self._open) and not self._open[-1].used

    @property
    def quoted(self) -> bool:
        """Whether a bar stands before the rows."""
        return any(frame.first == frame.rest and frame.first.strip() for frame in self._open)

    @property
    def line(self) -> int:
        """Where the innermost item begins."""
        return self._open[-1].line

    @property
    def now(self) -> tuple[Frame, ...]:
        """Outermost first."""
        return tuple(self._open)

    def open(self, first: str, rest: str, line: int = 0) -> None:
        """`first` stands before the first row in it, `rest`, as wide, before the others; `line` is an item's."""
        self._open.append(Frame(first, rest, line))

    def close(self) -> None:
        """The innermost one that is no directive ends, and the directives in it."""
        while self._open and self._open.pop().directive:
            pass

    def open_directive(self, bar: str) -> None:
        """One that a line of its own ends."""
        self._open.append(Frame(bar, bar, directive=True))

    def close_directive(self) -> None:
        """Without effect where the innermost frame is no directive."""
        if self._open and self._open[-1].directive:
            self._open.pop()

    def take(self) -> tuple[str, str]:
        """What stands before the first row of the next block, and before its other rows."""
        opening = "".join(frame.rest if frame.used else frame.first for frame in self._open)
        for frame in self._open:
            frame.used = True
        return opening, "".join(frame.rest for frame in self._open)
