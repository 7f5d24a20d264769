"""A note's first lines → front matter, where a YAML mapping, or Hugo's TOML, really stands between the marks."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import yaml

MAX_LINES = 1000
MAX_CHARACTERS = 64 * 1024
_KEY = re.compile(r"[A-Za-z_][\w-]*:(\s|$)")


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """What stands above a note's text, marks included; `lines` is 0 where nothing does."""

    lines: int = 0
    title: str = ""
    tags: tuple[str, ...] = ()


def front_matter(lines: Sequence[str]) -> FrontMatter:
    """The note's front matter; one without a closing mark or a mapping is none, and prose like any other."""
    mark = lines[0].rstrip() if lines else ""
    if mark not in ("---", "+++"):
        return FrontMatter()
    ends = ("---", "...") if mark == "---" else ("+++",)
    last = next((n for n, line in enumerate(lines[1:MAX_LINES], 1) if line.rstrip() in ends), 0)
    mapping = _mapping(lines[1:last], mark) if last else None
    if mapping is None:
        return FrontMatter()
    return FrontMatter(last + 1, _title(mapping.get("title")), _tags(mapping.get("tags", mapping.get("tag"))))


def _mapping(lines: Sequence[str], mark: str) -> Mapping[object, object] | None:
    text = "\n".join(lines)
    if len(text) > MAX_CHARACTERS:
        return None
    if mark == "+++":
        return _toml(text)
    try:
        # Strings only: a title may look like a date, and no tag builds an object.
        loaded = yaml.load(text, Loader=yaml.BaseLoader)
    except (yaml.YAMLError, RecursionError, ValueError):
        return _lines(lines)
    return loaded if isinstance(loaded, dict) and loaded else None


def _toml(text: str) -> Mapping[object, object] | None:
    """Taxonomies may stand in a table of their own."""
    try:
        loaded = tomllib.loads(text)
    except (ValueError, RecursionError):
        return None
    taxonomies = loaded.get("taxonomies")
    return {**(taxonomies if isinstance(taxonomies, dict) else {}), **loaded} or None


def _lines(lines: Sequence[str]) -> Mapping[object, object] | None:
    """The simple fields of a mapping its author got wrong, as in `title: Canary: how`."""
    written = [line for line in lines if line.strip() and not line.startswith("#")]
    if not written or not all(_KEY.match(line) or line[0] in " \t-" for line in written):
        return None
    fields = (line.partition(":") for line in written if _KEY.match(line))
    return {key: value.strip().strip("\"'") for key, _, value in fields}


def _title(value: object) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""


def _tags(value: object) -> tuple[str, ...]:
    """Tags of a list, or of a text that commas or spaces divide; a leading `#` is no part of one."""
    names = (
        value if isinstance(value, list) else re.split(r"[,\s]+", value.strip("[] ")) if isinstance(value, str) else []
    )
    tags = (name.strip().strip("\"'").removeprefix("#") for name in names if isinstance(name, str))
    return tuple(dict.fromkeys(tag for tag in tags if tag))
