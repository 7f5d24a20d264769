"""Headings → the anchors GitHub gives them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable


class Anchors:
    """Hands out one note's anchors, each once; "" stays free for the text above the first heading."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {"": 0}

    def add(self, text: str) -> str:
        """The anchor of the next heading: letters, digits, `_` and `-` of its text; a number where that is taken."""
        slug = anchor = "".join(c for c in text.lower().replace(" ", "-") if c in "-_" or _belongs(c))
        while anchor in self._seen:
            self._seen[slug] += 1
            anchor = f"{slug}-{self._seen[slug]}"
        self._seen[anchor] = 0
        return anchor

    def hold(self, targets: Iterable[str]) -> bool:
        """Whether each target is `#` and an anchor; authors guess at double hyphens, so these count as one."""
        known = {_loosely(anchor) for anchor in self._seen if anchor}
        return all(target.startswith("#") and _loosely(target[1:]) in known for target in targets)


def _loosely(anchor: str) -> str:
    return re.sub(r"-+", "-", anchor.lower()).strip("-")


def _belongs(character: str) -> bool:
    return unicodedata.category(character)[0] in "LM" or unicodedata.category(character) in ("Nd", "Nl", "Pc")
