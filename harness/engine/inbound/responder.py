"""How a DFSP we play answers the hub: the seam between the server, which talks, and what decides the answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from harness.engine.inbound.messages import Inbound, Sent

__all__ = ["Listened", "Outgoing", "Reaction", "Responder"]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One call to make to the hub. The sender adds ``Date`` when it sends."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: Any
    delay_ms: int = 0
    """From the call it answers to its sending."""


@dataclass(frozen=True, slots=True)
class Reaction:
    """What a DFSP does about one call."""

    taken: bool = False
    """Whether this DFSP expected such a call: then nobody else has to."""
    sends: tuple[Outgoing, ...] = ()
    status: int | None = None
    """The HTTP status of the response; ``None`` for what FSPIOP prescribes: 200 to PUT and PATCH, 202 else."""
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    later: Callable[[Callable[[Outgoing], Awaitable[Sent]]], Awaitable[Reaction]] | None = None
    """Where the response takes time: work in the server's event loop that may call the hub, and what comes of it."""


class Responder(Protocol):
    """Decides. It is asked in the server's thread, one call at a time, and must answer without waiting for anything."""

    def respond(self, call: Inbound, now: datetime) -> Reaction:
        """Returns the reaction to ``call`` at ``now``."""
        ...


@runtime_checkable
class Listened(Protocol):
    """A responder that also has WebSockets."""

    def listen(self, path: str, push: Callable[[str], None]) -> Callable[[], None] | None:
        """Lets ``push`` hear what there is at ``path``. Returns what ends it; ``None`` where there is no such path."""
        ...
