"""`python -m assistant`: ends with the exit code, without a traceback even where Ctrl-C comes during the imports."""

import gc
import os
import sys

RARELY = (10_000, 50, 100)
"""Objects, and collections, between two collections of cycles: what is imported and read stays, and has none."""


def be_frugal() -> None:
    """Before NumPy is imported: one thread multiplies what a question multiplies sooner than two that wait for each
    other, and takes half the processor's time."""
    gc.set_threshold(*RARELY)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def main() -> None:
    be_frugal()
    try:
        from assistant.cli import main

        code = main()
    except KeyboardInterrupt:
        code = 130
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (AttributeError, OSError, ValueError):
        pass  # closed by whoever read it, which ends quietly
    os._exit(code)  # nothing is left to tidy, and taking the loaded libraries apart would cost a tenth of an answer


if __name__ == "__main__":
    main()
