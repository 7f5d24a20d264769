"""`python -m assistant`: ends with the exit code, without a traceback even where Ctrl-C comes during the imports."""

import os
import sys

from assistant.system.process_tuning import tune_process


def main() -> None:
    """Runs the command line and ends the process with its exit code, 130 after Ctrl-C; never returns."""
    tune_process()
    try:
        from assistant.cli.app import main

        code = main()
    except KeyboardInterrupt:
        code = 130
    except SystemExit as end:  # not left to the interpreter, which aborts where it ends beside a thread in native code
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (AttributeError, OSError, ValueError):
        pass  # closed by its reader, which is no error
    os._exit(code)  # nothing is left to save, and unloading the libraries would cost a tenth of an answer


if __name__ == "__main__":
    main()
