"""The newest committed store of an index, opened once and again after each commit."""

from __future__ import annotations

from assistant.errors import IndexUnusable
from assistant.storage import Store, StoreError, Unreachable
from assistant.system.collection import IndexPlace


class CurrentStore:
    """Holds the one open store."""

    def __init__(self) -> None:
        self.last: Store | None = None
        """The store opened last, however old; None before the first and after `close`."""
        self.trouble: StoreError | None = None
        """Why `newest` found none that can be read; None where it found one."""
        self.openings = 0
        """How many stores were opened."""
        self._notices: list[str] = []

    def open_ahead(self, index: IndexPlace) -> None:
        """Opens the store that most likely is the newest, of whatever model, and starts to read its vectors;
        Unreachable, so that nobody waits for a server twice."""
        if self.last is None:
            try:
                self.last = Store.open(index)
                self.openings += 1
                self.last.read_ahead()
            except Unreachable:
                raise
            except (StoreError, IndexUnusable):
                return  # `newest` raises what is wrong

    def newest(self, index: IndexPlace, identity: str) -> Store | None:
        """The newest committed store of this encoder; None where there is none that can be read. IndexUnusable where a
        newer version of the program wrote it, Unreachable where nobody can say what there is."""
        if self.last is not None and self.last.identity == identity and self.last.current():
            return self.last
        self.close()
        try:
            self.last, self.trouble = Store.open(index, identity), None
            self.openings += 1
        except Unreachable:
            raise
        except StoreError as error:
            self.trouble = error
        return self.last

    def rest(self) -> None:
        """Lets go of a database's connection until the next read."""
        if self.last is not None:
            self.last.rest()

    def take_notices(self) -> tuple[str, ...]:
        """What had to be waited for since the last call, also of stores that were closed meanwhile."""
        if self.last is not None:
            self._notices += self.last.take_notices()
        notices, self._notices = tuple(self._notices), []
        return notices

    def close(self) -> None:
        """May be called twice; `newest` opens a store again."""
        if self.last is not None:
            self._notices += self.last.take_notices()
            self.last.close()
            self.last = None
