"""`assistant.toml` → the settings it gives; a mistake in it is named with file and key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from assistant.errors import BadRequest

FILE = "assistant.toml"
Refresh = Literal["look", "insist", "never"]
"""Whether a question looks for changes of the notes first, insists on a fresh index, or takes the index as it is."""
_LINK = re.compile(r"[A-Za-z0-9%:/?#\[\]@!$&'*+,;=._~-]+")
_REFRESH: tuple[Refresh, ...] = ("look", "insist", "never")


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """One `assistant.toml`, None for what it leaves out; its paths are relative to its own folder."""

    notes: str | None = None
    index: str | None = None
    model: str | None = None
    constants: str | None = None
    refresh: Refresh | None = None
    background: bool | None = None
    vocabulary: bool | None = None
    quiet: bool | None = None
    theme: str | None = None
    keys: Mapping[str, str] | None = None
    links: Mapping[str, str] | None = None


def nearest_file(here: Path) -> tuple[Path, SettingsFile]:
    """The settings file in this folder or the nearest one above, with its folder; an empty one where there is none.
    BadRequest where it cannot be read or has an unknown key or a wrong value."""
    for folder in (here, *here.parents):
        path = folder / FILE
        if path.is_file():
            return folder, _read(path)
    return here, SettingsFile()


def _read(path: Path) -> SettingsFile:
    import tomllib

    try:
        table = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadRequest(f"{path} cannot be read: {error}.", "Fix or remove it.") from error
    known = {field.name: field.type for field in fields(SettingsFile)}
    for key, value in table.items():
        if key not in known:
            raise BadRequest(f"{path} has an unknown key: {key}.", f"Known keys are {', '.join(known)}.")
        if key == "keys":
            _check_keys(path, value)
        elif key == "links":
            _check_links(path, value)
        else:
            _check(path, key, value, flag="bool" in str(known[key]))
    return SettingsFile(**table)


def _check(path: Path, key: str, value: object, *, flag: bool) -> None:
    if key == "refresh":
        if value not in _REFRESH:
            raise BadRequest(f"{path}: refresh is {value!r}.", 'Write "look", "insist" or "never".')
    elif flag and not isinstance(value, bool):
        raise BadRequest(f"{path}: {key} is {value!r}.", "Write true or false.")
    elif not flag and (not isinstance(value, str) or not value or "\0" in value):
        raise BadRequest(f"{path}: {key} is {value!r}.", "Write a string in quotes.")


def _check_keys(path: Path, value: object) -> None:
    if not isinstance(value, dict) or not all(isinstance(keys, str) and keys for keys in value.values()):
        raise BadRequest(f"{path}: keys is {value!r}.", 'Write a table: [keys], and below it copy-answer = "f2".')


def _check_links(path: Path, value: object) -> None:
    if not isinstance(value, dict) or value.keys() != {"base"} or not _is_web_address(value["base"]):
        raise BadRequest(
            f"{path}: links is {value!r}.", 'Write a table: [links], and below it base = "https://host/path/".'
        )


def _is_web_address(value: object) -> bool:
    """Whether it names a host and is of characters that stand in every kind of link as they are."""
    if not isinstance(value, str) or not _LINK.fullmatch(value):
        return False
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)
