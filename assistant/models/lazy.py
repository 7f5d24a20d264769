"""Encoder and reader that load their model when the first text needs it, and make it ready first where it is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assistant.models import preparation, sentence_transformer_encoder
from assistant.models.cross_encoder import CrossEncoder, ReadText
from assistant.models.encoder import ModelFiles, OnnxEncoder, WindowEncoder
from assistant.models.sentence_transformer_encoder import SentenceTransformerEncoder


class LazyEncoder:
    """The `Encoder` of a model by name or folder. Every method may raise ModelUnusable, and all but `ahead` take a few
    seconds where the default model has to be prepared, or another is loaded."""

    def __init__(self, name: str, cache: Path, progress: Callable[[str], None] | None = None) -> None:
        """`name` is "" for the default model, `cache` the folder that prepared models are kept in."""
        self._name = name or preparation.DEFAULT_MODEL
        self._cache = cache
        self._progress = progress or (lambda step: None)
        self._encoder: WindowEncoder | None = None

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
        """Starts to load the model and to encode these questions, beside the caller's own work; does nothing where the
        model has to be prepared or downloaded first."""
        if self._encoder is None and (encoder := self._ready()) is not None:
            self._use(encoder)
        if self._encoder is not None and texts:
            self._encoder.ahead(texts)

    def load(self) -> WindowEncoder:
        """Prepares or downloads the model where it is not there yet; its files are then loaded in a thread."""
        return self._encoder or self._use(self._ready() or self._made())

    def _ready(self) -> WindowEncoder | None:
        """Of a model that is there as it will be used."""
        if preparation.ships(self._name):
            files = preparation.prepared(self._name, self._cache)
            return None if files is None else OnnxEncoder(files)
        folder = sentence_transformer_encoder.find(self._name)
        return None if folder is None else SentenceTransformerEncoder(self._name, folder)

    def _made(self) -> WindowEncoder:
        if preparation.ships(self._name):
            return OnnxEncoder(preparation.prepare(self._name, self._cache, self._progress))
        folder = sentence_transformer_encoder.download(self._name, self._progress)
        return SentenceTransformerEncoder(self._name, folder)

    def _use(self, encoder: WindowEncoder) -> WindowEncoder:
        self._encoder = encoder
        encoder.warm()
        return encoder


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
