"""Texts to unit rows with onnxruntime; the only module that loads onnxruntime and tokenizers."""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Lock, Thread
from types import ModuleType
from typing import TYPE_CHECKING, Protocol

import numpy as np

from assistant.errors import ModelUnusable

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from onnxruntime import InferenceSession, SessionOptions
    from tokenizers import Tokenizer

GRAPH = "model.onnx"
WEIGHTS = "model.onnx.data"
TOKENIZER = "tokenizer.json"

_WORKERS = 2
_AHEAD = 8  # texts in flight; a build may pass a hundred thousand
LONGEST = 100_000
"""Characters of a passage that are encoded, some hundred windows or a second; its words count to the end."""
_OVERLAP = 4  # a quarter of a window is repeated in the next


class Encoder(Protocol):
    """What turns texts into unit rows; the same text always gives the same bits."""

    @property
    def identity(self) -> str:
        """Changes whenever vectors would."""

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
    query_prompt: str = ""
    passage_prompt: str = ""


class OnnxEncoder:
    """Encodes one text at a time, unpadded. Nothing is loaded before `warm` or the first text."""

    def __init__(self, files: ModelFiles) -> None:
        self.files = files
        self._lock = Lock()
        self._loaded: _Loaded | None = None
        self._beside: ThreadPoolExecutor | None = None
        self._begun: dict[str, Future[NDArray[np.float32]]] = {}

    @property
    def identity(self) -> str:
        return self.files.identity

    @property
    def dimension(self) -> int:
        return self.files.dimension

    def warm(self) -> None:
        """Starts loading beside the caller's own work; a failure is raised by the first text."""
        Thread(target=self._load_quietly, name="encoder").start()

    def passages(self, texts: Sequence[str]) -> Iterator[NDArray[np.float32]]:
        loaded = self._load()
        prompt = self.files.passage_prompt
        if len(texts) < _WORKERS:
            yield from (loaded.rows(text[:LONGEST], prompt) for text in texts)
            return
        # Two threads with one intra-op thread each beat one text on two threads, and give the same bits.
        pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="encoder")
        try:
            waiting = deque(pool.submit(loaded.rows, text[:LONGEST], prompt) for text in texts[:_AHEAD])
            for text in texts[_AHEAD:]:
                yield waiting.popleft().result()
                waiting.append(pool.submit(loaded.rows, text[:LONGEST], prompt))
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def ahead(self, texts: Sequence[str]) -> None:
        """Begins to encode questions beside the caller's own work, for the calls of `question` that follow; what was
        begun before and never asked for is forgotten."""
        for begun in self._begun.values():
            begun.cancel()
        if self._beside is None:
            self._beside = ThreadPoolExecutor(_WORKERS, thread_name_prefix="questions")
        self._begun = {text: self._beside.submit(self._question, text) for text in texts}

    def question(self, text: str) -> NDArray[np.float32]:
        begun = self._begun.pop(text, None)
        return self._question(text) if begun is None else begun.result()

    def _question(self, text: str) -> NDArray[np.float32]:
        rows = self._load().rows(text, self.files.query_prompt)
        return rows[0] if len(rows) == 1 else _unit(rows.mean(axis=0, dtype=np.float32))

    def _load_quietly(self) -> None:
        try:
            self._load()
        except Exception:  # noqa: BLE001 - of any kind: the first text tries again, and raises it where it is wanted
            return

    def _load(self) -> _Loaded:
        with self._lock:
            if self._loaded is None:
                self._loaded = _Loaded(self.files)
            return self._loaded


class _Loaded:
    """Session and tokeniser of a model; safe to use from several threads."""

    def __init__(self, files: ModelFiles) -> None:
        self.files = files
        # What does not load raises classes of the libraries' own, and plain Exception.
        try:
            with ThreadPoolExecutor(1) as beside:  # both libraries release the interpreter while they read
                tokenizer = beside.submit(_tokenizer, files.folder)
                self.session = _session(files.folder)
                self.tokenizer = tokenizer.result()
        except ImportError:
            raise  # it is not the model that is broken
        except Exception as error:
            raise ModelUnusable(
                f"The prepared model in {files.folder} cannot be loaded ({type(error).__name__}).",
                "Delete that folder; the next call prepares the model again.",
            ) from error
        self.before, self.after = _special(self.tokenizer)

    def rows(self, text: str, prompt: str) -> NDArray[np.float32]:
        return np.concatenate([self._row(ids) for ids in self.windows(text, prompt)])

    def windows(self, text: str, prompt: str) -> list[list[int]]:
        """Token ids of each window, special tokens and prompt included; more than one only for an over-long text."""
        ids = self._ids(prompt + text)
        room = self.files.max_tokens - len(self.before) - len(self.after)
        if len(ids) <= room:
            return [[*self.before, *ids, *self.after]]
        head = self._ids(prompt) if prompt else []
        if ids[: len(head)] != head or len(head) > room // 2:
            head = []  # the prompt melts into the text, or would crowd it out: only the first window has it
        body = ids[len(head) :]
        return [[*self.before, *head, *part, *self.after] for part in cut(body, room - len(head))]

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def _row(self, ids: list[int]) -> NDArray[np.float32]:
        if not ids:  # an empty text, and a tokeniser without special tokens
            return np.zeros((1, self.files.dimension), dtype=np.float32)
        (row,) = self.session.run(None, {"input_ids": np.array([ids], dtype=np.int64)})
        return _unit(np.asarray(row, dtype=np.float32))


class HashingEncoder:
    """A stand-in for laws where a vector's meaning does not matter: hashed words, unit rows, no limit."""

    def __init__(self, dimension: int = 64) -> None:
        self.dimension = dimension
        self.identity = f"hashing-{dimension}"

    def passages(self, texts: Sequence[str]) -> Iterator[NDArray[np.float32]]:
        for text in texts:
            yield self.question(text)[np.newaxis]

    def ahead(self, texts: Sequence[str]) -> None:
        pass

    def question(self, text: str) -> NDArray[np.float32]:
        row = np.zeros(self.dimension, dtype=np.float32)
        for word in text.casefold().split() or [""]:
            digest = int.from_bytes(hashlib.sha256(word.encode("utf-8", "surrogatepass")).digest()[:8], "big")
            row[digest % self.dimension] += 1 if digest >> 63 else -1
        if not row.any():  # words that cancel out
            row[0] = 1
        return _unit(row)


def optimise(source: Path, folder: Path) -> None:
    """Writes the graph of `source` as `GRAPH` and `WEIGHTS` into the folder, fused once so that no session has to."""
    onnxruntime = _runtime()
    options = _options()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(folder / GRAPH)
    options.add_session_config_entry("session.optimized_model_external_initializers_file_name", WEIGHTS)
    options.add_session_config_entry("session.optimized_model_external_initializers_min_size_in_bytes", "1024")
    onnxruntime.InferenceSession(str(source), options, providers=["CPUExecutionProvider"])


def _session(folder: Path) -> InferenceSession:
    onnxruntime = _runtime()
    options = _options()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL  # done once, by `optimise`
    return onnxruntime.InferenceSession(str(folder / GRAPH), options, providers=["CPUExecutionProvider"])


def _options() -> SessionOptions:
    onnxruntime = _runtime()
    options = onnxruntime.SessionOptions()
    options.enable_cpu_mem_arena = False  # the arena doubles the memory and gains nothing for one text
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return options


def keep_to_itself() -> None:
    """Before onnxruntime is loaded: it gathers events in the user's cache and sends them to its makers otherwise."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"


def _runtime() -> ModuleType:
    keep_to_itself()
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    module: ModuleType = onnxruntime
    return module


def _tokenizer(folder: Path) -> Tokenizer:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def _special(tokenizer: Tokenizer) -> tuple[list[int], list[int]]:
    """The ids the tokeniser puts before and after every text."""
    encoding = tokenizer.encode("a", add_special_tokens=True)
    marks = encoding.special_tokens_mask
    if 0 not in marks:
        return list(encoding.ids), []
    first = marks.index(0)
    last = len(marks) - marks[::-1].index(0)
    return list(encoding.ids[:first]), list(encoding.ids[last:])


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
