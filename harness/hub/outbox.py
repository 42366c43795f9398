"""How do calls reach participants? Side by side, in order per resource and participant, no one waiting for another."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import final

import httpx

from harness.hub.messages import Outgoing
from harness.hub.participants import Participants

__all__ = ["Outbox"]

_log = logging.getLogger(__name__)

OnFailure = Callable[[Outgoing, str], Awaitable[None] | None]
"""Told of a call that could not be delivered, with the reason: an HTTP status, or a word for a broken connection."""


@final
class Outbox:
    """Sends what the services have to say."""

    def __init__(self, participants: Participants, *, timeout_s: float) -> None:
        self._participants = participants
        limits = httpx.Limits(max_connections=512, max_keepalive_connections=256)
        self._client = httpx.AsyncClient(timeout=timeout_s, limits=limits, trust_env=False, follow_redirects=False)
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
        await self._client.aclose()

    async def _drain(self, key: tuple[str, str]) -> None:
        queue = self._queues[key]
        try:
            while queue:
                call, on_failure = queue.popleft()
                for _ in range(call.times):
                    if (problem := await self._deliver(call)) and on_failure is not None:
                        outcome = on_failure(call, problem)
                        if outcome is not None:
                            await outcome
        finally:
            del self._queues[key]

    async def _deliver(self, call: Outgoing) -> str:
        """Returns an empty text, or why the call was not delivered."""
        url = self._participants.callback_url(call.to, call.callback, call.parameters)
        if url is None:
            _log.warning("%s has no endpoint for %s", call.to, call.callback.types[0])
            return "no endpoint"
        url += call.query
        try:
            response = await self._client.request(
                call.method, url, headers=call.headers_for(url), content=call.content or None
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            _log.warning("%s %s: %s", call.method, url, type(error).__name__)
            return type(error).__name__
        if response.is_success:
            return ""
        _log.warning("%s %s: HTTP %s", call.method, url, response.status_code)
        return str(response.status_code)
