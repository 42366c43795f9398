"""What the hub reaches: an ASGI application that takes every call for our DFSPs, whatever is in it, and answers.

A call names its DFSP by the prefix ``/dfsp/{fsp}`` or, without it, by the header FSPIOP-Destination.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import replace
from typing import Any, Literal, Protocol, final
from urllib.parse import quote, unquote

from harness.engine.inbound.messages import DFSP_PREFIX, Inbound, InboundNote, normalise_path, parse_body
from harness.engine.inbound.responder import Reaction
from harness.fspiop import dates, headers

__all__ = ["PublicApp", "Taker", "read_call"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_UNSENT = 1_000
"""How many messages wait at most for one WebSocket."""
_DRAIN = 16
"""How many times the limit is read off a body that is too large, so that its sender hears the answer."""


class Taker(Protocol):
    """Who is told of each call."""

    def take(self, call: Inbound) -> Reaction:
        """Returns what to respond; called once per call."""
        ...

    async def finish_later(self, call: Inbound, reaction: Reaction) -> Reaction:
        """Returns what to respond in the end, once the work of ``reaction`` is done."""
        ...

    def listen(self, fsp: str, path: str, push: Callable[[str], None]) -> Callable[[], None] | None:
        """Connects a WebSocket at ``path`` of ``fsp``; ``None`` where there is none."""
        ...

    def act(self, call: Inbound, reaction: Reaction) -> None:
        """Called once the response is written: sends what the reaction says."""
        ...

    def note(self, note: InboundNote) -> None:
        """Takes a remark on a call that goes beyond its fate."""
        ...


@final
class PublicApp:
    """The application. Bodies of more than ``max_body`` octets are refused with 413 and a note ``too-large``.

    One whose sender left before its end is noted ``cut-short``: half a body is no call.
    ``base_path`` is what the public URL holds after its host, where a proxy in front does not take it off.
    """

    def __init__(self, taker: Taker, *, max_body: int, base_path: str = "") -> None:
        self._taker = taker
        self._base_path = base_path.rstrip("/")
        self._max_body = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one HTTP request, or serves one WebSocket until it ends."""
        if scope["type"] == "websocket":
            await self._tell(scope, receive, send)
        if scope["type"] != "http":
            return
        target = self._inside(_target(scope))
        raw = await self._read(receive)
        if isinstance(raw, str):
            self._taker.note(_remark(raw, read_call(scope["method"], target, scope["headers"], b"")))
            await _respond(send, 413)
            return
        call = read_call(scope["method"], target, scope["headers"], raw)
        if _addressed_twice(call):
            prefix = f"{DFSP_PREFIX}{quote(call.fsp, safe='')}"
            self._taker.note(_remark("misdirected", replace(call, path=prefix + call.path)))
        reaction = await self._taker.finish_later(call, self._taker.take(call))
        try:
            await _respond(send, reaction.status or _status(call.method), reaction.body, reaction.headers.items())
        finally:
            self._taker.act(call, reaction)

    async def _tell(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends what the DFSP tells at the path, until the other side leaves; refuses where nothing is told."""
        encoded = self._inside(_target(scope)).partition("?")[0]
        prefixed, path = _split(encoded)
        texts: asyncio.Queue[str | None] = asyncio.Queue(_UNSENT)
        await receive()  # websocket.connect

        def push(text: str | None) -> None:
            # One that does not read loses what is new, never the server's memory.
            with contextlib.suppress(asyncio.QueueFull):
                texts.put_nowait(text)

        end = self._taker.listen(prefixed, path, push)
        if end is None:
            await send({"type": "websocket.close", "code": 1008})
            return
        await send({"type": "websocket.accept"})
        leaving = asyncio.ensure_future(_left(receive))
        leaving.add_done_callback(lambda _: push(None))
        try:
            while (text := await texts.get()) is not None and not leaving.done():
                await send({"type": "websocket.send", "text": text})
        finally:
            end()
            leaving.cancel()
            await asyncio.gather(leaving, return_exceptions=True)

    def _inside(self, target: str) -> str:
        return target.removeprefix(self._base_path) if target.startswith(f"{self._base_path}/") else target

    async def _read(self, receive: Receive) -> bytes | Literal["too-large", "cut-short"]:
        parts: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return "cut-short"
            part = message.get("body", b"")
            size += len(part)
            if size <= self._max_body:
                parts.append(part)
            elif size > self._max_body * _DRAIN:
                return "too-large"
            if not message.get("more_body", False):
                return b"".join(parts) if size <= self._max_body else "too-large"


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "websocket.disconnect":
        pass


def read_call(method: str, target: str, header_lines: Iterable[tuple[bytes, bytes]], raw: bytes) -> Inbound:
    """Returns the call as our DFSPs see it. ``target`` is the request target as it was sent, still percent-encoded."""
    names = _joined(header_lines)
    encoded, _, query = target.partition("?")
    prefixed, path = _split(encoded)
    destination = names.get("fspiop-destination", "")
    violations = [*_body_violations(method, path, names, raw)]
    if prefixed and destination and prefixed != destination:
        violations.append(f"FSPIOP-Destination is {destination!r} in a call to {prefixed!r}")
    if not prefixed and not destination:
        violations.append("neither a DFSP's own base URL nor FSPIOP-Destination tells whom the call is for")
    return Inbound(
        method=method,
        path=path,
        fsp=prefixed or destination,
        headers=names,
        raw=raw,
        received_monotonic=time.monotonic(),
        received_at=dates.iso_ms(),
        violations=tuple(violations),
        query=query,
    )


def _split(encoded: str) -> tuple[str, str]:
    if not encoded.startswith(DFSP_PREFIX):
        return "", normalise_path(encoded)
    fsp, slash, rest = encoded.removeprefix(DFSP_PREFIX).partition("/")
    return unquote(fsp), normalise_path(slash + rest) or "/"


def _target(scope: Scope) -> str:
    # raw_path is what was sent: only there a slash inside an id (%2F) differs from one between segments.
    path: bytes = scope.get("raw_path") or scope["path"].encode("utf-8", "surrogateescape")
    query: bytes = scope.get("query_string", b"")
    text = path.decode("latin-1")
    return f"{text}?{query.decode('latin-1')}" if query else text


def _joined(lines: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    names: dict[str, str] = {}
    for key, value in lines:
        name, text = key.decode("latin-1").lower(), value.decode("latin-1")
        names[name] = f"{names[name]}, {text}" if name in names else text
    return names


def _body_violations(method: str, path: str, names: dict[str, str], raw: bytes) -> Iterable[str]:
    if problem := parse_body(raw)[1]:
        yield problem
    if method in ("GET", "HEAD", "DELETE"):
        return
    if not raw:
        yield "a body is missing"
    resource = path.strip("/").partition("/")[0]
    try:
        named = headers.parse_content_type(names.get("content-type", "")).resource
    except ValueError:
        yield f"Content-Type is {names.get('content-type', '')!r}, not FSPIOP's"
    else:
        if named != resource:
            yield f"Content-Type names {named!r} in a call to {resource!r}"


def _addressed_twice(call: Inbound) -> bool:
    return call.headers.get("fspiop-destination", call.fsp) not in ("", call.fsp)


def _remark(kind: str, call: Inbound) -> InboundNote:
    return InboundNote(
        kind=kind, method=call.method, path=call.path, source=call.source, destination=call.destination,
        received_at=call.received_at,
    )  # fmt: skip


def _status(method: str) -> int:
    return 200 if method in ("PUT", "PATCH") else 202


async def _respond(send: Send, status: int, body: Any = None, extra: Iterable[tuple[str, str]] = ()) -> None:
    octets = b"" if body is None else json.dumps(body).encode()
    lines = [(key.lower().encode("latin-1"), value.encode("latin-1")) for key, value in extra]
    lines.append((b"content-length", str(len(octets)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": octets})
