"""`from assistant import Assistant, Answer, Citation`: the command's answers inside another program.

These three names are the one stable import; everything else in the package may change with any version.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from assistant import engine
from assistant.errors import AssistantError, BadRequest
from assistant.records import Answer, Request, SearchResult
from assistant.system import settings
from assistant.text.sanitize import replace_surrogates


class Assistant:
    """Answers questions about one folder of notes, or a team's index, as `assistant ask` does; a context manager.

    Nothing is opened before the first question. Not for several threads at once.
    """

    Error = AssistantError
    """What every method may raise: `code` as in the JSON error object, `message` the sentence, `hint` the next step."""

    def __init__(
        self,
        notes: str | os.PathLike[str] | None = None,
        *,
        index: str | os.PathLike[str] | None = None,
        model: str | None = None,
        refresh: bool | None = None,
        vocabulary: bool | None = None,
    ) -> None:
        """What is not given comes from where the command would take it: environment, `assistant.toml`, `corpus/`.

        `refresh`: True insists on an index as new as the notes, False takes it as it is; by itself each question looks
        whether notes changed. `vocabulary` False searches without the built-in vocabulary. Error where no notes are
        named or near.
        """
        flags = settings.Flags(
            notes=None if notes is None else os.fspath(notes),
            index=None if index is None else os.fspath(index),
            model=model,
            refresh=None if refresh is None else "insist" if refresh else "never",
            vocabulary=vocabulary,
        )
        loaded = settings.load(flags, os.environ, Path.cwd())
        self._engine = engine.Engine.from_settings(loaded, background=False, complete=True)

    @property
    def notes(self) -> Path:
        """The folder, absolute; Error where only a database's index is named."""
        return self._engine.notes

    def ask(
        self,
        question: str,
        *,
        conversation: str | None = None,
        options: Mapping[str, str] | None = None,
        code: bool = False,
        language: str | None = None,
        under: str | None = None,
        tag: str | None = None,
        limit: int = 8,
    ) -> Answer:
        """The answer, whatever its outcome; Error.

        Questions of one `conversation` are a dialogue; `options` (label to text) makes it a multiple-choice question.
        `code` asks for a snippet, `language` for one in that language, `under` searches only under a heading
        (`A > B`), `tag` only notes with that tag; `limit` is the most citations, 1 to 8.

        The first question about notes that were never indexed takes as long as `assistant index`.
        """
        if not 1 <= limit <= 8:
            raise BadRequest(f"limit is {limit}.", "Choose 1 to 8.")
        return self._engine.ask(
            Request(
                replace_surrogates(question),
                conversation=conversation,
                options={replace_surrogates(label): replace_surrogates(text) for label, text in options.items()}
                if options
                else None,
                code=code or language is not None,
                language=None if language is None else replace_surrogates(language),
                under=None if under is None else replace_surrogates(under),
                tag=None if tag is None else replace_surrogates(tag),
                limit=limit,
            )
        )

    def search(self, query: str, *, under: str | None = None, tag: str | None = None, limit: int = 10) -> SearchResult:
        """The passages that fit best, without an answer on top, none where nothing comes close; Error.

        `under` searches only under a heading (`A > B`), `tag` only notes with that tag; `limit` is the most passages,
        1 to 100.
        """
        if not 1 <= limit <= 100:
            raise BadRequest(f"limit is {limit}.", "Choose 1 to 100.")
        request = Request(
            replace_surrogates(query),
            under=None if under is None else replace_surrogates(under),
            tag=None if tag is None else replace_surrogates(tag),
        )
        return self._engine.search(request, limit=limit)

    def update(self) -> None:
        """Brings the index up to date now, vectors included; Error. `ask` does so by itself."""
        self._engine.update()

    def close(self) -> None:
        """Closes the index; the next question opens it again."""
        self._engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
