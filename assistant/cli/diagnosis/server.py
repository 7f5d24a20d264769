"""Whether the notes can be served to other programs."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from importlib import metadata

from assistant.cli.diagnosis.finding import Finding, pip_install

_REQUIREMENT = "mcp>=2.3"


def server() -> Iterator[Finding]:
    """Whether `assistant mcp` finds what it needs, and in which version."""
    install = pip_install("--force-reinstall", _REQUIREMENT)
    try:
        version = metadata.version("mcp")
    except metadata.PackageNotFoundError:
        yield Finding("server", "MCP cannot be served: mcp is not installed", install)
        return
    try:
        importlib.import_module("assistant.server.mcp_server")
    except Exception as error:  # noqa: BLE001 - a half installed library fails in any way
        reason = (str(error).splitlines() or [""])[0][:120]
        yield Finding("server", f"MCP cannot be served: {type(error).__name__}: {reason}", install)
        return
    yield Finding("server", f"MCP can be served (mcp {version}); assistant mcp --install prints what a client needs")
