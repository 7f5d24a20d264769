"""An index that somebody else writes: asking reads its newest generation and never builds one."""

from __future__ import annotations

from typing import Literal

from assistant.errors import IndexUnusable
from assistant.indexing.changes import NotesSnapshot, diff, unchanged
from assistant.indexing.index_manager import IndexManager, IndexView, Refresh, view_of
from assistant.records import NoteFile
from assistant.storage import IndexDamaged, IndexMissing, IndexOutdated, Store

_DIFFERS = (
    "The notes here differ from those that were indexed: bring your copy up to date, or index it with `assistant index`"
    " where it is the newer one."
)


class PublishedIndex(IndexManager):
    """Only `update` writes. Notes need not be named; where they are, a view says whether they differ."""

    _same: frozenset[tuple[NoteFile, str]] = frozenset()
    """Files of other stats than the indexed ones that were read, with the digest that they have like these."""

    def view(self, refresh: Refresh, *, complete: bool = False, rebuilding: bool = False) -> IndexView:
        """The newest generation, whatever is asked for; IndexUnusable where there is none that can be read."""
        self._current.open_ahead(self.index)
        if self._folder is None:
            return view_of(self._published(), ())
        notes, store = self._notes(), self._published()
        stale = self._differs(store, notes)
        return view_of(store, notes.warnings, stale=stale, warning=_DIFFERS if stale else "")

    def unfinished(self) -> bool:
        """Whoever writes the index finishes it."""
        return False

    def rebuilt(self) -> IndexView:
        """Always IndexUnusable."""
        raise _corrupt(self)

    def catch_up(self, few: int) -> Literal["done", "more", "busy"]:
        """Opens the newest generation; IndexUnusable where there is none that can be read."""
        self._published()
        return "done"

    def _published(self) -> Store:
        store = self.opened()
        if store is not None:
            return store
        trouble = self._current.trouble
        if isinstance(trouble, IndexMissing):
            raise IndexUnusable(
                f"There is no index in {self.index} yet.",
                "Whoever has the notes writes it: assistant --notes DIR index.",
            )
        if isinstance(trouble, IndexOutdated):
            raise IndexUnusable(
                f"The index in {self.index} was made by another model or version.",
                "Name its model with --model, or write it again with `assistant index`.",
            )
        if isinstance(trouble, IndexDamaged):
            raise _corrupt(self)
        raise IndexUnusable(f"The index in {self.index} cannot be read: {trouble}.", "Look with `assistant doctor`.")

    def _differs(self, store: Store, notes: NotesSnapshot) -> bool:
        """By content: the files of another machine have other stats. A note is read once for each stat."""
        changes = diff(notes, store, store.identity)
        if changes.added or changes.removed:
            return True
        if any(file.size != changes.indexed[file.path].file.size for file in changes.doubtful):
            return True
        digests = {(file, changes.indexed[file.path].digest) for file in changes.doubtful}
        for file, digest in digests - self._same:
            if not unchanged(self._named_folder(), file, changes.indexed[file.path]):
                return True
            self._same |= {(file, digest)}
        return False


def _corrupt(index: IndexManager) -> IndexUnusable:
    return IndexUnusable(f"The index in {index.index} is corrupt.", "Write it again with `assistant index --full`.")
