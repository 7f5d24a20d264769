"""Flags, environment and `assistant.toml` become one record; nothing else reads the last two."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Self, TypeVar

from assistant.errors import BadRequest, NoNotes
from assistant.system import permissions
from assistant.system.collection import Collection, IndexPlace, is_address, is_foreign_address
from assistant.system.settings_file import FILE, Refresh, nearest_file

_T = TypeVar("_T")
_CACHEDIR_TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# Derived files of notes-assistant; safe to delete.\n"


@dataclass(frozen=True, slots=True)
class Flags:
    """The options of the command line; None for one that was not given."""

    notes: str | None = None
    index: str | None = None
    model: str | None = None
    refresh: Refresh | None = None
    background: bool | None = None
    vocabulary: bool | None = None
    quiet: bool | None = None
    takes_corpus: bool = False
    """Whether a `corpus/` that is near names the notes of an index in a database, too: for what reads the files."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where notes, index and cache are, and how to work; every path is absolute, none need exist."""

    folder: Path | None
    """That of the notes; None where none is named, which only an index in a database can do without."""
    index: IndexPlace
    fallback_index: Path | None
    """Where the index goes when the folder meant for it cannot be written; None for an index in a database."""
    model: str
    """"" for the default model; a folder is absolute."""
    cache: Path
    constants: Path | None
    """Fitted constants to use instead of the shipped ones."""
    refresh: Refresh
    background: bool
    vocabulary: bool
    quiet: bool
    theme: str
    """The chat's colours; "" for the default."""
    keys: Mapping[str, str]
    """The chat's own keys: name of an action to keys, with commas between them."""
    links_base: str
    """The web address that a note's path is put behind for links to it; "" for none."""

    @property
    def notes(self) -> Path:
        """The folder of notes; NoNotes where none is named."""
        return named(self.folder)

    def with_pages(self, pages: Path) -> Self:
        """For questions about the program: its pages are the notes, with an index of their own in the user's cache."""
        index = self.cache / "help"
        refresh = "look" if self.follows_index else self.refresh
        return replace(self, folder=pages, index=index, fallback_index=index, refresh=refresh, links_base="")

    @property
    def follows_index(self) -> bool:
        """Whether somebody else writes the index, and only newer generations of it are looked for."""
        return isinstance(self.index, Collection) and self.refresh == "never"

    @property
    def name(self) -> str:
        """Of the notes, for people: that of their folder, else of their collection."""
        return self.index.name if self.folder is None else self.folder.name


def load(flags: Flags, environment: Mapping[str, str], here: Path) -> Settings:
    """Each setting from the flags, else the environment, else the file, else its default.

    `here` is the folder from which a file and a `corpus/` are looked for, upwards. BadRequest for a bad file or
    address, NoNotes where there is no folder of notes and the index is in none that can do without.
    """
    base, file = nearest_file(here)
    usual = _path(file.notes, base) or _nearest_corpus(here)
    given = _path(flags.notes or environment.get("ASSISTANT_NOTES"), here)
    notes = given or usual
    notes = _absolute(notes) if notes is not None else None
    cache = user_cache(environment)
    named, index_base = flags.index or environment.get("ASSISTANT_INDEX"), here
    if not (named and named.strip()) and (usual is None or _absolute(usual) == notes):
        named, index_base = file.index, base  # a project's index belongs to the project's notes only
    index: IndexPlace
    fallback_index: Path | None
    if named and is_foreign_address(named):
        raise BadRequest("The index is neither a folder nor in PostgreSQL.", "Name a folder, or postgresql://….")
    if named and is_address(named):
        if given is None and file.notes is None and not flags.takes_corpus:
            notes = None
        index, fallback_index = Collection.parse(named.strip(), notes.name if notes is not None else ""), None
    elif notes is None:
        raise NoNotes(f"No corpus/ folder in {here} or above it.", "Point --notes at a folder with .md files.")
    else:
        fallback_index = _index_in(cache, notes)
        folder = _path(named, index_base)
        index = _absolute(folder) if folder else _index_beside(notes) or fallback_index
    in_database = isinstance(index, Collection)
    if flags.refresh == "insist" and notes is None:
        raise BadRequest("--refresh compares the index with notes, and none are named.", "Name them with --notes.")
    constants = _path(environment.get("ASSISTANT_CONSTANTS"), here) or _path(file.constants, base)
    return Settings(
        folder=notes,
        index=index,
        fallback_index=fallback_index,
        model=_model(flags.model or environment.get("ASSISTANT_MODEL"), here) or _model(file.model, base),
        cache=cache,
        constants=_absolute(constants) if constants else None,
        refresh="never" if notes is None else _first(flags.refresh, file.refresh, "never" if in_database else "look"),
        background=not in_database and _first(flags.background, file.background, True),
        vocabulary=_first(flags.vocabulary, file.vocabulary, True),
        quiet=_first(flags.quiet, file.quiet, False),
        theme=file.theme or "",
        keys=file.keys or {},
        links_base=(file.links or {}).get("base", ""),
    )


def named(folder: Path | None) -> Path:
    """The folder of notes; NoNotes for None."""
    if folder is None:
        raise NoNotes("No folder of notes is named: they are read from the index.", "Name it with --notes.")
    return folder


def user_cache(environment: Mapping[str, str]) -> Path:
    """The user's cache folder for this program, which need not exist; without a home that can be written, a temporary
    folder of the user's own."""
    for parent in _cache_parents(environment):
        if parent.is_absolute() and _can_write(parent / "notes-assistant"):
            return parent / "notes-assistant"
    import tempfile

    return Path(tempfile.gettempdir()) / f"notes-assistant-{os.getuid()}"


def user_state(environment: Mapping[str, str], notes: IndexPlace) -> Path | None:
    """The file for the chat's history about a folder of notes, or a collection of which no folder is named; it need not
    exist. None where no home can be written."""
    named = environment.get("XDG_STATE_HOME", "")
    home = environment.get("HOME") or _passwd_home()
    usual = ("Library", "Application Support") if sys.platform == "darwin" else (".local", "state")
    for parent in (*([Path(named)] if named else []), *([Path(home, *usual)] if home and Path(home).is_dir() else [])):
        if parent.is_absolute() and _can_write(parent / "notes-assistant"):
            folder = _index_in(parent / "notes-assistant", notes)
            return folder.with_name(folder.name + ".jsonl")
    return None


def server_token(environment: Mapping[str, str]) -> str:
    """The token that `assistant serve` demands; "" for none."""
    return environment.get("ASSISTANT_TOKEN", "").strip()


def terminal_clipboard(environment: Mapping[str, str]) -> Literal["tmux", "osc52", "local"]:
    """How a copied text gets from here to the user's clipboard."""
    if environment.get("TMUX"):
        return "tmux"
    return "osc52" if environment.get("SSH_CONNECTION") or environment.get("SSH_TTY") else "local"


def few_colours(environment: Mapping[str, str]) -> bool:
    """Whether the terminal says that it has 16 colours at the most."""
    term = environment.get("TERM", "")
    rich = environment.get("COLORTERM", "") in ("truecolor", "24bit") or "256" in term or "direct" in term
    return not rich and term in ("xterm", "linux", "screen", "ansi", "vt220", "rxvt", "xterm-16color", "tmux")


def make_private(folder: Path) -> None:
    """Makes the cache folder, for its owner alone; PermissionError where another user owns one of that name."""
    permissions.folder(folder)
    if folder.lstat().st_uid != os.getuid():
        raise PermissionError(13, "Belongs to another user", str(folder))
    permissions.tighten_folder(folder, lambda _: True)
    tag = folder / "CACHEDIR.TAG"
    if not tag.exists():
        permissions.write(tag, _CACHEDIR_TAG)


def _index_in(cache: Path, notes: IndexPlace) -> Path:
    """The folder in a cache for what is made of these notes; by their real path, so that links to them share it."""
    place: IndexPlace = Path(os.path.realpath(notes)) if isinstance(notes, Path) else notes
    digest = hashlib.sha256(os.fsencode(str(place))).hexdigest()[:12]
    name = "".join(c if c.isalnum() or c in "-_." else "_" for c in place.name)[:40]
    return cache / f"{name or 'notes'}-{digest}"


def debugging(environment: Mapping[str, str]) -> bool:
    """Whether the user wants tracebacks."""
    return environment.get("ASSISTANT_DEBUG", "") not in ("", "0")


def colours(environment: Mapping[str, str]) -> bool:
    """Whether a terminal may be given styles and links."""
    return not environment.get("NO_COLOR") and environment.get("TERM", "dumb") not in ("", "dumb", "unknown")


def named_editor(environment: Mapping[str, str]) -> str:
    """The user's editor as a shell would read it; "" where none is named."""
    return environment.get("VISUAL", "").strip() or environment.get("EDITOR", "").strip()


def _cache_parents(environment: Mapping[str, str]) -> list[Path]:
    named = environment.get("XDG_CACHE_HOME", "")
    parents = [Path(named)] if named else []
    home = environment.get("HOME") or _passwd_home()
    if home and Path(home).is_dir():
        parents.append(Path(home, "Library", "Caches") if sys.platform == "darwin" else Path(home, ".cache"))
    return parents


def _passwd_home() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return ""


def _can_write(folder: Path) -> bool:
    for nearest in (folder, *folder.parents):
        if nearest.exists():
            return nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)
    return False


def _nearest_corpus(here: Path) -> Path | None:
    return next((f / "corpus" for f in (here, *here.parents) if (f / "corpus").is_dir()), None)


def _index_beside(notes: Path) -> Path | None:
    """A project keeps its index beside its notes; None where the notes stand in no project."""
    beside = notes.parent / "index"
    if beside != notes and (beside.is_dir() or (notes.parent / FILE).is_file()):
        return beside
    return None


def _first(*values: _T | None) -> _T:
    return next(value for value in values if value is not None)


def _path(text: str | None, base: Path) -> Path | None:
    """As the user wrote it, relative to `base`; None for nothing or blanks."""
    return base / os.path.expanduser(text) if text and text.strip() else None  # noqa: PTH111 - Path's raises without a home


def _absolute(path: Path) -> Path:
    """Without `..`, links kept: what stands beside a link to the notes is beside the notes."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - Path.absolute keeps `..`


def _model(name: str | None, base: Path) -> str:
    """A folder becomes absolute, any other name stays; "" for none."""
    path = _path(name, base)
    if name and path and ("/" in name or os.sep in name) and path.is_dir():
        return str(_absolute(path))
    return name or ""
