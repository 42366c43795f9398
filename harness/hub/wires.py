"""How does a call go out over plain HTTP? On connections of our own that are kept and taken up again.

A general client spends more on one callback than the hub does on the transfer it is about; this one knows what a
callback is: one request with its body at hand, and of the answer only the status (RFC 9112).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import httptools

__all__ = ["MAX_ANSWER", "Address", "WireError", "Wires", "plain_address"]

MAX_ANSWER = 1024 * 1024
"""How many octets an answer may have, its head included; nobody reads what is in it."""

_PLAIN = re.compile(r"http://(?P<host>[A-Za-z0-9.-]+)(?::(?P<port>[0-9]{1,5}))?(?P<target>/[!-~]*)?")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a call goes: a host and port to connect to, and the target of the request line."""

    host: str
    port: int
    target: str
    authority: str
    """What the Host header says."""


def plain_address(url: str) -> Address | None:
    """Returns the address in ``url``, ``None`` where it is not plain: TLS, user names, IPv6, what needs encoding."""
    found = _PLAIN.fullmatch(url)
    if found is None or "#" in url:
        return None
    host, digits = found["host"], found["port"]
    port = int(digits) if digits else 80
    if not 0 < port < 65536:
        return None
    return Address(host, port, found["target"] or "/", host if port == 80 else f"{host}:{port}")


class WireError(Exception):
    """A call that got no answer; its text names the kind, as httpx names it."""


@final
class Wires:
    """The connections that are kept. A call takes one that is idle, or opens one."""

    def __init__(self, *, timeout_s: float) -> None:
        """``timeout_s``: for connecting, and again for the whole answer, in seconds."""
        self._timeout_s = timeout_s
        self._idle: dict[tuple[str, int], list[_Wire]] = {}
        self._open: set[_Wire] = set()

    async def send(self, address: Address, method: str, headers: Mapping[str, str], content: bytes) -> int:
        """Returns the status of the answer. Raises ``WireError``.

        A kept connection may have been closed by the other side meanwhile: a call that meets one goes out once more,
        on a new connection (RFC 9112, section 9.3.1).
        """
        request = _request(address, method, headers, content)
        if (kept := self._kept(address)) is not None:
            try:
                return await self._ask(kept, address, request)
            except _StaleError:
                pass
        wire = await self._connect(address)
        try:
            return await self._ask(wire, address, request)
        except _StaleError as error:
            raise WireError("RemoteProtocolError") from error

    async def close(self) -> None:
        """Ends all connections; a call under way fails."""
        self._idle.clear()
        while self._open:
            for wire in tuple(self._open):
                wire.abort()
            await asyncio.sleep(0)

    async def _ask(self, wire: _Wire, address: Address, request: bytes) -> int:
        status = await wire.ask(request, self._timeout_s)
        if wire.usable:
            self._idle.setdefault((address.host, address.port), []).append(wire)
        return status

    def _kept(self, address: Address) -> _Wire | None:
        """Returns the connection that was used last: the one least likely to have been closed."""
        idle = self._idle.get((address.host, address.port))
        while idle:
            if (wire := idle.pop()).usable:
                return wire
        return None

    async def _connect(self, address: Address) -> _Wire:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._timeout_s):
                _, wire = await loop.create_connection(lambda: _Wire(self._open), address.host, address.port)
        except TimeoutError as error:
            raise WireError("ConnectTimeout") from error
        except OSError as error:
            raise WireError("ConnectError") from error
        return wire


def _request(address: Address, method: str, headers: Mapping[str, str], content: bytes) -> bytes:
    """Returns what goes over the wire. Raises ``WireError`` where a header does not fit on its line."""
    lines = {"host": address.authority, "connection": "keep-alive", **headers}
    if content or method in ("POST", "PUT", "PATCH"):
        lines["content-length"] = str(len(content))
    head = f"{method} {address.target} HTTP/1.1\r\n" + "".join(
        [f"{name}: {value}\r\n" for name, value in lines.items()]
    )
    if head.count("\n") != len(lines) + 1 or head.count("\r") != len(lines) + 1:
        raise WireError("LocalProtocolError")
    try:
        return head.encode("latin-1") + b"\r\n" + content
    except UnicodeEncodeError as error:
        raise WireError("LocalProtocolError") from error


class _StaleError(Exception):
    """A connection ended without a word of an answer."""


@final
class _Wire(asyncio.Protocol):
    """One connection, one call at a time. The parser's events come to the methods ``on_…``."""

    def __init__(self, all_open: set[_Wire]) -> None:
        self.usable = False
        self._all_open = all_open
        self._transport: Any = None
        self._answer: asyncio.Future[int] | None = None
        self._parser: Any = None
        self._received = 0
        self._framed = False
        self._status = 0

    async def ask(self, request: bytes, timeout_s: float) -> int:
        """Returns the status of the answer to ``request``. Raises ``WireError``, ``_StaleError``."""
        loop = asyncio.get_running_loop()
        self.usable = False
        answer: asyncio.Future[int] = loop.create_future()
        self._answer = answer
        self._parser = httptools.HttpResponseParser(self)
        self._received, self._framed, self._status = 0, False, 0
        timer = loop.call_later(timeout_s, self._fail, WireError("ReadTimeout"))
        self._transport.write(request)
        try:
            return await answer
        except asyncio.CancelledError:
            self.abort()
            raise
        finally:
            timer.cancel()
            self._answer = self._parser = None

    def abort(self) -> None:
        """Ends the connection at once."""
        self.usable = False
        if self._transport is not None:
            self._transport.abort()

    # What asyncio says

    def connection_made(self, transport: Any) -> None:
        """Takes the connection."""
        self._transport = transport
        self._all_open.add(self)

    def data_received(self, data: bytes) -> None:
        """Reads on; what nobody asked for, or does not end, ends the connection."""
        if self._answer is None or self._answer.done():
            self.abort()
            return
        self._received += len(data)
        if self._received > MAX_ANSWER:
            self._fail(WireError("ResponseTooLarge"))
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._fail(WireError("RemoteProtocolError"))

    def connection_lost(self, error: Exception | None) -> None:
        """Ends the call under way: well, where the answer is one that ends with its connection."""
        self.usable = False
        self._all_open.discard(self)
        if self._answer is None or self._answer.done():
            return
        if not self._received:
            self._answer.set_exception(_StaleError())
        elif self._status >= 200 and not self._framed and error is None:
            self._answer.set_result(self._status)
        else:
            self._answer.set_exception(WireError("ReadError" if error else "RemoteProtocolError"))

    def _fail(self, error: WireError) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)
        self.abort()

    # What the parser says

    def on_message_begin(self) -> None:
        """Ends a connection that goes on after its answer."""
        if self._answer is None or self._answer.done():
            self.abort()

    def on_header(self, name: bytes, _value: bytes) -> None:
        """Notes whether the answer says how long it is (RFC 9112, section 6.3)."""
        if name.lower() in (b"content-length", b"transfer-encoding"):
            self._framed = True

    def on_headers_complete(self) -> None:
        """Notes the status."""
        self._status = self._parser.get_status_code()

    def on_message_complete(self) -> None:
        """Gives the answer, unless it is an interim one (RFC 9110, section 15.2)."""
        if self._status < 200 or self._answer is None or self._answer.done():
            self._framed = False
            return
        self.usable = self._parser.should_keep_alive() and not self._transport.is_closing()
        if not self.usable:
            self._transport.close()
        self._answer.set_result(self._status)
