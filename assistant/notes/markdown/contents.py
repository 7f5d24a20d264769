"""Which lists are tables of contents: all their items, nested ones too, are links to headings of the note."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from assistant.notes.markdown.anchors import Anchors
from assistant.notes.markdown.inline import Inline


@dataclass(slots=True)
class _List:
    links_only: bool = True
    positions: list[int] = field(default_factory=list)
    targets: set[str] = field(default_factory=set)


class Contents:
    """Follows the lists of a note as they begin and end; anchors are complete only at its end."""

    def __init__(self) -> None:
        self._open: list[_List] = []
        self._candidates: list[_List] = []

    def begin(self) -> None:
        """A list begins, in the one that is open if one is."""
        self._open.append(_List())

    def item(self, position: int, texts: Sequence[Inline]) -> None:
        """An item of the innermost list: its block's position and what it says."""
        around = self._open[-1]
        around.positions.append(position)
        around.links_only &= bool(texts) and all(text.links_only for text in texts)
        around.targets.update(target for text in texts for target in text.targets)

    def spoil(self) -> None:
        """Something other than an item stands here."""
        for around in self._open:
            around.links_only = False

    def end(self) -> None:
        """The innermost list ends."""
        ended = self._open.pop()
        if self._open:
            around = self._open[-1]
            around.links_only &= ended.links_only
            if around.links_only:
                around.positions += ended.positions
                around.targets |= ended.targets
        if ended.links_only and ended.positions:
            self._candidates.append(ended)

    def positions(self, anchors: Anchors) -> Iterator[int]:
        """The blocks of all tables of contents."""
        for candidate in self._candidates:
            if anchors.hold(candidate.targets):
                yield from candidate.positions
