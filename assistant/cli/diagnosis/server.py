"""Whether the notes can be served to other programs: over MCP, and by `assistant serve`."""

from __future__ import annotations

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
        import assistant.server.mcp_server  # noqa: F401 - whether it can be
    except Exception as error:  # noqa: BLE001 - a half installed library fails in any way
        reason = (str(error).splitlines() or [""])[0][:120]
        yield Finding("mcp", f"MCP cannot be served: {type(error).__name__}: {reason}", install)
        return
    yield Finding("mcp", f"MCP can be served (mcp {version}); assistant mcp --install prints what a client needs")


def server() -> Iterator[Finding]:
    """Versions of what `assistant serve` is made of; what is not installed is a finding about the packages."""
    versions = []
    for name in _LIBRARIES:
        try:
            versions.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            versions.append(f"{name} is not installed")
    yield Finding("server", f"{', '.join(versions)}; assistant serve listens on 127.0.0.1, port {PORT}")
