"""Can a call still come? A hub that says when it has nothing more to do ends a wait for what never comes.

Only the embedded hub says so. At any other hub a wait lasts as long as was asked for.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final, final

import httpx

from harness.engine.inbound.public import Receive, Scope, Send

__all__ = ["LOOK_S", "Silence"]

App = Callable[[Scope, Receive, Send], Awaitable[None]]

LOOK_S: Final = 0.25
"""How long a call is waited for before it is asked, and asked again, whether one can come at all, in seconds."""


@final
class Silence:
    """Knows what of ours is under way, and asks the hub for what of it is. One event loop owns it.

    It holds for hub and simulated DFSPs together: what they have set going among themselves. A worker that asks
    something of the hub ends it.
    """

    def __init__(self, http: httpx.AsyncClient, url: str | None) -> None:
        """``url``: where the hub answers ``{"silent_s": seconds or null}``, null for good; ``None``: nowhere."""
        self._http = http
        self._url = url
        self._under_way = 0
        self._steps = 0

    @contextmanager
    def broken(self) -> Iterator[None]:
        """Around whatever one of ours does: takes a call, answers it, makes one."""
        self._under_way += 1
        self._steps += 1
        try:
            yield
        finally:
            self._under_way -= 1

    def around(self, app: App) -> App:
        """Returns the ASGI application ``app`` whose requests count as under way until all is done about them."""

        async def watched(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            with self.broken():
                await app(scope, receive, send)

        return watched

    async def lasts(self, seconds: float) -> bool:
        """Whether nothing can come within ``seconds``. ``False`` also where that is not known."""
        if self._url is None or self._under_way:
            return False
        # Nothing of ours is under way now; if nothing has begun by the time that the hub has answered, then nothing
        # was on its way between us and the hub when it looked at itself: what the hub sends is under way there until
        # we have taken it, and what we send is under way here until the hub has.
        steps = self._steps
        try:
            said = (await self._http.get(self._url, timeout=2.0)).json()["silent_s"]
        except (httpx.HTTPError, ValueError, KeyError, TypeError):
            return False
        silent_s = math.inf if said is None else float(said)
        return silent_s > seconds and self._steps == steps

    async def wait(self, future: asyncio.Future[None], timeout_s: float) -> None:
        """Waits until ``future`` is done, ``timeout_s`` seconds are over, or nothing can come any more."""
        deadline = time.monotonic() + timeout_s
        while (left := deadline - time.monotonic()) > 0:
            await asyncio.wait({future}, timeout=left if self._url is None else min(left, LOOK_S))
            if future.done() or await self.lasts(deadline - time.monotonic()):
                return
