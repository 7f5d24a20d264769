"""What a card is drawn with beside its turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from textual.content import Content


@dataclass(frozen=True, slots=True)
class View:
    """How the reader looks at a card now."""

    folded: bool = False
    """Only the question and the verdict."""
    unfolded: frozenset[int] = frozenset()
    """Positions of the snippets of which every row is shown."""
    chosen: bool = False
    """Whether it is the answer that keys act on."""
    citation: int = 0
    """The citation that keys act on; 0 for none."""
    opened: bool = False
    """Whether the source pane shows that citation."""
    slow: bool = False
    """Whether a question has run for so long that the card says so."""


Colours = Mapping[int, Sequence[Content]]
"""A snippet's position in the answer → its lines, coloured."""
