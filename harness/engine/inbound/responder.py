"""How a DFSP we play answers the hub: the seam between the server, which talks, and what decides the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from harness.engine.inbound.messages import Inbound

__all__ = ["Outgoing", "Reaction", "Responder"]


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


class Responder(Protocol):
    """Decides. It is asked in the server's thread, one call at a time, and must answer without waiting for anything."""

    def respond(self, call: Inbound, now: datetime) -> Reaction:
        """Returns the reaction to ``call`` at ``now``."""
        ...
