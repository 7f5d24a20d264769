"""The whole web application: the page, the API and MCP behind one guard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from assistant.engine import Cancelled
from assistant.errors import AssistantError
from assistant.server.api import api_routes
from assistant.server.calls import Calls
from assistant.server.config import ServerConfig
from assistant.server.credentials import Credentials
from assistant.server.guard import Guard
from assistant.server.login import login_routes
from assistant.server.mcp_server import mcp_http_app
from assistant.server.page.routes import page_routes
from assistant.server.responses import on_assistant_error, on_cancelled, on_http_error
from assistant.server.service import Service


def create_app(service: Service, config: ServerConfig) -> Starlette:
    """The application over a service that has been started; it does not close it."""
    calls, credentials = Calls(service.room), Credentials(config.token)
    mcp, mcp_lifespan = mcp_http_app(service)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with mcp_lifespan():
            ending = asyncio.create_task(_then(app.state.closing, mcp.end_streams))
            yield
            ending.cancel()
        await calls.close()

    app = Starlette(
        routes=[
            *page_routes(service, calls),
            *api_routes(service, calls, log_questions=config.log_questions),
            *login_routes(credentials),
            Route("/mcp", UntilClosing(mcp)),
        ],
        middleware=[Middleware(Guard, config=config, credentials=credentials)],
        exception_handlers={
            AssistantError: on_assistant_error,
            Cancelled: on_cancelled,
            HTTPException: on_http_error,
        },
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.state.closing = asyncio.Event()
    return app


class UntilClosing:
    """Ends the streams of MCP that wait for news when the server is about to end: they would never end themselves."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As the application's own; a GET is cut off when `app.state.closing` is set."""
        if scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        closing: asyncio.Event = scope["app"].state.closing
        stream = asyncio.ensure_future(_completed(self._app, scope, receive, send))
        end = asyncio.ensure_future(closing.wait())
        try:
            await asyncio.wait({stream, end}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            end.cancel()
            stream.cancel()
        if stream.done() and not stream.cancelled():
            stream.result()


async def _then(event: asyncio.Event, act: Callable[[], None]) -> None:
    await event.wait()
    act()


async def _completed(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    await app(scope, receive, send)
