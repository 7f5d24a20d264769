"""Texts to unit rows by a model that reads tokens: windows of over-long texts, several at once, questions ahead."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Lock, Thread, local
from typing import TYPE_CHECKING, Protocol

import numpy as np

from assistant.models.sessions import Session, load

if TYPE_CHECKING:
    from numpy.typing import NDArray

_WORKERS = 2
_IN_FLIGHT = 8  # texts; a build may pass a hundred thousand
LONGEST = 100_000
"""Characters of a passage that are encoded, some hundred windows or a second; its words count to the end."""
_OVERLAP = 4  # a quarter of a window is repeated in the next


class Encoder(Protocol):
    """Turns texts into unit rows; the same text always gives the same bits."""

    @property
    def identity(self) -> str:
        """Another one wherever the vectors may be others."""

    @property
    def dimension(self) -> int:
        """Length of a row."""

    def passages(self, texts: Sequence[str]) -> Iterator[NDArray[np.float32]]:
        """For each text, in order, a (k, d) matrix; k > 1 where the text is over the model's limit."""

    def question(self, text: str) -> NDArray[np.float32]:
        """One row; an over-long question is the mean of its windows, again of length one."""

    def ahead(self, texts: Sequence[str]) -> None:
        """May begin to encode these questions beside the caller's own work, for the calls of `question` to come."""


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """A prepared model: the folder holds graph, weights and tokeniser, and nothing else is needed to encode."""

    name: str
    folder: Path
    identity: str
    """Digest of the model's files and of the way they are used."""
    dimension: int
    max_tokens: int
    """Special tokens included."""


class WindowEncoder:
    """Encodes one text at a time, unpadded. Nothing is loaded before `warm` or the first text."""

    def __init__(self, identity: str, load: Callable[[], Windows]) -> None:
        """`load` may raise ModelUnusable."""
        self.identity = identity
        self._load_windows = load
        self._lock = Lock()
        self._windows: Windows | None = None
        self._pool: ThreadPoolExecutor | None = None
        self._ahead = local()
        """Each thread's own questions, by text, that are being encoded."""

    @property
    def dimension(self) -> int:
        return self._load().dimension

    def warm(self) -> None:
        """Starts loading beside the caller's own work; a failure is raised by the first text."""
        Thread(target=self._load_quietly, name="encoder").start()

    def passages(self, texts: Sequence[str]) -> Iterator[NDArray[np.float32]]:
        windows = self._load()
        prompt = windows.passage_prompt
        if len(texts) < _WORKERS:
            yield from (windows.rows(text[:LONGEST], prompt) for text in texts)
            return
        # Two threads with one intra-op thread each beat one text on two threads, and give the same bits.
        pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="encoder")
        try:
            futures = deque(pool.submit(windows.rows, text[:LONGEST], prompt) for text in texts[:_IN_FLIGHT])
            for text in texts[_IN_FLIGHT:]:
                yield futures.popleft().result()
                futures.append(pool.submit(windows.rows, text[:LONGEST], prompt))
            while futures:
                yield futures.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def ahead(self, texts: Sequence[str]) -> None:
        """Starts to encode questions beside the caller's own work, for the calls of `question` that follow; those
        that this thread started before and never asked for are forgotten."""
        for row in self._started.values():
            row.cancel()
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="questions")
        self._ahead.rows = {text: self._pool.submit(self._question, text) for text in texts}

    def question(self, text: str) -> NDArray[np.float32]:
        started = self._started.pop(text, None)
        return self._question(text) if started is None else started.result()

    @property
    def _started(self) -> dict[str, Future[NDArray[np.float32]]]:
        rows: dict[str, Future[NDArray[np.float32]]] = self._ahead.__dict__.setdefault("rows", {})
        return rows

    def _question(self, text: str) -> NDArray[np.float32]:
        windows = self._load()
        rows = windows.rows(text, windows.query_prompt)
        return rows[0] if len(rows) == 1 else _unit(rows.mean(axis=0, dtype=np.float32))

    def _load_quietly(self) -> None:
        try:
            self._load()
        except Exception:  # noqa: BLE001 - of any kind: the first text tries again, and raises it
            return

    def _load(self) -> Windows:
        with self._lock:
            if self._windows is None:
                self._windows = self._load_windows()
            return self._windows


class OnnxEncoder(WindowEncoder):
    """The `Encoder` of a prepared model."""

    def __init__(self, files: ModelFiles) -> None:
        super().__init__(files.identity, lambda: Windows(load(files.folder), files.dimension, files.max_tokens))


@dataclass(frozen=True, slots=True)
class Windows:
    """A loaded model and how texts are divided for it; safe to use from several threads."""

    session: Session
    dimension: int
    max_tokens: int
    """Of a window, special tokens included."""
    query_prompt: str = ""
    passage_prompt: str = ""

    def rows(self, text: str, prompt: str) -> NDArray[np.float32]:
        """(k, d): a unit row of each window."""
        return np.concatenate([self._row(ids) for ids in self._of(text, prompt)])

    def _of(self, text: str, prompt: str) -> list[list[int]]:
        """Token ids of each window, special tokens and prompt included; more than one only for an over-long text."""
        before, after = self.session.before, self.session.after
        ids = self.session.ids(prompt + text)
        room = self.max_tokens - len(before) - len(after)
        if len(ids) <= room:
            return [[*before, *ids, *after]]
        head = self.session.ids(prompt) if prompt else []
        if ids[: len(head)] != head or len(head) > room // 2:
            head = []  # the prompt melts into the text, or would crowd it out: only the first window has it
        body = ids[len(head) :]
        return [[*before, *head, *part, *after] for part in cut(body, room - len(head))]

    def _row(self, ids: list[int]) -> NDArray[np.float32]:
        if not ids:  # an empty text, and a tokeniser without special tokens
            return np.zeros((1, self.dimension), dtype=np.float32)
        return _unit(self.session.row(ids))


def cut(ids: list[int], room: int) -> Iterator[list[int]]:
    """Overlapping parts of at most `room` ids; the last one is whole too, so that no part is a few words."""
    step = room - room // _OVERLAP
    start = 0
    while start + room < len(ids):
        yield ids[start : start + room]
        start += step
    yield ids[max(0, len(ids) - room) :]


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same directions with length one; a zero row stays zero."""
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, np.float32(1e-12)), dtype=np.float32)
