"""The index as it should be read now: compares it with the notes, has it built where needed, reports what failed."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from assistant.errors import IndexUnusable
from assistant.indexing.changes import Embed, NotesSnapshot, diff, due
from assistant.indexing.current_store import CurrentStore
from assistant.indexing.on_demand import Prefetcher
from assistant.indexing.report import BuildReport, Progress, listed
from assistant.storage import Busy, DiskFull, ReadOnly, Store, StoreError
from assistant.system.collection import IndexPlace
from assistant.system.settings import named

if TYPE_CHECKING:
    from assistant.models.encoder import Encoder
    from assistant.records import PassageId

Refresh = Literal["look", "insist", "never"]
_WAIT = 0.2
"""Seconds between two tries at a lock that another process holds."""
_REBUILDING = "The notes have changed and are being indexed; this is answered from the last index."
_NO_REFRESH = "The notes have changed since they were indexed, and --no-refresh keeps the index as it is."


@dataclass(frozen=True, slots=True)
class IndexView:
    """A store to answer from, and what the reader of an answer must know about it."""

    store: Store
    stale: bool
    """Whether the notes are known to have changed since."""
    warnings: tuple[str, ...]


class NotYet(Exception):
    """No generation was published yet; another process is building the first one."""


class IndexManager:
    """Holds the opened store and replaces it by a newer one when the notes or another process make it necessary.

    Its methods raise NoNotes, UnreadableNotes, ModelUnusable and IndexUnusable.
    """

    def __init__(
        self,
        folder: Path | None,
        index: IndexPlace,
        fallback_index: Path | None,
        encoder: Callable[[], Encoder],
        progress: Progress | None,
    ) -> None:
        """`folder` None names no notes to compare with and to build from. `fallback_index` is used where `index` can be
        neither read nor written; `encoder` may take minutes."""
        self.index = index
        self._folder = folder
        self._fallback_index = fallback_index
        self._encoder = encoder
        self._progress = progress
        self._current = CurrentStore()
        self._prefetched = Prefetcher(encoder)

    def view(self, refresh: Refresh, *, complete: bool = False, rebuilding: bool = False) -> IndexView:
        """As new as `refresh` and the circumstances allow; where many vectors are missing they are computed first only
        if `complete` or `refresh` is "insist".

        `rebuilding`: another process is building for us, so the last generation has to do; NotYet where there is none.
        """
        embed: Embed = "all" if complete or refresh == "insist" else "few"
        if refresh != "insist":
            self._current.open_ahead(self.index)
        notes = self._notes()
        store = self.opened()
        if rebuilding:
            if store is None:
                raise NotYet
            return self._unbuilt(store, notes, _REBUILDING)
        if store is None or refresh == "insist":
            return self._built(notes, embed, wait=refresh == "insist")
        if refresh == "never":
            return self._unbuilt(store, notes, _NO_REFRESH)
        if _stale(store, notes) or due(store.waiting(), embed):
            return self._built(notes, embed, wait=False)
        return view_of(store, notes.warnings)

    def prefetch(self, store: Store, terms: Sequence[str], only: Collection[PassageId] | None) -> bool:
        """Lends a store that is not finished the vectors that a question of these terms needs first; whether any were
        new to it."""
        return self._prefetched.lend(store, terms, only)

    def unfinished(self) -> bool:
        """Whether the store last answered from lacks vectors or its vector file; puts the prefetched vectors into the
        index, where no other process writes."""
        store = self._current.last
        if store is None or not (store.waiting() or store.warnings):
            return False
        self._prefetched.keep(self.index, store.identity)
        return True

    def rebuilt(self) -> IndexView:
        """For an index that turned out to be corrupt: rebuilt from the notes and the sound vectors."""
        self.close()
        view = self._built(self._notes(), "few", wait=True, salvage=True)
        return replace(view, warnings=(*view.warnings, "The index was corrupt and was rebuilt."))

    def catch_up(self, few: int) -> Literal["done", "more", "busy"]:
        """Updates the index if that takes at most about `few` new vectors, and says whether it is up to date.

        "busy" where another process writes.
        """
        notes = self._notes()
        store = self.opened()
        if store is None or store.warnings:
            return "more"
        changes = diff(notes, store, store.identity)
        if not changes.small(few):
            return "more"
        if not changes.stale and not store.waiting():
            return "done"
        try:
            self._build("none", wait=False)
            store = self.opened()
            if store is None or store.waiting() > few:
                return "more"
            self._build("all", wait=False)
        except Busy:
            return "busy"
        except (StoreError, OSError) as error:
            raise _unusable(self.index, error) from error
        return "done"

    def opened(self) -> Store | None:
        """The newest committed store, however old; None where there is none that can be read."""
        return self._current.newest(self.index, self._encoder().identity)

    def newest(self) -> int:
        """Opens the newest committed store; a number that is another one for each that was opened, 0 for none."""
        return self._current.openings if self.opened() is not None else 0

    def update(self, *, full: bool, wait: bool = True) -> BuildReport:
        """Updates the index, after any other writer, or the fallback where this folder has none and takes none;
        IndexUnusable where that cannot be, or where there is another writer and `wait` is off."""
        self._notes()
        try:
            return self._build("all", full=full, wait=wait, verify=True)
        except Busy as error:
            raise IndexUnusable(
                "Another process is updating the index.", "Wait for it, or leave the update to it."
            ) from error
        except (StoreError, OSError) as error:
            if not (isinstance(error, ReadOnly) and self._has_fallback() and self.opened() is None):
                raise _unusable(self.index, error) from error
            warning = self._use_fallback(f"The index in {self.index} cannot be written ({_reason(error)})")
        report = self.update(full=full, wait=wait)
        return replace(report, warnings=[*report.warnings, warning])

    def rest(self) -> None:
        """Lets go of a database's connection until the next read."""
        self._current.rest()

    def take_notices(self) -> tuple[str, ...]:
        """What had to be waited for to read the index since the last call, one sentence each."""
        return self._current.take_notices()

    def close(self) -> None:
        """Closes the store; may be called twice, and a later call opens one again."""
        self._current.close()

    def _notes(self) -> NotesSnapshot:
        return NotesSnapshot.take(self._named_folder(), self.folders)

    def _named_folder(self) -> Path:
        """NoNotes where none is named."""
        return named(self._folder)

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders that an index may be kept in, which hold no notes."""
        return tuple(place for place in (self.index, self._fallback_index) if isinstance(place, Path))

    def _unbuilt(self, store: Store, notes: NotesSnapshot, if_stale: str) -> IndexView:
        """The store as it is, with that warning where the notes have changed since."""
        stale = _stale(store, notes)
        return view_of(store, notes.warnings, stale=stale, warning=if_stale if stale else "")

    def _built(self, notes: NotesSnapshot, embed: Embed, *, wait: bool, salvage: bool = False) -> IndexView:
        """After a build; or from the generation before, or the fallback, where there can be none now."""
        try:
            report = self._build(embed, salvage=salvage, wait=wait)
        except Busy:
            return self._older(notes, "Another process is updating the index", None)
        except (ReadOnly, DiskFull, OSError) as error:
            if wait and self.opened() is not None:
                raise _unusable(self.index, error) from error
            return self._older(notes, f"The index in {self.index} cannot be written ({_reason(error)})", error)
        except StoreError as error:
            raise _unusable(self.index, error) from error
        store = self.opened()
        if store is None:
            raise _unusable(self.index, None)
        view = view_of(store, notes.warnings)
        known = {*notes.warnings, *_refused(store), *view.warnings}
        return replace(view, warnings=(*view.warnings, *(each for each in report.warnings if each not in known)))

    def _older(self, notes: NotesSnapshot, cause: str, error: Exception | None) -> IndexView:
        """The last committed store, or the fallback where this folder has none and takes none."""
        store = self.opened()
        if store is not None:
            return self._unbuilt(store, notes, f"{cause}; this is answered from the last index.")
        if not self._has_fallback():
            raise _unusable(self.index, error)
        warning = self._use_fallback(cause)
        view = self.view("look")
        return replace(view, warnings=(*view.warnings, warning))

    def _has_fallback(self) -> bool:
        return self._fallback_index not in (None, self.index)

    def _use_fallback(self, cause: str) -> str:
        """Uses the fallback index from now on; the sentence that says so."""
        assert self._fallback_index is not None
        self.index, self._fallback_index = self._fallback_index, None
        return f"{cause}; {self.index} is used instead."

    def _build(
        self, embed: Embed, *, wait: bool, full: bool = False, salvage: bool = False, verify: bool = False
    ) -> BuildReport:
        """One build; where another process builds, Busy if there is a store to answer from meanwhile and `wait` is off,
        else after it."""
        from assistant.indexing import build

        while True:
            try:
                return build.refresh(
                    *(self._named_folder(), self.index, self._encoder),
                    full=full,
                    salvage=salvage,
                    embed=embed,
                    verify=verify,
                    progress=self._progress,
                    skip=self.folders,
                )
            except Busy as busy:
                if not wait and self.opened() is not None:
                    raise
                writer = str(busy).partition(": ")[2]  # which a database knows
            if self._progress is not None:
                self._progress("Waiting for another process to update the index" + (f": {writer}" if writer else ""))
            time.sleep(_WAIT)


def _stale(store: Store, notes: NotesSnapshot) -> bool:
    """Whether a build could find something to do; a warning of the store is about a file that it would repair."""
    return bool(store.warnings) or diff(notes, store, store.identity).stale


def view_of(store: Store, left_out: Sequence[str], *, stale: bool = False, warning: str = "") -> IndexView:
    """The view of a store; `left_out` says of files that were passed over why, one sentence each."""
    missing = [*left_out, *_refused(store)]
    warnings = [*([f"Left out: {listed(missing)}."] if missing else []), *([warning] if warning else [])]
    return IndexView(store, stale, (*warnings, *store.warnings))


def _refused(store: Store) -> list[str]:
    """A sentence for each note that could not be read."""
    return [f"{path} {reason}" for path, reason in store.refused()]


def _reason(error: Exception) -> str:
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)


def _unusable(index: IndexPlace, error: Exception | None) -> IndexUnusable:
    because = f": {_reason(error)}" if error else ""
    in_folder = isinstance(index, Path)
    return IndexUnusable(
        f"The index in {index} cannot be updated{because}.",
        "Name a folder that can be written with --index." if in_folder else "Look with `assistant doctor`.",
    )
