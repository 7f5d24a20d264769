"""The command palette: the same actions as the help screen, with their keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from assistant.text import sanitize
from assistant.tui.keymap import COMMANDS, Action

if TYPE_CHECKING:
    from assistant.tui.talking import Talking


class Commands(Provider):
    """Every action but those of typing."""

    async def discover(self) -> Hits:
        for action in COMMANDS:
            said = name(action, self._keys)
            yield DiscoveryHit(Content(said), self._run(action), text=said)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for action in COMMANDS:
            said = name(action, self._keys)
            score = matcher.match(said)
            if score > 0:
                yield Hit(score, matcher.highlight(said), self._run(action), text=said)

    @property
    def _keys(self) -> Mapping[str, str]:
        """The user's own."""
        return cast("Talking", self.app).chat.keys

    def _run(self, action: Action) -> Callable[[], object]:
        return lambda: self.app.call_later(self.app.run_action, action.call)


def name(action: Action, keys: Mapping[str, str]) -> str:
    """What it does, and its key; `keys` are the user's own."""
    shown = sanitize.line(keys.get(action.id, action.shown))
    return f"{action.label}  ({shown})" if shown else action.label
