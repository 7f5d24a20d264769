"""A bounded cache of what was read from a snapshot."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class ReadCache(Generic[Key, Value]):
    """Values by key, read together where they are missing; emptied once it holds more than `limit`."""

    def __init__(self, read: Callable[[list[Key]], Mapping[Key, Value]], limit: int) -> None:
        """`read` may leave out keys that have no value; these are looked for again the next time."""
        self._read = read
        self._limit = limit
        self._values: dict[Key, Value] = {}

    def of(self, keys: Collection[Key]) -> dict[Key, Value]:
        """The value of each key that has one, in the order of `keys`."""
        values = self._values
        if len(values) > self._limit:
            values.clear()
        missing = [key for key in keys if key not in values]
        if missing:
            values.update(self._read(missing))
        return {key: values[key] for key in keys if key in values}
