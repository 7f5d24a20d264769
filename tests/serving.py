"""A real server over real sockets, in a thread of the test, and what asks it."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from threading import Thread
from typing import Any

from assistant.server.config import ServerConfig, checked
from assistant.server.run import Server, listen
from assistant.server.service import Service
from assistant.server.web_app import create_app
from tests.waiting import PATIENCE, until

JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def record(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found

    @property
    def error(self) -> str:
        """The error's code."""
        code: str = self.record["error"]["code"]
        return code


@dataclass(frozen=True)
class Serving:
    """A server that listens on a port of its own."""

    port: int
    server: Server

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """One request on a connection of its own; a body that is no bytes goes as JSON."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
            given = dict(headers or {})
            connection.request(method, path, data, {**JSON, **given} if data is not None else given)
            response = connection.getresponse()
            named = {name.lower(): value for name, value in response.getheaders()}
            return Reply(response.status, named, response.read())
        finally:
            connection.close()

    def send(self, raw: bytes, *, seconds: float = PATIENCE) -> bytes:
        """Whatever comes back for these bytes until the server closes the connection; requests should ask for that."""
        received = b""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as connection:
            try:
                connection.sendall(raw)
                while part := connection.recv(65536):
                    received += part
            except (ConnectionError, TimeoutError):
                pass
        return received


@contextmanager
def serving(service: Service, config: ServerConfig | None = None) -> Iterator[Serving]:
    """Serves until the block ends, and then shuts down in good order."""
    config = checked(replace(config or ServerConfig(), port=0))
    listening = listen(config)
    server = Server(create_app(service, config))
    thread = Thread(target=server.run, kwargs={"sockets": [listening]}, name="server")
    thread.start()
    until(lambda: server.started or not thread.is_alive())
    assert server.started
    try:
        yield Serving(listening.getsockname()[1], server)
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
        assert not thread.is_alive()
