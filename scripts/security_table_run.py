"""The trying part of `scripts/security_table`: real servers over notes of its own, one raw request after another."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path


def main() -> int:
    sys.path.insert(0, sys.argv[1])
    from tests.security_table import TRIES, logged_in, status_of, table, targets

    got = {}
    with targets(Path(sys.argv[2])) as servers:
        cookies = {name: "" if name == "open" else logged_in(server) for name, server in servers.items()}
        for one in TRIES:
            server = servers[one.server]
            got[one.name] = status_of(server.send(one.bytes(server.port, cookies[one.server])))
    versions = ", ".join(f"{name} {version(name)}" for name in ("starlette", "uvicorn", "h11"))
    print(f"The status that each way to break in got; {versions}\n\n{table(got)}", end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
