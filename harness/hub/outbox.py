"""How do calls reach participants? Side by side, in order per resource and participant, no one waiting for another."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import final

import httpx

from harness.hub.messages import Outgoing
from harness.hub.participants import Participants

__all__ = ["NO_ENDPOINT", "Outbox"]

_log = logging.getLogger(__name__)

NO_ENDPOINT = "no endpoint"
"""The reason where the participant has not said where its calls go, or nobody has that name."""

_LANES = 16
"""Calls under way to one participant at a time; the rest of its calls wait, and nobody else's."""

OnFailure = Callable[[Outgoing, str], None]
"""Told of a call that could not be delivered, with the reason: an HTTP status, or a word for a broken connection."""


@final
class _Lanes:
    """The connections to one participant, warmest first: each is a client of its own with a single connection.

    One client with many connections would look through all of them for every call (httpcore's pool).
    """

    def __init__(self, open_client: Callable[[], httpx.AsyncClient]) -> None:
        self._open = open_client
        self._idle: list[httpx.AsyncClient] = []
        self._free = asyncio.Semaphore(_LANES)

    @contextlib.asynccontextmanager
    async def one(self) -> AsyncIterator[httpx.AsyncClient]:
        """A client that nobody else uses meanwhile."""
        async with self._free:
            client = self._idle.pop() if self._idle else self._open()
            try:
                yield client
            finally:
                self._idle.append(client)


@final
class Outbox:
    """Sends what the services have to say."""

    def __init__(self, participants: Participants, *, timeout_s: float) -> None:
        self._participants = participants
        self._timeout_s = timeout_s
        self._tls = httpx.create_ssl_context()
        self._lanes: dict[str, _Lanes] = {}
        self._clients: list[httpx.AsyncClient] = []
        self._queues: dict[tuple[str, str], deque[tuple[Outgoing, OnFailure | None]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def send(self, call: Outgoing, on_failure: OnFailure | None = None) -> None:
        """Takes a call and returns at once."""
        key = (call.to, call.order)
        if (queue := self._queues.get(key)) is not None:
            queue.append((call, on_failure))
            return
        self._queues[key] = deque([(call, on_failure)])
        task = asyncio.create_task(self._drain(key))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Drops what is still under way."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(client.aclose() for client in self._clients))

    async def _drain(self, key: tuple[str, str]) -> None:
        queue = self._queues[key]
        try:
            while queue:
                call, on_failure = queue.popleft()
                for _ in range(call.times):
                    if (problem := await self._deliver(call)) and on_failure is not None:
                        on_failure(call, problem)
        finally:
            del self._queues[key]

    async def _deliver(self, call: Outgoing) -> str:
        """Returns an empty text, or why the call was not delivered."""
        url = self._participants.callback_url(call.to, call.callback, call.parameters)
        if url is None:
            _log.warning("%s has no endpoint for %s", call.to, call.callback.types[0])
            return NO_ENDPOINT
        url += call.query
        lanes = self._lanes.get(call.to)
        if lanes is None:
            lanes = self._lanes[call.to] = _Lanes(self._open_client)
        try:
            async with lanes.one() as client:
                response = await client.request(call.method, url, headers=call.headers, content=call.content or None)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            _log.warning("%s %s: %s", call.method, url, type(error).__name__)
            return type(error).__name__
        if response.is_success:
            return ""
        _log.warning("%s %s: HTTP %s", call.method, url, response.status_code)
        return str(response.status_code)

    def _open_client(self) -> httpx.AsyncClient:
        client = httpx.AsyncClient(
            timeout=self._timeout_s,
            limits=httpx.Limits(max_connections=1, max_keepalive_connections=1),
            trust_env=False,
            verify=self._tls,
        )
        for name in ("accept", "accept-encoding", "user-agent"):  # a callback has no headers but its own
            del client.headers[name]
        self._clients.append(client)
        return client
