"""The texts of an index that are embedded, each kept once, and their vectors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from assistant.storage import codec
from assistant.storage.backend import IN_LIST, NO_LIMIT
from assistant.storage.nearest import Matrix
from assistant.storage.state import TextId, text_key
from assistant.storage.transaction import Transaction

KEPT_IDLE = 3
"""Generations for which the vector of a text that nothing uses any more is kept."""
_UNUSED = "uses = 0 AND chunks = 0 AND others = 0"
"""An SQL condition: a text is in the index for its vector alone, which may be wanted again."""
_IDLE_SINCE = f"{_UNUSED} AND filed = 0 AND idle <= ?"
"""An SQL condition: nothing has used a text since this generation, and no vector file holds it."""


User = Literal["passages", "vocabulary", "chunks"]
"""What a text is embedded for."""
_WAITING: dict[User, str] = {
    "passages": "uses > 0",
    "vocabulary": "uses = 0 AND others > 0",
    "chunks": "uses = 0 AND others = 0 AND chunks > 0",
}
"""By user an SQL condition."""


class TextWriter:
    """Part of a `Writer`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def register(self, texts: Sequence[str]) -> list[tuple[TextId, bool]]:
        """The row of each text, which is made where there is none, and whether it has a vector."""
        known = self._transaction.uncommitted.text_ids
        keys = {text: self._key(text) for text in texts if text not in known}
        if keys:
            rows = self._transaction.rows(f"SELECT key, id, ready FROM texts WHERE key {IN_LIST}", list(keys.values()))
            stored = {key: (TextId(number), bool(ready)) for key, number, ready in rows}
            new = [text for text, key in keys.items() if key not in stored]
            ids = dict(zip(new, self._transaction.new_ids("texts", len(new)), strict=True))
            self._transaction.change_many(
                "INSERT INTO texts(id, key, text) VALUES (?, ?, ?)",
                [(number, keys[text], text) for text, number in ids.items()],
            )
            for text, key in keys.items():
                known[text] = stored[key] if key in stored else (TextId(ids[text]), False)
        return [known[text] for text in texts]

    def find(self, texts: Iterable[str]) -> dict[str, TextId]:
        """The rows of those texts that are in the index."""
        keys = {self._key(text): text for text in texts}
        rows = self._transaction.rows(f"SELECT key, id FROM texts WHERE key {IN_LIST}", list(keys))
        return {keys[key]: TextId(number) for key, number in rows}

    def _key(self, text: str) -> str:
        return text_key(self._transaction.state.identity, text)

    def waiting(self, limit: int = -1) -> list[tuple[TextId, str]]:
        """Texts without a vector, or the first `limit` of them; those of passages, of the vocabulary, of chunks."""
        found = list[Any]()
        for statement in self._transaction.first_waiting():  # what is quoted can be found first, the context comes last
            found += self._transaction.rows(statement, NO_LIMIT if limit < 0 else limit - len(found))
        return [(TextId(number), text) for number, text in codec.typed("a text", found, int, str)]

    def waiting_counts(self) -> dict[User, int]:
        """Texts without a vector by the first that uses them, in the order of `waiting`."""
        return {user: self._count(f"ready = 0 AND {where}") for user, where in _WAITING.items()}

    def waiting_count(self) -> int:
        """Texts without a vector."""
        return sum(self.waiting_counts().values())

    def _count(self, where: str) -> int:
        """Texts that meet an SQL condition."""
        ((count,),) = self._transaction.rows(f"SELECT count(*) FROM texts WHERE {where}")
        return int(count)

    def pending(self) -> int:
        """Passages whose text has no vector."""
        ((pending,),) = self._transaction.rows("SELECT coalesce(sum(uses), 0) FROM texts WHERE ready = 0")
        return int(pending)

    def put_vectors(self, batch: Iterable[tuple[TextId, Matrix]]) -> int:
        """Commits unit rows (k, d) for those texts that still lack them; how many passages have a vector since."""
        matrices = dict(batch)
        rows = self._transaction.rows(f"SELECT id, uses FROM texts WHERE ready = 0 AND id {IN_LIST}", list(matrices))
        uses = dict(codec.typed("a text", rows, int, int))
        self._put([(number, *codec.pack_matrix(matrices[TextId(number)])) for number in uses])
        gained = sum(uses.values())
        self._transaction.commit(self._transaction.state.pending - gained)
        return gained

    def salvage(self) -> int:
        """Takes this encoder's vectors from a database that was put aside, those whose sums are right; how many."""
        salvaged = 0
        for text, count, data, crc in self._transaction.salvageable():
            ((number, ready),) = self.register([text])
            if not ready:
                self._put([(number, count, data, crc)])
                self._transaction.uncommitted.text_ids[text] = (number, True)
                salvaged += 1
        return salvaged

    def _put(self, vectors: Sequence[tuple[int, int, bytes, int]]) -> None:
        """Rows of `vectors`, of texts that have none yet; a row of a text without its mark is left from before."""
        texts = [text for text, *_ in vectors]
        self._transaction.change(f"DELETE FROM vectors WHERE text {IN_LIST}", texts)
        self._transaction.change_many("INSERT INTO vectors(text, rows, data, crc) VALUES (?, ?, ?, ?)", vectors)
        self._transaction.change(f"UPDATE texts SET ready = 1 WHERE id {IN_LIST}", texts)

    def discard_idle(self, generation: int) -> None:
        """Deletes texts that nothing has used for KEPT_IDLE generations, and those unused ones that have no vector."""
        change = self._transaction.change
        change(f"UPDATE texts SET idle = ? WHERE idle IS NULL AND {_UNUSED}", generation)
        change(f"DELETE FROM vectors WHERE text IN (SELECT id FROM texts WHERE {_IDLE_SINCE})", generation - KEPT_IDLE)
        change(f"DELETE FROM texts WHERE {_IDLE_SINCE}", generation - KEPT_IDLE)
        change(f"DELETE FROM texts WHERE {_UNUSED} AND ready = 0")
