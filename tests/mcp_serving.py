"""The MCP server as tests start it: as a process on stdin and stdout, and under uvicorn in a thread."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

import uvicorn
from anyio.from_thread import BlockingPortal, start_blocking_portal
from mcp import Client, StdioServerParameters, types
from mcp.client.stdio import stdio_client
from starlette.applications import Starlette
from starlette.routing import Route

from assistant.server.mcp_server import McpHttpApp, mcp_http_app
from assistant.server.service import Service
from tests.command import PROGRAM
from tests.waiting import PATIENCE, until

_Made = TypeVar("_Made")


@dataclass
class Session:
    """The SDK's client in a thread of its own; the methods block."""

    portal: BlockingPortal
    client: Client
    told: list[object]
    """Notifications that the server sent, oldest first."""
    log: Path = field(default_factory=Path)
    """What the server's process wrote to stderr."""

    def run(self, make: Callable[[], Coroutine[object, object, _Made]]) -> _Made:
        return self.portal.call(make)

    def call(self, tool: str, **arguments: object) -> types.CallToolResult:
        return self.run(lambda: self.client.call_tool(tool, arguments))

    def record(self, tool: str, **arguments: object) -> dict[str, Any]:
        """The structured result, which must be one; the client has compared it with the tool's schema."""
        result = self.call(tool, **arguments)
        assert not result.is_error, text(result)
        assert isinstance(result.structured_content, dict)
        return result.structured_content


def text(result: types.CallToolResult) -> str:
    """The one text of a result."""
    (content,) = result.content
    assert isinstance(content, types.TextContent)
    return content.text


@contextmanager
def over_stdio(words: list[str], environment: Mapping[str, str], log: Path, mode: Any = "auto") -> Iterator[Session]:
    """The program as the client's child process."""
    parameters = StdioServerParameters(command=words[0], args=words[1:], env=dict(environment))
    with log.open("w") as stderr, _session(stdio_client(parameters, stderr), mode, log) as session:
        yield session


@contextmanager
def over_http(address: str, mode: Any = "auto") -> Iterator[Session]:
    with _session(address, mode) as session:
        yield session


@contextmanager
def _session(server: Any, mode: Any, log: Path = Path()) -> Iterator[Session]:
    told: list[object] = []

    async def hear(message: object) -> None:
        told.append(message)

    client = Client(server, mode=mode, message_handler=hear, cache=None)
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(client):
        yield Session(portal, client, told, log)


class _Server(uvicorn.Server):
    """One that lets go of the clients which listen before it waits for its connections."""

    def __init__(self, config: uvicorn.Config, app: McpHttpApp) -> None:
        super().__init__(config)
        self._app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._app.end_streams()
        await super().shutdown(sockets)


@contextmanager
def uvicorn_server(service: Service) -> Iterator[str]:
    """The address of MCP over HTTP in an app that has nothing else; at the end the server has to stop by itself."""
    app, lifespan = mcp_http_app(service)
    starlette = Starlette(routes=[Route("/mcp", endpoint=app)], lifespan=lambda _: lifespan())
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = _Server(uvicorn.Config(starlette, log_level="warning"), app)
        thread = Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        until(lambda: server.started)
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/mcp"
        finally:
            server.should_exit = True
            thread.join(PATIENCE)
            assert not thread.is_alive()


class Raw:
    """The program's process, spoken to line by line."""

    def __init__(self, notes: Path, index: Path, environment: Mapping[str, str]) -> None:
        self.process = subprocess.Popen(
            [*PROGRAM, "--notes", str(notes), "--index", str(index), "mcp"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(environment),
        )
        self.lines: list[bytes] = []

    def send(self, method: str, id: int | None = None, **params: object) -> None:
        message: dict[str, object] = {"jsonrpc": "2.0", "method": method, "params": params}
        if id is not None:
            message["id"] = id
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()

    def receive(self) -> dict[str, Any]:
        """The next line, which must be a message of the protocol."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        self.lines.append(line)
        message: dict[str, Any] = json.loads(line)
        assert message["jsonrpc"] == "2.0"
        return message

    def greet(self) -> None:
        client = {"name": "test", "version": "1"}
        self.send("initialize", 1, protocolVersion="2025-06-18", capabilities={}, clientInfo=client)
        assert self.receive()["result"]["serverInfo"]["name"] == "notes-assistant"
        self.send("notifications/initialized")

    def children(self) -> set[int]:
        """Processes that the program has started."""
        listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
        pairs = [tuple(map(int, line.split())) for line in listed.splitlines()]
        return {pid for pid, parent in pairs if parent == self.process.pid}

    def end(self) -> tuple[int, str]:
        """Closes stdin; the exit code, and what went to stderr."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self.process.stdin.close()
        rest = self.process.stdout.read()
        assert all(json.loads(line)["jsonrpc"] == "2.0" for line in rest.splitlines())
        stderr = self.process.stderr.read().decode()
        return self.process.wait(PATIENCE), stderr


def is_running(pid: int) -> bool:
    """Not for one that has ended and that nobody has asked for its exit code."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.strip().startswith("Z") and os.getpid() != pid
