"""What passes between the inbound server and those who use it: calls of the hub, answers to it, addresses, notes.

All are frozen and survive the way over the control API unchanged.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self
from urllib.parse import quote, unquote

from harness.model.records import InboundNoted

__all__ = [
    "DFSP_PREFIX",
    "Callback",
    "Inbound",
    "InboundAddress",
    "InboundNote",
    "Sent",
    "normalise_path",
    "parse_body",
    "trace_id_of",
]

InboundNote = InboundNoted
"""What happened to a call that no waiting exchange took: the journal's own record."""

DFSP_PREFIX = "/dfsp/"
"""What the path of a DFSP's own base URL begins with; no FSPIOP resource has that name."""

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass(frozen=True, slots=True)
class InboundAddress:
    """Where the inbound server is. Handed from the controller to every worker."""

    public_url: str
    """What the hub is told, without a closing slash."""
    control_url: str
    token: str = field(repr=False)
    hub_tells_silence: bool = False
    """Whether the hub says when it will call nobody (``Silence``)."""

    def endpoint(self, fsp: str) -> str:
        """Returns the base URL of ``fsp``: what is registered as its endpoint at the hub."""
        return f"{self.public_url}{DFSP_PREFIX}{quote(fsp, safe='')}"

    def to_json(self) -> dict[str, Any]:
        """Returns a JSON-ready object."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Reads what ``to_json`` gave."""
        return cls(**data)


@dataclass(frozen=True, slots=True)
class Inbound:
    """One call that the hub made to one of our DFSPs."""

    method: str
    path: str
    """Without the prefix of the DFSP and without the query, percent-decoded once (see ``normalise_path``)."""
    fsp: str
    """The DFSP it was for; empty where neither prefix nor ``FSPIOP-Destination`` told."""
    headers: Mapping[str, str]
    """Names in lower case; values of a repeated name joined with ``, ``."""
    raw: bytes
    received_monotonic: float
    """``time.monotonic()`` in seconds: comparable between the processes of one machine."""
    received_at: str
    """ISO 8601 with milliseconds, UTC."""
    violations: tuple[str, ...] = ()
    """What is wrong with the call as FSPIOP sees it; it is delivered all the same."""
    query: str = ""

    @property
    def body(self) -> Any:
        """The parsed JSON; ``None`` where there is none or it is malformed: then see ``raw``. Parsed at each access."""
        return parse_body(self.raw)[0]

    @property
    def trace_id(self) -> str | None:
        """The trace id of the call's ``traceparent`` (W3C Trace Context, section 3.2), if it has a valid one."""
        return trace_id_of(self.headers.get("traceparent", ""))

    @property
    def source(self) -> str:
        """``FSPIOP-Source``, empty where absent."""
        return self.headers.get("fspiop-source", "")

    @property
    def destination(self) -> str:
        """``FSPIOP-Destination``, or the DFSP that was addressed by prefix."""
        return self.headers.get("fspiop-destination", "") or self.fsp

    def to_json(self) -> dict[str, Any]:
        """Returns a JSON-ready object. The body travels as its octets, one character each."""
        return {
            "method": self.method,
            "path": self.path,
            "fsp": self.fsp,
            "headers": dict(self.headers),
            "raw": self.raw.decode("latin-1"),
            "received_monotonic": self.received_monotonic,
            "received_at": self.received_at,
            "violations": list(self.violations),
            "query": self.query,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Reads what ``to_json`` gave."""
        return cls(**{**data, "raw": data["raw"].encode("latin-1"), "violations": tuple(data["violations"])})


Callback = Inbound
"""A call that an exchange waited for."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One call that a simulated DFSP made to the hub, and how the hub took it."""

    fsp: str
    method: str
    url: str
    headers: Mapping[str, str]
    body: Any
    status: int | None
    """``None`` where no response came; then ``error`` says why."""
    error: str
    sent_at: str
    latency_ms: float

    def to_json(self) -> dict[str, Any]:
        """Returns a JSON-ready object."""
        return {**asdict(self), "headers": dict(self.headers)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Reads what ``to_json`` gave."""
        return cls(**data)


def normalise_path(path: str) -> str:
    """Returns ``path`` without its query, percent-decoded once: the form in which paths are compared.

    A slash inside a segment stays ``%2F``, so that it is none between segments.
    """
    return "/".join(unquote(segment).replace("/", "%2F") for segment in path.partition("?")[0].split("/"))


def trace_id_of(traceparent: str) -> str | None:
    """Returns the trace id of a ``traceparent`` header, or ``None`` where it has no valid one."""
    match = _TRACEPARENT.fullmatch(traceparent.strip().lower())
    return None if match is None or set(match[1]) == {"0"} else match[1]


def parse_body(raw: bytes) -> tuple[Any, str]:
    """Returns the JSON in ``raw`` and what is wrong with it (empty where nothing is). No octets are ``None``."""
    if not raw:
        return None, ""
    try:
        return json.loads(raw.decode("utf-8"), parse_constant=_refuse_constant), ""
    except (ValueError, RecursionError) as error:
        return None, f"body is not JSON: {type(error).__name__}: {str(error)[:120]}"


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
