"""`Engine`: the opened parts, one question at a time; both front ends use only this."""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from assistant.errors import BadRequest, EmptyQuestion, IndexUnusable, UnreadableNotes
from assistant.records import Answer, Citation, IndexState, Note

if TYPE_CHECKING:
    from assistant.answering.naming import Nameable
    from assistant.indexing.index_manager import IndexManager, IndexView, Refresh
    from assistant.indexing.overview import Heading, Overview
    from assistant.indexing.report import BuildReport, Progress
    from assistant.models.encoder import ModelFiles, OnnxEncoder
    from assistant.question.follow_up import Subject
    from assistant.question.parser import Query
    from assistant.records import PassageId
    from assistant.retrieval.retriever import HybridRetriever
    from assistant.storage import Store
    from assistant.system.settings import Settings


_PATH = re.compile(r"\s+[>›]\s+")


@dataclass(frozen=True, slots=True)
class Request:
    """One question and how it is to be answered; the fields of a batch line and the options of `ask`."""

    question: str
    id: str | None = None
    conversation: str | None = None
    """Requests with the same one share context, in the order they are asked."""
    options: Mapping[str, str] | None = None
    """Label to text, in the order given."""
    code: bool = False
    """Whether a snippet is asked for."""
    language: str | None = None
    under: str | None = None
    """A heading, or a path of them joined with ` > `."""
    tag: str | None = None
    limit: int = 8
    """Citations at the most, 1 to 8."""
    explain: bool = False


class Cancelled(Exception):
    """Whoever asked no longer wants the answer."""


class Engine:
    """Answers questions about one folder of notes; opens nothing before it is asked. Not for several threads at once.

    Errors are AssistantErrors: NoNotes, UnreadableNotes, ModelUnusable, IndexUnusable, EmptyQuestion, BadRequest.
    """

    def __init__(
        self,
        notes: Path,
        index: Path,
        cache: Path,
        *,
        model: str = "",
        fallback_index: Path | None = None,
        refresh: Refresh = "look",
        background: bool = True,
        vocabulary: bool = True,
        constants: Path | None = None,
        progress: Progress | None = None,
        complete: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`fallback_index` takes the index where `index` cannot be written; `complete` finishes the index before it
        answers; `background` says whether `finish_later` may; `monotonic` counts seconds."""
        self.notes = notes
        self._cache = cache
        self._model = model
        self._index = index
        self._fallback_index = fallback_index
        self._refresh: Refresh = refresh
        self._background = background
        self._vocabulary = vocabulary
        self._constants = constants
        self._progress = progress
        self._complete_first = complete
        self._monotonic = monotonic
        self._loaded: OnnxEncoder | None = None
        self._kept: IndexManager | None = None
        self._search: HybridRetriever | None = None
        self._last: tuple[str, Request, Query] | None = None
        self._subjects: dict[str, Subject | None] = {}

    @classmethod
    def from_settings(
        cls,
        settings: Settings,
        *,
        progress: Progress | None = None,
        background: bool | None = None,
        complete: bool = False,
    ) -> Self:
        """The engine that these settings ask for; `background` in place of theirs. Makes the cache private where it
        can."""
        from assistant.system.settings import make_private

        with suppress(OSError):  # whoever needs the folder says that it cannot be made
            make_private(settings.cache)
        return cls(
            settings.notes,
            settings.index,
            settings.cache,
            model=settings.model,
            fallback_index=settings.fallback_index,
            refresh=settings.refresh,
            background=settings.background if background is None else background,
            vocabulary=settings.vocabulary,
            constants=settings.constants,
            progress=progress,
            complete=complete,
        )

    def ask(
        self, request: Request | str, *, rebuilding: bool = False, stopped: Callable[[], bool] = lambda: False
    ) -> Answer:
        """The cited answer; each quote has been compared with its note as it is on disk at the end.

        `rebuilding`: another process of ours builds, so the last generation answers.
        NotYet where there is none. `stopped` is asked between the stages: Cancelled.
        """
        began = self._monotonic()
        request = Request(request) if isinstance(request, str) else request
        if not any(unicodedata.category(letter)[0] not in "CZ" for letter in request.question):
            raise EmptyQuestion("Nothing was asked.", 'Ask a question, such as: assistant ask "What does it do?"')
        self._load_ahead()
        self._encode_ahead(request)
        _go_on(stopped)
        answer, fresh = self._fresh_answer(request, rebuilding=rebuilding, stopped=stopped)
        _go_on(stopped)
        changed = self._changed(answer)
        if changed and self._refresh != "never" and not fresh.stale:
            answer, fresh = self._fresh_answer(request, rebuilding=rebuilding, stopped=stopped)
            changed = self._changed(answer)
        answer = _marked(answer, changed)
        return replace(
            answer,
            id=request.id,
            notes=str(self.notes),
            index=IndexState(fresh.store.generation, fresh.stale or bool(changed), fresh.store.pending),
            warnings=(*fresh.warnings, *self._by_words_only(fresh.store), *answer.warnings),
            elapsed_ms=round((self._monotonic() - began) * 1000, 1),
        )

    def update(self, *, full: bool = False, wait: bool = True) -> BuildReport:
        """Brings the index up to date now, from nothing where `full`, and says what changed; after another process that
        is at it, or IndexUnusable where that is not to be waited for."""
        return self._keeper().update(full=full, wait=wait)

    def changes(self) -> Iterator[frozenset[str]]:
        """Paths of notes that change, in batches, without end; an empty batch asks for an `update` all the same."""
        from assistant.indexing import watcher

        return watcher.batches(self.notes, (self._index, *((self._fallback_index,) if self._fallback_index else ())))

    def topics(self) -> tuple[Nameable, ...]:
        """What a verdict can name, each once, by note and line of the place that most makes it a name; the errors of
        `ask`."""
        from assistant.answering import naming

        return naming.nameable(self._fresh(rebuilding=False).store)

    def busy(self) -> bool:
        """Whether another process is bringing the index up to date."""
        from assistant.storage import being_written

        return being_written(self._keeper().index)

    def finish_later(self) -> int | None:
        """Leaves what the last answer's index lacked to a process of its own, of low priority, which outlives this one;
        its process id, or None where nothing is lacking, another process is at it, or `background` is off."""
        if self._kept is None or not self._kept.unfinished() or not self._background:
            return None
        from assistant.indexing import background

        return background.start(self.notes, self._kept.index, self._model)

    def load(self) -> None:
        """What the first question would have to wait for, model and index; the errors of `ask`."""
        self._load_ahead()
        self._keeper()
        self._encoder()

    def catch_up(self, few: int) -> Literal["done", "more", "busy"]:
        """Brings the index up to date if about `few` new vectors do; says whether there is more to do."""
        return self._keeper().catch_up(few)

    def inherits(self, conversation: str) -> Subject | None:
        """What the next question of the conversation would lean on, should it leave out its subject."""
        return self._subjects.get(conversation)

    def resume(self, conversation: str, subject: Subject | None) -> None:
        """Lets the next question of the conversation lean on this; None for a new topic."""
        self._subjects[conversation] = subject

    def overview(self) -> Overview | None:
        """What the notes hold, as they are indexed; None where no index is there yet."""
        from assistant.indexing import overview

        store = self._keeper().opened()
        return overview.of(store) if store is not None else None

    def headings(self) -> tuple[Heading, ...]:
        """Every heading with its place, by note and line; none where no index is there yet."""
        from assistant.indexing import overview

        store = self._keeper().opened()
        return overview.headings(store) if store is not None else ()

    def note(self, path: str) -> Note:
        """The note as it is on disk now; UnreadableNotes."""
        from assistant.notes import folder as notes_folder

        try:
            return notes_folder.read(self.notes, path)
        except notes_folder.UnreadableNote as error:
            raise UnreadableNotes(f"{error}.", "NotesSnapshot whether it was moved or removed.") from error

    def digests(self, paths: Iterable[str]) -> dict[str, str]:
        """The digest of each note's bytes as they are on disk now; "" for one that cannot be read."""
        from assistant.notes import folder as notes_folder

        found = dict.fromkeys(paths, "")
        for path in found:
            with suppress(notes_folder.UnreadableNote):
                found[path] = notes_folder.read(self.notes, path).digest
        return found

    def close(self) -> None:
        if self._kept is not None:
            self._kept.close()
            self._kept = self._search = None

    def _fresh(self, *, rebuilding: bool) -> IndexView:
        return self._keeper().fresh(self._refresh, complete=self._complete_first, rebuilding=rebuilding)

    def _by_words_only(self, store: Store) -> tuple[str, ...]:
        """What a reader must know of an index whose vectors are still being computed."""
        if not store.pending:
            return ()
        rest = "the rest follows in the background" if self._background else "`assistant index` finishes them"
        return (f"{store.pending:,} of {store.passages_count:,} passages are found by words only so far; {rest}.",)

    def _load_ahead(self) -> None:
        """The encoder's session is what takes longest: it loads while everything else is imported and opened."""
        if self._loaded is None and self.notes.is_dir():
            from assistant.models import preparation

            files = preparation.prepared(self._model or preparation.DEFAULT_MODEL, self._cache)
            if files is not None:
                self._use(files)

    def _encode_ahead(self, request: Request) -> None:
        """The question's texts are encoded while the notes are looked at; a follow-up's are not known yet."""
        follows = request.conversation is not None and self._subjects.get(request.conversation) is not None
        if self._loaded is not None and not follows:
            from assistant.question import parser
            from assistant.retrieval import retriever

            query = self._parsed(request.question[: parser.READ], request)
            self._loaded.ahead(retriever.texts(query, retriever.asked(query)))

    def _parsed(self, text: str, request: Request) -> Query:
        """The text as the question of this request; parsed once."""
        if self._last is None or self._last[0] != text or self._last[1] is not request:
            from assistant.notes import syntax_check
            from assistant.question import parser

            query = parser.parse(
                text,
                request.options,
                code=request.code or request.language is not None,
                language=syntax_check.language(request.language or ""),
            )
            self._last = (text, request, query)
        return self._last[2]

    def _use(self, files: ModelFiles) -> OnnxEncoder:
        from assistant.models.encoder import OnnxEncoder

        self._loaded = OnnxEncoder(files)
        self._loaded.warm()
        return self._loaded

    def _keeper(self) -> IndexManager:
        if self._kept is None:
            from assistant.indexing.index_manager import IndexManager

            self._kept = IndexManager(self.notes, self._index, self._fallback_index, self._encoder, self._progress)
        return self._kept

    def _encoder(self) -> OnnxEncoder:
        """Prepared first where it never was, which takes a minute; ModelUnusable."""
        if self._loaded is not None:
            return self._loaded
        from assistant.models import preparation

        name = self._model or preparation.DEFAULT_MODEL
        return self._use(preparation.prepare(name, self._cache, self._progress or (lambda _: None)))

    def _fresh_answer(
        self, request: Request, *, rebuilding: bool, stopped: Callable[[], bool]
    ) -> tuple[Answer, IndexView]:
        """The answer from a store as fresh as it can be; from one built again where it turns out to be damaged."""
        from assistant.storage import IndexDamaged

        try:
            fresh = self._fresh(rebuilding=rebuilding)
            _go_on(stopped)
            return self._answered(request, fresh), fresh
        except IndexDamaged:
            fresh = self._keeper().mended()
        try:
            return self._answered(request, fresh), fresh
        except IndexDamaged as error:
            raise IndexUnusable(
                f"The index in {self._keeper().index} does not read back as it was written.",
                "Check the disk, or name another folder with --index.",
            ) from error

    def _answered(self, request: Request, fresh: IndexView) -> Answer:
        fresh.store.read_ahead()  # while all that answers with it is imported
        from assistant.answering import compose, weights
        from assistant.question import follow_up, parser, spelling

        question, read_as = spelling.understood(
            request.question[: parser.READ], fresh.store.frequencies, fresh.store.spelled_out
        )
        before = self._subjects.get(request.conversation) if request.conversation is not None else None
        understood = follow_up.understand(question, before, lambda text: _names_a_topic(text, fresh.store))
        query = self._parsed(understood.question, request)
        only = _only(fresh.store, request)
        if self._keeper().ahead(fresh.store, query.terms, only):
            self._search = None  # it has read passages as if they had no vectors
        answer = compose.answer(
            self._retriever(fresh),
            query,
            weights.load(self._constants, self._vocabulary),
            only=only,
            limit=request.limit,
            explain=request.explain,
            lean=understood.subject,
            later=before is not None,
            own=understood.own,
            among=understood.among,
        )
        said = tuple(f"“{word}” was read as “{other}”." for word, other in read_as.items())
        answer = replace(
            answer,
            question=request.question,
            standalone_question=understood.standalone,
            warnings=(*answer.warnings, *said),
        )
        if request.conversation is not None:
            self._subjects[request.conversation] = (
                follow_up.subject(answer, understood, compose.sides(query, answer)) or before
            )
        unread = len(request.question) - parser.READ
        if unread <= 0:
            return answer
        cut = f"The question was read up to {parser.READ:,} characters; {unread:,} more were left out."
        return replace(answer, warnings=(*answer.warnings, cut))

    def _retriever(self, fresh: IndexView) -> HybridRetriever:
        """What was read of a store stays with it for as long as it is the one to answer from."""
        if self._search is None or self._search.store is not fresh.store:
            from assistant.retrieval.retriever import HybridRetriever

            self._search = HybridRetriever(fresh.store, self._encoder(), self._vocabulary)
        return self._search

    def _changed(self, answer: Answer) -> set[str]:
        """Paths of the cited notes that no longer say, on the cited lines, what is quoted."""
        paths = sorted({cited.path for cited in answer.citations})
        lines = {path: _lines(self.notes, path) for path in paths}
        return {cited.path for cited in answer.citations if not _stands(cited, lines[cited.path])}


def _go_on(stopped: Callable[[], bool]) -> None:
    if stopped():
        raise Cancelled


def _names_a_topic(text: str, store: Store) -> bool:
    """Whether a run of at most six words, with a word in it that says something, is what a heading, a label or a
    definition is called.
    """
    from assistant.text import stop_words, tokenizer, word_frequency

    words = tokenizer.words(text)
    keys = set()
    for at in range(len(words)):
        for size in range(1, 7):
            run = words[at : at + size]
            stems = [t for t in stop_words.content(" ".join(run)) if word_frequency.rarity(t) >= _TELLING]
            if stems and len(run) == size:
                keys.add(tokenizer.key(" ".join(run)))
    found = store.topic(sorted(keys))
    return any(m.kind in ("heading", "label", "definition") for mentions in found.values() for m in mentions)


_TELLING = 0.45
"""How rare a word must be in English to name something by itself."""


def _only(store: Store, request: Request) -> set[PassageId] | None:
    """The passages that `under` and `tag` leave; None for all, BadRequest where nothing is called so."""
    chosen: set[PassageId] | None = None
    if request.under is not None:
        parts = [part for part in _PATH.split(request.under) if part.strip()]
        chosen = store.under([request.under]) or (store.under(parts) if parts else set())
        if not chosen:
            raise BadRequest(f"No heading ends with {request.under}.", _nearest(request.under, store))
    if request.tag is not None:
        tagged = store.tagged(request.tag)
        if not tagged:
            raise BadRequest(
                f"No note has the tag {request.tag}.", "Tags stand in a note's front matter: tags: [a, b]."
            )
        chosen = tagged if chosen is None else chosen & tagged
    return chosen


def _nearest(heading: str, store: Store) -> str:
    """The three headings that are spelled most like it."""
    from difflib import SequenceMatcher

    wanted = " ".join(heading.casefold().split())
    names = sorted({path[-1] for path in store.headings()})
    near = sorted(names, key=lambda name: (-SequenceMatcher(None, wanted, name.casefold()[:200]).ratio(), name))[:3]
    return f"The nearest are: {'; '.join(near)}."


def _lines(folder: Path, path: str) -> tuple[str, ...]:
    from assistant.notes import folder as notes_folder

    try:
        return notes_folder.lines(folder, path)
    except notes_folder.UnreadableNote:
        return ()


def _stands(cited: Citation, lines: tuple[str, ...]) -> bool:
    return cited.end_line <= len(lines) and cited.quote in "\n".join(lines[cited.start_line - 1 : cited.end_line])


def _marked(answer: Answer, changed: set[str]) -> Answer:
    """The same answer with the citations of changed notes called stale, and a warning for each note."""
    said = (
        f"{path} has changed since it was indexed; its quotations are as they were then." for path in sorted(changed)
    )
    citations = (replace(cited, stale=cited.stale or cited.path in changed) for cited in answer.citations)
    return replace(answer, citations=tuple(citations), warnings=(*answer.warnings, *said))
