"""The newest committed store of an index, opened once and again after each commit."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from assistant.errors import IndexUnusable
from assistant.storage import Store, StoreError


class CurrentStore:
    """Holds the one open store."""

    def __init__(self) -> None:
        self.last: Store | None = None
        """The store opened last, however old; None before the first and after `close`."""

    def open_ahead(self, index: Path) -> None:
        """Opens the store that most likely is the newest, of whatever model, and starts to read its vectors."""
        if self.last is None:
            with suppress(StoreError, IndexUnusable):  # `newest` raises what is wrong
                self.last = Store.open(index)
                self.last.read_ahead()

    def newest(self, index: Path, identity: str) -> Store | None:
        """The newest committed store of this encoder; None where there is none that can be read. IndexUnusable where a
        newer version of the program wrote it."""
        if self.last is not None and self.last.identity == identity and self.last.current():
            return self.last
        self.close()
        with suppress(StoreError):
            self.last = Store.open(index, identity)
        return self.last

    def close(self) -> None:
        """May be called twice; `newest` opens a store again."""
        if self.last is not None:
            self.last.close()
            self.last = None
