"""The command palette: the same actions as the help screen, with their keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from assistant.text import sanitize
from assistant.tui.keymap import COMMANDS, Action


class _AppWithKeys(Protocol):
    @property
    def user_keys(self) -> Mapping[str, str]: ...


class Commands(Provider):
    """Every action but those of typing."""

    async def discover(self) -> Hits:
        for action in COMMANDS:
            label = command_label(action, self._keys)
            yield DiscoveryHit(Content(label), self._run(action), text=label)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query.removeprefix("/") or query)  # a command may be typed as in the prompt
        for action in COMMANDS:
            label = command_label(action, self._keys)
            score = matcher.match(label)
            if score > 0:
                yield Hit(score, matcher.highlight(label), self._run(action), text=label)

    @property
    def _keys(self) -> Mapping[str, str]:
        """The user's own."""
        return cast("_AppWithKeys", self.app).user_keys

    def _run(self, action: Action) -> Callable[[], object]:
        return lambda: self.app.call_later(self.app.run_action, action.call)


def command_label(action: Action, keys: Mapping[str, str]) -> str:
    """What the action does, and its key; `keys` are the user's own."""
    shown = sanitize.line(keys.get(action.id, action.shown))
    return f"{action.label}  ({shown})" if shown else action.label
