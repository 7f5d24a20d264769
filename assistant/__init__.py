"""Answers questions about a folder of Markdown notes with cited quotations, offline."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assistant.api import Assistant
    from assistant.records import Answer, Citation

__all__ = ["Answer", "Assistant", "Citation"]
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """Loads the public names when they are asked for, so that `assistant --help` loads none of them."""
    if name == "Assistant":
        from assistant.api import Assistant

        return Assistant
    if name in ("Answer", "Citation"):
        from assistant import records

        return getattr(records, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
