"""Tells MCP clients that the list of notes or a note has changed, in both ways that the protocol has.

Clients of 2026-07-28 and later open a stream of events; older ones get notifications once they are initialised, and
those about a note where they have subscribed to it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import anyio
from mcp import MCPError, types
from mcp.server.context import ServerRequestContext
from mcp.server.subscriptions import (
    InMemorySubscriptionBus,
    ListenHandler,
    ResourcesListChanged,
    ResourceUpdated,
    ServerEvent,
)

from assistant.server import mcp_resources
from assistant.server.service import Changes, Service

_WAITING = 1000
"""Events that wait for a client which does not read; more are dropped, since it has to look anew in any case."""
_Context = ServerRequestContext[None]


class ChangeNews:
    """Carries the changes of a service, which come in a thread of its own, to the clients of one server."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._bus = InMemorySubscriptionBus()
        self._subscribed: dict[int, set[str]] = {}
        """Addresses by connection, which the handshake's record stands for: a context is made anew for each message."""
        self.listen = ListenHandler(self._bus)

    @asynccontextmanager
    async def followed(self) -> AsyncIterator[None]:
        """While it is open, changes are passed on."""
        loop = asyncio.get_running_loop()
        tasks: set[asyncio.Task[None]] = set()

        def publish(changes: Changes) -> None:
            task = loop.create_task(self._publish(changes))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        def tell(changes: Changes) -> None:
            with suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(publish, changes)

        self._service.on_change.append(tell)
        try:
            yield
        finally:
            self._service.on_change.remove(tell)
            self.listen.close()

    async def initialized(self, context: _Context, params: types.NotificationParams) -> None:
        """Sends a client of the older protocol its notifications, for as long as it is connected."""
        key = id(context.session.client_params)
        subscribed = self._subscribed.setdefault(key, set())
        send, receive = anyio.create_memory_object_stream[ServerEvent](_WAITING)

        def take(event: ServerEvent) -> None:
            with suppress(anyio.WouldBlock):
                send.send_nowait(event)

        leave = self._bus.subscribe(take)
        try:
            async for event in receive:
                if isinstance(event, ResourcesListChanged):
                    await context.session.send_resource_list_changed()
                elif isinstance(event, ResourceUpdated) and event.uri in subscribed:
                    await context.session.send_resource_updated(event.uri)
        finally:
            leave()
            self._subscribed.pop(key, None)
            send.close()
            receive.close()

    async def subscribe(self, context: _Context, params: types.SubscribeRequestParams) -> types.EmptyResult:
        """Notes that the client wants to hear of this note."""
        self._addresses(context).add(params.uri)
        return types.EmptyResult()

    async def unsubscribe(self, context: _Context, params: types.UnsubscribeRequestParams) -> types.EmptyResult:
        """And that it does no longer."""
        self._addresses(context).discard(params.uri)
        return types.EmptyResult()

    def _addresses(self, context: _Context) -> set[str]:
        addresses = self._subscribed.get(id(context.session.client_params))
        if addresses is None:
            raise MCPError(types.INVALID_REQUEST, "Not initialised. Send notifications/initialized first.")
        return addresses

    async def _publish(self, changes: Changes) -> None:
        if changes.added or changes.removed:
            await self._bus.publish(ResourcesListChanged())
        for path in (*changes.changed, *changes.removed):
            await self._bus.publish(ResourceUpdated(uri=mcp_resources.uri(path)))
