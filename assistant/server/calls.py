"""Calls of the service, which take as long as they take, in threads beside the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event, Lock
from typing import TypeVar

from starlette.requests import Request

from assistant.server.service import Overloaded

_Made = TypeVar("_Made")


class Calls:
    """As many threads as the service has room for; one more call is refused at once."""

    def __init__(self, room: int) -> None:
        self._pool = ThreadPoolExecutor(room, thread_name_prefix="answer")
        self._room = room
        self._running = 0
        self._lock = Lock()

    def start(self, call: Callable[[], _Made]) -> asyncio.Future[_Made]:
        """Begins the call in a thread; Overloaded. To be called on the event loop."""
        with self._lock:
            if self._running >= self._room:
                raise Overloaded("Too many questions are waiting.", "Ask again in a moment.")
            self._running += 1
        future = self._pool.submit(call)
        future.add_done_callback(self._ended)
        return asyncio.wrap_future(future)

    async def while_connected(self, request: Request, call: Callable[[Callable[[], bool]], _Made]) -> _Made:
        """What `call` makes; it is given what says whether the client has gone. Call it after the body is read."""
        gone = Event()

        async def watch() -> None:
            while (await request.receive())["type"] != "http.disconnect":
                pass
            gone.set()

        watcher = asyncio.create_task(watch())
        try:
            return await self.start(lambda: call(gone.is_set))
        finally:
            watcher.cancel()
            gone.set()  # where this task is cancelled, the thread is to end as well

    async def close(self) -> None:
        """Waits for the calls that run."""
        await asyncio.to_thread(self._pool.shutdown)

    def _ended(self, future: Future[_Made]) -> None:
        with self._lock:
            self._running -= 1
