"""The page served by a real server in a thread, on a port that the system chooses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import uvicorn

from assistant.server.config import ServerConfig
from assistant.server.service import Service
from assistant.server.web_app import create_app
from tests.waiting import PATIENCE, until


@contextmanager
def served(service: Service) -> Iterator[str]:
    """The address, without a slash at its end."""
    app = create_app(service, ServerConfig())
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", lifespan="on"))
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    until(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
