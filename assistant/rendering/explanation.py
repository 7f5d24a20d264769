"""The `explain` object of an answer → indented rows of text."""

from __future__ import annotations

from collections.abc import Iterator


def outline(value: object, depth: int = 0, name: str = "") -> Iterator[tuple[int, str]]:
    """Each row's depth, from 0, and its text; an object or list without lists and objects inside is one row.

    `value` is of JSON's own types, `name` is its key.
    """
    parts = (
        value.items() if isinstance(value, dict) else [("", one) for one in value] if isinstance(value, list) else ()
    )
    if all(_flat(one) for _, one in parts):
        yield depth, (f"{name}: " if name else "") + _value(value)
        return
    if name:
        yield depth, f"{name}:"
    for key, one in parts:
        yield from outline(one, depth + bool(name), str(key))


def _flat(value: object) -> bool:
    return not isinstance(value, dict) and not (isinstance(value, list) and not all(map(_flat, value)))


def _value(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_value(one)}" for key, one in value.items())
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return f"{value:.3f}" if isinstance(value, float) else "none" if value is None else str(value)
