"""The base's weights, changed by an adapter, laid out as a graph without weights expects them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from assistant.models import base, tensor_file

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Weights = dict[str, NDArray[np.float32]]
    """By the base's name for the parameter."""

RAW = "weights"
"""The file in which the graph looks for its weights."""
_LARGEST = 64
"""Of the whole numbers of a quantised parameter. Up to 127, processors without instructions for sums of products of
bytes let pairs of products overflow, and models would differ from machine to machine."""
_DOWN, _UP = ".lora_A", ".lora_B"


@dataclass(frozen=True, slots=True)
class Layout:
    """What the map beside a graph says."""

    dimension: int
    """Of a row; 1 for logits."""
    max_tokens: int
    """Special tokens included."""
    weights: tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a parameter, or a part of it, lies in the file of weights; floats are little-endian."""

    parameter: str
    transposed: bool
    offset: int
    """In bytes."""
    shape: tuple[int, ...]
    """Of what lies there: after the transposition."""
    part: str = "float32"
    """What of it: all of it; "int8", whole numbers of 8 bits; or "scale", what those of a column are multiplied by."""


def layout(text: str) -> Layout:
    """ValueError, TypeError or KeyError where the text is no map."""
    data = json.loads(text)
    slots = (Slot(**{**slot, "shape": tuple(slot["shape"])}) for slot in data.pop("weights"))
    return Layout(weights=tuple(slots), **data)


def merged(original: tensor_file.TensorFile, adapter: tensor_file.TensorFile | None) -> Weights:
    """The base's weights, after the adapter where there is one: W + scale · B · A for each pair of NAME.lora_A (r, in)
    and NAME.lora_B (out, r); any other tensor replaces or adds the parameter of its name.

    ValueError or KeyError where the adapter is not one of this base.
    """
    weights = {name: np.asarray(tensor, dtype=np.float32) for name, tensor in original.tensors.items()}
    if adapter is None:
        return weights
    if adapter.metadata["base_sha256"] != base.SHA256:
        raise ValueError("the adapter is for other weights")
    scale = np.float32(adapter.metadata["scale"])
    changes = {name: np.asarray(tensor, dtype=np.float32) for name, tensor in adapter.tensors.items()}
    for name in sorted(changes):
        parameter = name.removesuffix(_DOWN)
        if parameter != name:
            product = changes[parameter + _UP] @ changes[name]
            if product.shape != weights[parameter].shape:
                raise ValueError(f"{name} has the wrong shape")
            weights[parameter] = weights[parameter] + scale * product
        elif not name.endswith(_UP):
            weights[name] = changes[name]
    return weights


def write(weights: Mapping[str, NDArray[np.float32]], slots: tuple[Slot, ...], path: Path) -> None:
    """Writes the file of weights; KeyError or ValueError where one is missing or of another shape, OSError."""
    with path.open("wb") as file:
        for slot in slots:
            values = _part(weights[slot.parameter].T if slot.transposed else weights[slot.parameter], slot.part)
            if values.shape != slot.shape:
                raise ValueError(f"{slot.parameter} is {values.shape}, not {slot.shape}")
            file.seek(slot.offset)
            file.write(np.ascontiguousarray(values).data)


def _part(values: NDArray[np.float32], part: str) -> NDArray[np.generic]:
    """The part that a slot asks for of a parameter."""
    if part == "float32":
        return values.astype("<f4")
    # Symmetric, a scale for each column.
    scale = np.abs(values).max(axis=0) / np.float32(_LARGEST)
    scale = np.where(scale > 0, scale, np.float32(1)).astype("<f4")
    if part == "scale":
        return scale
    return np.asarray(np.rint(values / scale), dtype=np.int8)


def pack(changes: Mapping[str, NDArray[np.floating]], scale: float) -> bytes:
    """An adapter as the file to ship, from float arrays by the names that `merged` reads; rounded to float16."""
    halves = {name: np.asarray(tensor).astype(np.float16) for name, tensor in changes.items()}
    return tensor_file.serialise(halves, {"scale": repr(scale), "base_sha256": base.SHA256})
