"""Encoder and reader that load their model when the first text needs it, and prepare it first where it never was."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assistant.models import preparation
from assistant.models.cross_encoder import CrossEncoder, ReadText
from assistant.models.encoder import ModelFiles, OnnxEncoder


class LazyEncoder:
    """The `Encoder` of a model by name or folder. Every method but `ahead` may raise ModelUnusable, and takes
    a few seconds where the default model has to be prepared, half a minute where another has."""

    def __init__(self, name: str, cache: Path, progress: Callable[[str], None] | None = None) -> None:
        """`name` is "" for the default model, `cache` the folder that prepared models are kept in."""
        self._name = name or preparation.DEFAULT_MODEL
        self._cache = cache
        self._progress = progress or (lambda step: None)
        self._encoder: OnnxEncoder | None = None

    @property
    def identity(self) -> str:
        return self.load().identity

    @property
    def dimension(self) -> int:
        return self.load().dimension

    def passages(self, texts: Sequence[str]) -> Iterator[NDArray[np.float32]]:
        return self.load().passages(texts)

    def question(self, text: str) -> NDArray[np.float32]:
        return self.load().question(text)

    def ahead(self, texts: Sequence[str]) -> None:
        """Starts to load a prepared model and to encode these questions, beside the caller's own work; does nothing
        where the model is not prepared."""
        if self._encoder is None:
            files = preparation.prepared(self._name, self._cache)
            if files is None:
                return
            self._use(files)
        if self._encoder is not None and texts:
            self._encoder.ahead(texts)

    def load(self) -> OnnxEncoder:
        """Prepares the model where it never was; its files are then loaded in a thread."""
        if self._encoder is None:
            return self._use(preparation.prepare(self._name, self._cache, self._progress))
        return self._encoder

    def _use(self, files: ModelFiles) -> OnnxEncoder:
        self._encoder = OnnxEncoder(files)
        self._encoder.warm()
        return self._encoder


class LazyReader:
    """The cross-encoder that ships; `read` may raise ModelUnusable, and takes a few seconds where the model has to be
    prepared."""

    def __init__(self, cache: Path, progress: Callable[[str], None] | None = None) -> None:
        """`cache` is the folder that prepared models are kept in."""
        self._cache = cache
        self._progress = progress or (lambda step: None)
        self._reader: CrossEncoder | None = None

    def read(self, question: str, texts: Sequence[str]) -> list[ReadText]:
        """What is found in each text, in order."""
        return self.load().read(question, texts)

    def ahead(self) -> None:
        """Starts to load a prepared model beside the caller's own work; does nothing where it is not prepared."""
        if self._reader is None and (files := preparation.prepared_reader(self._cache)) is not None:
            self._use(files)

    def load(self) -> CrossEncoder:
        """Prepares the model where it never was; its files are then loaded in a thread."""
        return self._reader or self._use(preparation.prepare_reader(self._cache, self._progress))

    def _use(self, files: ModelFiles) -> CrossEncoder:
        self._reader = CrossEncoder(files)
        self._reader.warm()
        return self._reader
