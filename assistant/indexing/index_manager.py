"""The index as it should be read now: looks at the notes, has what is missing built, says what could not be done."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from assistant.errors import IndexUnusable, NoNotes, UnreadableNotes
from assistant.indexing import changes
from assistant.notes import folder as notes_folder
from assistant.notes.folder import Scan
from assistant.storage import Busy, DiskFull, ReadOnly, Store, StoreError

if TYPE_CHECKING:
    from assistant.indexing.changes import Embed
    from assistant.indexing.report import BuildReport, Progress
    from assistant.models.encoder import Encoder
    from assistant.records import PassageId
    from assistant.storage import Matrix

Refresh = Literal["look", "insist", "never"]
_WAIT = 0.2
"""Seconds between two tries at a lock that another process holds."""


@dataclass(frozen=True, slots=True)
class IndexView:
    """A store to answer from, and what the reader of an answer must know of it."""

    store: Store
    stale: bool
    """Whether the notes are known to have changed since."""
    warnings: tuple[str, ...]


class NotYet(Exception):
    """No generation was published yet; whoever builds the first one is at it."""


class IndexManager:
    """Holds the opened store and changes it for a newer one when the notes or another process ask for it."""

    def __init__(
        self,
        folder: Path,
        index: Path,
        fallback_index: Path | None,
        encoder: Callable[[], Encoder],
        progress: Progress | None,
    ) -> None:
        """`fallback_index` takes the index where `index` takes none; `encoder` may take minutes."""
        self.index = index
        self._folder = folder
        self._fallback_index = fallback_index
        self._encoder = encoder
        self._progress = progress
        self._store: Store | None = None
        self._ahead: dict[str, Matrix] = {}

    def fresh(self, refresh: Refresh, *, complete: bool = False, rebuilding: bool = False) -> IndexView:
        """As new as `refresh` and the circumstances allow; where many vectors are missing they are computed first only
        if `complete` or insisted on. NoNotes, UnreadableNotes, ModelUnusable, IndexUnusable.

        `rebuilding`: another process is building for us, so the last generation has to do; NotYet where there is none.
        """
        embed: Embed = "all" if complete or refresh == "insist" else "few"
        if refresh != "insist":
            self._read_ahead()
        scan = self._scan()
        identity = self._encoder().identity
        store = self._opened(identity)
        if rebuilding:
            if store is None:
                raise NotYet
            stale = changes.stale(store, self._folder, scan.files, identity)
            return self._as_it_is(store, scan, stale=stale, said=_MEANWHILE if stale else "")
        if store is None or refresh == "insist":
            return self._built(scan, embed, wait=refresh == "insist")
        stale = changes.stale(store, self._folder, scan.files, identity)
        if refresh == "never":
            return self._as_it_is(store, scan, stale=stale, said=_ASKED_NOT_TO if stale else "")
        if stale or changes.due(store.waiting(), embed):
            return self._built(scan, embed, wait=False)
        return self._as_it_is(store, scan)

    def ahead(self, store: Store, terms: Sequence[str], only: Collection[PassageId] | None) -> bool:
        """Lends a store that is not finished the vectors that a question of these terms needs first; whether any were
        new to it."""
        if not store.waiting():
            self._ahead.clear()
            return False
        from assistant.indexing import on_demand

        found = on_demand.vectors(store, self._encoder(), terms, only, self._ahead)
        self._ahead |= dict(found.values())
        store.lend({number: matrix for number, (_, matrix) in found.items()})
        return bool(found)

    def unfinished(self) -> bool:
        """Whether the store last answered from lacks vectors or its vector file; keeps those that were computed ahead,
        where no other process writes."""
        if self._store is None or not (self._store.waiting() or self._store.warnings):
            return False
        if self._ahead:
            from assistant.indexing import on_demand

            on_demand.keep(self.index, self._store.identity, self._ahead)
        return True

    def mended(self) -> IndexView:
        """After a store that opened and did not read back: everything again, from the notes and the sound vectors."""
        self.close()
        there = self._built(self._scan(), "few", wait=True, mend=True)
        return replace(there, warnings=(*there.warnings, "The index was damaged and has been built again."))

    def catch_up(self, few: int) -> Literal["done", "more", "busy"]:
        """Brings the index up to date if that takes at most about `few` new vectors, and says whether it is.

        "busy" where another process writes. NoNotes, UnreadableNotes, ModelUnusable, IndexUnusable.
        """
        scan = self._scan()
        store = self._opened(self._encoder().identity)
        if store is None or not changes.small(store, self._folder, scan.files, few):
            return "more"
        if not changes.stale(store, self._folder, scan.files, store.identity) and not store.waiting():
            return "done"
        try:
            self._build("none", full=False, mend=False, wait=False)
            store = self._opened(self._encoder().identity)
            if store is None or store.waiting() > few:
                return "more"
            self._build("all", full=False, mend=False, wait=False)
        except Busy:
            return "busy"
        except (StoreError, OSError) as error:
            raise _unusable(self.index, error) from error
        return "done"

    def opened(self) -> Store | None:
        """The newest committed store, however old; None where there is none that can be read."""
        return self._opened(self._encoder().identity)

    def update(self, *, full: bool, wait: bool = True) -> BuildReport:
        """Brings the index up to date, after any other writer, or one elsewhere where this folder has none and takes
        none; IndexUnusable where that cannot be, or where there is another writer that is not to be waited for."""
        self._scan()
        try:
            return self._build("all", full=full, mend=False, wait=wait, verify=True)
        except Busy as error:
            raise IndexUnusable(
                "Another process is bringing the index up to date.", "Leave it to that, or wait for it."
            ) from error
        except (StoreError, OSError) as error:
            if not isinstance(error, ReadOnly) or self._fallback_index in (None, self.index) or self._usable():
                raise _unusable(self.index, error) from error
            said = self._use_fallback(f"The index in {self.index} cannot be written ({_reason(error)})")
        report = self.update(full=full, wait=wait)
        return replace(report, warnings=[*report.warnings, said])

    def _use_fallback(self, why: str) -> str:
        """Takes the fallback_index folder from now on; the sentence that says so."""
        assert self._fallback_index is not None
        self.index, self._fallback_index = self._fallback_index, None
        return f"{why}; {self.index} is used instead."

    def close(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None

    def _scan(self) -> Scan:
        scan = notes_folder.scan(self._folder, self.folders)
        if scan.files:
            return scan
        if scan.warnings:
            raise UnreadableNotes(
                f"Not one of the notes in {self._folder} can be read: {_listed(scan.warnings)}.", "Check them."
            )
        raise NoNotes(f"There are no notes in {self._folder}.", "Point --notes at a folder with .md files.")

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders that an index may be kept in, which hold no notes."""
        return (self.index,) if self._fallback_index is None else (self.index, self._fallback_index)

    def _read_ahead(self) -> None:
        """Starts to read what most likely will be answered from, while the notes are looked at."""
        if self._store is None:
            with suppress(StoreError, IndexUnusable):  # whoever needs it says what is wrong
                self._store = Store.open(self.index)
                self._store.read_ahead()

    def _opened(self, identity: str) -> Store | None:
        """The newest committed store of this model; None where there is none that can be read."""
        if self._store is not None and self._store.identity == identity and self._store.current():
            return self._store
        self.close()
        with suppress(StoreError):
            self._store = Store.open(self.index, identity)
        return self._store

    def _as_it_is(self, store: Store, scan: Scan, *, stale: bool = False, said: str = "") -> IndexView:
        refused = [f"{path} {reason}" for path, reason in store.refused()]
        left_out = [*scan.warnings, *refused]
        warnings = [*([f"Left out: {_listed(left_out)}."] if left_out else []), *([said] if said else [])]
        return IndexView(store, stale, (*warnings, *store.warnings))

    def _built(self, scan: Scan, embed: Embed, *, wait: bool, mend: bool = False) -> IndexView:
        """After a build; or from the generation before, or another folder, where there can be none now."""
        try:
            report = self._build(embed, full=False, mend=mend, wait=wait)
        except Busy:
            return self._older(scan, "Another process is bringing the index up to date", None)
        except (ReadOnly, DiskFull, OSError) as error:
            if wait and self._usable():
                raise _unusable(self.index, error) from error
            return self._older(scan, f"The index in {self.index} cannot be written ({_reason(error)})", error)
        except StoreError as error:
            raise _unusable(self.index, error) from error
        store = self._opened(self._encoder().identity)
        if store is None:
            raise _unusable(self.index, None)
        there = self._as_it_is(store, scan)
        about_notes = {*scan.warnings, *(f"{path} {reason}" for path, reason in store.refused())}
        mended = [said for said in report.warnings if said not in about_notes and said not in there.warnings]
        return IndexView(store, stale=False, warnings=(*there.warnings, *mended))

    def _usable(self) -> bool:
        return self._opened(self._encoder().identity) is not None

    def _older(self, scan: Scan, what: str, error: Exception | None) -> IndexView:
        """The last committed store, or one built elsewhere where this folder has none and takes none."""
        identity = self._encoder().identity
        store = self._opened(identity)
        if store is not None:
            stale = changes.stale(store, self._folder, scan.files, identity)
            said = f"{what}; this is answered from the last index." if stale else ""
            return self._as_it_is(store, scan, stale=stale, said=said)
        if self._fallback_index in (None, self.index):
            raise _unusable(self.index, error)
        said = self._use_fallback(what)
        there = self.fresh("look")
        return replace(there, warnings=(*there.warnings, said))

    def _build(self, embed: Embed, *, full: bool, mend: bool, wait: bool, verify: bool = False) -> BuildReport:
        """One build; where another process builds, Busy if there is a store to answer from meanwhile, else after it."""
        from assistant.indexing import build

        while True:
            try:
                return build.refresh(
                    *(self._folder, self.index, self._encoder),
                    full=full,
                    mend=mend,
                    embed=embed,
                    verify=verify,
                    progress=self._progress,
                    skip=self.folders,
                )
            except Busy:
                if not wait and self._usable():
                    raise
            if self._progress is not None:
                self._progress("Waiting for another process that brings the index up to date")
            time.sleep(_WAIT)


_MEANWHILE = "The notes have changed and are being read; this is answered from the last index."
_ASKED_NOT_TO = "The notes have changed since they were indexed, and --no-refresh keeps the index as it is."
_LISTED = 5


def _listed(reasons: Sequence[str]) -> str:
    more = f"; and {len(reasons) - _LISTED} more" if len(reasons) > _LISTED else ""
    return "; ".join(reasons[:_LISTED]) + more


def _reason(error: Exception) -> str:
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)


def _unusable(index: Path, error: Exception | None) -> IndexUnusable:
    because = f": {_reason(error)}" if error else ""
    return IndexUnusable(
        f"The index in {index} cannot be brought up to date{because}.",
        "Name a folder that can be written with --index.",
    )
