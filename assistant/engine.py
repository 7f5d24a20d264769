"""The engine behind every front end: it opens parts, keeps the dialogue, refreshes the index and verifies quotes.

What an answer says is decided in `answering.pipeline`.
"""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self, TypeVar

from assistant.errors import EmptyQuestion, IndexUnusable, UnreadableNotes
from assistant.records import Answer, FoundPassage, IndexState, Note, NoteFile, Request, SearchResult, Stage
from assistant.system.settings import named

if TYPE_CHECKING:
    from assistant.answering.verification import Quoted
    from assistant.indexing.index_manager import IndexManager, IndexView, Refresh
    from assistant.indexing.overview import Heading, Overview
    from assistant.indexing.report import BuildReport, Progress
    from assistant.indexing.topic_list import NamedTopic
    from assistant.models.encoder import Encoder
    from assistant.notes.source import NotesSource
    from assistant.question.follow_up import Subject
    from assistant.reading.reading import Reader
    from assistant.retrieval.retriever import HybridRetriever, Scope
    from assistant.storage import Store
    from assistant.system.settings import Settings

_Made = TypeVar("_Made")
_TRIES = 4
"""Generations that are read for one call where each is replaced while it is read."""


class Cancelled(Exception):
    """The answer is no longer wanted."""


class Engine:
    """Answers questions about one folder of notes, or about an index alone; opens nothing before it is asked. Not for
    several threads at once.

    Errors are AssistantErrors: NoNotes, UnreadableNotes, ModelUnusable, IndexUnusable, EmptyQuestion, BadRequest.
    """

    def __init__(
        self,
        notes: Path | None,
        *,
        encoder: Encoder,
        reader: Reader,
        index: Callable[[], IndexManager],
        refresh: Refresh = "look",
        background: Callable[[Path], int | None] | None = None,
        vocabulary: bool = True,
        constants: Path | None = None,
        complete: bool = False,
        links_base: str = "",
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Without `notes` they are read as they were indexed. `index` is called once, when it is first needed.
        `background` starts a process that finishes an index folder and gives its id; None finishes nothing. `constants`
        is a file of fitted weights to use instead of the shipped one; `complete` finishes the index before it answers;
        `links_base` is the web address before the notes' paths, "" for none; `monotonic` counts seconds."""
        self.folder = notes
        self._encoder = encoder
        self._reader = reader
        self._make_index = index
        self._refresh: Refresh = refresh
        self._background = background
        self._vocabulary = vocabulary
        self._constants = constants
        self._complete = complete
        self._links_base = links_base
        self._monotonic = monotonic
        self._opened: IndexManager | None = None
        self._retriever: HybridRetriever | None = None
        self._subjects: dict[str, Subject | None] = {}
        self._confined = False
        self._outside: tuple[Store, frozenset[str]] | None = None

    @classmethod
    def from_settings(
        cls,
        settings: Settings,
        *,
        progress: Progress | None = None,
        background: bool | None = None,
        complete: bool = False,
        models: Self | None = None,
    ) -> Self:
        """The engine for these settings; `background` in place of theirs. Makes the cache private where it can.

        `models`: another engine for the same settings whose models are used, once it has loaded them.
        """
        from assistant.models.lazy import LazyEncoder, LazyReader
        from assistant.system.settings import make_private

        with suppress(OSError):  # the next one to need the folder says that it cannot be made
            make_private(settings.cache)
        encoder = models._encoder if models else LazyEncoder(settings.model, settings.cache, progress)
        reader = models._reader if models else LazyReader(settings.cache, progress)

        def manager() -> IndexManager:
            places = settings.folder, settings.index, settings.fallback_index
            if settings.follows_index:
                from assistant.indexing.published_index import PublishedIndex

                return PublishedIndex(*places, lambda: encoder, progress)
            from assistant.indexing.index_manager import IndexManager

            return IndexManager(*places, lambda: encoder, progress)

        def finish(index: Path) -> int | None:
            from assistant.indexing import background as process

            return process.start(settings.notes, index, settings.model)

        wanted = settings.background if background is None else background
        return cls(
            settings.folder,
            encoder=encoder,
            reader=reader,
            index=manager,
            refresh=settings.refresh,
            background=finish if wanted else None,
            vocabulary=settings.vocabulary,
            constants=settings.constants,
            complete=complete,
            links_base=settings.links_base,
        )

    @property
    def notes(self) -> Path:
        """The folder of notes; NoNotes where none is named."""
        return named(self.folder)

    @property
    def place(self) -> str:
        """What is asked, for people: the folder of notes, else the place of the index."""
        return str(self._index().index if self.folder is None else self.folder)

    def ask(
        self,
        request: Request | str,
        *,
        rebuilding: bool = False,
        stopped: Callable[[], bool] = lambda: False,
        reached: Callable[[Stage], None] = lambda stage: None,
    ) -> Answer:
        """The cited answer; each quote has been compared with its note as it is on disk at the end,
        where a folder is named.

        `rebuilding`: another process of ours builds, so the last generation answers; NotYet where there is none.
        `stopped` is called between the stages; where it says so, Cancelled. `reached` is called at the end of each.
        """
        began = self._monotonic()
        request = _asked(request)
        go_on = _checkpoint(stopped)
        self._encode_ahead(request)
        go_on()
        answer = self._reading(lambda: self._ask(request, rebuilding, go_on, reached))
        return replace(answer, elapsed_ms=self._since(began))

    def _ask(
        self, request: Request, rebuilding: bool, go_on: Callable[[], None], reached: Callable[[Stage], None]
    ) -> Answer:
        def at(stage: Stage) -> None:
            go_on()
            reached(stage)

        def from_view(view: IndexView) -> tuple[Answer, Subject | None]:
            go_on()
            return self._answer(view, request, at)

        (answer, subject), changed, view = self._verified(from_view, lambda made: made[0].citations, rebuilding)
        go_on()
        from assistant.answering.verification import mark_stale, stale_warnings
        from assistant.answering.web_links import with_links

        if request.conversation is not None:
            self._subjects[request.conversation] = subject
        return replace(
            answer,
            id=request.id,
            citations=with_links(mark_stale(answer.citations, changed), self._links_base),
            notes=self._folder_name(),
            index=_index_state(view, changed),
            warnings=(*self._warnings(view), *answer.warnings, *stale_warnings(changed)),
        )

    def search(
        self,
        request: Request | str,
        *,
        limit: int = 20,
        rebuilding: bool = False,
        stopped: Callable[[], bool] = lambda: False,
    ) -> SearchResult:
        """The ranked passages, at most `limit`, without an answer on top; otherwise as `ask`. It leans on no earlier
        question."""
        began = self._monotonic()
        request = replace(_asked(request), conversation=None)
        go_on = _checkpoint(stopped)
        self._encode_ahead(request)
        go_on()
        found = self._reading(lambda: self._search(request, limit, rebuilding, go_on))
        return replace(found, elapsed_ms=self._since(began))

    def _search(self, request: Request, limit: int, rebuilding: bool, go_on: Callable[[], None]) -> SearchResult:
        def from_view(view: IndexView) -> tuple[tuple[FoundPassage, ...], tuple[str, ...]]:
            view.store.read_ahead()
            from assistant.answering.search import search

            return search(request, self._retriever_of(view.store), self._reader, limit, go_on)

        (passages, notices), changed, view = self._verified(from_view, lambda made: made[0], rebuilding)
        go_on()
        from assistant.answering.verification import mark_stale, stale_warnings
        from assistant.answering.web_links import with_links

        return SearchResult(
            request.question,
            with_links(mark_stale(passages, changed), self._links_base),
            (*self._warnings(view), *notices, *stale_warnings(changed)),
            notes=self._folder_name(),
            index=_index_state(view, changed),
        )

    def update(self, *, full: bool = False, wait: bool = True) -> BuildReport:
        """Brings the index up to date now, from nothing where `full`, and says what changed; after another process that
        is writing it, or IndexUnusable where that is not to be waited for."""
        return self._reading(lambda: self._index().update(full=full, wait=wait))

    def changes(self) -> Iterator[frozenset[str]]:
        """Paths of notes that change, in batches, without end; an empty batch calls for an `update` all the same."""
        from assistant.indexing import watcher

        return watcher.batches(self.notes, self._index().folders)

    def topics(self) -> tuple[NamedTopic, ...]:
        """The names that a verdict may give, each once, by note and line of its best place; the errors of `ask`."""
        from assistant.indexing.topic_list import named_topics

        def topics() -> tuple[NamedTopic, ...]:
            store = self._view(rebuilding=False).store
            outside = self._left_out(store)
            return tuple(topic for topic in named_topics(store) if topic.path not in outside)

        return self._reading(topics)

    def busy(self) -> bool:
        """Whether another process is writing the index."""
        from assistant.storage import being_written

        return self._reading(lambda: being_written(self._index().index))

    def finish_later(self) -> int | None:
        """Keeps the vectors computed for the last answer, and leaves what its index still lacks to a process of its
        own, of low priority, which outlives this one; its process id, or None where nothing is lacking, another process
        writes, or nothing may go on."""
        if self._opened is None or not isinstance(self._opened.index, Path):
            return None  # a database's index is finished by whoever writes it
        if not self._opened.unfinished() or self._background is None:
            return None
        return self._background(self._opened.index)

    def confine(self) -> None:
        """From now on nothing is said of notes outside the folder, to which a symbolic link in it leads: for programs
        that answer others than the owner."""
        self._confined = True
        self._retriever = None

    def load(self) -> None:
        """What the first question would have to wait for, models and index; the errors of `ask`."""
        if self._has_notes():
            self._encoder.ahead(())
        self._index()
        _ = self._encoder.identity
        self._reader.load()

    def catch_up(self, few: int) -> Literal["done", "more", "busy"]:
        """Brings the index up to date if about `few` new vectors do; says whether there is more to do."""
        return self._reading(lambda: self._index().catch_up(few))

    def inherits(self, conversation: str) -> Subject | None:
        """What the next question of the conversation would lean on, should it leave out its subject."""
        return self._subjects.get(conversation)

    def leans(self, conversation: str, question: str) -> bool:
        """Whether a question, as it stands, would lean on what the conversation is about."""
        from assistant.question.understanding import understand

        def leans(store: Store | None) -> bool:
            before = self.inherits(conversation)
            if store is None or before is None:
                return before is not None
            return understand(Request(question), before, store).turn.subject is not None

        return self._from_newest(leans)

    def resume(self, conversation: str, subject: Subject | None) -> None:
        """Lets the next question of the conversation lean on this; None for a new topic."""
        self._subjects[conversation] = subject

    def overview(self) -> Overview | None:
        """What the notes hold, as they are indexed; None where no index is there yet."""
        from assistant.indexing import overview

        return self._from_newest(lambda store: overview.of(store) if store is not None else None)

    def suggestions(self) -> tuple[str, ...]:
        """Questions that the notes suggest, best first, whether or not they answer them; none where no index is there
        yet."""
        from assistant.indexing.suggestions import suggestions

        return self._from_newest(lambda store: suggestions(store) if store is not None else ())

    def is_answered(self, question: str) -> bool:
        """Whether the notes answer a question that stands alone; the errors of `ask`."""
        return self.ask(question).outcome == "answered"

    def headings(self) -> tuple[Heading, ...]:
        """Every heading with its place, by note and line; none where no index is there yet."""
        from assistant.indexing import overview

        def headings(store: Store | None) -> tuple[Heading, ...]:
            if store is None:
                return ()
            outside = self._left_out(store)
            return tuple(one for one in overview.headings(store) if one.path not in outside)

        return self._from_newest(headings)

    def note(self, path: str) -> Note:
        """The note as it is on disk now, or was indexed where no folder is named; UnreadableNotes."""
        from assistant.notes.folder import UnreadableNote

        try:
            return self._reading(lambda: self._source().read(path))
        except UnreadableNote as error:
            raise UnreadableNotes(f"{error}.", "Look whether it was moved or removed.") from error

    def lines(self, path: str) -> tuple[str, ...]:
        """The lines of `note`, without its digest, which takes longer; none of a note that cannot be read."""
        from assistant.notes.folder import UnreadableNote

        try:
            return self._reading(lambda: self._source().lines(path))
        except UnreadableNote:
            return ()

    def files(self) -> Sequence[NoteFile]:
        """Every note, by path, as `note` would read it; NoNotes."""
        return self._reading(lambda: self._source().files())

    def digests(self, paths: Iterable[str]) -> dict[str, str]:
        """The digest of each note's bytes, as `note` reads it; "" for one that cannot be read."""
        from assistant.notes.folder import UnreadableNote

        wanted = list(paths)

        def read() -> dict[str, str]:
            source, digests = self._source(), dict.fromkeys(wanted, "")
            for path in digests:
                with suppress(UnreadableNote):
                    digests[path] = source.read(path).digest
            return digests

        return self._reading(read)

    def generation(self) -> int:
        """Of the newest index, from 1; 0 where no index is there yet."""
        return self._from_newest(lambda store: store.generation if store is not None else 0)

    def newest(self) -> int:
        """A number that changes with each commit to the index; 0 where no index is there yet. IndexUnusable."""
        return self._reading(lambda: self._index().newest())

    def indexed_notes(self) -> dict[str, str]:
        """The digest of each note that could be read, by path, as it is indexed; none where no index is there yet."""

        def digests(store: Store | None) -> dict[str, str]:
            if store is None:
                return {}
            outside = self._left_out(store)
            files = sorted(store.note_files().items())
            return {path: note.digest for path, note in files if not note.reason and path not in outside}

        return self._from_newest(digests)

    def close(self) -> None:
        """Closes the index; the next question opens it again."""
        if self._opened is not None:
            self._opened.close()
            self._opened = self._retriever = None

    def _index(self) -> IndexManager:
        if self._opened is None:
            self._opened = self._make_index()
        return self._opened

    def _source(self) -> NotesSource:
        """Where notes are read from: their folder, else the newest index."""
        if self.folder is not None:
            from assistant.notes.source import FolderNotes

            return FolderNotes(self.folder)
        from assistant.indexing.stored_notes import StoredNotes

        return StoredNotes(self._index().opened())

    def _has_notes(self) -> bool:
        """Whether there is a folder to ask about, or none is needed."""
        return self.folder is None or self.folder.is_dir()

    def _folder_name(self) -> str:
        """Empty where no folder is named."""
        return "" if self.folder is None else str(self.folder)

    def _from_newest(self, read: Callable[[Store | None], _Made]) -> _Made:
        """What is read of the newest store, None where no index is there yet; IndexUnusable."""
        return self._reading(lambda: read(self._index().opened()))

    def _reading(self, read: Callable[[], _Made]) -> _Made:
        """What is read, once more where a newer generation replaced the one that was read; afterwards no connection to
        a database is held. IndexUnusable where there is none."""
        from assistant.storage import Superseded, Unreachable

        try:
            for _ in range(_TRIES):
                try:
                    return read()
                except Superseded:
                    self._index().close()
            raise IndexUnusable(
                f"The index in {self._index().index} was written again whenever it was read.", "Ask again in a moment."
            )
        except Unreachable as error:
            raise IndexUnusable(
                f"The index in {self._index().index} cannot be reached: {str(error).rstrip('.?')}.",
                "Look whether its server runs, lets you in from here and lets you read, then try again.",
            ) from error
        finally:
            if self._opened is not None:
                self._opened.rest()

    def _view(self, *, rebuilding: bool) -> IndexView:
        return self._index().view(self._refresh, complete=self._complete, rebuilding=rebuilding)

    def _encode_ahead(self, request: Request) -> None:
        """The model loads, and the question's texts are encoded, while the notes are looked at and the rest is
        imported; what a follow-up will look up is not known yet."""
        if not self._has_notes():
            return
        self._encoder.ahead(())
        self._reader.ahead()
        if request.conversation is None or self._subjects.get(request.conversation) is None:
            from assistant.question.parser import READ
            from assistant.question.understanding import parse_request

            self._encoder.ahead(parse_request(request, request.question[:READ]).texts)

    def _verified(
        self, make: Callable[[IndexView], _Made], quotes: Callable[[_Made], Iterable[Quoted]], rebuilding: bool
    ) -> tuple[_Made, set[str], IndexView]:
        """What is made of the index, the notes that no longer say what it quotes, and the index; made once more where
        such a note changed meanwhile. Without a folder there is nothing to compare quotes with but the index itself."""
        from assistant.answering.verification import changed_notes

        made, view = self._sound(make, rebuilding)
        if self.folder is None:
            return made, set(), view
        changed = changed_notes(quotes(made), self.folder)
        if changed and self._refresh != "never" and not view.stale:
            made, view = self._sound(make, rebuilding)
            changed = changed_notes(quotes(made), self.folder)
        return made, changed, view

    def _sound(self, make: Callable[[IndexView], _Made], rebuilding: bool) -> tuple[_Made, IndexView]:
        """What is made of an index as fresh as it can be; of one built again where it turns out to be corrupt."""
        from assistant.storage import IndexDamaged

        try:
            view = self._view(rebuilding=rebuilding)
            return make(view), view
        except IndexDamaged:
            view = self._index().rebuilt()
        try:
            return make(view), view
        except IndexDamaged as error:
            raise IndexUnusable(
                f"The index in {self._index().index} is corrupt.",
                "Check the disk, or name another folder with --index.",
            ) from error

    def _answer(
        self, view: IndexView, request: Request, reached: Callable[[Stage], None]
    ) -> tuple[Answer, Subject | None]:
        """The pipeline's answer, and what the dialogue is about after it."""
        view.store.read_ahead()  # while all that answers with it is imported
        from assistant.answering import pipeline, weights

        before = self._subjects.get(request.conversation) if request.conversation is not None else None
        fitted = weights.load(self._constants, self._vocabulary)
        return pipeline.answer(request, before, self._retriever_of(view.store), self._reader, fitted, reached)

    def _retriever_of(self, store: Store) -> HybridRetriever:
        """What was read of a store stays with it for as long as it is the one to answer from."""
        if self._retriever is None or self._retriever.store is not store:
            from assistant.retrieval.retriever import HybridRetriever

            def prefetch(terms: Sequence[str], scope: Scope) -> bool:
                return self._index().prefetch(store, terms, scope)

            left_out = self._left_out(store)
            self._retriever = HybridRetriever(store, self._encoder, self._vocabulary, prefetch, left_out)
        return self._retriever

    def _left_out(self, store: Store) -> frozenset[str]:
        """The notes that nothing is said of, looked up once for each generation."""
        from assistant.notes import folder

        if not self._confined or self.folder is None:
            return frozenset()
        if self._outside is None or self._outside[0] is not store:
            self._outside = (store, folder.leading_out(self.folder, store.note_files()))
        return self._outside[1]

    def _warnings(self, view: IndexView) -> tuple[str, ...]:
        """What a reader must know of the index: also that its vectors are still being computed, and what had to be
        waited for."""
        pending, store = view.store.pending, view.store
        known = (*view.warnings, *self._index().take_notices())
        if not pending:
            return known
        rest = "the rest follows in the background" if self._background else "`assistant index` finishes them"
        found = f"{pending:,} of {store.passages_count:,} passages are found by words only so far; {rest}."
        return (*known, found)

    def _since(self, began: float) -> float:
        """Milliseconds."""
        return round((self._monotonic() - began) * 1000, 1)


def _index_state(view: IndexView, changed: set[str]) -> IndexState:
    """`changed`: the notes that no longer say what is quoted of them."""
    store = view.store
    committed = store.committed.isoformat(timespec="seconds") if store.committed is not None else None
    return IndexState(store.generation, view.stale or bool(changed), store.pending, committed)


def _asked(request: Request | str) -> Request:
    """EmptyQuestion where nothing can be read in it."""
    request = Request(request) if isinstance(request, str) else request
    if not any(unicodedata.category(letter)[0] not in "CZ" for letter in request.question):
        raise EmptyQuestion("Nothing was asked.", "Ask a question, such as “What are these notes about?”")
    return request


def _checkpoint(stopped: Callable[[], bool]) -> Callable[[], None]:
    """What is called between the stages: raises Cancelled once `stopped` says so."""

    def go_on() -> None:
        if stopped():
            raise Cancelled

    return go_on
