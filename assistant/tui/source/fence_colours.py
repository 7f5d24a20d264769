"""The colours of a note's code, requested fence by fence as their lines come into view."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from textual.content import Content

from assistant.tui.highlighting import Fence
from assistant.tui.source.note_text import NoteText


class FenceColours:
    """Those of one note at a time."""

    def __init__(self) -> None:
        self._shown: Sequence[str] = ()
        self._fences: Sequence[Fence] = ()
        self._requested: set[Fence] = set()
        self._lines: dict[int, Content] = {}

    def begin(self, text: NoteText) -> None:
        """Another note."""
        self._shown, self._fences = text.shown, text.fences
        self._requested.clear()
        self._lines.clear()

    @property
    def settled(self) -> bool:
        """Whether every fence whose colours were requested has them."""
        return all(fence.first in self._lines for fence in self._requested)

    def add(self, first: int, lines: Sequence[Content]) -> None:
        """Lines from `first` (1-based) on; one whose text is not the note's is passed over."""
        for number, line in enumerate(lines, first):
            if number <= len(self._shown) and line.plain == self._shown[number - 1]:
                self._lines[number] = line

    def want(self, number: int) -> Fence | None:
        """The fence around a line, where its colours are to be requested now."""
        if number in self._lines:
            return None
        at = bisect_right(self._fences, number, key=lambda fence: fence.first) - 1
        fence = self._fences[at] if at >= 0 else None
        if fence is None or number > fence.last or not fence.language or fence in self._requested:
            return None
        self._requested.add(fence)
        return fence

    def of(self, number: int, text: Content) -> Content:
        """The coloured line of that number, or its end where `text` is only that; else `text` itself."""
        line = self._lines.get(number)
        if line is None or not line.plain.endswith(text.plain):
            return text
        return line[len(line.plain) - len(text.plain) :] if len(line.plain) > len(text.plain) else line
