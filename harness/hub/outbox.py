"""How do calls reach participants? Side by side, in order per resource and participant, no one waiting for another."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import final

import httpx

from harness.hub.messages import Outgoing
from harness.hub.participants import Participants
from harness.hub.wires import WireError, Wires, plain_address

__all__ = ["NO_ENDPOINT", "Outbox"]

_log = logging.getLogger(__name__)

NO_ENDPOINT = "no endpoint"
"""The reason where the participant has not said where its calls go, or nobody has that name."""

_LANES = 16
"""Calls under way to one participant at a time; the rest of its calls wait, and nobody else's."""

OnFailure = Callable[[Outgoing, str], None]
"""Told of a call that could not be delivered, with the reason: an HTTP status, or a word for a broken connection."""


@final
class Outbox:
    """Sends what the services have to say."""

    def __init__(self, participants: Participants, *, timeout_s: float) -> None:
        self._participants = participants
        self._timeout_s = timeout_s
        self._wires = Wires(timeout_s=timeout_s)
        self._client: httpx.AsyncClient | None = None
        self._lanes: dict[str, asyncio.Semaphore] = {}
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

    @property
    def busy(self) -> bool:
        """Whether a call waits, or was not answered yet."""
        return bool(self._queues)

    async def close(self) -> None:
        """Drops what is still under way."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._wires.close()
        if self._client is not None:
            await self._client.aclose()

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
            lanes = self._lanes[call.to] = asyncio.Semaphore(_LANES)
        try:
            async with lanes:
                status = await self._ask(call, url)
        except (WireError, httpx.HTTPError, httpx.InvalidURL) as error:
            problem = str(error) if isinstance(error, WireError) else type(error).__name__
            _log.warning("%s %s: %s", call.method, url, problem)
            return problem
        if 200 <= status < 300:
            return ""
        _log.warning("%s %s: HTTP %s", call.method, url, status)
        return str(status)

    async def _ask(self, call: Outgoing, url: str) -> int:
        """Returns the status that ``call`` is answered with. Raises ``WireError``, ``httpx.HTTPError``."""
        address = plain_address(url)
        if address is not None:
            return await self._wires.send(address, call.method, call.headers, call.content)
        if self._client is None:
            self._client = self._open_client()
        response = await self._client.request(
            call.method, url, headers=dict(call.headers), content=call.content or None
        )
        return response.status_code

    def _open_client(self) -> httpx.AsyncClient:
        """Returns the client for what is not plain HTTP: TLS, and addresses that want a parser of their own."""
        client = httpx.AsyncClient(timeout=self._timeout_s, trust_env=False)
        for name in ("accept", "accept-encoding", "user-agent"):  # a callback has no headers but its own
            del client.headers[name]
        return client
