"""`python -m assistant`: ends with the exit code, without a traceback even where Ctrl-C comes during the imports."""

import os
import sys

from assistant.system.process_tuning import be_frugal


def main() -> None:
    be_frugal()
    try:
        from assistant.cli.app import main

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
