"""A question and texts to scores, each pair read together by a prepared cross-encoder."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock, Thread
from typing import TYPE_CHECKING

import numpy as np

from assistant.models.encoder import LONGEST, ModelFiles
from assistant.models.sessions import PairSession

if TYPE_CHECKING:
    from numpy.typing import NDArray

_WORKERS = 2
QUESTION_TOKENS = 64
"""Of a question that are read, so that a long one leaves room for the text."""


class CrossEncoder:
    """Reads one pair at a time, unpadded: the same pair always gives the same bits, in any company. Nothing is loaded
    before `warm` or the first text."""

    def __init__(self, files: ModelFiles) -> None:
        self.files = files
        self._lock = Lock()
        self._session: PairSession | None = None

    @property
    def identity(self) -> str:
        """Another one wherever the scores may be others."""
        return self.files.identity

    def warm(self) -> None:
        """Starts loading beside the caller's own work; a failure is raised by `scores`."""
        Thread(target=self._load_quietly, name="reader").start()

    def scores(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """(k,): a logit for each text, in order, higher where it answers the question better.

        The first 64 tokens of the question are read, and of a text as many as the model's limit leaves. The literal
        text "[SEP]" is the separator's token. ModelUnusable where the model cannot be loaded.
        """
        if not texts:
            return np.zeros(0, dtype=np.float32)
        session = self._load()
        asked = session.tokens(question[:LONGEST], QUESTION_TOKENS)
        room = session.room(asked, self.files.max_tokens)

        def score(text: str) -> np.float32:
            return session.logit(asked, session.tokens(text[:LONGEST], room))

        # Two threads with one intra-op thread each, as in the encoder.
        with ThreadPoolExecutor(min(_WORKERS, len(texts)), thread_name_prefix="reader") as pool:
            return np.fromiter(pool.map(score, texts), dtype=np.float32, count=len(texts))

    def _load_quietly(self) -> None:
        try:
            self._load()
        except Exception:  # noqa: BLE001 - of any kind: the first text tries again, and raises it
            return

    def _load(self) -> PairSession:
        with self._lock:
            if self._session is None:
                self._session = PairSession(self.files.folder)
            return self._session
