"""ONNX sessions and tokenisers of prepared models; the only module that loads onnxruntime and tokenizers."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from assistant.errors import ModelUnusable

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from onnxruntime import InferenceSession, SessionOptions
    from tokenizers import Encoding, Tokenizer

GRAPH = "model.onnx"
WEIGHTS = "model.onnx.data"
TOKENIZER = "tokenizer.json"


class Session:
    """The tokeniser of an encoder, and what gives a row for its tokens; safe to use from several threads."""

    def __init__(self, tokenizer: Tokenizer, run: Callable[[NDArray[np.int64]], NDArray[np.float32]]) -> None:
        """`run`: ids (1, n), special tokens included and of any length, to a row (1, d)."""
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self._tokenizer, self._run = tokenizer, run
        self.before, self.after = _special(tokenizer)
        """The ids the tokeniser puts before and after every text."""

    def ids(self, text: str) -> list[int]:
        """The token ids of a text, without special tokens."""
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def row(self, ids: list[int]) -> NDArray[np.float32]:
        """(1, d): what the model gives for token ids, special tokens included."""
        return self._run(np.array([ids], dtype=np.int64))


class PairSession:
    """Graph and tokeniser of a cross-encoder, loaded; safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        """ModelUnusable where a file cannot be loaded, ImportError where a library cannot."""
        self._session, self._tokenizer = _load(folder)
        self._special: int = self._tokenizer.num_special_tokens_to_add(is_pair=True)

    def tokens(self, text: str, most: int) -> Encoding:
        """A text's tokens without special ones, its first `most` at the most."""
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        encoding.truncate(most)
        return encoding

    def room(self, question: Encoding, limit: int) -> int:
        """Tokens of a text that fit beside the question into a pair of `limit` tokens, special ones included."""
        return max(0, limit - self._special - len(question))

    def read(self, question: Encoding, text: Encoding) -> tuple[np.float32, NDArray[np.float32]]:
        """What the graph gives for a pair: its logit, and (tokens, 2) for the tokens of the text."""
        pair = self._tokenizer.post_process(question, text, add_special_tokens=True)
        logits, spans = self._session.run(
            None,
            {
                "input_ids": np.array([pair.ids], dtype=np.int64),
                "token_type_ids": np.array([pair.type_ids], dtype=np.int64),
                "attention_mask": np.array([pair.attention_mask], dtype=np.int64),
            },
        )
        end = len(pair.ids) - 1  # a separator
        return np.float32(logits[0]), np.asarray(spans[0, end - len(text) : end], dtype=np.float32)


def load(folder: Path) -> Session:
    """Of the graph and tokeniser of a prepared encoder; ModelUnusable where a file cannot be loaded, ImportError where
    a library cannot."""
    session, tokenizer = _load(folder)
    return Session(tokenizer, lambda ids: np.asarray(session.run(None, {"input_ids": ids})[0], dtype=np.float32))


def optimise(source: Path, folder: Path) -> None:
    """Writes the graph of `source` as GRAPH and WEIGHTS into the folder, fused once so that no session has to."""
    onnxruntime = _runtime()
    options = _options()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(folder / GRAPH)
    options.add_session_config_entry("session.optimized_model_external_initializers_file_name", WEIGHTS)
    options.add_session_config_entry("session.optimized_model_external_initializers_min_size_in_bytes", "1024")
    onnxruntime.InferenceSession(str(source), options, providers=["CPUExecutionProvider"])


def _load(folder: Path) -> tuple[InferenceSession, Tokenizer]:
    # What does not load raises classes of the libraries' own, and plain Exception.
    try:
        with ThreadPoolExecutor(1) as pool:  # both libraries release the interpreter while they read
            tokenizer = pool.submit(_tokenizer, folder)
            return _session(folder), tokenizer.result()
    except ImportError:
        raise  # it is not the model that is broken
    except Exception as error:
        raise ModelUnusable(
            f"The prepared model in {folder} cannot be loaded ({type(error).__name__}).",
            "Delete that folder; the next call prepares the model again.",
        ) from error


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


def disable_telemetry() -> None:
    """Before onnxruntime is loaded: otherwise it gathers events in the user's cache and sends them to its makers."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"


def _runtime() -> ModuleType:
    disable_telemetry()
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
