"""The safetensors format: eight bytes that count the header's, the header in JSON, then the tensors' bytes.

https://huggingface.co/docs/safetensors describes it. A file can hold numbers and texts only; nothing in it runs.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Tensors = Mapping[str, NDArray[np.generic]]

_LENGTH = struct.Struct("<Q")
_TYPES = {"F16": "<f2", "F32": "<f4", "I64": "<i8"}
_NAMES = {code: name for name, code in _TYPES.items()}
_METADATA = "__metadata__"


@dataclass(frozen=True, slots=True)
class TensorFile:
    """The content of a file; the tensors are read-only views of its bytes."""

    metadata: dict[str, str]
    tensors: dict[str, NDArray[np.generic]]


def parse(data: bytes) -> TensorFile:
    """ValueError where the bytes are no such file, or hold another type than float16, float32 or int64."""
    try:
        (length,) = _LENGTH.unpack_from(data)
        start = _LENGTH.size + length
        header = json.loads(data[_LENGTH.size : start])
        metadata = header.pop(_METADATA, {})
        body = memoryview(data)[start:]
        tensors = {
            name: _tensor(body, entry["dtype"], entry["shape"], entry["data_offsets"]) for name, entry in header.items()
        }
    except (struct.error, KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"no safetensors file ({error})") from error
    return TensorFile(metadata, tensors)


def serialise(tensors: Tensors, metadata: Mapping[str, str]) -> bytes:
    """A file with these tensors, in the order of their names; KeyError for a type that `parse` does not read."""
    header: dict[str, object] = {_METADATA: dict(sorted(metadata.items()))}
    parts, end = [], 0
    for name in sorted(tensors):
        code = _NAMES[tensors[name].dtype.newbyteorder("<").str]
        part = np.ascontiguousarray(tensors[name], dtype=_TYPES[code]).tobytes()
        header[name] = {"dtype": code, "shape": list(tensors[name].shape), "data_offsets": [end, end + len(part)]}
        parts.append(part)
        end += len(part)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # the format wants the tensors aligned
    return b"".join([_LENGTH.pack(len(text)), text, *parts])


def _tensor(body: memoryview, kind: str, shape: list[int], data_offsets: tuple[int, int]) -> NDArray[np.generic]:
    """ValueError where the shape is not that of the bytes."""
    start, end = data_offsets
    values: NDArray[np.generic] = np.frombuffer(body[start:end], dtype=_TYPES[kind])
    return values.reshape(shape)
