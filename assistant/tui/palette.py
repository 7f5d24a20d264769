"""The command palette: the same actions as the help screen, with their keys."""

from __future__ import annotations

from collections.abc import Callable

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from assistant.tui.actions import COMMANDS, Action


class Commands(Provider):
    """Every action but those of typing."""

    async def discover(self) -> Hits:
        for action in COMMANDS:
            yield DiscoveryHit(Content(name(action)), self._run(action), text=name(action))

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for action in COMMANDS:
            score = matcher.match(name(action))
            if score > 0:
                yield Hit(score, matcher.highlight(name(action)), self._run(action), text=name(action))

    def _run(self, action: Action) -> Callable[[], object]:
        return lambda: self.app.call_later(self.app.run_action, action.call)


def name(action: Action) -> str:
    """What it does, and its key."""
    return f"{action.label}  ({action.shown})" if action.shown else action.label
