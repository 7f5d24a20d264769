"""Where an index is: a folder, or a collection of a PostgreSQL database, which is named by an address."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import quote, unquote, urlencode, urlsplit

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
            values = [_decoded(pair) for pair in parts.query.split("&") if pair]
        except ValueError:
            raise BadRequest(
                "The address of the index cannot be read.", _FORM
            ) from None  # its text may hold a password
        names = [value for key, value in values if key == "collection"] or [default]
        rest = [pair for pair in values if pair[0] != "collection"]
        user, _, hosts = parts.netloc.rpartition("@")
        ambiguous = _AMBIGUOUS.search(address) or "@" in user + parts.path
        if ambiguous or len(names) > 1 or not all(map(_HOST.fullmatch, hosts.split(","))):
            raise BadRequest("The address of the index cannot be read.", _FORM)
        name = names[0].strip()
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
_AMBIGUOUS = re.compile(r"#|%(?![0-9A-Fa-f]{2})")
"""What has to be percent-encoded: left as it is, a part of a password would be taken for a host."""
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_HOST = re.compile(r"(\[[^\]]*\]|[^:\[\]]*)(:\d*)?")


def is_address(text: str) -> bool:
    """Whether a setting names a database and not a folder."""
    return text.strip().partition("://")[0].lower() in SCHEMES and "://" in text


def is_foreign_address(text: str) -> bool:
    """Whether a setting is an address of something else, such as of another kind of database."""
    return not is_address(text) and _ADDRESS.match(text.strip()) is not None


def _decoded(pair: str) -> tuple[str, str]:
    """Of a query, as libpq reads it: a plus is a plus. ValueError where it is not UTF-8."""
    key, _, value = pair.partition("=")
    return unquote(key, errors="strict"), unquote(value, errors="strict")


def _joined(place: str, path: str, query: str) -> str:
    return f"{SCHEMES[0]}://{place}{path}" + (f"?{query}" if query else "")
