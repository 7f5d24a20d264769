"""A program on a pseudo-terminal: what it is sent, what it paints, and when."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_ESCAPES = re.compile(rb"\x1b\[[0-9;?<>=]*[ -/]*[@-~]|\x1b[PX^_].*?\x1b\\|\x1b\][^\x07]*\x07|\x1b.", re.DOTALL)


class Program:
    """A child on a terminal of 100 columns and 40 rows."""

    def __init__(self, words: Sequence[str], environment: Mapping[str, str]) -> None:
        self.began = time.monotonic()
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
            os.execvpe(words[0], list(words), {**environment, "TERM": "xterm-256color", "COLORTERM": "truecolor"})
        self.raw = b""

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.kill(self.pid, signal.SIGWINCH)

    def send(self, text: str) -> None:
        """What was painted before does not count from here on."""
        self._take(0.0)
        self.raw = b""
        os.write(self.terminal, text.encode())

    def until(self, painted: Callable[[str], bool], seconds: float = 20.0) -> float:
        """Seconds until what was painted since the last `send` is so; gives up where it never is."""
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            if painted(self.text):
                return time.monotonic() - began
            self._take(0.05)
        raise SystemExit(f"the screen never came to it: {self.text[-3000:]!r}")

    def after(self, text: str, painted: Callable[[str], bool]) -> float:
        """Seconds from sending a text to a paint that is so."""
        self.send(text)
        return self.until(painted)

    def settled(self, quiet: float = 0.15) -> float:
        """Seconds from now to the last paint before `quiet` seconds without any."""
        began = last = time.monotonic()
        while time.monotonic() - last < quiet < 0.4:  # a blinking cursor paints each half second
            if self._take(0.01):
                last = time.monotonic()
        return last - began

    def memory(self) -> float:
        """Resident megabytes now."""
        status = Path(f"/proc/{self.pid}/status").read_text("ascii")
        found = re.search(r"VmRSS:\s+(\d+)", status)
        return int(found[1]) / 1000 if found else 0.0

    def ended(self) -> float:
        """Seconds until the program is gone."""
        began = time.monotonic()
        while os.waitpid(self.pid, os.WNOHANG)[0] == 0:
            self._take(0.002)
            if time.monotonic() - began > 20:
                raise SystemExit(f"the program does not end: {self.text[-3000:]!r}")
        return time.monotonic() - began

    @property
    def text(self) -> str:
        """Everything painted since the last `send`, without colours and moves."""
        return _ESCAPES.sub(b"", self.raw).decode("utf-8", "replace")

    def _take(self, seconds: float) -> bool:
        took = False
        while select.select([self.terminal], [], [], seconds)[0]:
            try:
                self.raw += os.read(self.terminal, 65536)
            except OSError:
                return took
            took, seconds = True, 0.0
        return took
