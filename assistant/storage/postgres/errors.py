"""What PostgreSQL's errors mean among those of this package."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from assistant.storage.errors import Busy, DiskFull, IndexDamaged, ReadOnly, StoreError, Unreachable

_TRANSLATIONS: dict[str, type[StoreError]] = {
    "25006": ReadOnly,  # a standby, or a role that may only read
    "42501": ReadOnly,  # no privilege
    "57014": Unreachable,  # a query took longer than the server's limit
    "53100": DiskFull,
    "53200": DiskFull,  # no memory for it
    "55P03": Busy,  # a lock
    "22": IndexDamaged,  # data that cannot be
    "23": IndexDamaged,  # a constraint
    "42": IndexDamaged,  # a missing table or column: the statements are the same for every index of this version
    "3F": IndexDamaged,  # a missing schema
    "XX": IndexDamaged,  # corrupt data or a corrupt index
    "58": IndexDamaged,  # a file of the server's that cannot be read
}
"""By code, or by its class, the first two characters."""
_GONE = ("57P01", "57P02", "57P03", "57P05", "25P03", "25P04", "08", "40", "53300")
"""Codes, or their beginnings, of what may be well with another try: the server stops, crashed, starts; a session timed
out; the connection broke; a conflict of transactions, also with the recovery of a standby; too many connections."""


@contextmanager
def translated() -> Iterator[None]:
    """Turns an error of psycopg into the StoreError it stands for."""
    try:
        yield
    except psycopg.Error as error:
        raise translation(error) from error


def translation(error: psycopg.Error) -> StoreError:
    """The StoreError that an error of psycopg stands for."""
    if is_passing(error):
        return Unreachable(text(error))
    code = error.sqlstate or ""
    return _TRANSLATIONS.get(code, _TRANSLATIONS.get(code[:2], StoreError))(text(error))


def is_passing(error: psycopg.Error) -> bool:
    """Whether another connection, or another try, may not meet it."""
    code = error.sqlstate
    if code is None:
        return isinstance(error, psycopg.OperationalError)
    return code.startswith(_GONE)


def text(error: psycopg.Error) -> str:
    """What the server or the connection says, in one line; it never holds a password."""
    said = error.diag.message_primary or str(error)
    return " ".join(said.split()) or type(error).__name__
