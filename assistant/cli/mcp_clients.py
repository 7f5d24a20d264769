"""The configuration of common MCP clients, ready to be pasted, with the absolute command of this installation."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

from assistant.system.collection import Collection
from assistant.system.settings import Settings
from assistant.text import sanitize

_NAME = "notes"
"""What the clients are to call the server."""
_PROGRAMS = ("assistant", "notes-assistant")


def blocks(settings: Settings) -> str:
    """What to paste where, for each client; nothing is written anywhere. The address of a database goes into the
    environment, where no list of processes shows it, and is without what may be secret."""
    command, *arguments = words = server_command(settings)
    variables = {"ASSISTANT_INDEX": str(settings.index)} if isinstance(settings.index, Collection) else {}
    server = {"command": command, "args": arguments, **({"env": variables} if variables else {})}
    usual = json.dumps({"mcpServers": {_NAME: server}}, indent=2)
    code = json.dumps({"servers": {_NAME: {"type": "stdio", **server}}}, indent=2)
    assigned = [f"{name}={value}" for name, value in variables.items()]
    options = ["--env", *assigned] if assigned else []
    shell = shlex.join([*(["env", *assigned] if assigned else []), *words])
    parts = (
        (
            "Claude Desktop: claude_desktop_config.json (Settings, Developer, Edit Config), then start it again",
            usual,
        ),
        ("Claude Code: run", shlex.join(["claude", "mcp", "add", "--scope", "user", _NAME, *options, "--", *words])),
        ("VS Code: .vscode/mcp.json, or the command MCP: Open User Configuration", code),
        ("Cursor: ~/.cursor/mcp.json, or .cursor/mcp.json in a project", usual),
        ("Any other client: a server on stdin and stdout that is started by", shell),
    )
    note = "# Write ASSISTANT_INDEX as you use it: it is printed without user, password and parameters.\n\n"
    return (note if variables else "") + "\n".join(f"# {title}\n{sanitize.block(text)}\n" for title, text in parts)


def server_command(settings: Settings) -> list[str]:
    """The words that start the server: this program, with the folders that these settings lead to."""
    program = Path(sys.argv[0])
    installed = program.name in _PROGRAMS and program.is_file()
    words = [str(program.absolute())] if installed else [sys.executable, "-P", "-m", "assistant"]
    words += ["--notes", str(settings.notes)] if settings.folder is not None else []
    words += ["--index", str(settings.index)] if isinstance(settings.index, Path) else []
    return [*words, *(["--model", settings.model] if settings.model else []), "mcp"]
