"""Where an index is: a folder, or a collection of a PostgreSQL database, which is named by an address."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from assistant.errors import BadRequest

SCHEMES = ("postgresql", "postgres")
_LONGEST = 100


@dataclass(frozen=True, slots=True)
class Collection:
    """The index of one folder of notes in a database of several; `str` gives an address without user and password."""

    conninfo: str = field(repr=False)
    """What libpq connects with: the address without the collection. It may hold a password: never print it."""
    name: str

    @classmethod
    def parse(cls, address: str, default: str = "") -> Self:
        """From `postgresql://…?collection=NAME`; without a name it is `default`. BadRequest, whose text does not hold
        the address."""
        try:
            parts = urlsplit(address)
            values = parse_qsl(parts.query, keep_blank_values=True)
            _ = parts.port
        except ValueError as error:
            raise BadRequest("The address of the index cannot be read.", _FORM) from error
        names = [value for key, value in values if key == "collection"] or [default]
        rest = [pair for pair in values if pair[0] != "collection"]
        name = names[-1].strip()
        if not name:
            raise BadRequest("The address of the index names no collection.", _FORM)
        if len(name) > _LONGEST or not name.isprintable():
            raise BadRequest("The name of the collection is too long or cannot be printed.", _FORM)
        return cls(_joined(parts.netloc, parts.path, urlencode(rest, quote_via=quote)), name)

    def __str__(self) -> str:
        parts = urlsplit(self.conninfo)
        place = parts.netloc.rpartition("@")[2]
        return _joined(place, parts.path, f"collection={quote(self.name)}")

    @property
    def address(self) -> str:
        """For `parse` in another process; it may hold a password."""
        parts = urlsplit(self.conninfo)
        return _joined(
            parts.netloc, parts.path, "&".join(filter(None, (parts.query, f"collection={quote(self.name)}")))
        )


IndexPlace = Path | Collection

_FORM = "Write it as postgresql://user@host/database?collection=NAME."


def is_address(text: str) -> bool:
    """Whether a setting names a database and not a folder."""
    return text.strip().partition("://")[0] in SCHEMES and "://" in text


def _joined(place: str, path: str, query: str) -> str:
    return f"{SCHEMES[0]}://{place}{path}" + (f"?{query}" if query else "")
