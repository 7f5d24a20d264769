"""The notes over the Model Context Protocol: a server for stdin and stdout, and one to be mounted in a web app.

It is made of the SDK's low-level server: the other one lists resources without pages, and derives the schema of each
result from a type.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeAlias, TypeVar

import anyio
from anyio import CapacityLimiter
from mcp import MCPError, types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import NotificationOptions, Server
from mcp.server.models import InitializationOptions
from mcp.server.stdio import stdio_server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from pydantic import ValidationError
from starlette.types import Receive, Scope, Send

from assistant import __version__
from assistant.errors import AssistantError, BadRequest, UnreadableNotes
from assistant.server import mcp_prompt, mcp_resources, mcp_schemas, mcp_texts, mcp_tools
from assistant.server.mcp_calls import Call, in_thread
from assistant.server.mcp_changes import ChangeNews
from assistant.server.service import ENGINES, WAITING, Service
from assistant.server.starting import Starting
from assistant.system.settings import debugging
from assistant.system.streams import discard_stdout

_MOST_BODY = 1024 * 1024
"""Bytes of an HTTP request."""
_NOT_FOUND = -32002
"""The protocol's code for a resource that is not there."""
_log = logging.getLogger("assistant.server")
_Context: TypeAlias = "ServerRequestContext[None]"
_Made = TypeVar("_Made")
McpServer: TypeAlias = "Server[None]"
Ready = Callable[[Call], None]
"""Waits, in a thread, until the service has started; raises why it cannot."""


def create_mcp_server(service: Service, ready: Ready = lambda call: None) -> McpServer:
    """The protocol's server over a service that has been started, or that `ready` waits for."""
    return _NotesServer(_Handlers(service, ready))


class McpHttpApp:
    """The ASGI app of MCP over streamable HTTP. Host, Origin and tokens are the web app's to check.

    A `Route` takes it as its endpoint, which unlike a `Mount` matches a path without a final slash.
    """

    def __init__(self, service: Service) -> None:
        handlers = _Handlers(service, lambda call: None)
        self._news = handlers.news
        self._manager = StreamableHTTPSessionManager(_NotesServer(handlers), max_request_body_size=_MOST_BODY)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, while `lifespan` is entered."""
        await self._manager.handle_request(scope, receive, send)

    def lifespan(self) -> AbstractAsyncContextManager[None]:
        """Has to be entered while the app serves, once."""
        return self._manager.run()

    def end_streams(self) -> None:
        """Ends the streams of clients that listen for changes: for a web server that is to stop, which would wait for
        them. To be called in its loop."""
        self._news.listen.close()


def mcp_http_app(service: Service) -> tuple[McpHttpApp, Callable[[], AbstractAsyncContextManager[None]]]:
    """The app, and its lifespan."""
    app = McpHttpApp(service)
    return app, app.lifespan


def serve_stdio(starting: Starting) -> None:
    """Serves one client on stdin and stdout until stdin is closed; what else is printed goes to stderr."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # the thread that reads stdin could not be woken
    server = create_mcp_server(starting.service, lambda call: starting.wait(call.stopped))
    try:
        anyio.run(_serve_stdio, server)
    except* BrokenPipeError:
        discard_stdout()  # the client has gone, which is an end like any other


async def _serve_stdio(server: McpServer) -> None:
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


class _NotesServer(Server[None]):
    def __init__(self, handlers: _Handlers) -> None:
        news = handlers.news

        @asynccontextmanager
        async def lifespan(server: Server[None]) -> AsyncIterator[None]:
            async with news.followed():
                yield None

        super().__init__(
            "notes-assistant",
            version=__version__,
            title="Notes",
            instructions=mcp_prompt.INSTRUCTIONS,
            lifespan=lifespan,
            on_list_tools=handlers.list_tools,
            on_call_tool=handlers.call_tool,
            on_list_resources=handlers.list_resources,
            on_list_resource_templates=handlers.list_resource_templates,
            on_read_resource=handlers.read_resource,
            on_subscribe_resource=news.subscribe,
            on_unsubscribe_resource=news.unsubscribe,
            on_subscriptions_listen=news.listen,
            on_list_prompts=handlers.list_prompts,
            on_get_prompt=handlers.get_prompt,
        )
        self.add_notification_handler("notifications/initialized", types.NotificationParams, news.initialized)

    def create_initialization_options(
        self,
        notification_options: NotificationOptions | None = None,
        experimental_capabilities: dict[str, dict[str, object]] | None = None,
        extensions: dict[str, dict[str, object]] | None = None,
    ) -> InitializationOptions:
        """As the SDK's, which says only where it is told that the list of resources may change; over HTTP it is not."""
        options = notification_options or NotificationOptions(resources_changed=True)
        return super().create_initialization_options(options, experimental_capabilities, extensions)


class _Handlers:
    """What the server does for each kind of request."""

    def __init__(self, service: Service, ready: Ready) -> None:
        self.news = ChangeNews(service)
        self._service = service
        self._ready = ready
        self._limiter = CapacityLimiter(ENGINES + WAITING + 1)  # one more, so that the service can refuse it
        self._tools = {tool.name: tool for tool in mcp_tools.TOOLS}

    async def list_tools(self, context: _Context, params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        annotations = types.ToolAnnotations(
            read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
        )
        return types.ListToolsResult(
            tools=[
                types.Tool(
                    name=tool.name,
                    title=tool.title,
                    description=tool.description,
                    input_schema=mcp_schemas.input_schema(tool.input),
                    output_schema=tool.output(),
                    annotations=annotations,
                )
                for tool in mcp_tools.TOOLS
            ]
        )

    async def call_tool(self, context: _Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        tool = self._tools.get(params.name)
        if tool is None:
            known = ", ".join(self._tools)
            raise MCPError(types.INVALID_PARAMS, f"There is no tool {params.name}. The tools are {known}.")
        try:
            arguments = tool.input.model_validate(params.arguments or {})
        except ValidationError as error:
            return _failed(f"{_mistakes(error)} Correct the arguments of `{tool.name}`, and call it again.")
        try:
            told = await self._in_thread(context, lambda call: arguments.told(self._service, call))
        except AssistantError as error:
            return _failed(mcp_texts.error_text(error))
        except Exception as error:  # noqa: BLE001 - the client is told, and the server goes on
            return _failed(_internal(error))
        return types.CallToolResult(
            content=[types.TextContent(type="text", text=told.text)], structured_content=told.record
        )

    async def list_resources(
        self, context: _Context, params: types.PaginatedRequestParams | None
    ) -> types.ListResourcesResult:
        def listed(call: Call) -> types.ListResourcesResult:
            self._service.await_index(stopped=call.stopped, indexing=call.indexing)
            return mcp_resources.page(self._service.paths(), params.cursor if params else None)

        return await self._or_error(context, listed)

    async def list_resource_templates(
        self, context: _Context, params: types.PaginatedRequestParams | None
    ) -> types.ListResourceTemplatesResult:
        return types.ListResourceTemplatesResult(resource_templates=[mcp_resources.TEMPLATE])

    async def read_resource(
        self, context: _Context, params: types.ReadResourceRequestParams
    ) -> types.ReadResourceResult:
        def read(call: Call) -> types.ReadResourceResult:
            path = mcp_resources.path_of(params.uri)
            self._service.await_index(stopped=call.stopped, indexing=call.indexing)
            text = mcp_resources.text(self._service.note(path).lines)
            contents = types.TextResourceContents(uri=params.uri, mime_type=mcp_resources.MARKDOWN, text=text)
            return types.ReadResourceResult(contents=[contents])

        return await self._or_error(context, read)

    async def list_prompts(
        self, context: _Context, params: types.PaginatedRequestParams | None
    ) -> types.ListPromptsResult:
        return types.ListPromptsResult(prompts=[mcp_prompt.PROMPT])

    async def get_prompt(self, context: _Context, params: types.GetPromptRequestParams) -> types.GetPromptResult:
        try:
            return mcp_prompt.prompt(params.name, params.arguments)
        except AssistantError as error:
            raise MCPError(types.INVALID_PARAMS, mcp_texts.error_text(error)) from None

    async def _in_thread(self, context: _Context, make: Callable[[Call], _Made]) -> _Made:
        def work(call: Call) -> _Made:
            self._ready(call)
            return make(call)

        return await in_thread(work, context.session.report_progress, self._limiter)

    async def _or_error(self, context: _Context, make: Callable[[Call], _Made]) -> _Made:
        """For requests that are no tools: errors of the protocol."""
        try:
            return await self._in_thread(context, make)
        except BadRequest as error:
            raise MCPError(types.INVALID_PARAMS, mcp_texts.error_text(error)) from None
        except UnreadableNotes as error:
            raise MCPError(_NOT_FOUND, mcp_texts.error_text(error)) from None
        except AssistantError as error:
            raise MCPError(types.INTERNAL_ERROR, mcp_texts.error_text(error)) from None
        except Exception as error:  # noqa: BLE001 - as for tools
            raise MCPError(types.INTERNAL_ERROR, _internal(error)) from None


def _failed(text: str) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(type="text", text=text)], is_error=True)


def _mistakes(error: ValidationError) -> str:
    """A sentence for each argument that cannot be meant."""
    return " ".join(
        f"{'.'.join(map(str, one['loc'])) or 'arguments'}: {one['msg'].rstrip('.')}."
        for one in error.errors(include_url=False, include_input=False)
    )


def _internal(error: Exception) -> str:
    """What the client is told; the log gets the place and the kind, but no text that could hold a question."""
    places = "".join(traceback.format_tb(error.__traceback__)) if debugging(os.environ) else ""
    _log.error("internal error (%s)%s", type(error).__name__, f"\n{places}" if places else "")
    return f"Internal error ({type(error).__name__}). Start the server with ASSISTANT_DEBUG=1, and report what it logs."
