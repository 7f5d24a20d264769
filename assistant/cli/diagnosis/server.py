"""Whether the notes can be served to other programs: over MCP, and by `assistant serve`."""

from __future__ import annotations

import importlib
import socket
from collections.abc import Iterator
from importlib import metadata

from assistant.cli.diagnosis.finding import Finding, pip_install
from assistant.server.config import PORT

_REQUIREMENT = "mcp>=2.3"
_LIBRARIES = ("starlette", "uvicorn")


def mcp() -> Iterator[Finding]:
    """Whether `assistant mcp` finds what it needs, and in which version."""
    install = pip_install("--force-reinstall", _REQUIREMENT)
    try:
        version = metadata.version("mcp")
    except metadata.PackageNotFoundError:
        yield Finding("mcp", "MCP cannot be served: mcp is not installed", install)
        return
    try:
        importlib.import_module("assistant.server.mcp_server")
    except Exception as error:  # noqa: BLE001 - a half installed library fails in any way
        reason = (str(error).splitlines() or [""])[0][:120]
        yield Finding("mcp", f"MCP cannot be served: {type(error).__name__}: {reason}", install)
        return
    yield Finding("mcp", f"MCP can be served (mcp {version}); assistant mcp --install prints what a client needs")


def server(port: int = PORT) -> Iterator[Finding]:
    """Versions of the server's libraries, and whether its usual port is free; a port in use is no problem, since it may
    be a server of ours. What is not installed is a finding about the packages."""
    versions = []
    for name in _LIBRARIES:
        try:
            versions.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            versions.append(f"{name} is not installed")
    state = "is free" if _is_free(port) else "is in use (`assistant serve --port 0` picks a free one)"
    yield Finding("server", f"{', '.join(versions)}; port {port} {state}")


def _is_free(port: int) -> bool:
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
