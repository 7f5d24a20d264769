"""A question and texts to what a prepared cross-encoder finds in them, each pair read together."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock, Thread
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from assistant.models.encoder import LONGEST, ModelFiles
from assistant.models.sessions import PairSession

if TYPE_CHECKING:
    from numpy.typing import NDArray

_WORKERS = 2
QUESTION_TOKENS = 64
"""Of a question that are read, so that a long one leaves room for the text."""


class ReadText(NamedTuple):
    """What was found in one text."""

    text: str
    logit: np.float32
    """Higher where the text answers the question better."""
    places: NDArray[np.int32]
    """(tokens, 2): the characters of the text at which each token begins and ends."""
    spans: NDArray[np.float32]
    """(tokens, 2): logits that the words of the answer begin, and end, with the token; to be compared over all texts
    of the question."""


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
        """Starts loading beside the caller's own work; a failure is raised by `read`."""
        Thread(target=self._load_quietly, name="reader").start()

    def read(self, question: str, texts: Sequence[str]) -> list[ReadText]:
        """What is found in each text, in order.

        The first 64 tokens of the question are read, and of a text as many as the model's limit leaves. The literal
        text "[SEP]" is the separator's token. ModelUnusable where the model cannot be loaded.
        """
        if not texts:
            return []
        session = self._load()
        asked = session.tokens(question[:LONGEST], QUESTION_TOKENS)
        room = session.room(asked, self.files.max_tokens)

        def look(text: str) -> ReadText:
            tokens = session.tokens(text[:LONGEST], room)
            logit, spans = session.read(asked, tokens)
            return ReadText(text, logit, np.array(tokens.offsets, dtype=np.int32).reshape(-1, 2), spans)

        # Two threads with one intra-op thread each, as in the encoder.
        with ThreadPoolExecutor(min(_WORKERS, len(texts)), thread_name_prefix="reader") as pool:
            return list(pool.map(look, texts))

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
