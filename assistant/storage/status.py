"""What can be said of an index without opening it: who writes to it, and whether it is intact."""

from __future__ import annotations

from assistant.storage.backend import Health
from assistant.system.collection import Collection, IndexPlace


def being_written(place: IndexPlace) -> bool:
    """Whether a process holds the writer's lock at this moment."""
    if isinstance(place, Collection):
        from assistant.storage.postgres.status import being_written as of_collection

        return of_collection(place)
    from assistant.storage.sqlite import lock

    return lock.being_written(place)


def health(collection: Collection) -> Health:
    """How the server of a collection and its tables are. Unreachable where it cannot be reached."""
    from assistant.storage.postgres.status import health as of_collection

    return of_collection(collection)


def abandoned(place: IndexPlace) -> bool:
    """Whether the last writer was killed, none has followed it, and it may have left something half."""
    if isinstance(place, Collection):
        return False  # the server takes back what was not committed
    from assistant.storage.sqlite import lock

    return lock.abandoned(place)


def problems(place: IndexPlace) -> tuple[str, ...]:
    """What is wrong with an index, one phrase each; reads all of it, which takes a second for each few hundred MB.
    Nothing where there is no index."""
    if isinstance(place, Collection):
        from assistant.storage.postgres.integrity import problems as of_collection

        return of_collection(place)
    from assistant.storage.sqlite import integrity

    return integrity.problems(place)
