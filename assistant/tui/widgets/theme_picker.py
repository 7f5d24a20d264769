"""The list of themes: a palette that begins with the theme that is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import cast

from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.widgets import OptionList


class ThemePicker(CommandPalette):
    """Calls back with the name of the chosen theme. The app hears of each one that is highlighted."""

    def __init__(self, choose: Callable[[str], object], first: str) -> None:
        super().__init__(providers=[_Themes], placeholder="Search for themes…")
        self.choose = choose
        self.first = first

    @staticmethod
    def highlighted(event: OptionList.OptionHighlighted) -> str:
        """The theme's name."""
        return str(event.option.prompt)


class _Themes(Provider):
    """Every theme by name, the one that is shown first."""

    async def discover(self) -> Hits:
        for name, choose in self._themes():
            yield DiscoveryHit(name, choose)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for name, choose in self._themes():
            score = matcher.match(name)
            if score > 0:
                yield Hit(score, matcher.highlight(name), choose)

    def _themes(self) -> Iterator[tuple[str, Callable[[], object]]]:
        picker = cast("ThemePicker", self.app.screen)
        for name in sorted(self.app.available_themes, key=lambda name: (name != picker.first, name)):
            yield name, partial(picker.choose, name)
