"""What every script begins with: the checkout's own Python, made or completed first where it has to be.

An ordinary start runs nothing else, so this imports nothing that Python has not loaded already.
"""

from __future__ import annotations

import sys

from environment import CANNOT, INTERRUPTED, PYTHON, ROOT, SetUpError, installed, say


def ready(wanted: str) -> str:
    """The path of a Python that has the packages of a set ("run" or "test"); leaves the process where it cannot."""
    try:
        if not installed(wanted):
            from setting_up import set_up

            set_up(wanted)
    except KeyboardInterrupt:
        leave("Interrupted. Run the same command to complete the set-up.", INTERRUPTED)
    except SetUpError as error:
        leave(str(error), CANNOT)
    except OSError as error:
        leave(f"{error.filename or ROOT}: {error.strerror}. Put that right and run the command again.", CANNOT)
    return PYTHON


def leave(text: str, code: int) -> None:
    say(text)
    sys.exit(code)
