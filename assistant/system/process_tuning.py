"""What the commands settle before any library is loaded, and the environment as it was before that."""

from __future__ import annotations

import gc
import os

RARELY = (10_000, 50, 100)
"""Objects, and collections, between two collections of cycles: what is imported and read stays, and has none."""
_THREADS = "OPENBLAS_NUM_THREADS"
_ours = False


def be_frugal() -> None:
    """Before NumPy is imported: one thread multiplies what a question multiplies sooner than two that wait for each
    other, and takes half the processor's time."""
    global _ours
    gc.set_threshold(*RARELY)
    if _THREADS not in os.environ:
        os.environ[_THREADS], _ours = "1", True


def environment() -> dict[str, str]:
    """The user's own, for programs of theirs."""
    return {name: value for name, value in os.environ.items() if not (_ours and name == _THREADS)}
