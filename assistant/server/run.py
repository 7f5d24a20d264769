"""One process that serves until it is told to stop, and then finishes the answers that are being made."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType
from typing import cast

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from assistant.errors import AssistantError
from assistant.exit_codes import Exit
from assistant.notes.folder import scan
from assistant.server.config import ServerConfig, is_loopback, resolved
from assistant.server.service import Service
from assistant.server.web_app import create_app
from assistant.system.settings import Settings
from assistant.system.streams import say

GRACE_SECONDS = 75
"""For answers in flight at the end: below the 90 s after which systemd kills."""
HEAD_SECONDS = 10.0
"""In which the head of a request must have arrived."""
CONNECTIONS = 1000
"""At once; a request on one more gets 503."""
_DRAIN_STEPS, _STEP_SECONDS = 20, 0.01
"""Of the event loop before it accepts no more, and before connections that have asked nothing are ended: counted in
steps, since what a client has sent is read in the next few, however long they take."""


class AddressUnusable(AssistantError):
    """The address cannot be listened on."""

    code = "address_unusable"
    exit = Exit.CANNOT


def serve(settings: Settings, config: ServerConfig) -> int:
    """Serves until SIGTERM or SIGINT; returns the exit code. AddressUnusable, and the errors of `Service.start`."""
    ending = Ending()
    for sig in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sig, ending)  # for good: a second signal may come when the server has ended already
    if settings.folder is not None:
        scan(settings.notes)  # a folder that is not there is told now, not with the first question
    listening = listen(config)
    config = replace(config, port=listening.getsockname()[1])
    _log_to_stderr(quiet=settings.quiet)
    service = Service.from_settings(settings)
    try:
        service.start()
        server = Server(create_app(service, config))
        ending.leave_to(server)  # before it is announced: a client that has read it may be waiting for an answer
        for line in _announcement(service, config):
            say(line)
        server.run(sockets=[listening])
    finally:
        listening.close()
        service.close()
    return Exit.ANSWERED


def listen(config: ServerConfig) -> socket.socket:
    """A socket that listens on the configured address; AddressUnusable."""
    found = resolved(config.host)
    if not found:
        raise AddressUnusable(f"There is no address {config.host!r}.", "Name one of this machine with --host.")
    family, address = found[0]
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((address, config.port))
        listening.listen(2048)
    except OSError as error:
        listening.close()
        raise AddressUnusable(
            f"{config.host} port {config.port} cannot be used: {os.strerror(error.errno or 0)}.",
            "Name another port with --port; 0 picks a free one.",
        ) from error
    return listening


class Ending:
    """What signals do: the first one ends the process in good order, with exit code 0, the second one at once."""

    def __init__(self) -> None:
        self._asked = False
        self._server: Server | None = None

    def __call__(self, sig: int, frame: FrameType | None) -> None:
        """The handler of a signal. SystemExit while there is no server: nothing is in flight then."""
        if self._asked:
            os._exit(128 + sig)  # threads that answer would keep an orderly end waiting
        self._asked = True
        if self._server is None:
            sys.exit(Exit.ANSWERED)
        self._server.should_exit = True

    def leave_to(self, server: Server) -> None:
        """From now on the first signal lets this server give its answers."""
        self._server = server
        if self._asked:  # and a library has swallowed the exception
            server.should_exit = True


class Server(uvicorn.Server):
    """Ends with its answers given: once it should exit, no connection is accepted."""

    def __init__(self, app: Starlette) -> None:
        self._closing: asyncio.Event = app.state.closing
        super().__init__(
            uvicorn.Config(
                app,
                http=_PatientProtocol,
                ws="none",
                loop="asyncio",
                lifespan="on",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                limit_concurrency=CONNECTIONS,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves signals to `Ending`: uvicorn restores the handlers of before while answers may still be made, and ends
        with the signal's exit code."""
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """What has connected may still send its request; nothing else is accepted."""
        await _drain()
        for server in self.servers:
            server.close()
        await _drain()
        self._closing.set()
        await super().shutdown(sockets)


async def _drain() -> None:
    for _ in range(_DRAIN_STEPS):
        await asyncio.sleep(_STEP_SECONDS)


class _PatientProtocol(H11Protocol):
    """Closes a connection whose request's head does not arrive, which uvicorn waits for without end."""

    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """As uvicorn's own, and begins to wait."""
        super().connection_made(cast("asyncio.Transport", transport))
        self._wait()

    def data_received(self, data: bytes) -> None:
        """As uvicorn's own, and waits no longer than from the first byte of a head to its last."""
        super().data_received(data)
        if self._is_answering():
            self._stop_waiting()
        elif self._waiting is None:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """As uvicorn's own."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._waiting = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _give_up(self) -> None:
        self._waiting = None
        if not self._is_answering():
            self.transport.close()

    def _is_answering(self) -> bool:
        """Whether a head has arrived; before the first one there is no cycle, whatever uvicorn's types say."""
        cycle = getattr(self, "cycle", None)
        return cycle is not None and not cycle.response_complete


class _ToStderr(logging.Handler):
    """One line for each record, made safe for a terminal; no tracebacks of libraries, whose messages may quote what was
    sent."""

    def emit(self, record: logging.LogRecord) -> None:
        """Writes the line."""
        say(record.getMessage(), lines=record.levelno >= logging.ERROR)


def _log_to_stderr(*, quiet: bool) -> None:
    ours = logging.getLogger("assistant.server")
    ours.setLevel(logging.WARNING if quiet else logging.INFO)
    theirs = logging.getLogger("uvicorn.error")
    theirs.setLevel(logging.WARNING)
    for logger in (ours, theirs):
        logger.addHandler(_ToStderr())
        logger.propagate = False
    logging.getLogger("mcp").addHandler(logging.NullHandler())  # its warnings quote what was sent


def _announcement(service: Service, config: ServerConfig) -> list[str]:
    name = f"[{config.host}]" if ":" in config.host else config.host
    lines = [f"Serving {service.place} at http://{name}:{config.port}/ (Ctrl+C stops)."]
    if not is_loopback(config.host):
        lines.append(
            "Other machines can reach this address: every request has to bring the token, and TLS is left to a proxy."
        )
    elif config.token:
        lines.append("Every request has to bring the token.")
    return lines
