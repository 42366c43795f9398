"""What a target environment is: where its services are, how its callbacks reach us, which values are secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self, final

__all__ = ["CallbackAddress", "Target"]


@final
@dataclass(frozen=True, slots=True)
class CallbackAddress:
    """Where the hub's callbacks reach us. ``public_url`` is what participants are registered with; empty: as bound."""

    host: str = "127.0.0.1"
    port: int = 0
    public_url: str = ""


@final
@dataclass(frozen=True, slots=True)
class Target:
    """One environment. ``kind`` is ``embedded`` or ``environment``; only the latter can approve a release."""

    name: str
    kind: str
    services: Mapping[str, str]
    """Service name (``harness.fspiop.resources.SERVICES``) to base URL, no slash at the end."""
    callback: CallbackAddress = CallbackAddress()
    currency: str = "USD"
    hub_name: str = "Hub"
    bearer_token: str | None = None
    """Sent as ``Authorization: Bearer …`` with every request; a secret."""
    secrets: tuple[str, ...] = ()
    """Values that may stand nowhere in a run's files."""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    """Input values for collections, over those of the collection's own environment."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What is true of this environment and a Scheme's criteria may ask for."""
    defects: tuple[str, ...] = ()
    """Defects switched on in the embedded hub."""
    request_timeout_s: float = 10.0
    callback_timeout_s: float = 10.0
    verify_tls: bool = True
    time_scale: float = 1.0
    """What the delays of collections are multiplied by, in a dry run on the embedded hub; else 1."""

    def url(self, service: str) -> str:
        """Returns the base URL of ``service``. Raises ``KeyError`` where the target has none."""
        return self.services[service]

    def to_json(self) -> dict[str, Any]:
        """Returns all of it, secrets included: for handing to a worker, never for writing."""
        return {
            "name": self.name,
            "kind": self.kind,
            "services": dict(self.services),
            "callback": [self.callback.host, self.callback.port, self.callback.public_url],
            "currency": self.currency,
            "hub_name": self.hub_name,
            "bearer_token": self.bearer_token,
            "secrets": list(self.secrets),
            "inputs": dict(self.inputs),
            "facts": dict(self.facts),
            "defects": list(self.defects),
            "request_timeout_s": self.request_timeout_s,
            "callback_timeout_s": self.callback_timeout_s,
            "verify_tls": self.verify_tls,
            "time_scale": self.time_scale,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Reads what ``to_json`` gave."""
        values = dict(data)
        values["callback"] = CallbackAddress(*values["callback"])
        values["secrets"] = tuple(values["secrets"])
        values["defects"] = tuple(values["defects"])
        return cls(**values)

    def describe(self) -> dict[str, Any]:
        """Returns what a journal says of the target: no credentials, no inputs."""
        return {
            "name": self.name,
            "kind": self.kind,
            "services": dict(self.services),
            "facts": dict(self.facts),
            "defects": list(self.defects),
            **({} if self.time_scale == 1 else {"time_scale": self.time_scale}),
        }
