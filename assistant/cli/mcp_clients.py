"""The configuration of common MCP clients, ready to be pasted, with the absolute command of this installation."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

from assistant.system.settings import Settings
from assistant.text import sanitize

_NAME = "notes"
"""What the clients are to call the server."""
_PROGRAMS = ("assistant", "notes-assistant")


def blocks(settings: Settings) -> str:
    """What to paste where, for each client; nothing is written anywhere."""
    command, *arguments = words = server_command(settings)
    server = {"command": command, "args": arguments}
    usual = json.dumps({"mcpServers": {_NAME: server}}, indent=2)
    code = json.dumps({"servers": {_NAME: {"type": "stdio", **server}}}, indent=2)
    shell = shlex.join(words)
    parts = (
        (
            "Claude Desktop: claude_desktop_config.json (Settings, Developer, Edit Config), then start it again",
            usual,
        ),
        ("Claude Code: run", f"claude mcp add --scope user {_NAME} -- {shell}"),
        ("VS Code: .vscode/mcp.json, or the command MCP: Open User Configuration", code),
        ("Cursor: ~/.cursor/mcp.json, or .cursor/mcp.json in a project", usual),
        ("Any other client: a server on stdin and stdout that is started by", shell),
    )
    return "\n".join(f"# {title}\n{sanitize.block(text)}\n" for title, text in parts)


def server_command(settings: Settings) -> list[str]:
    """The words that start the server: this program, with the places that these settings lead to. The address of a
    database is without user and password, which libpq takes from elsewhere."""
    program = Path(sys.argv[0])
    installed = program.name in _PROGRAMS and program.is_file()
    words = [str(program.absolute())] if installed else [sys.executable, "-P", "-m", "assistant"]
    words += ["--notes", str(settings.notes)] if settings.folder is not None else []
    words += ["--index", str(settings.index)]
    return [*words, *(["--model", settings.model] if settings.model else []), "mcp"]
