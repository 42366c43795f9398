"""What scripts may reach: HTTP, WebSockets and the calls that the hub makes, on hosts that the target names only.

The Python side of ``axios``, ``pm.sendRequest``, ``websocket``, ``inboundEvent``; the JavaScript side is in ``js/``.
"""

from __future__ import annotations

import json
import math
import ssl
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, final
from urllib.parse import urlsplit

import httpx

from harness.engine.exchange import MAX_BODY
from harness.engine.inbound.messages import Inbound
from harness.engine.inbound.silence import LOOK_S
from harness.engine.ttk.messages import query_text
from harness.engine.ttk.script import HostFunction
from harness.engine.ttk.values import js_text
from harness.errors import UsageError

__all__ = ["AllowedHosts", "HostServices", "InboundEvents", "WebSocket", "find_websockets"]

_LEAST_PATIENCE_S = 1.0
_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}
_METHODS = ("", ".get", ".delete", ".head", ".options", ".post", ".put", ".patch")


class InboundEvents(Protocol):
    """What ``inboundEvent`` needs of the inbound server, whichever DFSP a call is for."""

    def seen(self, *, method: str, path: str, since: float, wait_s: float) -> Sequence[Inbound]:
        """Returns the calls to ``path`` from ``since`` (``time.monotonic()``) on, oldest first.

        Waits up to ``wait_s`` seconds until there is one. ``method`` is in upper case.
        """


class WebSocket(Protocol):
    """One open WebSocket."""

    def message(self, timeout_s: float) -> str | None:
        """Returns the next message, ``None`` where none came in time or the other side closed."""

    def close(self) -> None:
        """Ends it."""


@final
@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """The hosts, with their ports, that scripts may reach."""

    places: frozenset[tuple[str, int]]

    @classmethod
    def of(cls, urls: Iterable[object]) -> AllowedHosts:
        """Returns the hosts of ``urls``: base URLs of the target's services, and whatever of the inputs is a URL."""
        return cls(frozenset(place for url in urls if isinstance(url, str) and (place := _place(url)) is not None))

    def fault(self, url: str) -> str:
        """Returns why ``url`` may not be reached; empty where it may."""
        place = _place(url)
        if place is None:
            return f"{url!r} is no http or WebSocket URL"
        if place not in self.places:
            return f"the target names no host {place[0]}:{place[1]}, so a script may not reach it"
        return ""


def _place(url: str) -> tuple[str, int] | None:
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname:
        return None
    return parts.hostname.lower(), port or _PORTS[parts.scheme]


def find_websockets() -> Callable[[str, float], WebSocket] | None:
    """Returns what opens a WebSocket (URL, seconds) with the package ``websockets``; ``None`` where it is not there."""
    try:
        from websockets.sync.client import connect
    except ImportError:
        return None

    def opened(url: str, timeout_s: float) -> WebSocket:
        return _Connection(connect(url, open_timeout=timeout_s, close_timeout=1, max_size=MAX_BODY, proxy=None))

    return opened


@final
class _Connection:
    """A WebSocket of the package ``websockets``, entered here and left in ``close``."""

    def __init__(self, opening: Any) -> None:
        self._opening = opening
        self._connection = opening.__enter__()

    def message(self, timeout_s: float) -> str | None:
        from websockets.exceptions import ConnectionClosed

        try:
            found = self._connection.recv(timeout=timeout_s)
        except (TimeoutError, ConnectionClosed):
            return None
        return found if isinstance(found, str) else found.decode("utf-8", "replace")

    def close(self) -> None:
        self._opening.__exit__(None, None, None)


@final
@dataclass(slots=True)
class HostServices:
    """What the scripts of one worker may do. Not shared between threads; close it when the run ends."""

    allowed: AllowedHosts
    inbound: InboundEvents | None = None
    silence_lasts: Callable[[float], bool] | None = None
    """Whether no message can come within so many seconds; ``None`` where nobody knows."""
    open_websocket: Callable[[str, float], WebSocket] | None = field(default_factory=find_websockets)
    request_timeout_s: float = 10.0
    time_scale: float = 1.0
    """What the patience for messages is multiplied by, in a dry run; it stays a second where more was asked for."""
    verify: ssl.SSLContext | bool = True
    auth: httpx.Auth | None = None
    transport: httpx.BaseTransport | None = None
    clock: Callable[[], float] = time.monotonic
    _refusals: list[str] = field(default_factory=list)
    _client: httpx.Client | None = None
    _sockets: dict[str, WebSocket] = field(default_factory=dict)
    _listeners: dict[str, tuple[str, str, float]] = field(default_factory=dict)

    def functions(self) -> Mapping[str, HostFunction]:
        """Returns the host functions by the name scripts know; what has nothing behind it is left out."""
        found: dict[str, HostFunction] = {f"axios{method}": self._send for method in _METHODS}
        found["pm.sendRequest"] = self._send
        if self.open_websocket is not None:
            found["websocket.connect"] = self._connect
            found["websocket.getMessage"] = self._message
            found["websocket.disconnect"] = self._disconnect
        if self.inbound is not None:
            found["inboundEvent.addListener"] = self._listen
            found["inboundEvent.getMessage"] = self._event
        return found

    def end_request(self) -> list[str]:
        """Ends what the scripts of a request left open. Returns the calls that were refused since the last time."""
        for name in list(self._sockets):
            self._disconnect(name)
        self._listeners.clear()
        refusals, self._refusals = self._refusals, []
        return refusals

    def close(self) -> None:
        """Ends all connections."""
        self.end_request()
        if self._client is not None:
            self._client.close()
            self._client = None

    # --- axios, pm.sendRequest

    def _send(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Sends; never raises on what the other side does: ``problem`` and ``code`` say what went wrong."""
        url = str(asked.get("url") or "") + query_text(asked.get("params") or {})
        headers = {"accept": "application/json, text/plain, */*"}
        headers |= {
            name.lower(): js_text(value) for name, value in (asked.get("headers") or {}).items() if value is not None
        }
        data = asked.get("data")
        content: bytes | None = None
        if isinstance(data, str):
            content = data.encode("utf-8", "surrogatepass")
            headers.setdefault("content-type", "application/x-www-form-urlencoded")
        elif data is not None:
            content = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
            headers.setdefault("content-type", "application/json")
        limit = min(float(asked.get("timeout") or math.inf) / 1000, self.request_timeout_s)
        raw = [(name.encode("ascii", "replace"), value.encode()) for name, value in headers.items()]
        try:
            with self._http().stream(asked["method"], url, headers=raw, content=content, timeout=limit) as answer:
                body = b""
                for chunk in answer.iter_bytes():
                    body += chunk
                    if len(body) > MAX_BODY:
                        return {"problem": f"maxContentLength size of {MAX_BODY} exceeded", "code": "ERR_BAD_RESPONSE"}
        except UsageError as refused:
            return {"problem": str(refused), "code": "ERR_NOT_ALLOWED"}
        except httpx.TimeoutException:
            return {"problem": f"timeout of {limit * 1000:g}ms exceeded", "code": "ECONNABORTED"}
        except httpx.ConnectError as problem:
            return {"problem": f"cannot connect to {url}: {problem}", "code": "ECONNREFUSED"}
        except (httpx.HTTPError, httpx.InvalidURL) as problem:
            return {"problem": f"{type(problem).__name__}: {problem}", "code": "ERR_NETWORK"}
        text = body.decode("utf-8", "replace")
        try:
            parsed = json.loads(text) if text else ""
        except (ValueError, RecursionError):
            parsed = text
        lower = {name.lower(): value for name, value in answer.headers.items()}
        return {"status": answer.status_code, "statusText": answer.reason_phrase, "headers": lower, "data": parsed}

    def _http(self) -> httpx.Client:
        if self._client is None:
            self._client = httpx.Client(
                verify=self.verify,
                auth=self.auth,
                trust_env=False,
                follow_redirects=True,
                max_redirects=5,
                transport=self.transport,
                # Asked for every hop: a redirect is no way around the list.
                event_hooks={"request": [lambda request: self._require(str(request.url))]},
            )
            del self._client.headers["accept"]
        return self._client

    def _require(self, url: str) -> None:
        if fault := self.allowed.fault(url):
            self._refusals.append(fault)
            raise UsageError(fault)

    # --- websocket

    def _connect(self, url: str, name: str, timeout_ms: float) -> bool:
        """Whether it is open; ``False`` where one of that name is open already or it cannot be opened."""
        self._require(url)
        if name in self._sockets or self.open_websocket is None:
            return False
        try:
            self._sockets[name] = self.open_websocket(url, min(timeout_ms / 1000, self.request_timeout_s))
        except Exception:
            # Whatever a WebSocket library raises: collections are told false, and their assertions say what lacks.
            return False
        return True

    def _message(self, name: str, timeout_ms: float) -> Any:
        """The first message, parsed where it is JSON; ``None`` where none came. Ends the connection."""
        if name not in self._sockets:
            return None
        text = self._awaited(self._sockets[name], self._patience_s(timeout_ms))
        self._disconnect(name)
        if text is None:
            return None
        try:
            return json.loads(text)
        except ValueError:
            return text

    def _awaited(self, socket: WebSocket, patience_s: float) -> str | None:
        deadline = time.monotonic() + patience_s
        while True:
            left = deadline - time.monotonic()
            look = left if self.silence_lasts is None else min(left, LOOK_S)
            began = time.monotonic()
            text = socket.message(look)
            closed = text is None and time.monotonic() - began < look / 2
            if text is not None or closed or look >= left or self.silence_lasts is None:
                return text
            if self.silence_lasts(deadline - time.monotonic()):
                # what was sent before the silence may still be between us and the other side of the socket
                return socket.message(LOOK_S)

    def _disconnect(self, name: str) -> bool:
        socket = self._sockets.pop(name, None)
        if socket is not None:
            socket.close()
        return True

    def _patience_s(self, timeout_ms: float) -> float:
        asked = max(0.0, timeout_ms / 1000)
        return max(asked * self.time_scale, min(asked, _LEAST_PATIENCE_S))

    # --- inboundEvent

    def _listen(self, name: str, method: str, path: str) -> None:
        self._listeners[name] = (method.upper(), path, self.clock())

    def _event(self, name: str, _seen: int, timeout_ms: float) -> dict[str, Any]:
        """The next event, and how many milliseconds it took; the condition is the script's own affair."""
        if name not in self._listeners or self.inbound is None:
            return {"message": None, "waited": 0}
        method, path, since = self._listeners[name]
        began = time.monotonic()
        calls = self.inbound.seen(method=method, path=path, since=since, wait_s=self._patience_s(timeout_ms))
        if not calls:
            return {"message": None, "waited": timeout_ms}
        waited = (time.monotonic() - began) * 1000
        call = calls[0]
        self._listeners[name] = (method, path, math.nextafter(call.received_monotonic, math.inf))
        message = {"method": call.method.lower(), "path": call.path, "headers": dict(call.headers), "body": call.body}
        return {"message": message, "waited": waited}
