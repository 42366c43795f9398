"""One exchange with the hub: a request, its response and, where the API is asynchronous, the callback that answers it.

Latencies are milliseconds from the moment the request was sent.
"""

from __future__ import annotations

import json
import ssl
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, Self, final

import httpx

from harness.engine.inbound.messages import Inbound
from harness.fspiop.dates import iso_ms
from harness.target.credentials import CREDENTIAL_HEADERS, credentials_of
from harness.target.model import Target
from harness.target.tls import context_for

__all__ = ["CallbackRoutes", "CallbackSource", "Exchange", "Exchanger", "Request", "Response"]

MAX_BODY = 4 * 1024 * 1024


@final
@dataclass(frozen=True, slots=True)
class Request:
    """What is sent. ``body`` is JSON-able, or text that goes as it is, or ``None``."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None


@final
@dataclass(frozen=True, slots=True)
class Response:
    """What came back at once. Header names are lower case; ``body`` is parsed where it is JSON, else text."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: Any


@final
@dataclass(frozen=True, slots=True)
class CallbackRoutes:
    """Where the answer to a request may arrive: at DFSP ``fsp``, on any of ``routes`` (method, path)."""

    fsp: str
    routes: Sequence[tuple[str, str]]
    also: tuple[str, ...] = ()
    """Other DFSPs that it may arrive at."""


@final
@dataclass(frozen=True, slots=True)
class Exchange:
    """An exchange as it went. ``error_kind`` is ``connection``, ``timeout``, ``callback-timeout`` or empty."""

    id: str
    request: Request
    response: Response | None
    callback: Inbound | None
    awaited: CallbackRoutes | None
    started_at: str
    latency_ms: float | None
    callback_ms: float | None
    error: str = ""
    error_kind: str = ""

    def to_json(self) -> dict[str, Any]:
        """Returns the line for ``exchanges.jsonl``, not yet redacted."""
        response = self.response
        callback = self.callback
        return {
            "id": self.id,
            "started_at": self.started_at,
            "request": {
                "method": self.request.method,
                "url": self.request.url,
                "headers": dict(self.request.headers),
                "body": self.request.body,
            },
            "response": None
            if response is None
            else {
                "status": response.status,
                "reason": response.reason,
                "headers": dict(response.headers),
                "body": response.body,
                "latency_ms": self.latency_ms,
            },
            "callback": None
            if callback is None
            else {
                "method": callback.method,
                "path": callback.path,
                "headers": dict(callback.headers),
                "body": callback.body,
                "received_at": callback.received_at,
                "latency_ms": self.callback_ms,
            },
            "awaited": None if self.awaited is None else [" ".join(route) for route in self.awaited.routes],
            "error": self.error,
            "error_kind": self.error_kind,
        }


class CallbackSource(Protocol):
    """What an exchange needs of the inbound server."""

    def expect(
        self,
        *,
        fsp: str,
        routes: Sequence[tuple[str, str]],
        case: str,
        step: str,
        trace_id: str | None = None,
        also: Sequence[str] = (),
    ) -> str:
        """Announces that a callback may come; returns the expectation's id."""

    def wait(self, expectation: str, timeout_s: float) -> Inbound | None:
        """Returns the callback, or ``None`` after ``timeout_s`` seconds."""

    def cancel(self, expectation: str) -> None:
        """Takes an expectation back."""


@final
class Exchanger:
    """Carries out exchanges over one HTTP client. Not shared between threads."""

    def __init__(
        self,
        inbound: CallbackSource | None,
        *,
        request_timeout_s: float = 10.0,
        callback_timeout_s: float = 10.0,
        verify: ssl.SSLContext | bool = True,
        auth: httpx.Auth | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._inbound = inbound
        self._callback_timeout_s = callback_timeout_s
        self._client = httpx.Client(
            timeout=request_timeout_s,
            verify=verify,
            auth=auth,
            trust_env=False,
            follow_redirects=False,
            transport=transport,
        )
        # httpx would add one of its own, and a case that leaves Accept out would not be what it says
        del self._client.headers["accept"]

    @classmethod
    def for_target(cls, target: Target, inbound: CallbackSource | None) -> Self:
        """Returns an exchanger that signs in to ``target`` and keeps its time-outs."""
        return cls(
            inbound,
            request_timeout_s=target.request_timeout_s,
            callback_timeout_s=target.callback_timeout_s,
            verify=context_for(target.tls),
            auth=credentials_of(target),
        )

    def close(self) -> None:
        """Ends all connections."""
        self._client.close()

    def exchange(
        self,
        request: Request,
        *,
        awaiting: CallbackRoutes | None = None,
        case: str = "",
        step: str = "",
        request_timeout_s: float | None = None,
        callback_timeout_s: float | None = None,
    ) -> Exchange:
        """Sends ``request`` and waits for its response and, if ``awaiting`` is given, the callback, in either order.

        The time-outs go over those of the exchanger.
        Never raises on what the hub does: what went wrong is in ``error`` and ``error_kind``.
        """
        started_at = iso_ms()
        expectation = None
        if awaiting is not None and self._inbound is not None:
            expectation = self._inbound.expect(
                fsp=awaiting.fsp,
                routes=awaiting.routes,
                case=case,
                step=step,
                trace_id=_trace_id(request.headers),
                also=awaiting.also,
            )
        started = time.monotonic()
        response, error, kind, request = self._send(request, request_timeout_s)
        latency = None if response is None else _ms(time.monotonic() - started)
        callback = None
        if expectation is not None and self._inbound is not None:
            if response is None or response.status >= 400:
                self._inbound.cancel(expectation)
            else:
                limit = self._callback_timeout_s if callback_timeout_s is None else callback_timeout_s
                began = time.monotonic()
                callback = self._inbound.wait(expectation, limit)
                if callback is None and not kind:
                    error, kind = _silence(time.monotonic() - began, limit), "callback-timeout"
        return Exchange(
            id=uuid.uuid4().hex[:16],
            request=request,
            response=response,
            callback=callback,
            awaited=awaiting,
            started_at=started_at,
            latency_ms=latency,
            callback_ms=None if callback is None else _ms(max(0.0, callback.received_monotonic - started)),
            error=error,
            error_kind=kind,
        )

    def _send(self, request: Request, timeout_s: float | None) -> tuple[Response | None, str, str, Request]:
        """Returns the response, or what went wrong and its kind; and the request as it went out."""
        content: bytes | None = None
        if isinstance(request.body, str):
            content = request.body.encode("utf-8", "surrogatepass")
        elif request.body is not None:
            content = json.dumps(request.body, ensure_ascii=False, separators=(",", ":")).encode()
        headers = [(name.encode("ascii", "replace"), str(value).encode()) for name, value in request.headers.items()]
        try:
            with self._client.stream(
                request.method,
                request.url,
                headers=headers,
                content=content,
                timeout=httpx.USE_CLIENT_DEFAULT if timeout_s is None else timeout_s,
            ) as answer:
                body = b""
                for chunk in answer.iter_bytes():
                    body += chunk
                    if len(body) > MAX_BODY:
                        return None, f"response larger than {MAX_BODY} bytes", "connection", request
        except httpx.ConnectTimeout as problem:
            return None, f"cannot connect to {request.url}: {problem}", "connection", request
        except httpx.TimeoutException:
            return None, f"no response from {request.url} in time", "timeout", request
        except (httpx.HTTPError, httpx.InvalidURL) as problem:
            return None, f"cannot reach {request.url}: {type(problem).__name__}: {problem}", "connection", request
        lower = {name.lower(): value for name, value in answer.headers.items()}
        response = Response(answer.status_code, answer.reason_phrase, lower, _parsed(body))
        return response, "", "", _as_sent(request, answer.request)


def _silence(waited_s: float, limit_s: float) -> str:
    if waited_s < limit_s:
        return f"no callback, and none was on its way any more after {waited_s:.1f} of {limit_s:g} s"
    return f"no callback within {limit_s:g} s"


def _as_sent(request: Request, sent: httpx.Request) -> Request:
    """``request`` with the credentials it went out with: whoever records it learns by them what is secret."""
    given = {name.lower() for name in request.headers}
    added = {name: sent.headers[name] for name in CREDENTIAL_HEADERS if name in sent.headers and name not in given}
    return replace(request, headers={**request.headers, **added}) if added else request


def _parsed(body: bytes) -> Any:
    text = body.decode("utf-8", "replace")
    if not text:
        return ""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _trace_id(headers: Mapping[str, str]) -> str | None:
    for name, value in headers.items():
        if name.lower() == "traceparent":
            parts = value.split("-")
            return parts[1] if len(parts) == 4 else None
    return None


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)
