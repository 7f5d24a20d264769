"""What is open around a block: list items, and admonitions, tabs and directives with their titles."""

from __future__ import annotations

from dataclasses import dataclass, field

from assistant.notes.markdown.inline import Inline

_MOST_LEFT_OPEN = 100
"""Scopes that nothing closed among which a closing line looks for its own."""


@dataclass(slots=True)
class Item:
    """A list item still open: its own lines end where anything but text begins in it."""

    start: int
    depth: int
    parent: int | None
    texts: list[Inline] = field(default_factory=list)
    end: int = 0
    position: int | None = None
    """Its block's, once its own lines are over and there are any."""
    over: bool = False


@dataclass(slots=True)
class _Scope:
    """What a marker opened."""

    name: str
    """What closes it; "" for one that is indented or quoted, which ends with its lines."""
    position: int


class Nesting:
    """The items and scopes that are open, innermost last."""

    def __init__(self) -> None:
        self._open: list[Item | _Scope] = []
        self._items: list[Item] = []
        self._bounds: list[int] = []
        """How much was open where each item, quotation or indented scope began: what it ends takes the rest along."""

    @property
    def depth(self) -> int:
        """Items that are open."""
        return len(self._items)

    @property
    def item(self) -> Item | None:
        """The innermost one."""
        return self._items[-1] if self._items else None

    def parent(self) -> int | None:
        """The block of the nearest item or scope around that has one."""
        return next((around.position for around in reversed(self._open) if around.position is not None), None)

    def begin(self) -> None:
        """Something begins whose end is certain."""
        self._bounds.append(len(self._open))

    def end(self) -> None:
        """It ends, and what was left open in it."""
        del self._open[self._bounds.pop() :]

    def begin_item(self, start: int) -> None:
        """A list item begins."""
        self.begin()
        item = Item(start, self.depth + 1, self.parent())
        self._open.append(item)
        self._items.append(item)

    def end_item(self) -> None:
        """The innermost item ends."""
        self.end()
        self._items.pop()

    def open(self, name: str, position: int) -> None:
        """The marker whose block is at `position` opens a scope."""
        self._open.append(_Scope(name, position))

    def close(self, name: str) -> None:
        """The innermost scope of that name ends, and what was left open in it; none that began outside of the item,
        quotation or indented scope around."""
        bound = max(self._bounds[-1] if self._bounds else 0, len(self._open) - _MOST_LEFT_OPEN)
        for number in range(len(self._open) - 1, bound - 1, -1):
            around = self._open[number]
            if isinstance(around, _Scope) and around.name == name:
                del self._open[number:]
                return

    def clear(self) -> None:
        """A heading opens a section: no scope that only a line closes goes on into it."""
        self._open.clear()
