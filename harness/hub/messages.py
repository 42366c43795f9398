"""What is said to the hub, and what does the hub say? Incoming messages, outgoing calls, and JSON without floats."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from harness.fspiop.dates import http_date
from harness.fspiop.headers import DESTINATION, HTTP_METHOD, SIGNATURE, SOURCE, URI, content_type
from harness.hub.participants import Callback

__all__ = ["Message", "Outgoing", "Voice", "announce", "digest", "dump_json", "forward", "load_json", "say"]

_NUMBER = re.compile(r'"\\u0000(-?[\d.]+)\\u0000"')
_HOP = frozenset({
    "host", "connection", "keep-alive", "content-length", "transfer-encoding", "accept-encoding", "user-agent", "te",
    "trailer", "upgrade", "expect",
})  # fmt: skip
_SAID_BY_SENDER = frozenset({SIGNATURE.lower(), URI.lower(), HTTP_METHOD.lower(), "accept"})


def load_json(raw: bytes) -> Any:
    """Reads JSON with exact decimals. Raises ``ValueError``."""
    return json.loads(raw, parse_float=Decimal)


def dump_json(value: Any) -> bytes:
    """Writes JSON; a ``Decimal`` becomes the number it is, digit for digit."""
    return _NUMBER.sub(r"\1", json.dumps(value, default=_decimal, separators=(",", ":"))).encode()


def digest(body: Any) -> bytes:
    """Returns what tells a repeated request from a modified one: a hash of the body, white space apart."""
    return hashlib.sha256(json.dumps(body, default=str, separators=(",", ":")).encode()).digest()


def _decimal(value: object) -> str:
    if isinstance(value, Decimal):
        return f"\0{value:f}\0"
    raise TypeError(f"not JSON: {type(value).__name__}")


@dataclass(frozen=True, slots=True)
class Message:
    """An FSPIOP request that passed the header checks."""

    source: str
    destination: str | None
    resource: str
    version: str
    """The API version its content is written in, ``1.1``."""
    headers: Mapping[str, str]
    """Names in lower case."""
    raw: bytes
    body: Any


class Sign(Protocol):
    """Returns the headers that sign a request, and name its URI and method."""

    def __call__(self, headers: Mapping[str, str], *, method: str, uri: str, body: str) -> Mapping[str, str]: ...


@dataclass(frozen=True, slots=True)
class Voice:
    """How the hub calls itself (``FSPIOP-Source``) and which API version it writes."""

    name: str
    version: str
    sign: Sign | None = None
    """How it signs what it says, if it does."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A call the hub makes to a participant. Calls with one ``order`` key to one participant keep their order."""

    to: str
    method: str
    callback: Callback
    parameters: Mapping[str, str]
    headers: Mapping[str, str]
    content: bytes
    order: str
    query: str = ""
    times: int = field(default=1, kw_only=True)


def forward(message: Message, *, to: str, method: str, callback: Callback, parameters: Mapping[str, str],
            order: str, content: bytes | None = None, query: str = "") -> Outgoing:  # fmt: skip
    """Returns the call that hands a participant's message on as it is, with a new span in the same trace."""
    headers = {name: value for name, value in message.headers.items() if name not in _HOP}
    headers[DESTINATION.lower()] = to
    headers.update(_next_span(message.headers))
    return Outgoing(to, method, callback, parameters, headers, content or message.raw, order, query)


def say(message: Message, hub: Voice, *, to: str, method: str, callback: Callback, parameters: Mapping[str, str],
        body: Any, order: str) -> Outgoing:  # fmt: skip
    """Returns the call by which the hub itself answers ``message``; other headers are echoed, as the services do."""
    headers = {
        name: value for name, value in message.headers.items() if name not in _HOP and name not in _SAID_BY_SENDER
    }
    headers.update(_next_span(message.headers))
    content = dump_json(body)
    headers.update(_own_headers(hub, to, method, message.resource, callback.uri(parameters), content))
    return Outgoing(to, method, callback, parameters, headers, content, order)


def announce(hub: Voice, *, to: str, method: str, callback: Callback, parameters: Mapping[str, str], body: Any,
             order: str, resource: str) -> Outgoing:  # fmt: skip
    """Returns a call that no request caused (a time-out): it starts a trace of its own."""
    headers = {"traceparent": f"00-{os.urandom(16).hex()}-{os.urandom(8).hex()}-00"}
    content = dump_json(body)
    headers.update(_own_headers(hub, to, method, resource, callback.uri(parameters), content))
    return Outgoing(to, method, callback, parameters, headers, content, order)


def _own_headers(hub: Voice, to: str, method: str, resource: str, uri: str, content: bytes) -> dict[str, str]:
    headers = {
        "content-type": content_type(resource, hub.version),
        "date": http_date(),
        SOURCE.lower(): hub.name,
        DESTINATION.lower(): to,
        HTTP_METHOD.lower(): method,
        URI.lower(): uri,
    }
    if hub.sign is not None:
        headers.update(hub.sign(headers, method=method, uri=uri, body=content.decode()))
    return headers


def _next_span(headers: Mapping[str, str]) -> dict[str, str]:
    """Returns the W3C trace context for the next hop: same trace, new span."""
    parts = headers.get("traceparent", "").split("-")
    if len(parts) != 4:
        return {}
    return {"traceparent": f"{parts[0]}-{parts[1]}-{os.urandom(8).hex()}-{parts[3]}"}
