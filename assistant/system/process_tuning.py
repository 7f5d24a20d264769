"""How the process uses memory and threads, settled before any library is loaded; and the environment without that."""

from __future__ import annotations

import gc
import os

GC_THRESHOLDS = (10_000, 50, 100)
"""Objects, and collections, between two collections of cycles: what is imported and read stays, and has none."""
_THREADS = "OPENBLAS_NUM_THREADS"
_threads_set = False


def tune_process() -> None:
    """Collects cycles seldom and multiplies with one thread: for the small matrices of a question that is quicker than
    two threads that wait for each other, at half the processor's time. Call it before NumPy is imported."""
    global _threads_set
    gc.set_threshold(*GC_THRESHOLDS)
    if _THREADS not in os.environ:
        os.environ[_THREADS], _threads_set = "1", True


def users_environment() -> dict[str, str]:
    """The environment as the user set it, for programs that are started on their behalf."""
    return {name: value for name, value in os.environ.items() if not (_threads_set and name == _THREADS)}
