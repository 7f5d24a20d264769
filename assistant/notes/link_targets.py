"""The target of a link → the note and heading it leads to, by names alone: no file is looked at.

Only paths that are given can come out, so nothing outside the notes does.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from urllib.parse import unquote

from assistant.records import Section

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?!\s)")
_SUFFIXES = (".md", ".markdown")
_IN_A_FOLDER = ("index", "readme", "_index")
"""Notes that stand for their folder, in the order they are tried in."""


@dataclass(frozen=True, slots=True)
class InNotes:
    """A note, and a heading of it."""

    path: str
    fragment: str = ""
    """As the link has it, decoded: an anchor, of a wiki link a heading; "" for the top."""


@dataclass(frozen=True, slots=True)
class Outside:
    """An address that is no note's, such as a web page or a path out of the folder."""

    address: str


@dataclass(frozen=True, slots=True)
class NoNote:
    """A path or a name that no note has."""

    name: str


Target = InNotes | Outside | NoNote


class LinkTargets:
    """Knows the notes of one folder by path, file name and title."""

    def __init__(self, paths: Iterable[str], titles: Callable[[], Mapping[str, str]]) -> None:
        """`paths` below the folder, in any order; `titles` by path, called at the first name that no file has."""
        self._paths = sorted(paths)
        self._read_titles = titles

    def target(self, link: str, source: str) -> Target:
        """Where a link of the note `source` leads: its address as written, a wiki link in its brackets.

        Case and the form of accents count only between notes that nothing else tells apart.
        """
        link = link.strip()
        if link.startswith("[[") and link.endswith("]]"):
            return self._wiki(link[2:-2].partition("|")[0].strip(), source)
        if _SCHEME.match(link) or link.startswith(("//", "\\\\")):
            return Outside(link)
        address, _, fragment = link.partition("#")
        path, fragment = unquote(address.partition("?")[0]), unquote(fragment)
        if not path:
            return InNotes(source, fragment)
        place = _below(PurePosixPath(source).parent, path)
        if place is None:
            return Outside(link)
        note = self._at(place)
        return InNotes(note, fragment) if note is not None else NoNote(path)

    def _wiki(self, text: str, source: str) -> Target:
        name, _, fragment = text.partition("#")
        name, fragment = name.strip(), fragment.rpartition("#")[2].strip()
        if fragment.startswith("^"):  # names a block, which no heading has
            fragment = ""
        if not name:
            return InNotes(source, fragment)
        note = self._named(name, source)
        if note is not None:
            return InNotes(note, fragment)
        is_path = "/" in name and _below(PurePosixPath(), name) is None
        if _SCHEME.match(name) or (is_path and _below(PurePosixPath(source).parent, name) is None):
            return Outside(text)
        return NoNote(name)

    def _named(self, name: str, source: str) -> str | None:
        """By path from the top or from the source, by the end of a path, by file name, by title."""
        for folder in (PurePosixPath(), PurePosixPath(source).parent) if "/" in name else ():
            place = _below(folder, name)
            note = self._at(place) if place else None
            if note is not None:
                return note
        if name.startswith((".", "/")):
            return None
        key = _key(name)
        alike = self._by_end[key] if key in self._by_end else self._by_title.get(_words(name), ())
        return _nearest(alike, name, source)

    def _at(self, place: str) -> str | None:
        """The note at a path from the top, with its suffix or without, or the one that stands for a folder."""
        inside = f"{place}/" if place else ""
        for path in (place, *(f"{inside}{name}" for name in _IN_A_FOLDER)):
            forms = [path, *(f"{path}{suffix}" for suffix in _SUFFIXES)]
            exact = next((form for form in forms if form in self._by_path), None)
            if exact is not None:
                return exact
            alike = next((note for form in forms for note in self._by_key.get(_key(form), ())), None)
            if alike is not None:
                return alike
        return None

    @cached_property
    def _by_path(self) -> frozenset[str]:
        return frozenset(self._paths)

    @cached_property
    def _by_key(self) -> Mapping[str, Sequence[str]]:
        return _grouped((_key(path), path) for path in self._paths)

    @cached_property
    def _by_end(self) -> Mapping[str, Sequence[str]]:
        """Every end of a path that begins with a name, with the suffix and without."""
        return _grouped((_key(form), path) for path in self._paths for form in _ends(path))

    @cached_property
    def _by_title(self) -> Mapping[str, Sequence[str]]:
        titles = self._read_titles()
        return _grouped((_words(titles[path]), path) for path in self._paths if path in titles)


def section(sections: Sequence[Section], fragment: str) -> Section | None:
    """The section that a fragment names, as an anchor or by the words of its heading; None where none is."""
    for same in (_same_anchor, _same_words, _alike):
        found = next((one for one in sections if one.level and same(one, fragment)), None)
        if found is not None:
            return found
    return None


def _same_anchor(one: Section, fragment: str) -> bool:
    return _normal(one.anchor) == _normal(fragment)


def _same_words(one: Section, fragment: str) -> bool:
    return _words(one.heading_path[-1]) == _words(fragment)


def _alike(one: Section, fragment: str) -> bool:
    """Case aside, hyphens that stand together count as one: authors guess at both."""
    from assistant.notes.markdown.anchors import Anchors  # markdown-it is not needed for the first frame

    anchors = Anchors()
    anchors.add(_normal(one.anchor))
    return bool(fragment.strip()) and anchors.hold([f"#{Anchors().add(_normal(fragment))}"])


def _below(folder: PurePosixPath, path: str) -> str | None:
    """A path in a folder, without dots; None where it is absolute or leaves the notes."""
    if path.startswith("/"):
        return None
    parts = list(folder.parts)
    for part in path.split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def _nearest(notes: Sequence[str], name: str, source: str) -> str | None:
    """Of several notes the one of the same case, then in the same folder, nearest to the top, first by path."""
    folder = PurePosixPath(source).parent

    def rank(path: str) -> tuple[bool, bool, int, str]:
        return name not in _ends(path), PurePosixPath(path).parent != folder, path.count("/"), path

    return min(notes, key=rank, default=None)


def _ends(path: str) -> tuple[str, ...]:
    parts = PurePosixPath(path).parts
    ends = ["/".join(parts[at:]) for at in range(len(parts))]
    return (*ends, *(end[: -len(PurePosixPath(path).suffix)] for end in ends))


def _grouped(pairs: Iterable[tuple[str, str]]) -> Mapping[str, Sequence[str]]:
    groups = defaultdict[str, list[str]](list)
    for key, path in pairs:
        groups[key].append(path)
    return dict(groups)


def _normal(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _key(text: str) -> str:
    return _normal(text).casefold()


def _words(text: str) -> str:
    return " ".join(_key(text).split())
